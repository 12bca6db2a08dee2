// Mastra: its voices for OpenAI, in a conversation and over HTTP.
import { Readable } from "node:stream";
import { OpenAIVoice } from "@mastra/voice-openai";
import { OpenAIRealtimeVoice } from "@mastra/voice-openai-realtime";
import { Conversation, WEATHER } from "./conversation.mjs";
import { address, expect, report, until } from "./reporting.mjs";

const voice = new OpenAIRealtimeVoice({ apiKey: "none", url: `ws://${address}/v1/realtime` });
const conversation = new Conversation((frame) => voice.send(new Int16Array(frame.buffer)));
const texts = { user: "", assistant: "" };
voice.on("error", (error) => conversation.errors.push(error));
voice.on("writing", ({ role, text }) => (texts[role] += text));
voice.on("speaking", ({ audio }) => (conversation.audioBytes += audio.length));
voice.on("response.done", ({ response }) => conversation.responses.push(response));
voice.on("input_audio_buffer.speech_started", () => conversation.interruptions++);
voice.addInstructions("Be brief.");
voice.addTools({ [WEATHER.name]: { ...WEATHER, execute: conversation.weather } });

async function written() {
  await until(() => /yellow flowers/.test(texts.user) && /yellow flowers/.test(texts.assistant), "texts of both sides");
}

async function http() {
  const options = { baseURL: `http://${address}/v1` };
  const plain = new OpenAIVoice({
    speechModel: { name: "tts-1", apiKey: "none", options },
    listeningModel: { name: "whisper-1", apiKey: "none", options },
  });
  const chunks = [];
  for await (const chunk of await plain.speak("Good morning, dear friends.")) chunks.push(chunk);
  const text = await plain.listen(Readable.from([Buffer.concat(chunks)]), { filetype: "mp3" });
  expect(/good morning/i.test(text), text);
}

await report({ connect: () => voice.connect(), ...conversation.steps, "written texts": written, HTTP: http });
