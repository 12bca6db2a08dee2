// Runs the realtime client of openai-node, which connects over TLS only: sends what is in a file, prints what it hears.
// `openai_node_realtime.mjs DIRECTORY BASE_URL FILE`: the directory contains `node_modules`, the file PCM16 at 24 kHz.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [directory, baseURL, file] = process.argv.slice(2);
const require = createRequire(`${directory}/`);
const OpenAI = require("openai");
const { OpenAIRealtimeWS } = require("openai/realtime/ws");

const heard = { url: "", transcript: "", answer: "", audioBytes: 0, errors: [] };
const realtime = new OpenAIRealtimeWS({ model: "gpt-realtime" }, new OpenAI({ baseURL, apiKey: "none" }));
heard.url = realtime.url.protocol;

realtime.on("error", (error) => heard.errors.push(String(error)));
realtime.on("session.created", () =>
  realtime.send({
    type: "session.update",
    session: {
      type: "realtime",
      audio: { input: { transcription: { model: "gpt-4o-transcribe" }, turn_detection: { type: "server_vad" } } },
    },
  }),
);
realtime.on("session.updated", () =>
  realtime.send({ type: "input_audio_buffer.append", audio: readFileSync(file).toString("base64") }),
);
realtime.on("conversation.item.input_audio_transcription.completed", (event) => (heard.transcript = event.transcript));
realtime.on("response.output_audio_transcript.done", (event) => (heard.answer = event.transcript));
realtime.on("response.output_audio.delta", (event) => (heard.audioBytes += Buffer.from(event.delta, "base64").length));
realtime.on("response.done", () => realtime.close());
realtime.socket.on("close", () => process.stdout.write(JSON.stringify(heard)));
