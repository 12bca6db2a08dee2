// The AI SDK of Vercel: its realtime session, as it runs in a browser, with a loudspeaker in place of the browser's.
import http from "node:http";
import { createOpenAI } from "@ai-sdk/openai";
import { Experimental_AbstractRealtimeSession as RealtimeSession } from "ai";
import { Conversation, WEATHER } from "./conversation.mjs";
import { address, expect, report, until } from "./reporting.mjs";

// Plays nothing, but takes as long as playing would.
globalThis.AudioContext = class {
  state = "running";
  began = performance.now();
  get currentTime() {
    return (performance.now() - this.began) / 1000;
  }
  createBuffer(_, length, rate) {
    const samples = new Float32Array(length);
    return { duration: length / rate, getChannelData: () => samples };
  }
  createBufferSource() {
    const context = this;
    return {
      connect() {},
      disconnect() {},
      start(at) {
        const seconds = at + this.buffer.duration - context.currentTime;
        this.timer = setTimeout(() => this.onended?.(), seconds * 1000);
      },
      stop() {
        clearTimeout(this.timer);
        conversation.interruptions++; // nothing else stops what is played
      },
    };
  }
  async close() {}
};

const openai = createOpenAI({ baseURL: `http://${address}/v1`, apiKey: "none" });
const sessionConfig = {
  instructions: "Be brief.",
  voice: "alloy",
  turnDetection: { type: "server-vad" },
  inputAudioTranscription: { model: "whisper-1" },
};

// The program's own server, which keeps the key and gives pages one that expires.
const server = http.createServer(async (_, answer) => {
  const { token, url } = await openai.experimental_realtime.getToken({ model: "gpt-realtime", sessionConfig });
  answer.end(JSON.stringify({ token, url: url.replace("wss:", "ws:"), tools: [{ type: "function", ...WEATHER }] }));
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

class Session extends RealtimeSession {
  setState() {} // where a page would show its `state`
  get connected() {
    return this.state.status === "connected";
  }
}

const session = new Session({
  model: openai.experimental_realtime("gpt-realtime"),
  api: { token: `http://127.0.0.1:${server.address().port}` },
  sessionConfig,
  onToolCall: ({ toolCall }) => conversation.weather(toolCall.args),
  onError: (error) => conversation.errors.push(String(error)),
  onEvent: (event) => {
    if (event.type === "audio-delta") conversation.audioBytes += (event.delta.length * 3) / 4;
    if (event.type === "response-done") conversation.responses.push(event.raw.response);
  },
});
const conversation = new Conversation((frame) => session.sendAudio(Buffer.from(frame).toString("base64")));

async function connect() {
  await session.connect();
  await until(() => session.connected, "session");
}

async function typedText() {
  const since = conversation.responses.length;
  session.sendTextMessage("Good morning.");
  const [response] = await conversation.responded(since);
  expect(response.output[0].content[0].transcript.startsWith("You said: Good morning."), JSON.stringify(response));
}

await report({ connect, ...conversation.steps, "typed text": typedText });
