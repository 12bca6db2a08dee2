// Transcripts of the turns of a session, and of those that replace it, from their events.

import { addition } from "./alignment.js";

const TRANSCRIPTION = "conversation.item.input_audio_transcription.";

/**
 * @typedef {import("./connection.js").ServerEvent} ServerEvent
 *
 * @typedef {object} Word
 * @property {string} word with the blanks before it
 * @property {number} start seconds since `listen` began
 * @property {number} end
 * @property {number} probability between 0 and 1
 *
 * @typedef {object} Turn What somebody says until a pause.
 * @property {string} id
 * @property {string} committed text that does not change any more
 * @property {string} tentative text after it that may still change
 * @property {boolean} final whether the transcript is complete
 * @property {boolean} cut whether the connection was lost before it was complete
 * @property {number} start seconds since `listen` began; NaN until the server has told
 * @property {number} end
 * @property {Word[]} words empty until the transcript is complete
 * @property {string | null} language detected or given, once the transcript is complete
 */

/**
 * A turn of this session. It repeats turns of lost sessions until it says more than they did; meanwhile its text is `repeated`.
 * `deltas` are its text, each with the position of the newest audio at that time.
 * @typedef {{turn: Turn, ended: boolean, deltas: {reached: number, text: string}[], repeats: Open[], repeated: string}} Open
 */

/**
 * The turns of one session after another. A session that replaces a lost one is sent the audio of unfinished turns again, and
 * transcribes it from its beginning: the turns stay, and of the second transcript only what follows their text is added.
 */
export class Transcripts {
  /** @type {Map<string, Open>} */
  #open = new Map();
  /** Unfinished turns of lost sessions, in order. @type {Open[]} */
  #left = [];
  #offset = 0;
  /** Second of the newest audio that was transcribed. */
  #reached = 0;
  #onPartial;
  #onFinal;
  /** Second before which everything has its transcript. */
  answered = 0;

  /** @param {(turn: Turn) => void} [onPartial] @param {(turn: Turn) => void} [onFinal] */
  constructor(onPartial, onFinal) {
    this.#onPartial = onPartial;
    this.#onFinal = onFinal;
  }

  /** Begin a session whose audio starts `seconds` after the beginning. @param {number} seconds */
  restart(seconds) {
    this.#left = this.#unfinished();
    this.#open.clear();
    this.#offset = this.#reached = seconds;
  }

  /** Cut off all turns: they keep the text that they have. */
  settle() {
    for (const { turn } of this.#unfinished()) {
      turn.committed += turn.tentative;
      turn.tentative = "";
      turn.final = turn.cut = true;
      if (turn.committed) this.#onFinal?.(turn);
    }
    this.#left = [];
    this.#open.clear();
  }

  /** Whether every turn that has begun is final. */
  get areComplete() {
    return this.#open.size === 0;
  }

  /** Take an event of the server. @param {ServerEvent} event */
  receive(event) {
    switch (event.type) {
      case "input_audio_buffer.speech_started":
        this.#start(event.item_id, this.#offset + event.audio_start_ms / 1000);
        break;
      case "input_audio_buffer.speech_stopped":
        Object.assign(this.#turn(event.item_id), { ended: true }).turn.end = this.#offset + event.audio_end_ms / 1000;
        break;
      case `${TRANSCRIPTION}delta`:
        this.#commit(this.#turn(event.item_id), event.delta);
        break;
      case "x.transcription.partial": {
        const { turn, repeats } = this.#turn(event.item_id);
        this.#reached = this.#offset + event.audio_end_ms / 1000;
        if (repeats.length) break; // what is shown already is more
        turn.tentative = event.text;
        turn.end = this.#reached;
        this.#onPartial?.(turn);
        break;
      }
      case `${TRANSCRIPTION}completed`:
        this.#complete(event.item_id, event.transcript, event.words, event.language);
        break;
      case `${TRANSCRIPTION}failed`:
        this.#complete(event.item_id, null);
        break;
    }
  }

  /** @param {string} id @returns {Open} */
  #turn(id) {
    const turn = { id, committed: "", tentative: "", final: false, cut: false, start: NaN, end: NaN, words: [], language: null };
    const open = this.#open.get(id) ?? { turn, ended: false, deltas: [], repeats: [], repeated: "" };
    this.#open.set(id, open);
    return open;
  }

  /** Begin a turn, perhaps one that the lost session has begun. @param {string} id @param {number} start */
  #start(id, start) {
    while (this.#left[0]?.ended && this.#left[0].turn.end <= start) this.#finish(this.#left.splice(0, 1)[0]); // now without speech
    const open = this.#turn(id);
    open.turn.start = start;
    const [first] = this.#left.splice(0, 1);
    if (first) Object.assign(open, { turn: first.turn, ended: first.ended, repeats: [first] });
  }

  /** @param {Open} open @param {string} delta */
  #commit(open, delta) {
    if (open.repeats.length) {
      open.repeated += delta;
      this.#release(open, false);
    } else {
      this.#extend(open, delta);
    }
  }

  /** @param {Open} open @param {string} text */
  #extend({ turn, deltas }, text) {
    deltas.push({ reached: this.#reached, text });
    turn.committed += text;
    turn.tentative = turn.tentative.startsWith(text) ? turn.tentative.slice(text.length) : turn.tentative;
    this.#onPartial?.(turn);
  }

  /** @param {string} id @param {string | null} transcript @param {Word[]} [words] @param {string | null} [language] */
  #complete(id, transcript, words = [], language = null) {
    const open = this.#turn(id);
    const isRepeated = open.repeats.length > 0 || open.turn.id !== id;
    const isLastOfSeveral = this.#release(open, true);
    this.#open.delete(id);
    const { turn } = open;
    const committed = isRepeated || transcript === null ? turn.committed.trim() : transcript;
    Object.assign(turn, { committed, tentative: "", final: true, language });
    // Words before the last of several turns are those of the others. If the beginning was not sent again, its words are missing.
    const areMissing = Math.round((this.#offset - turn.start) * 1000) > 0;
    turn.words = (areMissing ? [] : spaced(transcript ?? "", words))
      .map((word) => ({ ...word, start: this.#offset + word.start, end: this.#offset + word.end }))
      .filter((word) => !isLastOfSeveral || word.start >= turn.start);
    this.#moveOn(turn);
    this.#onFinal?.(turn);
  }

  /** End a turn of a lost session with the text that it has. @param {Open} open */
  #finish({ turn }) {
    Object.assign(turn, { committed: turn.committed.trim(), tentative: "", final: true });
    this.#moveOn(turn);
    this.#onFinal?.(turn);
  }

  /**
   * Compare a repeated turn with the text of those that it repeats, when it ends or says more than they did.
   * Afterwards it is the last of them: its text is what that had, and what follows. Return whether it has repeated several.
   * @param {Open} open
   * @param {boolean} final
   */
  #release(open, final) {
    if (!open.repeats.length) return false;
    while (final && open.ended && this.#left[0]?.turn.start < open.turn.end) open.repeats.push(this.#left.splice(0, 1)[0]);
    const { text, isLonger } = addition(open.repeats.map((each) => this.#textSent(each)).join(""), open.repeated);
    if (!final && (this.#left.length || !isLonger)) return false;
    const repeats = open.repeats.splice(0);
    for (const each of repeats.slice(0, -1)) this.#finish(each);
    ({ turn: open.turn, deltas: open.deltas } = repeats[repeats.length - 1]);
    open.turn.tentative = "";
    if (text) this.#extend(open, text);
    return repeats.length > 1;
  }

  /** Return the text of what this session was sent of a turn; the words before it had ended by then. @param {Open} open */
  #textSent({ turn, deltas }) {
    return deltas.filter(({ reached }) => reached >= this.#offset || turn.start >= this.#offset).map(({ text }) => text).join("");
  }

  /** Say that everything before the first unfinished turn has its transcript. @param {Turn} turn the last one that got it */
  #moveOn(turn) {
    const pending = this.#unfinished().map((each) => each.turn.start).filter((start) => !Number.isNaN(start));
    this.answered = Math.min(Math.max(this.answered, turn.end || 0), ...pending);
  }

  /** Return the turns that are not final, without those that repeat them. @returns {Open[]} */
  #unfinished() {
    const open = [...this.#open.values()].flatMap((each) => (each.repeats.length ? each.repeats : [each]));
    return [...this.#left, ...open].filter(({ turn }) => !turn.final).sort((one, other) => one.turn.start - other.turn.start);
  }
}

/**
 * Return words with what is before each of them in the text: a blank, or nothing, as in Chinese.
 * @param {string} text
 * @param {Word[]} words
 */
export function spaced(text, words) {
  let position = 0;
  return words.map((each) => {
    const found = text.indexOf(each.word, position);
    const start = position;
    if (found < 0) return { ...each, word: ` ${each.word}` };
    position = found + each.word.length;
    return { ...each, word: text.slice(start, position) };
  });
}
