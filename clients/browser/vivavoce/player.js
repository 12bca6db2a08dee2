// Plays PCM16 chunks one after another without gaps.

import { SAMPLE_RATE } from "./capture.js";

/** Seconds between the arrival of the first chunk and its sound, in which the next one can arrive. */
const LEAD = 0.04;

/** Plays the chunks of one response. */
export class Player {
  #context;
  #output;
  /** @type {Set<AudioBufferSourceNode>} */
  #sources = new Set();
  /** @type {number | null} */
  #began = null;
  #end = 0;
  #stopped = false;
  #stoppedAt = 0;
  #gaps = 0;

  /** @param {AudioContext} context @param {AudioNode} [output] where to play; default: the loudspeaker */
  constructor(context, output = context.destination) {
    this.#context = context;
    this.#output = output;
  }

  /** Milliseconds of the audio that have been heard. Where chunks came too late, the silence does not count. */
  get playedMs() {
    if (this.#began === null) return 0;
    const now = this.#stopped ? this.#stoppedAt : this.#context.currentTime;
    return Math.max(0, Math.min(now, this.#end) - this.#began - this.#gaps) * 1000;
  }

  /** Whether nothing is left to play. */
  get isDone() {
    return this.#stopped || this.#sources.size === 0;
  }

  /** Play a chunk after those before it. @param {Int16Array} pcm */
  play(pcm) {
    if (this.#stopped || pcm.length === 0) return;
    const buffer = this.#context.createBuffer(1, pcm.length, SAMPLE_RATE);
    const samples = buffer.getChannelData(0);
    for (let index = 0; index < pcm.length; index++) samples[index] = pcm[index] / 32768;
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#output);
    const soonest = this.#context.currentTime + LEAD;
    if (this.#began === null) {
      this.#began = this.#end = soonest;
    } else if (this.#end < this.#context.currentTime) {
      this.#gaps += soonest - this.#end;
      this.#end = soonest;
    }
    source.start(this.#end);
    this.#end += buffer.duration;
    this.#sources.add(source);
    source.addEventListener("ended", () => this.#sources.delete(source));
  }

  /** Be silent at once. */
  stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stoppedAt = this.#context.currentTime;
    for (const source of this.#sources) source.stop();
    this.#sources.clear();
  }
}

/** Split a binary message of the server. @param {ArrayBuffer} message @returns {{response: number, pcm: Int16Array}} */
export function readAudio(message) {
  return { response: new DataView(message).getUint32(0, true), pcm: new Int16Array(message, 8) };
}
