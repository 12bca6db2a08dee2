// Turns as text, subtitles and JSON.

/** Characters of one line of a subtitle, lines of one subtitle, and its longest duration in seconds. */
const LINE = 42;
const LINES = 2;
const LONGEST = 7;

/** Characters of Chinese, Japanese and Korean, of which fewer fill a line. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{20000}-\u{3fffd}]/gu;
const WIDE_LINE = 16;

/** Shortest time in seconds for which a subtitle is shown. */
const SHORTEST = 1;

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

/** Cut turns into subtitles, after punctuation where that is near. @returns {{start: number, end: number, lines: string[]}[]} */
export function cues(turns) {
  const all = turns.flatMap((turn) => cuesOf(turn.words.length ? turn.words : estimated(turn)));
  return all.map((cue, index) => ({ ...cue, end: Math.max(cue.end, Math.min(cue.start + SHORTEST, all[index + 1]?.start ?? Infinity)) }));
}

/** Return the words of a turn that was cut off, as if each took the same time; those of the turn may not be known either. */
function estimated({ committed, start, end }) {
  const words = committed.match(/\s*\S+/g) ?? [];
  const begin = start || 0;
  const each = Math.max(0, (end || 0) - begin) / words.length;
  return words.map((word, index) => ({ word, start: begin + index * each, end: begin + (index + 1) * each }));
}

function cuesOf(words) {
  const found = [];
  let cue = [];
  for (const word of words) {
    if (cue.length && (!fits([...cue, word]) || word.end - cue[0].start > LONGEST)) {
      const cut = clauseEnd(cue);
      found.push(cue.slice(0, cut));
      cue = cue.slice(cut);
    }
    cue.push(word);
  }
  if (cue.length) found.push(cue);
  return found.map((part) => ({ start: part[0].start, end: part.at(-1).end, lines: wrap(part) }));
}

const fits = (words) => wrap(words).length <= LINES;

/** Return how many of the words to show first: up to the last punctuation in their second half, or all. */
function clauseEnd(words) {
  for (let end = words.length; end > words.length / 2; end--) {
    if (/[.,;:!?。，；：！？]$/.test(words[end - 1].word.trim())) return end;
  }
  return words.length;
}

function wrap(words) {
  const lines = [""];
  for (const { word } of words) {
    if (lines.at(-1) && width((lines.at(-1) + word).trim()) > LINE) lines.push("");
    lines[lines.length - 1] += word;
  }
  return lines.map((line) => line.trim());
}

/** Return the width of a line in Latin characters. */
function width(line) {
  const wide = line.match(WIDE)?.length ?? 0;
  return [...line].length - wide + (wide * LINE) / WIDE_LINE;
}

function span({ start, end }, point) {
  return `${stamp(start, point)} --> ${stamp(end, point)}`;
}

function stamp(seconds, point) {
  const milliseconds = Math.round(Math.max(0, seconds) * 1000);
  return new Date(milliseconds).toISOString().slice(11, 23).replace(".", point);
}

function escaped(line) {
  return line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
