// A websocket session that is opened again after a drop, with what to send while there is none.

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;

/** Close codes after which the same session would be refused again (docs/protocol.md, "Errors and closing"). */
const FINAL_CODES = new Set([1003, 1007, 1009]);

/**
 * @typedef {object} Server
 * @property {string | URL} [url] Address of the server, with its path prefix if it has one. Default: where this module comes from.
 * @property {string | (() => string | Promise<string>)} [key] An API key or, in pages for others, a client secret; a function is
 *   called for each connection. Default: none.
 */

/**
 * @typedef {"connecting" | "open" | "lost" | "closed"} State
 * `lost`: the connection broke, and another is being opened. `closed`: by `close`, or because the server refuses the session.
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

  /**
   * @param {Server} server
   * @param {Record<string, string>} query
   * @param {() => object[]} setup returns the events to send first in each session
   * @param {{onEvent?: (event: ServerEvent) => void, onAudio?: (message: ArrayBuffer) => void, onOpen?: () => void,
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
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Open the first session. Rejects if it cannot be opened; later ones are tried until `close`. */
  async open() {
    this.#handlers.onState?.("connecting");
    try {
      await this.#connect();
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Send an event, or audio. Does nothing without a connection. @param {object | ArrayBuffer | ArrayBufferView | Blob} message */
  send(message) {
    const isAudio = message instanceof ArrayBuffer || ArrayBuffer.isView(message) || message instanceof Blob;
    if (this.isOpen) this.#socket?.send(isAudio ? message : JSON.stringify(message));
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#end();
  }

  async #connect() {
    const key = await keyOf(this.#server);
    if (this.#closed) return;
    const url = endpoint(this.#server, "v1/realtime");
    url.protocol = url.protocol.replace("http", "ws");
    url.search = new URLSearchParams(this.#query).toString();
    const protocols = key ? ["realtime", `openai-insecure-api-key.${key}`] : ["realtime"];
    const socket = new WebSocket(url, protocols);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("close", () => reject(new Error(`No session could be opened at ${url.host}.`)), { once: true });
    });
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", (event) => this.#lose(event));
    this.#retries = 0;
    for (const event of this.#setup()) this.send(event);
    this.#handlers.onState?.("open");
    this.#handlers.onOpen?.();
  }

  /** @param {ArrayBuffer | string} data */
  #receive(data) {
    if (data instanceof ArrayBuffer) {
      this.#handlers.onAudio?.(data);
      return;
    }
    const event = JSON.parse(data);
    this.#handlers.onEvent?.(event);
    if (event.type === "error") this.#handlers.onError?.(Object.assign(new Error(event.error.message), { code: event.error.code }));
  }

  /** @param {CloseEvent} event */
  #lose({ code, reason }) {
    if (this.#closed) return;
    if (FINAL_CODES.has(code)) {
      this.#end();
      this.#handlers.onError?.(new Error(reason || `The server closed the session (${code}).`));
      return;
    }
    this.#handlers.onState?.("lost");
    if (!this.#closed) this.#retry();
  }

  #retry() {
    const wait = Math.min(FIRST_RETRY_MS * 2 ** this.#retries++, LONGEST_RETRY_MS);
    this.#timer = setTimeout(async () => {
      try {
        await this.#connect();
      } catch {
        if (!this.#closed) this.#retry();
      }
    }, wait * (0.75 + Math.random() / 2)); // so that not all clients of a restarted server come back at once
  }

  #end() {
    this.#closed = true;
    this.#handlers.onState?.("closed");
  }
}
