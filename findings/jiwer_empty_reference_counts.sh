#!/usr/bin/env bash
# jiwer 4.0.0: the word error rate of an empty reference is no rate.
#
# Guess: an empty reference is refused with ValueError, as jiwer did for years, since the rate would divide by zero.
# Seen:  the result is the number of words that were inserted, an int. Clips of silence are what hallucinations are
#        measured with: in a mean over clips one invented sentence of ten words then counts as 1,000 %.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jiwer==4.0.0
"$work/venv/bin/python" - <<'PY'
import importlib.metadata

import jiwer

print("jiwer", importlib.metadata.version("jiwer"))
for reference, hypothesis in (("", ""), ("", "thank you"), ("", "thanks for watching")):
    print(f"wer({reference!r}, {hypothesis!r}) = {jiwer.wer(reference, hypothesis)!r}")
assert jiwer.wer("", "") == 0
assert jiwer.wer("", "thank you") == 2
assert jiwer.wer("", "thanks for watching") == 3
silence_and_speech = jiwer.wer(["", "one two three four"], ["thank you", "one two three four"])
print(f"a silent clip heard as two words beside four right ones: {silence_and_speech}")
assert silence_and_speech == 0.5
PY
