// What openai-node sees of a server, scene by scene, as JSON: `node openai_node.mjs ADDRESS KEY DIRECTORY`, run where
// its `node_modules` are.
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";

const OpenAI = createRequire(`${process.cwd()}/`)("openai");
const [address, key, recordings] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: key, maxRetries: 0, timeout: 20_000 });
const stranger = new OpenAI({ baseURL: `${address}/v1`, apiKey: "wrong", maxRetries: 0, timeout: 20_000 });

// The file comes first in the form, and the body is of no known length.
const transcribe = (name, fields) =>
  client.audio.transcriptions.create({ file: createReadStream(`${recordings}/${name}`), model: "whisper-1", ...fields });

async function events(fields) {
  const seen = [];
  for await (const event of await transcribe("six-words.wav", { stream: true, ...fields })) seen.push(event);
  return seen;
}

const speak = (fields) =>
  client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "Ten chars.", response_format: "pcm", ...fields });

async function pieces(fields) {
  const sizes = [];
  for await (const piece of (await speak({ stream: true, ...fields })).body) sizes.push(piece.length);
  return sizes;
}

const scenes = {
  json: () => transcribe("two-words.wav", {}),
  verbose_json: () =>
    transcribe("two-words.wav", { response_format: "verbose_json", timestamp_granularities: ["word", "segment"] }),
  text: () => transcribe("two-words.wav", { response_format: "text" }),
  stream: () => events({}),
  "stream that fails": () => events({ model: "whisper-small" }),
  letter: () => transcribe("letter.mp3", {}),
  "large file": () => transcribe("large.wav", {}),
  "unknown model": () => transcribe("two-words.wav", { model: "nobody" }),
  "wrong key": () => stranger.models.list(),
  speech: async () => (await (await speak({})).arrayBuffer()).byteLength,
  "streamed speech": () => pieces({}),
  "speech that fails": () => pieces({ input: "It breaks 💥 here." }),
};

async function seen(scene) {
  try {
    return await scene();
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) return [error.constructor.name];
    return [error.constructor.name, error.status ?? null, error.code, error.param ?? null, Boolean(error.requestID)];
  }
}

const all = {};
for (const [name, scene] of Object.entries(scenes)) all[name] = await seen(scene);
console.log(JSON.stringify(all));
