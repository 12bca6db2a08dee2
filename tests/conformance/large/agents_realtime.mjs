// @openai/agents-realtime over its websocket transport: a conversation with a tool, an interruption and a false alarm.
import { RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import { Conversation, WEATHER, textOf } from "./conversation.mjs";
import { address, expect, report, until } from "./reporting.mjs";

const conversation = new Conversation((frame) => session.sendAudio(frame.buffer));
const weather = tool({
  ...WEATHER,
  parameters: { ...WEATHER.parameters, additionalProperties: false },
  strict: true,
  execute: async (input) => conversation.weather(input),
});
const agent = new RealtimeAgent({ name: "assistant", instructions: "Be brief.", tools: [weather] });
const session = new RealtimeSession(agent, { transport: "websocket", model: "gpt-realtime" });
session.on("audio", (event) => (conversation.audioBytes += event.data.byteLength));
session.on("audio_interrupted", () => (conversation.interruptions += 1));
session.on("error", (event) => conversation.errors.push(event.error?.error ?? event.error));
session.on("transport_event", (event) => {
  if (event.type === "response.done") conversation.responses.push(event.response);
});

const history = (role) =>
  session.history
    .filter((item) => item.type === "message" && item.role === role)
    .map((item) => item.content.map((part) => part.transcript ?? part.text ?? "").join(""));

/** Wait until the history of a side has these words. */
const remembered = (role, words) => until(() => history(role).some((text) => words.test(text)), `${words} in the history`);

await report({
  connect: () => session.connect({ apiKey: "none", url: `ws://${address}/v1/realtime?model=gpt-realtime` }),
  ...conversation.steps,
  "typed text": async () => {
    const since = conversation.responses.length;
    session.sendMessage("Good morning.");
    const [response] = await conversation.responded(since);
    expect(textOf(response).startsWith("You said: Good morning."), JSON.stringify(response));
  },
  history: async () => {
    await remembered("user", /yellow flowers/);
    await remembered("user", /stop now/i);
    await remembered("assistant", /yellow flowers/);
  },
});
