// The AI SDK of Vercel: transcription and speech with its provider for OpenAI.
import { createOpenAI } from "@ai-sdk/openai";
import { generateSpeech, transcribe } from "ai";
import { address, expect, report } from "./reporting.mjs";

const openai = createOpenAI({ baseURL: `http://${address}/v1`, apiKey: "none" });

async function speech() {
  const { audio } = await generateSpeech({ model: openai.speech("gpt-4o-mini-tts"), text: "Good morning." });
  expect(audio.mediaType === "audio/mpeg" && audio.uint8Array.length > 3000, audio.mediaType);
}

async function upload() {
  const text = "The garden behind the school is full of yellow flowers.";
  const { audio } = await generateSpeech({ model: openai.speech("tts-1"), voice: "alloy", text, outputFormat: "wav" });
  for (const model of ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"]) {
    const heard = await transcribe({ model: openai.transcription(model), audio: audio.uint8Array });
    expect(heard.text === text, heard.text);
    expect(heard.durationInSeconds > 2, heard.durationInSeconds);
  }
}

await report({ speech, upload });
