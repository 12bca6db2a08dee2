// The view of a conversation.

import { talk } from "../vivavoce.js";
import { setText } from "./texts.js";
import { TurnsView } from "./turns_view.js";

const find = (id) => document.querySelector(`#talk-${id}`);

/** @param {import("./app.js").Shell} shell */
export function setUpTalk(shell) {
  const view = new TurnsView(find("turns"));
  const handlers = shell.handlers("talk");
  const start = find("start");
  let conversation = null;

  async function begin() {
    view.clear();
    find("hint").hidden = true;
    const { voice } = shell.voice(find("voice"));
    conversation = await talk({
      ...shell.server,
      ...handlers,
      voice,
      language: find("language").value,
      instructions: find("instructions").value,
      onLevel: (peak) => (find("level").value = peak),
      onUser: (turn) => {
        view.show(turn);
        if (turn.final) find("live").textContent = turn.committed;
      },
      onAnswer: ({ id, text, interrupted, done }) => {
        view.show(
          { id, committed: text, tentative: "", words: [], start: NaN, final: done },
          interrupted ? "answer interrupted" : "answer",
        );
        if (done) find("live").textContent = text;
      },
      onState: (state) => {
        handlers.onState(state);
        if (state === "closed") end();
      },
    });
    setText(start, "stop");
    find("form").classList.add("running");
  }

  function end() {
    conversation = null;
    setText(start, "startTalking");
    find("form").classList.remove("running");
    find("level").value = 0;
  }

  find("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    start.disabled = true;
    await shell.attempt(() => (conversation ? conversation.stop() : begin()));
    start.disabled = false;
  });
}
