// A websocket session that goes on over another connection after a drop or, where it cannot, is followed by another session.

import { Resumption } from "./resumption.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;

/** Time in which the first session must be open, set up as asked, from when the key is known. */
const OPEN_MS = 10_000;

/** Close codes after which the same session would be refused again (docs/protocol.md, "Errors and closing"). */
const FINAL_CODES = new Set([1003, 1007, 1009]);

/**
 * Codes and messages for settings that the server has replaced by its defaults.
 * @type {Record<string, [string, string]>}
 */
const REFUSALS = {
  language: ["invalid_value", "The model does not transcribe this language."],
  languages: ["invalid_value", "The model does not transcribe one of these languages."],
  model: ["model_not_found", "The server has no such model for captions."],
  voice: ["invalid_voice", "The server has no such voice."],
};

/**
 * @typedef {object} Server
 * @property {string | URL} [url] Address of the server, with its path prefix if it has one. Default: where this module comes from.
 * @property {string | (() => string | Promise<string>)} [key] An API key or, in pages for others, a client secret; a function is
 *   called for each connection. Default: none.
 */

/**
 * @typedef {"connecting" | "open" | "lost" | "closed"} State
 * `lost`: the connection broke, and another is being opened, on which the session goes on if it can. `closed`: by `close`, or because the server refuses the session.
 */

/** Default address: this module is served next to the endpoints. */
const HERE = new URL("../", import.meta.url);

/**
 * Return the address of an endpoint of the server.
 * @param {Server} server
 * @param {string} path relative to the root of the server, such as `v1/audio/voices`
 */
export function endpoint({ url = HERE }, path) {
  const root = new URL(url, HERE);
  if (!root.pathname.endsWith("/")) root.pathname += "/";
  root.search = "";
  return new URL(path, root);
}

/** Return the key for one request; undefined if the server needs none. @param {Server} server */
export async function keyOf({ key }) {
  return (typeof key === "function" ? await key() : key) || undefined;
}

/**
 * An event of the server (docs/protocol.md).
 * @typedef {{type: string, [field: string]: any}} ServerEvent
 *
 * What the server refuses, with its code for that.
 * @typedef {Error & {code?: string}} ServerError
 */

/** @param {string} message */
const noSession = (message) => Object.assign(new Error(message), { code: "no_session" });

/** A session of `/v1/realtime`. Events of the server come to `onEvent`, binary messages to `onAudio`. */
export class Connection {
  #server;
  #query;
  #setup;
  #handlers;
  /** @type {WebSocket | null} */
  #socket = null;
  #retries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #closed = false;
  #resumption = new Resumption();
  #resuming = false;
  /** Whether the server does not have the session that was to go on, so that another one is opened at once. */
  #forgotten = false;
  /** What waits for the answer to the first events of the first session. @type {{resolve: (value?: unknown) => void, reject: (error: Error) => void} | null} */
  #confirmation = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #limit;
  /** End the session when the page is left. Otherwise the server would wait for it to come back. */
  #leave = () => this.close();

  /**
   * @param {Server} server
   * @param {Record<string, string>} query
   * @param {() => object[]} setup returns the events to send first in each session
   * @param {{onEvent?: (event: ServerEvent) => void, onAudio?: (message: ArrayBuffer) => void, onOpen?: () => void, onResume?: () => void,
   *   onState?: (state: State) => void, onError?: (error: ServerError) => void}} handlers
   */
  constructor(server, query, setup, handlers) {
    this.#server = server;
    this.#query = query;
    this.#setup = setup;
    this.#handlers = handlers;
  }

  /** Whether a message would be sent now. */
  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN && !this.#resuming;
  }

  /** Whether the connection is lost, and the session may still go on. */
  get isResuming() {
    return this.#resuming;
  }

  /**
   * Open the first session. Rejects if it cannot be opened in time, or not as asked; later ones are tried until `close`.
   */
  async open() {
    this.#handlers.onState?.("connecting");
    globalThis.addEventListener?.("pagehide", this.#leave); // Node has none
    try {
      const confirmed = new Promise((resolve, reject) => (this.#confirmation = { resolve, reject }));
      confirmed.catch(() => {}); // where opening fails before
      const connected = this.#connect();
      connected.catch(() => {}); // where the time is over before
      if (await Promise.race([connected, confirmed])) await confirmed;
    } catch (error) {
      if (!this.#closed) this.close();
      throw error;
    } finally {
      this.#confirmation = null;
      clearTimeout(this.#limit);
    }
  }

  /**
   * Send an event, or audio. Without a connection an event is sent when the session goes on, and nothing if it does not.
   * @param {object | ArrayBuffer | ArrayBufferView | Blob} message
   */
  send(message) {
    const isAudio = message instanceof ArrayBuffer || ArrayBuffer.isView(message) || message instanceof Blob;
    if (!this.isOpen && (!this.#resuming || isAudio)) return;
    const sent = isAudio ? message : JSON.stringify(message);
    this.#resumption.keep(sent);
    if (this.isOpen) this.#socket?.send(/** @type {string | BufferSource | Blob} */ (sent));
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#confirmation?.reject(new Error("The session has been closed."));
    this.#end();
  }

  /** Open a session, or another connection of the one before. Returns whether the server will confirm how it is set up. */
  async #connect() {
    const key = await keyOf(this.#server);
    if (this.#closed) throw new Error("The session has been closed.");
    if (this.#confirmation) this.#limit ??= setTimeout(() => this.#giveUp(), OPEN_MS);
    const resumes = this.#resuming;
    if (!resumes) this.#resumption = new Resumption();
    const url = endpoint(this.#server, "v1/realtime");
    url.protocol = url.protocol.replace("http", "ws");
    const ext = [this.#query.ext, "resume"].filter(Boolean).join(",");
    url.search = new URLSearchParams(resumes ? this.#resumption.query : { ...this.#query, ext }).toString();
    const protocols = ["realtime"];
    if (key) protocols.push(`openai-insecure-api-key.${key}`);
    if (resumes) protocols.push(this.#resumption.protocol);
    const socket = new WebSocket(url, protocols);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      const refused = noSession(`No session could be opened at ${url.host}: it is full or not ready, cannot be reached, or refuses the key.`);
      socket.addEventListener("close", () => reject(refused), { once: true });
    });
    socket.addEventListener("message", ({ data }) => (this.#resuming ? this.#resume(JSON.parse(data)) : this.#receive(data)));
    socket.addEventListener("close", (event) => this.#lose(event));
    this.#retries = 0;
    if (resumes) return false;
    const setup = this.#setup();
    for (const event of setup) this.send(event);
    this.#handlers.onState?.("open");
    this.#handlers.onOpen?.();
    return setup.length > 0;
  }

  /** Go on with the session, by the first event of its new connection. @param {ServerEvent} event */
  #resume(event) {
    const again = this.#resumption.resumed(event);
    if (!again) {
      this.#forgotten = true;
      this.#socket?.close();
      return;
    }
    for (const message of again) this.#socket?.send(/** @type {string} */ (message));
    this.#resuming = false;
    this.#handlers.onState?.("open");
    this.#handlers.onResume?.();
  }

  /** @param {ArrayBuffer | string} data */
  #receive(data) {
    const received = this.#resumption.acknowledgement(data);
    if (received) this.send(received);
    if (data instanceof ArrayBuffer) {
      this.#resumption.countAudio();
      this.#handlers.onAudio?.(data);
      return;
    }
    const event = JSON.parse(data);
    if (this.#resumption.take(event)) return;
    this.#handlers.onEvent?.(event);
    if (event.type === "session.updated") this.#confirm(event.session);
    if (event.type !== "error") return;
    const error = Object.assign(new Error(event.error.message), { code: event.error.code });
    if (this.#confirmation) this.#confirmation.reject(error);
    else this.#handlers.onError?.(error);
  }

  /** Take the settings of a session; end it if the server has not what was asked for. @param {any} session */
  #confirm({ x_substituted: [name] = [] }) {
    if (!(name in REFUSALS)) {
      this.#confirmation?.resolve();
      return;
    }
    const [code, message] = REFUSALS[name];
    const error = Object.assign(new Error(message), { code });
    if (this.#confirmation) {
      this.#confirmation.reject(error);
      return;
    }
    this.close();
    this.#handlers.onError?.(error);
  }

  /** @param {CloseEvent} event */
  #lose({ code, reason }) {
    if (this.#closed) return;
    if (FINAL_CODES.has(code)) {
      const error = new Error(reason || `The server closed the session (${code}).`);
      this.#end();
      if (this.#confirmation) this.#confirmation.reject(error);
      else this.#handlers.onError?.(error);
      return;
    }
    this.#resuming = !this.#forgotten && this.#resumption.isPossible(code);
    this.#handlers.onState?.("lost");
    if (!this.#closed) this.#retry(this.#forgotten);
    this.#forgotten = false;
  }

  #retry(atOnce = false) {
    const wait = atOnce ? 0 : Math.min(FIRST_RETRY_MS * 2 ** this.#retries++, LONGEST_RETRY_MS);
    this.#timer = setTimeout(async () => {
      try {
        await this.#connect();
      } catch {
        if (this.#closed) return;
        if (this.#resuming && !this.#resumption.isPossible(1006)) {
          this.#resuming = false;
          this.#handlers.onState?.("lost");
        }
        if (!this.#closed) this.#retry();
      }
    }, wait * (0.75 + Math.random() / 2)); // so that not all clients of a restarted server come back at once
  }

  #giveUp() {
    this.#confirmation?.reject(noSession(`The server at ${endpoint(this.#server, "").host} opened no session within ${OPEN_MS / 1_000} s.`));
  }

  #end() {
    this.#closed = true;
    globalThis.removeEventListener?.("pagehide", this.#leave);
    this.#handlers.onState?.("closed");
  }
}
