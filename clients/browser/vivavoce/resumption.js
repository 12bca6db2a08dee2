// What a session needs to go on over another connection: the extension `resume` (docs/protocol.md, "Resuming a session").

/** Close codes after which the server waits for its client. */
const LOST_CODES = new Set([1001, 1006, 1011, 1013, 1014]);

/** Bytes of messages that are kept until the server has them; a session of which more was not received is not resumed. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

/** Bytes of messages that are received before the server is told so, of the 2 MiB that it keeps. */
const ACKNOWLEDGED_BYTES = 64 * 1024;

/** @typedef {import("./connection.js").ServerEvent} ServerEvent */
/** @typedef {string | ArrayBuffer | ArrayBufferView | Blob} Message */

/** The messages of one session, counted in both directions. */
export class Resumption {
  /** @type {ServerEvent | null} */
  #offer = null;
  /** Number of the last message of the server. */
  #number = 0;
  /** Messages that the server has not said to have, and how many there were before them. @type {Message[]} */
  #kept = [];
  #keptBytes = 0;
  #before = 0;
  #lostAt = NaN;
  /** Bytes received since the server was told of some. */
  #unacknowledged = 0;

  /** Whether the session may go on, now that a connection has ended with this code. @param {number} code */
  isPossible(code) {
    if (!this.#offer || !LOST_CODES.has(code)) return false;
    if (Number.isNaN(this.#lostAt)) this.#lostAt = performance.now();
    return performance.now() < this.#lostAt + 1_000 * this.#offer.timeout_seconds;
  }

  /** Query of the connection that goes on. @returns {Record<string, string>} */
  get query() {
    return { resume: this.#offer?.session_id, last_event: String(this.#number) };
  }

  /** Subprotocol with its token. */
  get protocol() {
    return `x-resume-token.${this.#offer?.token}`;
  }

  /** Keep a message that is sent, or would be if there was a connection. @param {Message} message */
  keep(message) {
    this.#kept.push(message);
    this.#keptBytes += sizeOf(message);
    if (this.#keptBytes > MAX_KEPT_BYTES) {
      this.#offer = null;
      this.#forget(Infinity);
    }
  }

  /** Count the size of a message; return what to tell the server of those before it, null if nothing. @param {string | ArrayBuffer} message */
  acknowledgement(message) {
    const due = this.#offer && this.#unacknowledged >= ACKNOWLEDGED_BYTES;
    this.#unacknowledged = sizeOf(message) + (due ? 0 : this.#unacknowledged);
    return due ? { type: "x.session.received", messages: this.#number } : null;
  }

  /** Count a binary message. */
  countAudio() {
    this.#number += 1;
  }

  /** Count an event; return whether it is about resuming. @param {ServerEvent} event */
  take(event) {
    if ("x_sequence" in event) this.#number = event.x_sequence;
    switch (event.type) {
      case "x.session.resumable":
        this.#offer = event;
        return true;
      case "x.session.received":
        this.#forget(event.messages);
        return true;
      default:
        return false;
    }
  }

  /** Return what to send again, by the first event of the connection; null if the session does not go on. @param {ServerEvent} event */
  resumed(event) {
    if (event.type !== "x.session.resumed" || event.messages < this.#before) return null;
    this.#forget(event.messages);
    this.#lostAt = NaN;
    return [...this.#kept];
  }

  /** @param {number} messages */
  #forget(messages) {
    while (this.#kept.length && this.#before < messages) {
      this.#keptBytes -= sizeOf(this.#kept.splice(0, 1)[0]);
      this.#before += 1;
    }
  }
}

/** @param {Message} message */
function sizeOf(message) {
  if (typeof message === "string") return message.length;
  return message instanceof Blob ? message.size : message.byteLength;
}
