// Transcripts of the turns of a session, from its events.

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

/** The turns of one session after another. */
export class Transcripts {
  /** @type {Map<string, Turn>} */
  #open = new Map();
  #offset = 0;
  #onPartial;
  #onFinal;

  /** @param {(turn: Turn) => void} [onPartial] @param {(turn: Turn) => void} [onFinal] */
  constructor(onPartial, onFinal) {
    this.#onPartial = onPartial;
    this.#onFinal = onFinal;
  }

  /** Begin a session whose audio starts `seconds` after the beginning. Turns of the one before are cut off. @param {number} seconds */
  restart(seconds) {
    this.#offset = seconds;
    for (const turn of this.#open.values()) {
      turn.committed += turn.tentative;
      turn.tentative = "";
      turn.final = turn.cut = true;
      if (turn.committed) this.#onFinal?.(turn);
    }
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
        this.#turn(event.item_id).start = this.#offset + event.audio_start_ms / 1000;
        break;
      case "input_audio_buffer.speech_stopped":
        this.#turn(event.item_id).end = this.#offset + event.audio_end_ms / 1000;
        break;
      case `${TRANSCRIPTION}delta`:
        this.#commit(this.#turn(event.item_id), event.delta);
        break;
      case "x.transcription.partial": {
        const turn = this.#turn(event.item_id);
        turn.tentative = event.text;
        turn.end = this.#offset + event.audio_end_ms / 1000;
        this.#onPartial?.(turn);
        break;
      }
      case `${TRANSCRIPTION}completed`:
        this.#complete(this.#turn(event.item_id), event.transcript, event.words, event.language);
        break;
      case `${TRANSCRIPTION}failed`:
        this.#complete(this.#turn(event.item_id), this.#turn(event.item_id).committed);
        break;
    }
  }

  /** @param {string} id @returns {Turn} */
  #turn(id) {
    const turn = this.#open.get(id) ?? {
      id, committed: "", tentative: "", final: false, cut: false, start: NaN, end: NaN, words: [], language: null,
    };
    this.#open.set(id, turn);
    return turn;
  }

  /** @param {Turn} turn @param {string} delta */
  #commit(turn, delta) {
    turn.committed += delta;
    turn.tentative = turn.tentative.startsWith(delta) ? turn.tentative.slice(delta.length) : turn.tentative;
    this.#onPartial?.(turn);
  }

  /** @param {Turn} turn @param {string} transcript @param {Word[]} [words] @param {string | null} [language] */
  #complete(turn, transcript, words = [], language = null) {
    this.#open.delete(turn.id);
    Object.assign(turn, { committed: transcript, tentative: "", final: true, language });
    turn.words = spaced(transcript, words).map((word) => ({
      ...word, start: this.#offset + word.start, end: this.#offset + word.end,
    }));
    this.#onFinal?.(turn);
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
