// Runs openai-node on the orders of `tests/support/client_programs.py`: a line of JSON in, a line of JSON out.
// `openai_node.mjs DIRECTORY`: the directory contains `node_modules`.
import { createReadStream, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const OpenAI = createRequire(`${process.argv[2]}/`)("openai");
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

// Yields the chunks and reports the arrival of the first.
async function* begun(chunks) {
  let first = true;
  for await (const chunk of chunks) {
    if (first) say({ begun: true });
    first = false;
    yield chunk;
  }
}

// The file is the first part of the form. Unless `whole`, the body has no known length and cannot be sent again.
async function uploaded(endpoint, { file, whole, ...fields }) {
  const content = whole ? new File([readFileSync(file)], "upload") : createReadStream(file);
  const answer = await endpoint.create({ file: content, model: "whisper-1", ...fields });
  return fields.stream ? Array.fromAsync(begun(answer)) : answer;
}

async function speak(client, fields) {
  const answer = await client.audio.speech.create({ model: "tts-1", voice: "alloy", ...fields });
  const streamed = "stream" in fields || "stream_format" in fields;
  const chunks = streamed ? await Array.fromAsync(begun(answer.body)) : [Buffer.from(await answer.arrayBuffer())];
  return { chunks: chunks.map((chunk) => chunk.length), data: Buffer.concat(chunks).toString("base64") };
}

const tasks = {
  transcribe: (client, fields) => uploaded(client.audio.transcriptions, fields),
  translate: (client, fields) => uploaded(client.audio.translations, fields),
  speak,
  models: async (client) => (await Array.fromAsync(await client.models.list())).map((model) => model.id),
  model: (client, { name }) => client.models.retrieve(name),
  delete: (client, { name }) => client.models.delete(name),
  get: (client, { path }) => client.get(path),
};

async function outcome({ task, address, key, retries, arguments: given }) {
  const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: key, maxRetries: retries, timeout: 20_000 });
  try {
    const value = await tasks[task](client, given);
    return { type: value?.constructor.name, value };
  } catch (error) {
    const { status, code, param, requestID: id, message } = error;
    return { raised: error.constructor.name, status, code, param, id, message };
  }
}

for await (const line of createInterface({ input: process.stdin })) say(await outcome(JSON.parse(line)));
