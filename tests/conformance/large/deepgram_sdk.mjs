// @deepgram/sdk: live transcription, a recording and a whole text.
import { DeepgramClient } from "@deepgram/sdk";
import { address, expect, recording, report, speak, until } from "./reporting.mjs";

const RATE = 24000;
const SENTENCE = "the garden behind the school is full of yellow flowers";
const words = (text) => text.toLowerCase().match(/[a-z]+/g)?.join(" ") ?? "";
const environment = {
  base: `http://${address}`, production: `ws://${address}`, agent: `ws://${address}`, agentRest: `http://${address}`,
};
const client = new DeepgramClient({ apiKey: "none", environment });

async function live() {
  const messages = [];
  let closed = false;
  const connection = await client.listen.v1.connect({
    model: "nova-3", language: "en-US", encoding: "linear16", sample_rate: RATE, interim_results: "true",
    punctuate: "true", Authorization: "Token none",
  });
  connection.on("message", (message) => messages.push(message));
  connection.on("close", () => { closed = true; });
  connection.on("error", () => {});
  connection.connect();
  await connection.waitForOpen();
  await speak("turn", (pcm) => connection.sendMedia(pcm), 1);
  const finals = () => messages.filter((each) => each.type === "Results" && each.is_final);
  await until(() => finals().length, "final result");
  connection.sendCloseStream({ type: "CloseStream" });
  await until(() => closed, "end of the connection");
  expect(words(finals()[0].channel.alternatives[0].transcript) === SENTENCE, JSON.stringify(finals()[0]));
  expect(messages.at(-1).type === "Metadata", JSON.stringify(messages.at(-1)));
}

async function upload() {
  const options = { model: "nova-3", encoding: "linear16" };
  const rate = { queryParams: { sample_rate: RATE } }; // for which the client has no option
  const answer = await client.listen.v1.media.transcribeFile(recording("turn"), options, rate);
  const { transcript } = answer.results.channels[0].alternatives[0];
  expect(transcript === SENTENCE, transcript);
}

async function wholeSpeech() {
  const answer = await client.speak.v1.audio.generate({ text: SENTENCE, encoding: "linear16", container: "wav" });
  const audio = await answer.arrayBuffer();
  expect(audio.byteLength > 2 * 2 * RATE, `${audio.byteLength} bytes`);
}

await report({ live, upload, "whole speech": wholeSpeech });
