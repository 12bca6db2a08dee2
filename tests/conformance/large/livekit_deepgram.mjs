// @livekit/agents with its plugin for Deepgram: `STT`.
import { initializeLogger, stt } from "@livekit/agents";
import * as deepgram from "@livekit/agents-plugin-deepgram";
import { AudioFrame } from "@livekit/rtc-node";
import { address, expect, report, speak, until } from "./reporting.mjs";

initializeLogger({ pretty: false, level: "fatal" });

const RATE = 24_000;
const SENTENCE = "the garden behind the school is full of yellow flowers";
const words = (text) => text.toLowerCase().match(/[a-z]+/g)?.join(" ") ?? "";

async function live() {
  const events = [];
  const stream = new deepgram.STT({ apiKey: "none", baseUrl: `ws://${address}`, sampleRate: RATE }).stream();
  (async () => {
    for await (const event of stream) events.push(event);
  })();
  const of = (type) => events.filter((event) => event.type === type);
  await speak("turn", (pcm) => stream.pushFrame(new AudioFrame(new Int16Array(pcm.slice().buffer), RATE, 1, pcm.length / 2)), 1);
  await until(() => of(stt.SpeechEventType.END_OF_SPEECH).length, "end of speech");
  const finals = of(stt.SpeechEventType.FINAL_TRANSCRIPT);
  expect(words(finals[0].alternatives[0].text) === SENTENCE, JSON.stringify(finals));
  expect(of(stt.SpeechEventType.INTERIM_TRANSCRIPT).length, "no interim transcripts");
}

await report({ live });
