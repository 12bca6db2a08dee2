// Captions over a picture, for OBS and the like: `overlay?language=de&seconds=8#KEY`.

import { listen } from "../vivavoce.js";
import { openSource } from "../vivavoce/capture.js";

const query = new URLSearchParams(location.search);

/** Seconds for which captions stay when nobody speaks. */
const STAY = Number(query.get("seconds") ?? 6);

/** Milliseconds after which a session that could not be opened is tried again: nobody is there to press a button. */
const RETRY_MS = 3_000;

const lines = document.querySelector("#lines");
const message = document.querySelector("#message");
let timer = 0;

function show({ committed, tentative }) {
  const line = document.createElement("span");
  const rest = document.createElement("i");
  rest.className = "tentative";
  rest.textContent = tentative;
  line.append(committed.trimStart(), rest);
  const block = document.createElement("p"); // whose last two lines are seen
  block.append(line);
  lines.replaceChildren(...(committed || tentative ? [block] : []));
  clearTimeout(timer);
  timer = setTimeout(() => lines.replaceChildren(), STAY * 1000);
}

/** Caption a source until it ends; rejects if no session can be opened. @param {MediaStream} stream */
const caption = (stream) => listen({
  url: new URL(".", document.baseURI),
  key: location.hash.slice(1),
  source: stream,
  language: query.get("language") ?? undefined,
  translate: query.has("translate"),
  onPartial: show,
  onFinal: (turn) => turn.committed && show(turn),
  onError: (error) => (message.textContent = error.message),
  onState: (state) => (message.textContent = state === "lost" ? "…" : ""),
});

try {
  const stream = await openSource(query.get("source") === "display" ? "display" : "microphone");
  for (let started = false; !started; ) {
    try {
      await caption(stream.clone());
      started = true;
    } catch (error) {
      message.textContent = error.message;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
} catch (error) {
  message.textContent = error.message;
}
