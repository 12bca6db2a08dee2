// Buttons that copy and download turns.

import { FORMATS } from "./subtitles.js";
import { setText } from "./texts.js";

/** Milliseconds for which the button says that it has copied. */
const THANKS = 1_500;

/** Add the buttons to `element`. @param {() => import("../vivavoce.js").Turn[]} turns returns what to export */
export function addExports(element, turns) {
  const copy = button(() => navigator.clipboard.writeText(FORMATS.txt(turns())).then(() => {
    setText(copy, "copied");
    setTimeout(() => setText(copy, "copy"), THANKS);
  }));
  setText(copy, "copy");
  copy.hidden = !navigator.clipboard; // only for pages from this machine or over HTTPS
  element.append(copy);
  for (const [name, format] of Object.entries(FORMATS)) {
    const download = button(() => save(`vivavoce.${name}`, format(turns())));
    download.textContent = name;
    element.append(download);
  }
}

function button(action) {
  const element = document.createElement("button");
  element.type = "button";
  element.addEventListener("click", action);
  return element;
}

function save(name, content) {
  const url = URL.createObjectURL(new Blob([content], { type: "text/plain" }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
