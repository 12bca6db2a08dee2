// openai-realtime-api: the successor of OpenAI's first client, which speaks the beta of the protocol.
import { RealtimeClient } from "openai-realtime-api";
import { address, expect, recording, report, until } from "./reporting.mjs";

const client = new RealtimeClient({
  url: `ws://${address}/v1/realtime`,
  apiKey: "none",
  sessionConfig: { instructions: "Be brief.", voice: "alloy" },
});
const errors = [];
const truncated = [];
let finished = 0;
client.on("error", (event) => errors.push(event));
client.realtime.on("server.conversation.item.truncated", (event) => truncated.push(event));
client.realtime.on("server.response.done", () => finished++);
client.updateSession({ turn_detection: null, input_audio_transcription: { model: "whisper-1" } });
client.addTool({ name: "get_weather", description: "Get the weather of a city.", parameters: {} }, async () => "Sunny.");

const samples = (name) => new Int16Array(Uint8Array.from(recording(name)).buffer);
const last = () => client.conversation.getItems().at(-1);

async function say(name, responses) {
  const spoken = samples(name);
  for (let at = 0; at < spoken.length; at += 2400) client.appendInputAudio(spoken.slice(at, at + 2400));
  const count = finished + responses;
  client.createResponse(); // which commits the audio first
  await until(() => finished >= count, "response");
}

async function connect() {
  await client.connect();
  await client.waitForSessionCreated();
}

async function turn() {
  await say("turn", 1);
  const [user, assistant] = client.conversation.getItems();
  expect(user.role === "user" && assistant.role === "assistant", JSON.stringify([user.role, assistant.role]));
  expect(/yellow flowers/.test(user.formatted.transcript), user.formatted.transcript);
  expect(/yellow flowers/.test(assistant.formatted.transcript), assistant.formatted.transcript);
  expect(assistant.formatted.audio.length > 24_000, assistant.formatted.audio.length);
}

async function secondTurn() {
  await say("second", 1);
  expect(/Before that you said: The garden/i.test(last().formatted.transcript), last().formatted.transcript);
}

async function tool() {
  await say("tool", 2);
  expect(/Sunny/.test(last().formatted.transcript), last().formatted.transcript);
}

async function interruption() {
  client.sendUserMessageContent([{ type: "input_text", text: "Please tell me a long story." }]);
  await until(() => last().role === "assistant" && last().formatted.audio.length > 24_000, "audio");
  const count = finished;
  client.cancelResponse(last().id, 12_000);
  await until(() => finished > count, "end of the response");
  await until(() => truncated.length > 0, "truncated item");
  expect(truncated[0].audio_end_ms === 500, truncated[0].audio_end_ms);
}

async function noErrors() {
  expect(errors.length === 0, JSON.stringify(errors));
}

await report({ connect, turn, "second turn": secondTurn, tool, interruption, errors: noErrors });
