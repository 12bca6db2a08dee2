// The view of live captions, and what the overlay shares with it.

import { listen, microphones } from "../vivavoce.js";
import { addExports } from "./exports.js";
import { setText, text } from "./texts.js";
import { TurnsView } from "./turns_view.js";

const find = (id) => document.querySelector(`#captions-${id}`);

/** @param {import("./app.js").Shell} shell */
export function setUpCaptions(shell) {
  const view = new TurnsView(find("turns"));
  const handlers = shell.handlers("captions");
  const start = find("start");
  const source = find("source");
  let listener = null;

  addExports(find("exports"), () => view.turns);
  fillSources(source);
  navigator.mediaDevices?.addEventListener("devicechange", () => fillSources(source));
  for (const name of ["confidence", "times", "large"]) {
    document.querySelector(`#show-${name}`).addEventListener("change", ({ target }) => {
      document.body.classList.toggle(name === "large" ? "large" : `show-${name}`, target.checked);
    });
  }
  document.addEventListener("keydown", ({ key }) => {
    const large = document.querySelector("#show-large");
    if (key === "Escape" && large.checked) large.click();
  });

  async function begin() {
    view.clear();
    find("hint").hidden = true;
    const device = source.value;
    listener = await listen({
      ...shell.server,
      ...handlers,
      source: device === "display" ? "display" : "microphone",
      deviceId: device === "display" ? undefined : device,
      language: find("language").value,
      translate: find("translate").checked,
      keywords: find("keyterms").value.split(",").map((each) => each.trim()).filter(Boolean),
      onLevel: (peak) => (document.querySelector("#level").value = peak),
      onPartial: (turn) => {
        view.show(turn);
        if (turn.tentative && listener) shell.showLag(listener.seconds - turn.end);
      },
      onFinal: (turn) => {
        view.show(turn);
        if (turn.committed) find("live").textContent = turn.committed;
      },
      onState: (state) => {
        handlers.onState(state);
        if (state === "closed") end();
      },
      onEnded: () => shell.alert(text("ended")),
    });
    setText(start, "stop");
    find("form").classList.add("running");
    fillSources(source);
  }

  function end() {
    listener = null;
    setText(start, "start");
    find("form").classList.remove("running");
    document.querySelector("#level").value = 0;
    shell.showLag(NaN);
  }

  find("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    start.disabled = true;
    await shell.attempt(() => (listener ? listener.stop() : begin()));
    start.disabled = false;
  });
}

async function fillSources(select) {
  const chosen = select.value;
  const devices = await microphones();
  const options = devices.map(({ deviceId, label }, index) => new Option(label || `${text("microphone")} ${index + 1}`, deviceId));
  const display = new Option(text("display"), "display");
  display.dataset.text = "display";
  if (options.length === 0) options.push(new Option(text("microphone"), ""));
  if (navigator.mediaDevices?.getDisplayMedia) options.push(display);
  select.replaceChildren(...options);
  if (options.some(({ value }) => value === chosen)) select.value = chosen;
}
