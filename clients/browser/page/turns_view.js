// The list in which turns are shown: one line each, that of an open turn changing as it grows. The page holds a window of
// the lines, so that hours of captions cost no more than minutes; earlier ones come back where the list is scrolled to them.

import { clock } from "./subtitles.js";

/** Words below this probability are marked as unsure. */
const UNSURE = 0.5;

/** Turns that are kept: several hours. */
const MAX_TURNS = 5_000;

/** Lines on the page, and how many are added at once where the list is scrolled to an end of them. */
const MAX_LINES = 120;
const MORE_LINES = 40;

/** Pixels from an end of the list within which it counts as scrolled to it. */
const NEAR = 40;

/** @typedef {{turn: import("../vivavoce.js").Turn, className: string, element: HTMLLIElement | null}} Line */

export class TurnsView {
  #list;
  #onWord;
  /** All lines in order, of which those from `#first` to before `#last` are on the page. @type {Line[]} */
  #lines = [];
  #first = 0;
  #last = 0;
  /** Whether the list is scrolled to its end, and stays there as it grows. */
  #following = true;
  /** Size of the list and its content when it was scrolled last, in pixels. */
  #size = "";
  /** Lines of turns that are not final, by their id. @type {Map<string, Line>} */
  #open = new Map();

  /** @param {HTMLOListElement} list @param {(word: import("../vivavoce.js").Word) => void} [onWord] called when a word is clicked */
  constructor(list, onWord) {
    this.#list = list;
    this.#onWord = onWord;
    list.addEventListener("scroll", () => this.#scrolled());
    new ResizeObserver(() => this.#following && this.#scrollToEnd()).observe(list); // another window, or large type
  }

  /** Turns that are final, at most `MAX_TURNS` of them. @returns {import("../vivavoce.js").Turn[]} */
  get turns() {
    return this.#lines.map(({ turn }) => turn).filter(({ final }) => final);
  }

  clear() {
    this.#lines = [];
    this.#first = this.#last = 0;
    this.#following = true;
    this.#open.clear();
    this.#list.replaceChildren();
  }

  /** Show a turn as it is now. @param {import("../vivavoce.js").Turn} turn @param {string} [className] */
  show(turn, className = "") {
    const line = this.#line(turn.id);
    Object.assign(line, { turn, className: turn.cut ? "cut" : className });
    if (turn.final) this.#open.delete(turn.id);
    if (turn.final && !turn.committed) this.#remove(this.#lines.lastIndexOf(line));
    else if (line.element) this.#draw(line);
    if (!this.#following) return;
    this.#append(this.#lines.length - this.#last);
    this.#trimBefore();
    this.#scrollToEnd();
  }

  /** Highlight the words that are heard at `seconds`. */
  highlight(seconds) {
    for (const element of this.#list.querySelectorAll(".word")) {
      element.classList.toggle("said", Number(element.dataset.start) <= seconds && seconds < Number(element.dataset.end));
    }
  }

  /** Return the line of an open turn, a new one at the end if it has none. */
  #line(id) {
    let line = this.#open.get(id);
    if (!line) {
      line = { turn: null, className: "", element: null };
      this.#open.set(id, line);
      this.#lines.push(line);
      if (this.#lines.length > MAX_TURNS) this.#remove(0);
    }
    return line;
  }

  #remove(index) {
    const [{ turn, element }] = this.#lines.splice(index, 1);
    element?.remove();
    if (turn) this.#open.delete(turn.id);
    if (index < this.#first) this.#first -= 1;
    if (index < this.#last) this.#last -= 1;
  }

  #scrollToEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#size = this.#measure();
  }

  #measure() {
    const { scrollHeight, clientWidth, clientHeight } = this.#list;
    return `${scrollHeight} ${clientWidth} ${clientHeight}`;
  }

  /** Follow the end no longer if the user has scrolled away from it, and not another layout. */
  #scrolled() {
    const size = this.#measure();
    if (this.#following && size !== this.#size) {
      this.#scrollToEnd();
      return;
    }
    this.#size = size;
    this.#following = this.#last === this.#lines.length && this.#below() < NEAR;
    this.#moveWindow();
  }

  #below() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight;
  }

  /** Move the window to where the list is scrolled. */
  #moveWindow() {
    if (this.#list.scrollTop < NEAR && this.#first > 0) {
      this.#prepend(Math.min(MORE_LINES, this.#first));
      while (this.#last - this.#first > MAX_LINES) this.#erase(--this.#last);
    } else if (this.#below() < NEAR && this.#last < this.#lines.length) {
      this.#append(Math.min(MORE_LINES, this.#lines.length - this.#last));
      this.#trimBefore();
    }
  }

  #append(count) {
    const added = this.#lines.slice(this.#last, this.#last + count);
    this.#list.append(...added.map((line) => this.#make(line)));
    this.#last += added.length;
  }

  /** Add lines before those on the page, which stay where they are. */
  #prepend(count) {
    const { scrollHeight, scrollTop } = this.#list;
    this.#list.prepend(...this.#lines.slice(this.#first - count, this.#first).map((line) => this.#make(line)));
    this.#first -= count;
    this.#list.scrollTop = scrollTop + this.#list.scrollHeight - scrollHeight;
  }

  /** Take the first lines off the page where there are too many; the others stay where they are. */
  #trimBefore() {
    if (this.#last - this.#first <= MAX_LINES) return;
    const { scrollHeight, scrollTop } = this.#list;
    while (this.#last - this.#first > MAX_LINES) this.#erase(this.#first++);
    this.#list.scrollTop = scrollTop + this.#list.scrollHeight - scrollHeight;
  }

  #erase(index) {
    this.#lines[index].element.remove();
    this.#lines[index].element = null;
  }

  #make(line) {
    line.element = document.createElement("li");
    line.element.append(part("time"), part("committed"), part("tentative"));
    this.#draw(line);
    return line.element;
  }

  #draw({ turn, className, element }) {
    const [time, committed, tentative] = element.children;
    if (element.className !== className) element.className = className;
    setText(time, Number.isNaN(turn.start) ? "" : clock(turn.start));
    if (turn.final && turn.words.length > 0) committed.replaceChildren(...turn.words.flatMap((word) => this.#word(word)));
    else setText(committed, turn.committed);
    setText(tentative, turn.tentative);
  }

  /** Return the nodes of a word: the blanks before it, and an element where it can be marked or clicked. */
  #word(word) {
    if (!this.#onWord && word.probability >= UNSURE) return [word.word];
    const element = document.createElement("span");
    element.textContent = word.word.trimStart();
    if (word.probability < UNSURE) element.classList.add("unsure");
    if (this.#onWord) {
      element.classList.add("word");
      Object.assign(element.dataset, { start: word.start, end: word.end });
      element.addEventListener("click", () => this.#onWord(word));
    }
    return [word.word.slice(0, -element.textContent.length), element];
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
