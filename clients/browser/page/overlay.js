// Captions over a picture, for OBS and the like: `overlay?language=de&seconds=8#KEY`.

import { listen } from "../vivavoce.js";

const query = new URLSearchParams(location.search);

/** Seconds for which captions stay when nobody speaks. */
const STAY = Number(query.get("seconds") ?? 6);

const lines = document.querySelector("#lines");
const message = document.querySelector("#message");
let timer = 0;

function show({ committed, tentative }) {
  const line = document.createElement("span");
  const rest = document.createElement("span");
  rest.className = "tentative";
  rest.textContent = tentative;
  line.append(committed.trimStart(), rest);
  lines.replaceChildren(...(committed || tentative ? [line] : []));
  clearTimeout(timer);
  timer = setTimeout(() => lines.replaceChildren(), STAY * 1000);
}

try {
  await listen({
    url: new URL(".", document.baseURI),
    key: location.hash.slice(1),
    source: query.get("source") === "display" ? "display" : "microphone",
    language: query.get("language") ?? undefined,
    translate: query.has("translate"),
    onPartial: show,
    onFinal: (turn) => turn.committed && show(turn),
    onError: (error) => (message.textContent = error.message),
    onState: (state) => (message.textContent = state === "lost" ? "…" : ""),
  });
} catch (error) {
  message.textContent = error.message;
}
