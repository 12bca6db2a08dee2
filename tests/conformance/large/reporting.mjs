// What the programs for Node share: recordings, a microphone, and the report of their checks.
import { readFileSync } from "node:fs";
import path from "node:path";

export const [address, recordings] = process.argv.slice(2);

const FRAME_BYTES = 960; // 20 ms of PCM16 at 24 kHz

/** Return the samples of a recording: PCM16, 24 kHz, mono. */
export const recording = (name) => readFileSync(path.join(recordings, `${name}.pcm`));

export const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** Send a recording in frames of 20 ms, `speed` times as fast as it was spoken. */
export async function speak(name, send, speed = 4) {
  const pcm = recording(name);
  const began = Date.now();
  for (let at = 0; at < pcm.length; at += FRAME_BYTES) {
    send(new Uint8Array(pcm.subarray(at, at + FRAME_BYTES)));
    await sleep(Math.max(0, (began - Date.now() + (at / 48 / speed)) / 1000));
  }
}

/** Wait until `condition()` holds. Throws after `seconds`. */
export async function until(condition, what, seconds = 20) {
  const limit = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > limit) throw new Error(`no ${what} within ${seconds} s`);
    await sleep(0.02);
  }
}

export function expect(condition, detail) {
  if (!condition) throw new Error(detail);
}

/** Run the checks in order and print a line of JSON for each. */
export async function report(checks) {
  for (const [check, run] of Object.entries(checks)) {
    let detail = "";
    let passed = true;
    try {
      detail = (await run()) ?? "";
    } catch (error) {
      passed = false;
      detail = String(error?.stack ?? error).slice(0, 600);
    }
    console.log(JSON.stringify({ check, passed, detail: String(detail) }));
  }
  process.exit(0);
}
