// Why something failed, in the language of the page.

import { endpoint } from "../vivavoce.js";
import { text } from "./texts.js";

/** Milliseconds in which a server says whether it is ready. */
const READY_MS = 5_000;

/** The texts for errors of the library and of the server, by their code, and of the browser, by their name (W3C Media Capture and Streams). */
const FAILURES = {
  no_microphone: "noMicrophone", no_sound: "noSound", ended: "ended", nothing_to_speak: "nothingToSpeak", connection_lost: "connectionLost",
  NotAllowedError: "notAllowed", NotFoundError: "notFound", NotReadableError: "notReadable",
  invalid_file_format: "notAudio", unsupported_audio: "notAudio", damaged_audio: "notAudio", empty_file: "emptyFile", no_audio_stream: "noAudio",
  audio_too_short: "tooShort", audio_too_long: "tooLong", file_too_large: "tooLarge", too_large: "tooLarge", request_timeout: "uploadSlow",
  server_overloaded: "busy", queue_full: "busy", too_many_sessions: "busy", rate_limit_exceeded: "busy", engine_failed: "failed", internal_error: "failed",
  model_not_found: "noModel", model_not_available: "noModel", unsupported_model: "modelCannot", invalid_voice: "noVoice", unsupported_language: "unspoken",
  invalid_api_key: "wrongKey", backend_not_configured: "noChat", backend_unavailable: "chatFailed", backend_interrupted: "chatFailed",
  backend_timeout: "chatFailed", backend_overloaded: "chatFailed", backend_refused: "chatFailed",
};

/** Return what a user is told of an error: its own message where there is no text for it. */
export function explain({ code, name, message }) {
  const known = FAILURES[code] ?? FAILURES[name];
  return known ? text(known) : message;
}

/** Return why the server opens no session: browsers do not tell pages the status of a handshake that is refused. */
export async function whyNoSession(server) {
  const response = await fetch(endpoint(server, "readyz"), { signal: AbortSignal.timeout(READY_MS) }).catch(() => null);
  if (!response) return text("unreachable");
  return text(response.ok ? "full" : "notReady");
}

/** Return the error of a response, with its code if it has one. */
export async function errorOf(response) {
  try {
    const { message, code } = (await response.json()).error;
    return Object.assign(new Error(message), { code });
  } catch {
    return new Error(`HTTP ${response.status}`);
  }
}
