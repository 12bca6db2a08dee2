// The list in which turns are shown: one line each, that of an open turn changing as it grows.

import { clock } from "./subtitles.js";

/** Words below this probability are marked as unsure. */
const UNSURE = 0.5;

/** Lines kept on the page: several hours. */
const MAX_LINES = 5_000;

export class TurnsView {
  #list;
  #lines = new Map();
  #onWord;

  /** @param {HTMLOListElement} list @param {(word: import("../vivavoce.js").Word) => void} [onWord] called when a word is clicked */
  constructor(list, onWord) {
    this.#list = list;
    this.#onWord = onWord;
  }

  clear() {
    this.#lines.clear();
    this.#list.replaceChildren();
  }

  /** Show a turn as it is now. @param {import("../vivavoce.js").Turn} turn @param {string} [className] */
  show(turn, className = "") {
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    const line = this.#line(turn.id);
    line.item.className = turn.cut ? "cut" : className;
    line.time.textContent = Number.isNaN(turn.start) ? "" : clock(turn.start);
    if (turn.final && turn.words.length > 0) {
      line.committed.replaceChildren(...turn.words.map((word) => this.#word(word)));
    } else {
      setText(line.committed, turn.committed);
    }
    setText(line.tentative, turn.tentative);
    if (turn.final) {
      this.#lines.delete(turn.id);
      if (!turn.committed) line.item.remove();
    }
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** Highlight the words that are heard at `seconds`. */
  highlight(seconds) {
    for (const element of this.#list.querySelectorAll(".word")) {
      element.classList.toggle("said", Number(element.dataset.start) <= seconds && seconds < Number(element.dataset.end));
    }
  }

  #line(id) {
    if (!this.#lines.has(id)) {
      const line = { item: document.createElement("li"), time: part("time"), committed: part("committed"), tentative: part("tentative") };
      line.item.append(line.time, line.committed, line.tentative);
      this.#list.append(line.item);
      if (this.#list.childElementCount > MAX_LINES) this.#list.firstElementChild.remove();
      this.#lines.set(id, line);
    }
    return this.#lines.get(id);
  }

  #word(word) {
    const element = document.createElement("span");
    element.textContent = word.word;
    if (word.probability < UNSURE) element.classList.add("unsure");
    if (this.#onWord) {
      element.classList.add("word");
      Object.assign(element.dataset, { start: word.start, end: word.end });
      element.addEventListener("click", () => this.#onWord(word));
    }
    return element;
  }
}

function part(className) {
  const element = document.createElement("span");
  element.className = className;
  return element;
}

function setText(element, value) {
  if (element.textContent !== value) element.textContent = value;
}
