// The view that speaks a text and highlights its words while they are heard.

import { speak } from "../vivavoce.js";
import { setText, text } from "./texts.js";

const find = (id) => document.querySelector(`#speak-${id}`);

/** @param {import("./app.js").Shell} shell */
export function setUpSpeak(shell) {
  const handlers = shell.handlers("speak");
  const start = find("start");
  let speech = null;

  async function begin() {
    const words = [];
    find("first").textContent = "";
    find("words").replaceChildren();
    const { voice, model } = shell.voice(find("voice"));
    speech = await speak(find("text").value, {
      ...shell.server,
      ...handlers,
      voice,
      model,
      speed: Number(find("speed").value),
      onWords: (timed) => {
        for (const { word, start_ms: from, end_ms: to } of timed) {
          const element = document.createElement("span");
          element.textContent = word;
          words.push({ element, from, to });
          find("words").append(element, " ");
        }
      },
    });
    setText(start, "stop");
    find("first").textContent = text("firstAudio", { ms: Math.round(speech.firstAudioMs) });
    const { done } = speech;
    const follow = () => {
      const now = speech?.playedMs ?? Infinity;
      for (const { element, from, to } of words) element.classList.toggle("said", from <= now && now < to);
      if (speech) requestAnimationFrame(follow);
    };
    follow();
    done.then(() => {
      speech = null;
      setText(start, "speakNow");
    });
  }

  find("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    start.disabled = true;
    await shell.attempt(() => (speech ? speech.stop() : begin()));
    start.disabled = false;
  });
}
