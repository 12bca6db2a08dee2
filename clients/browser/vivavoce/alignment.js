// What a second transcript of the same audio adds to the first, of which it may differ a little. As `clients/turns.py`.

/** Words of a text with the blanks before them; in scripts without spaces each character counts as one. */
const WORDS = /\s*(?:[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[^\s\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+)/g;

/** Punctuation at the end of a word. Signs of vowels, as in Hindi, are none. */
const PUNCTUATION = /[\p{P}\p{S}]+$/u;

/** Words by which the second transcript may be longer up to a common word; more is a chance match of short words. */
const LARGEST_SHIFT = 3;

/**
 * Return the text that `second` has after that of `first`, and whether it has more words.
 * @param {string} first
 * @param {string} second
 */
export function addition(first, second) {
  const before = first.match(WORDS) ?? [];
  const after = second.match(WORDS) ?? [];
  const repeated = overlap(before.map(key), after.map(key));
  return { text: markAfter(before, after.slice(0, repeated)) + after.slice(repeated).join(""), isLonger: after.length > before.length };
}

/**
 * Return how many words at the beginning of `after` repeat those of `before`, or the last of them.
 * @param {string[]} before
 * @param {string[]} after
 */
function overlap(before, after) {
  // Lengths of the longest common subsequences of what begins with each pair of words.
  const lengths = [...before, ""].map(() => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i][j] = before[i] === after[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  let repeated = Math.min(before.length, after.length);
  for (let i = 0, j = 0; i < before.length && j < after.length; ) {
    if (before[i] === after[j]) {
      if (j - i <= LARGEST_SHIFT) repeated = Math.min(after.length, j + before.length - i);
      i += 1;
      j += 1;
    } else if (lengths[i + 1][j] >= lengths[i][j + 1]) i += 1;
    else j += 1;
  }
  return repeated;
}

/**
 * Return the punctuation that the last word of `before` has the second time only: it is committed after the word.
 * @param {string[]} before
 * @param {string[]} repeated
 */
function markAfter(before, repeated) {
  const [first, second] = [before.at(-1) ?? "", repeated.at(-1) ?? ""];
  return key(first) === key(second) && !PUNCTUATION.test(first) ? (PUNCTUATION.exec(second)?.[0] ?? "") : "";
}

/** Return a word without case and punctuation, which differ most easily. @param {string} word */
function key(word) {
  return word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "") || word.trim();
}
