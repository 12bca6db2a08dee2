// @livekit/agents with its plugin for OpenAI: an `AgentSession` over `RealtimeModel`, then `STT` and `TTS` alone.
import { initializeLogger, llm, voice } from "@livekit/agents";
import * as openai from "@livekit/agents-plugin-openai";
import { AudioFrame } from "@livekit/rtc-node";
import { address, expect, recording, report, sleep, speak, until } from "./reporting.mjs";

initializeLogger({ pretty: false, level: "fatal" });

const RATE = 24_000;
const SENTENCE = "The garden behind the school is full of yellow flowers.";
const service = { baseURL: `http://${address}/v1`, apiKey: "none" };

const frame = (bytes) => {
  const samples = new Int16Array(bytes.slice().buffer);
  return new AudioFrame(samples, RATE, 1, samples.length);
};

class Microphone extends voice.AudioInput {
  constructor() {
    super();
    const frames = new ReadableStream({ start: (controller) => (this.controller = controller) });
    this.multiStream.addInputStream(frames);
  }
  send(bytes) {
    this.controller.enqueue(frame(bytes));
  }
}

// Plays nothing, but takes as long as playing would.
class Loudspeaker extends voice.AudioOutput {
  heard = 0;
  queued = 0;
  async captureFrame(captured) {
    await super.captureFrame(captured);
    if (this.queued === 0) {
      this.began = Date.now();
      this.onPlaybackStarted(this.began);
    }
    this.queued += captured.samplesPerChannel / captured.sampleRate;
  }
  flush() {
    super.flush();
    if (this.queued === 0 || this.timer) return;
    const left = this.began + this.queued * 1000 - Date.now();
    this.timer = setTimeout(() => this.finish(this.queued, false), Math.max(0, left));
  }
  clearBuffer() {
    clearTimeout(this.timer);
    if (this.queued > 0) this.finish(Math.min((Date.now() - this.began) / 1000, this.queued), true);
  }
  finish(playbackPosition, interrupted) {
    this.queued = 0;
    this.timer = undefined;
    this.heard += playbackPosition;
    this.onPlaybackFinished({ playbackPosition, interrupted });
  }
}

const calls = [];
const weather = llm.tool({
  name: "get_weather",
  description: "Get the weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  execute: async (input) => {
    calls.push(input);
    return "Sunny and warm.";
  },
});
const agent = new voice.Agent({ instructions: "Be brief.", tools: [weather] });
const microphone = new Microphone();
const loudspeaker = new Loudspeaker(RATE);
const errors = [];
let session;

const say = (name, speed) => speak(name, (bytes) => microphone.send(bytes), speed);
const texts = (role) =>
  session.history.items.filter((item) => item.type === "message" && item.role === role).map((item) => item.textContent ?? "");

async function answered(count) {
  await until(() => texts("assistant").length >= count, `answer ${count}`, 30);
  await until(() => loudspeaker.queued === 0, "end of the playback", 30);
  return texts("assistant").at(-1);
}

await report({
  connect: async () => {
    session = new voice.AgentSession({ llm: new openai.realtime.RealtimeModel(service) });
    session.input.audio = microphone;
    session.output.audio = loudspeaker;
    session.on("error", (event) => errors.push(String(event.error?.message ?? event.error)));
    await session.start({ agent, record: false });
  },
  greeting: async () => {
    session.generateReply({ instructions: "Greet the user." });
    const text = await answered(1);
    expect(!text.includes("Greet") && !text.includes("Be brief"), text);
  },
  turn: async () => {
    const heard = loudspeaker.heard;
    await say("turn");
    const text = await answered(2);
    expect(/^You said: the garden/i.test(text), text);
    expect(texts("user").at(-1).includes("yellow flowers"), texts("user").join());
    expect(loudspeaker.heard > heard + 1, `${loudspeaker.heard - heard} s heard`);
  },
  "second turn": async () => {
    await say("second");
    const text = await answered(3);
    expect(/before that you said: the garden/i.test(text), text);
  },
  tool: async () => {
    await say("tool");
    const text = await answered(4);
    expect(calls.length === 1 && "city" in calls[0], JSON.stringify(calls));
    expect(text.includes("Sunny and warm."), text);
  },
  "false alarm": async () => {
    await say("turn");
    await until(() => loudspeaker.queued > 0, "audio of the answer");
    await say("noise", 1);
    const text = await answered(5);
    expect(/^You said: the garden/i.test(text) && text.includes("weather"), text);
  },
  nod: async () => {
    await say("turn");
    await until(() => loudspeaker.queued > 0, "audio of the answer");
    await sleep(1);
    await say("nod", 1);
    await answered(7);
    const parts = texts("assistant").slice(5);
    expect(parts.length > 1 && /^You said: the garden.*before that you said/i.test(parts.join(" ")), parts.join("|"));
    expect(!parts.at(-1).includes("Okay"), parts.join("|"));
  },
  "barge-in": async () => {
    await say("long");
    await until(() => loudspeaker.queued > 0, "audio of the answer");
    await sleep(1.5);
    await say("interruption", 1);
    const text = await answered(9);
    expect(text.includes("Stop now"), text);
    const cut = texts("assistant")[7];
    expect(cut.startsWith("This is sentence number 1") && !cut.includes("number 6"), cut);
  },
  errors: async () => {
    expect(errors.length === 0, errors.join());
    await session.close();
  },
  "speech to text": async () => {
    const event = await new openai.STT({ ...service, useRealtime: false }).recognize(frame(recording("turn")));
    expect(event.alternatives[0].text.toLowerCase() === SENTENCE.toLowerCase(), JSON.stringify(event));
  },
  "text to speech": async () => {
    let seconds = 0;
    for await (const chunk of new openai.TTS(service).synthesize(SENTENCE)) {
      seconds += chunk.frame.samplesPerChannel / chunk.frame.sampleRate;
    }
    expect(seconds > 2 && seconds < 6, `${seconds} s`);
  },
});
