// openai-realtime-api: the successor of OpenAI's first client, which speaks the beta of the protocol.
import { RealtimeClient } from "openai-realtime-api";
import { Conversation, WEATHER } from "./conversation.mjs";
import { address, expect, recording, report, until } from "./reporting.mjs";

function talking(turnDetection) {
  const client = new RealtimeClient({
    url: `ws://${address}/v1/realtime`,
    apiKey: "none",
    sessionConfig: { instructions: "Be brief.", voice: "alloy" },
  });
  client.updateSession({ turn_detection: turnDetection, input_audio_transcription: { model: "whisper-1" } });
  const conversation = new Conversation((frame) => client.appendInputAudio(new Int16Array(frame.buffer)));
  client.addTool(WEATHER, conversation.weather);
  client.on("error", (event) => conversation.errors.push(event));
  client.on("conversation.interrupted", () => conversation.interruptions++);
  client.realtime.on("server.response.audio.delta", (event) => (conversation.audioBytes += (event.delta.length * 3) / 4));
  client.realtime.on("server.response.done", ({ response }) => conversation.responses.push(response));
  return { client, conversation };
}

async function connect({ client }) {
  await client.connect();
  await client.waitForSessionCreated();
}

const open = talking({ type: "server_vad" });
const byHand = talking(null);
const truncated = [];
byHand.client.realtime.on("server.conversation.item.truncated", (event) => truncated.push(event));

function items() {
  const [user, assistant] = open.client.conversation.getItems();
  expect(user.role === "user" && assistant.role === "assistant", JSON.stringify([user.role, assistant.role]));
  expect(/yellow flowers/.test(user.formatted.transcript), user.formatted.transcript);
  expect(/yellow flowers/.test(assistant.formatted.transcript), assistant.formatted.transcript);
  expect(assistant.formatted.audio.length > 24_000, assistant.formatted.audio.length);
}

async function pushToTalk() {
  const { client, conversation } = byHand;
  open.client.disconnect();
  await connect(byHand);
  const spoken = new Int16Array(Uint8Array.from(recording("turn")).buffer);
  for (let at = 0; at < spoken.length; at += 2400) client.appendInputAudio(spoken.slice(at, at + 2400));
  client.createResponse(); // which commits the audio first
  await conversation.responded(0);
  const { transcript } = client.conversation.getItems().at(-1).formatted;
  expect(/^You said: the garden/i.test(transcript), transcript);
}

async function interruption() {
  const { client, conversation } = byHand;
  const last = () => client.conversation.getItems().at(-1);
  client.sendUserMessageContent([{ type: "input_text", text: "Please tell me a long story." }]);
  await until(() => last().role === "assistant" && last().formatted.audio.length > 24_000, "audio");
  const since = conversation.responses.length;
  client.cancelResponse(last().id, 12_000);
  await conversation.responded(since);
  await until(() => truncated.length > 0, "truncated item");
  expect(truncated[0].audio_end_ms === 500, truncated[0].audio_end_ms);
  conversation.noErrors();
}

await report({ connect: () => connect(open), ...open.conversation.steps, items, "push to talk": pushToTalk, interruption });
