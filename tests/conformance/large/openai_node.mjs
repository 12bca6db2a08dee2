// openai-node: its realtime client, which connects over TLS only, through an end of TLS in this program.
import { readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import tls from "node:tls";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { Conversation, WEATHER } from "./conversation.mjs";
import { address, recordings, report, until } from "./reporting.mjs";

const [cert, key] = ["server.pem", "server.key"].map((name) => readFileSync(path.join(recordings, name)));
const proxy = tls.createServer({ cert, key }, (socket) => {
  const [host, port] = address.split(":");
  const service = net.connect(Number(port), host);
  socket.pipe(service).pipe(socket);
  for (const end of [socket, service]) end.on("error", () => {});
});
await new Promise((listening) => proxy.listen(0, "127.0.0.1", listening));

const client = new OpenAI({ baseURL: `https://localhost:${proxy.address().port}/v1`, apiKey: "none" });
const realtime = new OpenAIRealtimeWS({ model: "gpt-realtime", options: { ca: cert } }, client);
const conversation = new Conversation((frame) =>
  realtime.send({ type: "input_audio_buffer.append", audio: Buffer.from(frame).toString("base64") }),
);
let updated = false;
realtime.on("error", (error) => conversation.errors.push(String(error)));
realtime.on("session.updated", () => (updated = true));
realtime.on("response.output_audio.delta", (event) => (conversation.audioBytes += (event.delta.length * 3) / 4));
realtime.on("input_audio_buffer.speech_started", () => conversation.interruptions++);
realtime.on("response.done", ({ response }) => {
  conversation.responses.push(response);
  const calls = response.output.filter((item) => item.type === "function_call");
  for (const { call_id, arguments: input } of calls) {
    const output = conversation.weather(JSON.parse(input));
    realtime.send({ type: "conversation.item.create", item: { type: "function_call_output", call_id, output } });
  }
  if (calls.length) realtime.send({ type: "response.create" });
});

async function connect() {
  const input = { transcription: { model: "gpt-4o-transcribe" }, turn_detection: { type: "server_vad" } };
  const session = { type: "realtime", instructions: "Be brief.", tools: [{ type: "function", ...WEATHER }], audio: { input } };
  await until(() => realtime.socket.readyState === 1, "connection");
  realtime.send({ type: "session.update", session });
  await until(() => updated, "session.updated");
}

await report({ connect, ...conversation.steps });
