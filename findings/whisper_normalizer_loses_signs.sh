#!/usr/bin/env bash
# whisper-normalizer 0.1.15, Whisper's normalizer for English: signs and zeros of numbers are lost, and words become pounds.
#
# Guess: a transcript with "-12 degrees" is right, one with "12 degrees" wrong, where "minus twelve degrees" was said.
# Seen:  it is the other way about. "-12" loses its sign, and "minus twelve" becomes "-12". In the same way "C++" equals
#        "C", "555-0142" loses a zero that "five five five zero one four two" keeps, and a weight becomes an amount of money.
#        Word error rates of numbers are wrong in both directions.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check whisper-normalizer==0.1.15
"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

from whisper_normalizer.english import EnglishTextNormalizer

print("whisper-normalizer", version("whisper-normalizer"))
normalize = EnglishTextNormalizer()
for text, seen in (
    ("It is -12 degrees.", "it is 12 degrees"),
    ("It is minus twelve degrees.", "it is -12 degrees"),
    ("I write C++ and C.", "i write c and c"),
    ("Call 555-0142.", "call 555 142"),
    ("Call five five five zero one four two.", "call 5550142"),
    ("It weighs twelve pounds.", "it weighs £12"),
    ("Gen Z is here.", "general z is here"),
):
    normalized = normalize(text)
    print(f"{text!r} becomes {normalized!r}")
    assert normalized == seen, normalized
PY
