// @openai/agents-realtime over its websocket transport: a conversation with a tool, an interruption and a false alarm.
import { RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import { address, expect, report, sleep, speak, until } from "./reporting.mjs";

const calls = [];
const weather = tool({
  name: "get_weather",
  description: "Get the weather of a city.",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
  strict: true,
  execute: async (input) => {
    calls.push(input);
    return "Sunny and warm.";
  },
});
const agent = new RealtimeAgent({ name: "assistant", instructions: "Be brief.", tools: [weather] });
const session = new RealtimeSession(agent, { transport: "websocket", model: "gpt-realtime" });

let audioBytes = 0;
let interruptions = 0;
const errors = [];
const responses = []; // as in `response.done`
session.on("audio", (event) => (audioBytes += event.data.byteLength));
session.on("audio_interrupted", () => (interruptions += 1));
session.on("error", (event) => errors.push(JSON.stringify(event.error?.error ?? event.error)));
session.on("transport_event", (event) => {
  if (event.type === "response.done") responses.push(event.response);
});

const say = (name, speed) => speak(name, (frame) => session.sendAudio(frame.buffer), speed);
const messages = (role) => session.history.filter((item) => item.type === "message" && item.role === role);
const textOf = (item) => item.content.map((part) => part.transcript ?? part.text ?? "").join("");
const lastText = (role) => textOf(messages(role).at(-1) ?? { content: [] }).toLowerCase();

async function answerTo(name, speed) {
  const [done, audio] = [responses.length, audioBytes];
  await say(name, speed);
  await until(() => responses.length > done, `response to "${name}"`);
  expect(responses.at(-1).status === "completed", JSON.stringify(responses.at(-1)));
  return { audio: audioBytes - audio, text: textOf(responses.at(-1).output.at(-1) ?? { content: [] }).toLowerCase() };
}

await report({
  connect: () => session.connect({ apiKey: "none", url: `ws://${address}/v1/realtime?model=gpt-realtime` }),
  turn: async () => {
    const answer = await answerTo("turn");
    expect(answer.audio > 48_000, `${answer.audio} bytes of audio`);
    expect(answer.text.startsWith("you said: the garden"), answer.text);
    await until(() => lastText("user").includes("yellow flowers"), "transcript in the history");
    await until(() => lastText("assistant").includes("yellow flowers"), "answer in the history");
  },
  "second turn": async () => {
    const { text } = await answerTo("second");
    expect(text.includes("before that you said: the garden"), text);
  },
  tool: async () => {
    const done = responses.length;
    await say("tool");
    await until(() => responses.length >= done + 2, "spoken result of the tool");
    expect(calls.length === 1 && "city" in calls[0], JSON.stringify(calls));
    expect(textOf(responses.at(-1).output.at(-1)).includes("Sunny and warm."), JSON.stringify(responses.at(-1).output));
  },
  "typed text": async () => {
    const done = responses.length;
    session.sendMessage("Good morning.");
    await until(() => responses.length > done, "answer to typed text");
    expect(textOf(responses.at(-1).output.at(-1)).startsWith("You said: Good morning."), JSON.stringify(responses.at(-1)));
  },
  "false alarm": async () => {
    const [done, audio] = [responses.length, audioBytes];
    await say("turn");
    await until(() => audioBytes > audio, "audio of the answer");
    const before = interruptions;
    await say("noise", 1);
    await until(() => responses.length > done, "end of the answer");
    expect(responses.at(-1).status === "completed" && interruptions === before, JSON.stringify(responses.at(-1)));
    expect(lastText("assistant").includes("yellow flowers"), lastText("assistant"));
  },
  nod: async () => {
    const [done, audio] = [responses.length, audioBytes];
    await say("turn");
    await until(() => audioBytes > audio, "audio of the answer");
    await sleep(1);
    await say("nod", 1);
    await until(() => responses.length >= done + 2, "rest of the answer");
    const parts = responses.slice(done).map((response) => textOf(response.output.at(-1)));
    expect(parts.length > 1 && /^You said: the garden.*before that you said/i.test(parts.join(" ")), parts.join("|"));
    expect(!parts.at(-1).includes("Okay"), parts.join("|"));
  },
  "barge-in": async () => {
    const [done, audio, before] = [responses.length, audioBytes, interruptions];
    await say("long");
    await until(() => audioBytes > audio + 48_000, "audio of the answer");
    await sleep(1.5);
    await say("interruption", 1);
    await until(() => responses.length >= done + 2, "cancelled response and answer", 25);
    expect(responses[done].status === "cancelled", responses[done].status);
    expect(interruptions > before, "the client saw no interruption");
    expect(textOf(responses[done + 1].output.at(-1)).includes("Stop now"), JSON.stringify(responses[done + 1]));
    await until(() => lastText("user").includes("stop now"), "interruption in the history");
  },
  errors: () => expect(errors.length === 0, errors.join(" ")),
});
