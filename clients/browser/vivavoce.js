/**
 * Captions, speech and conversations with a Vivavoce server, in a browser.
 *
 *     import { listen, speak, talk } from "http://127.0.0.1:8000/vivavoce.js";
 *
 *     const listener = await listen({ onPartial: show, onFinal: show });
 *     const speech = await speak("Good morning.");
 *     const conversation = await talk({ onUser: show, onAnswer: show });
 *
 * A session whose connection is lost goes on over another one; what was captured meanwhile, at most 60 s, is sent then. If no
 * server has the session any more, another one is sent again what has no transcript yet: no word is lost or shown twice.
 */

import { Capture, SAMPLE_RATE, microphones, openSource } from "./vivavoce/capture.js";
import { Connection, endpoint, keyOf } from "./vivavoce/connection.js";
import { Player, readAudio } from "./vivavoce/player.js";
import { Transcripts } from "./vivavoce/transcripts.js";

export { endpoint, keyOf, microphones };

/** Seconds of audio that wait for a connection, as long as the server waits for its client; and of what has no transcript. */
const MAX_KEPT = 60;

/** Turns and answers of which another session is told. The server keeps 1,000 items. */
const MAX_SAID = 200;

/** Model of a conversation that only speaks: the server keeps no recognizer for it, and asks no chat model. */
const SPEECH_MODEL = "tts-1";

/** Code of the answer to a commit after which there is nothing to transcribe. */
const NOTHING_TO_COMMIT = "input_audio_buffer_commit_empty";

/**
 * @typedef {import("./vivavoce/connection.js").Server} Server
 * @typedef {import("./vivavoce/connection.js").State} State
 * @typedef {import("./vivavoce/connection.js").ServerEvent} ServerEvent
 * @typedef {import("./vivavoce/connection.js").ServerError} ServerError
 * @typedef {import("./vivavoce/transcripts.js").Turn} Turn
 * @typedef {import("./vivavoce/transcripts.js").Word} Word
 *
 * @typedef {object} Handlers
 * @property {(state: State) => void} [onState] the state of the connection
 * @property {(error: ServerError) => void} [onError] an error of the server; the session goes on unless the state is `closed`
 * @property {(event: ServerEvent) => void} [onEvent] every event of the server, as it came
 * @property {(peak: number) => void} [onLevel] peak of the last 40 ms of the input, between 0 and 1
 * @property {() => void} [onEnded] the source has ended by itself: unplugged, or no longer shared
 *
 * @typedef {object} Input
 * @property {"microphone" | "display" | MediaStream | null} [source] Default: the microphone. With null, the program calls `send`.
 * @property {string} [deviceId] of the microphone
 * @property {string} [format] media type of the container whose chunks the program sends, such as that of a MediaRecorder.
 *   Default: PCM16 at 24 kHz.
 * @property {string} [language] spoken, such as `en`. Default: detected for each turn.
 * @property {string} [model] recognizer. Default: the server's.
 * @property {string[]} [keywords] names and words to expect
 * @property {boolean} [translate] whether the transcript is in English, whatever is spoken
 *
 * @typedef {ArrayBuffer | ArrayBufferView | Blob} Audio
 * @typedef {{onPartial?: (turn: Turn) => void, onFinal?: (turn: Turn) => void}} TurnHandlers
 * @typedef {{word: string, start_ms: number, end_ms: number}} SpokenWord
 *
 * @typedef {object} SpeechOptions
 * @property {string} [voice] Default: the server's.
 * @property {string} [model] of the voice
 * @property {number} [speed] between 0.25 and 1.5
 * @property {(state: State) => void} [onState] the state of the connection
 * @property {(error: ServerError) => void} [onError] why speech that has begun breaks off
 * @property {(event: ServerEvent) => void} [onEvent] every event of the server, as it came
 * @property {(words: SpokenWord[]) => void} [onWords] the words of each phrase, with the milliseconds of `Speech.playedMs`
 *   at which they are heard
 *
 * @typedef {object} TalkOptions
 * @property {string} [voice] Default: the server's.
 * @property {string} [instructions] for the chat model
 * @property {"low" | "medium" | "high" | "auto"} [eagerness] how soon a pause ends a turn
 * @property {(turn: Turn) => void} [onUser] called as the user speaks
 * @property {(answer: Answer) => void} [onAnswer] called as an answer arrives, and when it is done
 *
 * @typedef {{id: string, text: string, interrupted: boolean, done: boolean}} Answer `done` when it has been heard to its end, or has
 *   been interrupted, and then `text` is about what was heard
 * @typedef {{number: number, itemId: string, deltas: {delta: string, start: number}[], player: Player, answer: Answer}} Response
 */

/**
 * Caption a microphone, a tab or any stream of audio.
 * @param {Server & Input & Handlers & TurnHandlers} options
 *   `onPartial` is called whenever a turn has more text or other tentative text, `onFinal` once for each turn
 * @returns {Promise<Listener>}
 * @throws {Error} if there is no microphone, it may not be used, or no session can be opened (its `code` is `no_session`); of a
 *   model, a language or a voice that the server does not have, its `code` is `model_not_found`, `invalid_value` or `invalid_voice`
 */
export async function listen(options) {
  const listener = new Listener(options);
  await listener.start();
  return listener;
}

/** The newest audio, at most `MAX_KEPT` seconds. */
class AudioQueue {
  /** @type {{audio: Audio, seconds: number}[]} */
  chunks = [];
  seconds = 0;

  /** @param {Audio} audio @param {number} seconds */
  add(audio, seconds) {
    this.chunks.push({ audio, seconds });
    this.seconds += seconds;
    this.trim(MAX_KEPT);
  }

  /** Drop the oldest chunks as long as the others have so many seconds. @param {number} seconds */
  trim(seconds) {
    while (this.chunks.length && this.seconds - this.chunks[0].seconds >= seconds) {
      this.seconds -= this.chunks.splice(0, 1)[0].seconds;
    }
  }

  /** Remove and return all chunks. */
  take() {
    this.seconds = 0;
    return this.chunks.splice(0);
  }
}

/** Audio on its way to the server, kept until it is transcribed. */
class Sender {
  #seconds = 0;
  /** Audio that was sent to this session and may have to be sent to another one; none of a container, whose times are not known. */
  #sent = new AudioQueue();
  /** Audio that waits for a connection. */
  #waiting = new AudioQueue();
  /** First chunk of a container, without which no session can decode those after it. @type {Audio | null} */
  #beginning = null;
  #options;
  #connection;
  #transcripts;
  /** @type {Capture | null} */
  #capture = null;

  /** @param {Input & Handlers} options @param {Connection} connection @param {Transcripts} transcripts */
  constructor(options, connection, transcripts) {
    this.#options = options;
    this.#connection = connection;
    this.#transcripts = transcripts;
  }

  /** Open the source and the connection. @param {() => void} onEnded */
  async start(onEnded) {
    const connection = this.#connection;
    const { source, deviceId, onLevel } = this.#options;
    const stream = source === null ? null : await openSource(source, deviceId);
    try {
      /** @param {ArrayBuffer} pcm @param {number} peak */
      const onFrame = (pcm, peak) => {
        this.send(pcm);
        onLevel?.(peak);
      };
      if (stream) this.#capture = await Capture.start(stream, onFrame, onEnded);
      await connection.open();
    } catch (error) {
      stream?.getTracks().forEach((track) => track.stop());
      this.#capture?.stop();
      throw error;
    }
  }

  /** Seconds of audio so far. */
  get seconds() {
    return this.#seconds;
  }

  /** Whether another session gets the audio of turns that have no transcript. */
  get #repeats() {
    return !this.#options.format;
  }

  /** Follow the transcripts, and keep what is transcribed no longer. @param {ServerEvent} event */
  receive(event) {
    this.#transcripts.receive(event);
    this.#sent.trim(this.#seconds - this.#waiting.seconds - this.#transcripts.answered);
  }

  /** Send audio, or keep it until there is a connection. @param {Audio} audio */
  send(audio) {
    const seconds = this.#secondsOf(audio);
    this.#seconds += seconds;
    if (this.#options.format) this.#beginning ??= audio;
    this.#waiting.add(audio, seconds);
    if (this.#connection.isOpen) this.flush();
  }

  /** Begin another session: send what has no transcript, and what has waited; of a container after its beginning. */
  begin() {
    if (!this.#repeats) this.#transcripts.settle();
    this.#transcripts.restart(this.#seconds - this.#sent.seconds - this.#waiting.seconds);
    for (const { audio } of this.#sent.chunks) this.#connection.send(audio);
    if (this.#beginning && this.#waiting.chunks[0]?.audio !== this.#beginning) this.#connection.send(this.#beginning);
    this.flush();
  }

  /** Send what has waited. */
  flush() {
    for (const { audio, seconds } of this.#waiting.take()) {
      this.#connection.send(audio);
      if (this.#repeats) this.#sent.add(audio, seconds);
    }
  }

  stop() {
    this.#capture?.stop();
  }

  /** How long chunks of a container are is not known; they count as those of 64 kbit/s. @param {Audio} audio */
  #secondsOf(audio) {
    const bytes = audio instanceof Blob ? audio.size : audio.byteLength;
    return bytes / (this.#options.format ? 8_000 : 2 * SAMPLE_RATE);
  }
}

/** Captions in progress; made by `listen`. */
class Listener {
  #options;
  #sender;
  #connection;
  #transcripts;
  /** @type {((value?: unknown) => void) | null} */
  #finished = null;
  /** @type {Promise<void> | null} */
  #stopping = null;
  /** Updates of the session that the server has not answered; it answers in order. */
  #updates = 0;

  /** @param {Server & Input & Handlers & TurnHandlers} options */
  constructor(options) {
    this.#options = options;
    this.#transcripts = new Transcripts(options.onPartial, options.onFinal);
    this.#connection = new Connection(
      options,
      { intent: "transcription", ext: "partials,binary" },
      () => {
        this.#updates = 1;
        return [sessionUpdate(options, "transcription")];
      },
      {
        onState: options.onState,
        onError: (error) => error.code === NOTHING_TO_COMMIT || options.onError?.(error),
        onEvent: (event) => this.#receive(event),
        onOpen: () => this.#sender.begin(),
        onResume: () => this.#sender.flush(),
      },
    );
    this.#sender = new Sender(options, this.#connection, this.#transcripts);
  }

  async start() {
    await this.#sender.start(() => {
      this.#options.onEnded?.();
      this.stop();
    });
  }

  /** Seconds of audio so far. */
  get seconds() {
    return this.#sender.seconds;
  }

  /** Send audio where `source` is null. @param {Audio} audio */
  send(audio) {
    this.#sender.send(audio);
  }

  /** Stop capturing, wait for the last transcript (5 s at most), and close the session. */
  stop() {
    return (this.#stopping ??= this.#stop());
  }

  async #stop() {
    this.#sender.stop();
    if (this.#connection.isOpen) {
      await new Promise((resolve) => {
        this.#finished = resolve;
        setTimeout(resolve, 5_000);
        this.#connection.send({ type: "input_audio_buffer.commit" });
        this.#updates += 1;
        this.#connection.send({ type: "session.update", session: { type: "transcription" } }); // answered after the commit
      });
    }
    this.#connection.close();
    this.#transcripts.settle();
  }

  /** @param {ServerEvent} event */
  #receive(event) {
    this.#options.onEvent?.(event);
    this.#sender.receive(event);
    if (event.type === "session.updated") this.#updates -= 1;
    if (this.#updates === 0 && this.#transcripts.areComplete) this.#finished?.();
  }
}

/** @param {Input} input @param {"transcription" | "realtime"} type */
function sessionUpdate({ language, model, keywords, translate, format }, type) {
  const transcription = {
    ...(language && { language }), ...(model && { model }), ...(keywords?.length && { keywords }), ...(translate && { task: "translate" }),
  };
  return { type: "session.update", session: { type, audio: { input: { transcription, ...(format && { format: { type: format } }) } } } };
}

/**
 * Speak a text.
 * @param {string} text
 * @param {Server & SpeechOptions} [options]
 * @returns {Promise<Speech>} when the first sound is there
 * @throws {Error} if the text cannot be spoken, with the `code` `invalid_voice` if the server does not have the voice,
 *   `nothing_to_speak` if the text has no letter or digit, `no_session` if no session can be opened, `connection_lost` if it breaks off
 */
export async function speak(text, options = {}) {
  if (!/[\p{L}\p{N}]/u.test(text)) throw failure({ code: "nothing_to_speak", message: "The text has nothing to speak: no letter or digit." });
  const speech = new Speech(text, options);
  await speech.start();
  return speech;
}

/** A text being spoken; made by `speak`. */
class Speech {
  #text;
  #options;
  #context = new AudioContext({ sampleRate: SAMPLE_RATE });
  #stopped = false;
  #player = new Player(this.#context);
  #connection;
  /** What to do at the first sound, and on a failure. */
  #begin = () => {};
  /** @type {(error: Error) => void} */
  #fail = () => {};
  #end = () => {};
  /** Resolves when everything has been heard, or after `stop`. @type {Promise<void>} */
  done = new Promise((resolve) => (this.#end = resolve));

  /** @param {string} text @param {Server & SpeechOptions} options */
  constructor(text, options) {
    this.#text = text;
    this.#options = options;
    /** Milliseconds from the request to the first sound. */
    this.firstAudioMs = NaN;
    /** When the speech was asked for, as `performance.now`. */
    this.requested = NaN;
    this.#connection = new Connection(
      options,
      { ext: "binary,words", model: options.model || SPEECH_MODEL },
      () => (options.voice ? [{ type: "session.update", session: { type: "realtime", audio: { output: { voice: options.voice } } } }] : []),
      {
        onState: (state) => this.#change(state),
        onEvent: (event) => this.#receive(event),
        onAudio: (message) => this.#play(message),
        onError: (error) => this.#fail(error),
      },
    );
  }

  /** Milliseconds of the speech that have been heard. */
  get playedMs() {
    return this.#player.playedMs;
  }

  async start() {
    /** @type {Promise<void>} */
    const begun = new Promise((resolve, reject) => {
      this.#begin = resolve;
      this.#fail = (error) => {
        this.stop();
        if (Number.isNaN(this.firstAudioMs)) reject(error);
        else this.#options.onError?.(error);
      };
    });
    try {
      await this.#context.resume();
      await this.#connection.open();
    } catch (error) {
      this.stop();
      throw error;
    }
    this.requested = performance.now();
    const { speed } = this.#options;
    this.#connection.send({
      type: "response.create",
      response: {
        conversation: "none",
        input: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: this.#text }] }],
        audio: { output: { ...(speed && { speed }) } },
      },
    });
    await begun;
  }

  /** Be silent at once. */
  stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#player.stop();
    this.#connection.close();
    this.#context.close();
    this.#end();
  }

  /** @param {State} state */
  #change(state) {
    this.#options.onState?.(state);
    if (state === "lost" && !this.#connection.isResuming) this.#fail(failure({ code: "connection_lost", message: "The connection was lost." }));
  }

  /** @param {ArrayBuffer} message */
  #play(message) {
    if (Number.isNaN(this.firstAudioMs)) {
      this.firstAudioMs = performance.now() - this.requested;
      this.#begin();
    }
    this.#player.play(readAudio(message).pcm);
  }

  /** @param {ServerEvent} event */
  #receive(event) {
    this.#options.onEvent?.(event);
    if (event.type === "x.response.speech.words") this.#options.onWords?.(event.words);
    if (event.type !== "response.done") return;
    const { status, status_details: details } = event.response;
    if (status === "failed") {
      this.#fail(failure(details?.error, "The text could not be spoken."));
      return;
    }
    this.#begin();
    whenPlayed(this.#player, () => this.stop());
  }
}

/** @param {{message?: string, code?: string}} [error] @param {string} [message] where it has none @returns {ServerError} */
const failure = (error, message) => Object.assign(new Error(error?.message ?? message), { code: error?.code });

/** Call `action` when the player has nothing left to play. @param {Player} player @param {() => void} action */
function whenPlayed(player, action) {
  const timer = setInterval(() => {
    if (!player.isDone) return;
    clearInterval(timer);
    action();
  }, 50);
}

/**
 * Hold a conversation: what the user says is answered aloud by the server's chat model, and can be interrupted by speaking.
 * @param {Server & Input & Handlers & TalkOptions} options
 * @returns {Promise<Conversation>}
 * @throws {Error} if there is no microphone, it may not be used, or no session can be opened (its `code` is `no_session`); of a
 *   model, a language or a voice that the server does not have, its `code` is `model_not_found`, `invalid_value` or `invalid_voice`
 */
export async function talk(options) {
  const conversation = new Conversation(options);
  await conversation.start();
  return conversation;
}

/** A conversation in progress; made by `talk`. */
class Conversation {
  #options;
  #sender;
  #connection;
  #transcripts;
  #context = new AudioContext({ sampleRate: SAMPLE_RATE });
  #stopped = false;
  /** Responses that are not over, by their number in binary messages. @type {Map<number, Response>} */
  #responses = new Map();
  #created = 0;
  /** What was said, for a session that replaces a lost one. @type {{role: "user" | "assistant", text: () => string}[]} */
  #said = [];

  /** @param {Server & Input & Handlers & TalkOptions} options */
  constructor(options) {
    this.#options = options;
    this.#transcripts = new Transcripts(options.onUser, (turn) => {
      this.#remember("user", () => turn.committed);
      options.onUser?.(turn);
    });
    const { onState, onError } = options;
    this.#connection = new Connection(options, { ext: "partials,binary" }, () => [this.#setup(), ...this.#history()], {
      onState,
      onError,
      onEvent: (event) => this.#receive(event),
      onAudio: (message) => this.#play(message),
      onOpen: () => this.#begin(),
      onResume: () => this.#sender.flush(),
    });
    this.#sender = new Sender(options, this.#connection, this.#transcripts);
  }

  async start() {
    try {
      await this.#context.resume();
      await this.#sender.start(() => {
        this.#options.onEnded?.();
        this.stop();
      });
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#sender.stop();
    this.#connection.close();
    this.#drop();
    this.#transcripts.settle();
    this.#context.close();
  }

  #setup() {
    const { voice, instructions, eagerness = "auto" } = this.#options;
    const { type, session } = sessionUpdate(this.#options, "realtime");
    const input = { ...session.audio.input, turn_detection: { type: "semantic_vad", eagerness } };
    const audio = { input, ...(voice && { output: { voice } }) };
    return { type, session: { ...session, audio, ...(instructions && { instructions }) } };
  }

  /** Tell a session what was said in those before it, and have it answer the user's turn that was not answered. */
  #history() {
    this.#drop();
    const said = this.#said.map(({ role, text }) => ({ role, text: text() })).filter(({ text }) => text);
    const items = said.map(({ role, text }) => ({
      type: "conversation.item.create",
      item: { type: "message", role, content: [{ type: role === "user" ? "input_text" : "output_text", text }] },
    }));
    return said[said.length - 1]?.role === "user" ? [...items, { type: "response.create" }] : items;
  }

  /** @param {"user" | "assistant"} role @param {() => string} text what it is when a session is told */
  #remember(role, text) {
    this.#said.push({ role, text });
    if (this.#said.length > MAX_SAID) this.#said.splice(0, 1);
  }

  #begin() {
    this.#created = 0;
    this.#sender.begin();
  }

  /** @param {ServerEvent} event */
  #receive(event) {
    this.#options.onEvent?.(event);
    this.#sender.receive(event);
    switch (event.type) {
      case "input_audio_buffer.speech_started":
        this.#interrupt();
        break;
      case "response.created": {
        const answer = { id: event.response.id, text: "", interrupted: false, done: false };
        this.#remember("assistant", () => answer.text);
        const number = this.#created++;
        this.#responses.set(number, { number, itemId: "", deltas: [], player: new Player(this.#context), answer });
        break;
      }
      case "response.output_item.added":
        if (event.item.type === "message") this.#withResponse(event.response_id, (response) => (response.itemId = event.item.id));
        break;
      case "response.output_audio_transcript.delta":
      case "response.output_text.delta":
        this.#withResponse(event.response_id, (response) => this.#extend(response, event));
        break;
      case "response.done":
        this.#withResponse(event.response.id, (response) => this.#finish(response, event.response));
        break;
    }
  }

  /** @param {string} id @param {(response: Response) => void} action */
  #withResponse(id, action) {
    const response = [...this.#responses.values()].find(({ answer }) => answer.id === id);
    if (response) action(response);
  }

  /** @param {ArrayBuffer} message */
  #play(message) {
    const { response, pcm } = readAudio(message);
    this.#responses.get(response)?.player.play(pcm);
  }

  /** @param {Response} response @param {ServerEvent} event */
  #extend({ deltas, answer }, { delta, start_time: start = 0 }) {
    if (answer.done) return;
    deltas.push({ delta, start });
    answer.text += delta;
    this.#options.onAnswer?.(answer);
  }

  /** Silence what is playing, and tell the server how much of it was heard. */
  #interrupt() {
    for (const response of this.#responses.values()) {
      const { player, itemId } = response;
      if (player.isDone) continue;
      this.#end(response, { interrupted: true });
      const heard = Math.round(player.playedMs);
      if (itemId) {
        this.#connection.send({ type: "conversation.item.truncate", item_id: itemId, content_index: 0, audio_end_ms: heard });
      }
    }
  }

  /** Take the end of a response, of which some may still be playing. @param {Response} response @param {any} end as the server sends it */
  #finish(response, { status, status_details: details }) {
    if (status === "failed") this.#options.onError?.(failure(details?.error, "There is no answer."));
    if (status === "cancelled") this.#end(response, { interrupted: true });
    whenPlayed(response.player, () => {
      this.#end(response, { interrupted: false });
      if (this.#responses.get(response.number) === response) this.#responses.delete(response.number);
    });
  }

  /** End all answers: nothing more is heard of them. */
  #drop() {
    for (const response of this.#responses.values()) this.#end(response, { interrupted: true });
    this.#responses.clear();
  }

  /** @param {Response} response @param {{interrupted: boolean}} how */
  #end({ player, deltas, answer }, { interrupted }) {
    player.stop();
    if (answer.done) return;
    if (interrupted) {
      answer.text = deltas.filter(({ start }) => start * 1000 < player.playedMs).map(({ delta }) => delta).join("");
    }
    Object.assign(answer, { interrupted, done: true });
    this.#options.onAnswer?.(answer);
  }
}
