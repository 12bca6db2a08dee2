// Live captions from a websocket: send PCM16 at 24 kHz or chunks of a MediaRecorder, receive committed and tentative text.

const TRANSCRIPTION = "conversation.item.input_audio_transcription.";

/**
 * Open a transcription session.
 * @param {string} url such as ws://127.0.0.1:8000/v1/realtime
 * @param {(lines: {committed: string, tentative: string, complete: boolean}[]) => void} onChange called with all lines
 * @param {{key?: string, type?: string, onError?: (message: string) => void}} options; `type` is that of a MediaRecorder
 * @returns {Promise<{send: (audio: ArrayBuffer | Blob) => void, commit: () => void, close: () => void}>}
 */
export async function openCaptions(url, onChange, { key, type, onError = console.error } = {}) {
  const protocols = key ? ["realtime", `openai-insecure-api-key.${key}`] : ["realtime"];
  const socket = new WebSocket(`${url}?intent=transcription&ext=partials,binary`, protocols);
  const lines = new Map();

  const line = (id) => {
    if (!lines.has(id)) lines.set(id, { committed: "", tentative: "", complete: false });
    return lines.get(id);
  };

  const commit = (line, delta) => {
    line.committed += delta;
    line.tentative = line.tentative.startsWith(delta) ? line.tentative.slice(delta.length) : line.tentative;
  };

  socket.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    switch (event.type) {
      case `${TRANSCRIPTION}delta`:
        commit(line(event.item_id), event.delta);
        break;
      case "x.transcription.partial":
        line(event.item_id).tentative = event.text;
        break;
      case `${TRANSCRIPTION}completed`:
        lines.set(event.item_id, { committed: event.transcript, tentative: "", complete: true });
        break;
      case "error":
        onError(event.error.message);
        return;
      default:
        return;
    }
    onChange([...lines.values()]);
  });

  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    // A browser does not tell a page why: no server, a wrong key, or an origin that is not allowed.
    socket.addEventListener("close", () => reject(new Error(`cannot open a session at ${url}`)), { once: true });
  });
  if (type) {
    socket.send(JSON.stringify({ type: "session.update", session: { audio: { input: { format: { type } } } } }));
  }
  const lost = ({ code, reason }) => onError(`connection closed (${reason || code})`);
  socket.addEventListener("close", lost);
  return {
    send: (audio) => socket.send(audio),
    commit: () => socket.send(JSON.stringify({ type: "input_audio_buffer.commit" })),
    close: () => {
      socket.removeEventListener("close", lost);
      socket.close();
    },
  };
}
