// Mastra: its voices for OpenAI, in a conversation and over HTTP.
import { Readable } from "node:stream";
import { OpenAIVoice } from "@mastra/voice-openai";
import { OpenAIRealtimeVoice } from "@mastra/voice-openai-realtime";
import { address, expect, recording, report, sleep, until } from "./reporting.mjs";

const voice = new OpenAIRealtimeVoice({ apiKey: "none", url: `ws://${address}/v1/realtime` });
const errors = [];
const texts = { user: "", assistant: "" };
let audio = 0;
voice.on("error", (error) => errors.push(error));
voice.on("writing", ({ role, text }) => (texts[role] += text));
voice.on("speaking", () => audio++);
voice.addInstructions("Be brief.");

async function turn() {
  await voice.connect();
  const spoken = new Int16Array(Uint8Array.from(recording("turn")).buffer);
  for (let at = 0; at < spoken.length; at += 480) {
    await voice.send(spoken.slice(at, at + 480));
    await sleep(0.005);
  }
  await until(() => /yellow flowers/.test(texts.assistant) && audio > 5, "answer");
  expect(/yellow flowers/.test(texts.user), texts.user);
  expect(errors.length === 0, JSON.stringify(errors));
  voice.close();
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

await report({ turn, HTTP: http });
