// The view that captions a recording as fast as it goes, and plays the words that are clicked.

import { endpoint } from "../vivavoce.js";
import { spaced } from "../vivavoce/transcripts.js";
import { authorization, request } from "./credentials.js";
import { addExports } from "./exports.js";
import { errorOf } from "./failures.js";
import { text } from "./texts.js";
import { TurnsView } from "./turns_view.js";

const find = (id) => document.querySelector(`#recording-${id}`);

/** @param {import("./app.js").Shell} shell */
export function setUpRecording(shell) {
  const audio = find("audio");
  const progress = find("progress");
  const view = new TurnsView(find("turns"), (word) => {
    audio.currentTime = word.start;
    audio.play();
  });
  let running = null;

  addExports(find("exports"), () => view.turns);
  audio.addEventListener("error", () => (audio.hidden = true)); // nothing that the browser can play
  audio.addEventListener("timeupdate", () => view.highlight(audio.currentTime));

  async function caption(file) {
    running?.abort();
    const request = (running = new AbortController());
    view.clear();
    find("hint").hidden = true;
    URL.revokeObjectURL(audio.src);
    audio.src = URL.createObjectURL(file);
    audio.hidden = find("cancel").hidden = progress.hidden = false;
    progress.removeAttribute("value"); // unknown until the first part is transcribed
    try {
      for await (const turn of transcribe(shell.server, file, options(), request.signal)) {
        view.show(turn);
        if (Number.isFinite(audio.duration)) progress.value = Math.min(1, turn.end / audio.duration);
      }
      if (view.turns.length === 0) shell.alert(text("noWords"));
    } catch (error) {
      if (!request.signal.aborted) throw error;
    } finally {
      if (running === request) find("cancel").hidden = progress.hidden = true;
    }
  }

  const options = () => ({ language: find("language").value, translate: find("translate").checked });
  const take = (files) => {
    const [file] = files;
    if (!file) return;
    shell.select("recording");
    shell.attempt(() => caption(file));
  };

  find("file").addEventListener("change", ({ target }) => take(target.files));
  find("cancel").addEventListener("click", () => running?.abort());
  find("form").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("paste", ({ clipboardData }) => take(clipboardData.files));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget ?? document.body.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    take(event.dataTransfer.files);
  });
}

/** Yield the parts of a recording as turns, as soon as each is transcribed. */
async function* transcribe(server, file, { language, translate }, signal) {
  const form = new FormData();
  const fields = { model: "whisper-1", stream: "true", "timestamp_granularities[]": "word", ...(language && { language }) };
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  const response = await request(endpoint(server, `v1/audio/${translate ? "translations" : "transcriptions"}`), {
    method: "POST", body: form, headers: await authorization(), signal,
  });
  if (!response.ok) throw await errorOf(response);
  let number = 0;
  for await (const event of events(response.body)) {
    if (event.error) throw Object.assign(new Error(event.error.message), { code: event.error.code });
    if (event.type !== "transcript.text.delta" || !event.words?.length) continue;
    const words = spaced(event.delta, event.words);
    yield {
      id: `part-${number++}`, committed: event.delta, tentative: "", final: true, cut: false, words, language: event.language,
      start: words[0].start, end: words.at(-1).end,
    };
  }
}

/** Yield the JSON of server-sent events (WHATWG HTML, section 9.2). @param {ReadableStream<Uint8Array>} body */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop();
    for (const message of messages) {
      if (message.startsWith("data: ")) yield JSON.parse(message.slice(6));
    }
  }
}
