// Turns as text, subtitles and JSON. Subtitles have the rules and the costs of the server's (realtime/speech/subtitles.py).

/** Characters of one line, and lines of one subtitle. */
const LINE = 42;
const LINES = 2;

/** Characters of Chinese, Japanese and Korean, of which 16 fill a line. */
const WIDE = "\\u1100-\\u115f\\u2e80-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff00-\\uff60\\u{20000}-\\u{3fffd}";
const WIDE_CHARACTERS = new RegExp(`[${WIDE}]`, "gu");
const WIDE_WIDTH = LINE / 16;

/** Longest and shortest time of a subtitle in milliseconds, and the time in which a character can be read. */
const LONGEST = 7_000;
const SHORTEST = 1_000;
const PER_CHARACTER = 1_000 / 17;

/** Silence in milliseconds at which a subtitle ends, the gap that is closed before the next, and two frames, which stay of it. */
const PAUSE = 500;
const CLOSED_GAP = 500;
const FRAMES = 80;

/** What a cut costs, beside 1 for each subtitle and 1 for one that is shorter than `SHORTEST`. */
const AFTER_CLAUSE = 0.3;
const BETWEEN_WORDS = 1;
const AFTER_SHORT_WORD = 1.5;
const WITHIN_NAME = 4;

const CLOSING = /["'”’»)\]」』]+$/;
const CLAUSE_END = /[,;:、，；：\-–—]$/;

/** What ends no sentence with its stop: an initial, letters with stops between them, and common abbreviations. */
const ABBREVIATED = /^(?:[A-HJ-Z]|(?:\p{L}{1,2}\.)+\p{L}{1,3}|mrs?|ms|dr|prof|st|jr|sr|vs|etc|nos?|nr|bzw|mme|mlle|dra|sra|srta)\.$/iu;

/** A number that is an ordinal in the languages which write a stop behind it. */
const ORDINAL = /^(?:\d{1,2}|[IVX]{1,5})\.$/;
const WITH_ORDINALS = ["cs", "da", "de", "fi", "hr", "hu", "no", "pl", "sk", "sl", "sr", "tr"];

/** Return seconds as `m:ss` or `h:mm:ss`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** The formats by the ending of a file's name, each from turns to its text. */
export const FORMATS = {
  txt: (turns) => turns.map((turn) => `${turn.committed.trim()}\n`).join(""),
  srt: (turns) => cues(turns).map((cue, index) => `${index + 1}\n${span(cue, ",")}\n${cue.lines.join("\n")}\n`).join("\n"),
  vtt: (turns) => `WEBVTT\n\n${cues(turns).map((cue) => `${span(cue, ".")}\n${cue.lines.map(escaped).join("\n")}\n`).join("\n")}`,
  json: (turns) => `${JSON.stringify(turns.map(({ committed, start, end, language, words }) => ({ text: committed.trim(), start, end, language, words })), null, 2)}\n`,
};

/** Divide turns into subtitles that do not overlap; times in milliseconds. @returns {{start: number, end: number, lines: string[]}[]} */
export function cues(turns) {
  const parts = turns.flatMap((turn) => stretches(timed(turn)).flatMap((words) => divide(words, turn.language)));
  return parts.map((words, index) => ({ start: words[0].start, end: endOf(words, parts[index + 1]), lines: linesOf(words) }));
}

/** Return the words of a turn with times in milliseconds. */
function timed(turn) {
  const words = turn.words.length ? turn.words : estimated(turn);
  return words.map(({ word, start, end }) => ({ word, start: Math.round(start * 1000), end: Math.round(end * 1000) }));
}

/** Return the words of a turn that was cut off, as if each took the same time; those of the turn may not be known either. */
function estimated({ committed, start, end }) {
  const words = committed.match(new RegExp(`\\s*(?:[${WIDE}]|[^\\s${WIDE}]+)`, "gu")) ?? [];
  const begin = start || 0;
  const each = Math.max(0, (end || 0) - begin) / words.length;
  return words.map((word, index) => ({ word, start: begin + index * each, end: begin + (index + 1) * each }));
}

/** Return the words between pauses. */
function stretches(words) {
  const found = [];
  words.forEach((word, index) => {
    if (index === 0 || word.start - words[index - 1].end >= PAUSE) found.push([]);
    found.at(-1).push(word);
  });
  return found;
}

/** Divide words without a pause between them where it costs least; each word gets the cost of a cut after it. */
function divide(untold, language) {
  const words = untold.map((word, index) => ({ ...word, cut: cutCost(untold, index + 1, language) }));
  const cheapest = [{ cost: 0, begin: 0 }, ...words.map(() => ({ cost: Infinity, begin: 0 }))];
  words.forEach(({ start }, begin) => {
    for (const end of fittingEnds(words, begin)) {
      const tooShort = words[end - 1].end - start < SHORTEST ? 1 : 0;
      const cost = cheapest[begin].cost + 1 + words[end - 1].cut + tooShort + breakCost(words.slice(begin, end));
      if (cost < cheapest[end].cost) cheapest[end] = { cost, begin };
    }
  });
  const parts = [];
  for (let end = words.length; end > 0; end = cheapest[end].begin) parts.unshift(words.slice(cheapest[end].begin, end));
  return parts;
}

/** Yield the ends of subtitles that begin with the word at `begin`: after it, and as long as all fits. */
function* fittingEnds(words, begin) {
  let [lines, filled, widest] = [1, 0, 0];
  for (let end = begin + 1; end <= words.length; end++) {
    const { word, end: seconds } = words[end - 1];
    if (filled && filled + width(word) > LINE) [lines, filled] = [lines + 1, 0];
    filled += width(filled ? word : word.trim());
    widest = Math.max(widest, filled);
    const fits = lines <= LINES && widest <= LINE && seconds - words[begin].start <= LONGEST;
    if (end - begin > 1 && !fits) return;
    yield end;
  }
}

/** Return by how much even the cheapest break into two lines is worse than one between any two words. */
function breakCost(words) {
  const widths = words.map(({ word }) => width(word));
  const blanks = words.map(({ word }) => word.length - word.trimStart().length);
  const whole = widths.reduce((sum, each) => sum + each, 0);
  if (whole - blanks[0] <= LINE) return 0;
  let [before, cheapest] = [0, Infinity];
  for (let index = 0; index + 1 < words.length; index++) {
    before += widths[index];
    if (Math.max(before - blanks[0], whole - before - blanks[index + 1]) <= LINE) cheapest = Math.min(cheapest, words[index].cut);
  }
  return cheapest === Infinity ? 0 : Math.max(0, cheapest - BETWEEN_WORDS);
}

/** Return what it costs to end a subtitle, or a line, before the word at `index`; nothing at the end. */
function cutCost(words, index, language) {
  if (index === words.length) return 0;
  const [last, first] = [words[index - 1].word.trim(), words[index].word.trim()];
  if (endsSentence(last, first, language)) return 0;
  if (CLAUSE_END.test(last)) return AFTER_CLAUSE;
  const isName = index > 1 && /^\p{Lu}/u.test(last) && /^\p{Lu}/u.test(first);
  const isNumber = /\d$/.test(last) || (/^\d/.test(first) && /^\p{Lu}/u.test(last));
  if (isName || isNumber) return WITHIN_NAME;
  return /^[\x00-\x7f]{1,3}$/.test(last) ? AFTER_SHORT_WORD : BETWEEN_WORDS;
}

function endsSentence(last, first, language) {
  const text = last.replace(CLOSING, "");
  if (!/[.!?…。！？]$/.test(text)) return false;
  const isOrdinal = WITH_ORDINALS.includes(language) && ORDINAL.test(text);
  return !text.endsWith(".") || !(ABBREVIATED.test(text) || isOrdinal || /^\p{Ll}/u.test(first));
}

/** Return when a subtitle disappears: late enough to be read, if the next one does not come before. */
function endOf(words, following) {
  const [start, spoken] = [words[0].start, words.at(-1).end];
  const length = [...words.map(({ word }) => word).join("").trim()].length;
  const readable = Math.max(spoken, start + Math.min(LONGEST, Math.max(SHORTEST, length * PER_CHARACTER)));
  if (!following) return readable;
  const latest = following[0].start - FRAMES;
  const end = latest - readable < CLOSED_GAP ? Math.max(spoken, Math.min(latest, start + LONGEST)) : readable;
  return Math.min(end, Math.max(following[0].start, spoken));
}

/** Break the words into as few lines as possible, two of them where it reads best. */
function linesOf(words) {
  const joined = (part) => part.map(({ word }) => word).join("").trim();
  if (width(joined(words)) <= LINE) return [joined(words)];
  let best = { cost: Infinity, lines: [joined(words)] };
  for (let index = 1; index < words.length; index++) {
    const lines = [joined(words.slice(0, index)), joined(words.slice(index))];
    const [first, second] = lines.map(width);
    const cost = (2 * Math.abs(first - second)) / (first + second) + words[index - 1].cut;
    if (Math.max(first, second) <= LINE && cost < best.cost) best = { cost, lines };
  }
  return best.lines;
}

/** Return the width of a line in Latin characters. */
function width(line) {
  const wide = line.match(WIDE_CHARACTERS)?.length ?? 0;
  return [...line].length - wide + wide * WIDE_WIDTH;
}

function span({ start, end }, point) {
  return `${stamp(start, point)} --> ${stamp(end, point)}`;
}

function stamp(milliseconds, point) {
  return new Date(Math.max(0, Math.round(milliseconds))).toISOString().slice(11, 23).replace(".", point);
}

function escaped(line) {
  return line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
