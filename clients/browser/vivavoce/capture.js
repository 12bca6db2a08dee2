// Audio of a microphone, a tab or any stream as PCM16 frames.

/** Sample rate in Hz of what is captured and played: the protocol's. */
export const SAMPLE_RATE = 24_000;

/** Most milliseconds that a source may take to deliver its first frame; what is shared delivers none while it is silent. */
const FIRST_FRAME_MS = 3_000;

/** Of what is shared, the sound as it is, that of the whole system where the browser can. */
const DISPLAY = { audio: { echoCancellation: false }, video: true, systemAudio: "include" };

/**
 * Open a source of audio.
 * @param {"microphone" | "display" | MediaStream} source `display` asks for a tab, a window or a screen with its sound
 * @param {string} [deviceId] of the microphone, from `microphones`
 * @returns {Promise<MediaStream>}
 * @throws {Error} with the `code` `no_microphone` where the browser gives none to this page, and `no_sound` where what was
 *   shared has none: a window, or anything in Firefox and Safari
 */
export async function openSource(source = "microphone", deviceId) {
  if (typeof source !== "string") return source;
  if (!navigator.mediaDevices) throw failure("no_microphone", "Browsers give the microphone only to pages from this machine or over HTTPS.");
  if (source === "display") {
    const stream = await navigator.mediaDevices.getDisplayMedia(DISPLAY);
    stream.getVideoTracks().forEach((track) => track.stop());
    if (stream.getAudioTracks().length === 0) throw failure("no_sound", "What was shared has no sound. Share a tab, and its sound with it.");
    return new MediaStream(stream.getAudioTracks());
  }
  return navigator.mediaDevices.getUserMedia({
    audio: { deviceId: deviceId ? { exact: deviceId } : undefined, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  });
}

/** @param {string} code @param {string} message */
const failure = (code, message) => Object.assign(new Error(message), { code });

/** List the microphones; they have names once one of them has been opened. @returns {Promise<MediaDeviceInfo[]>} */
export async function microphones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter(({ kind }) => kind === "audioinput");
}

/** Captures a stream until `stop`. */
export class Capture {
  /** @type {MediaStream} */
  #stream;
  #context = new AudioContext({ sampleRate: SAMPLE_RATE });
  #stopped = false;

  /** @param {MediaStream} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  /**
   * Begin to capture, and wait for the first frame: what is said before it is not captured, however long that takes.
   * @param {MediaStream} stream
   * @param {(pcm: ArrayBuffer, peak: number) => void} onFrame called every 40 ms; `peak` is between 0 and 1
   * @param {() => void} [onEnded] called when the source ends by itself: unplugged, or no longer shared
   * @throws {Error} with the `code` `ended` where that has happened before the first frame
   */
  static async start(stream, onFrame, onEnded) {
    const capture = new Capture(stream);
    const tracks = stream.getAudioTracks();
    try {
      await capture.#context.audioWorklet.addModule(new URL("capture.worklet.js", import.meta.url));
      /** @type {AudioWorkletNodeOptions} */
      const options = { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" };
      const node = new AudioWorkletNode(capture.#context, "vivavoce-capture", options);
      await new Promise((resolve) => {
        setTimeout(resolve, FIRST_FRAME_MS);
        for (const track of tracks) track.addEventListener("ended", resolve, { once: true });
        node.port.onmessage = ({ data: { pcm, peak } }) => {
          resolve(undefined);
          if (!capture.#stopped) onFrame(pcm, peak);
        };
        capture.#context.createMediaStreamSource(stream).connect(node);
      });
      if (tracks.every(({ readyState }) => readyState === "ended")) throw failure("ended", "The source has ended.");
    } catch (error) {
      capture.stop();
      throw error;
    }
    for (const track of tracks) track.addEventListener("ended", () => capture.#stopped || onEnded?.());
    return capture;
  }

  stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stream.getTracks().forEach((track) => track.stop());
    this.#context.close();
  }
}
