#!/usr/bin/env bash
# hibari-tts 0.2.1: a word before a stop is read as the abbreviation that it looks like, and $12.5 as five cents.
#
# Guess: an abbreviation is expanded where a number or a name follows it: "See no. 5", not "The answer is no."
# Seen:  it is expanded everywhere except there: the text is split into sentences after "No." first, so that "See No. 5"
#        says no number at all, while "The answer is no." says "The answer is number." Of a price with one decimal, the
#        digit is read as cents.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check hibari-tts==0.2.1
"$work/venv/bin/python" - <<'PY'
import hibari

voice = hibari.Hibari("heart")


def sounds(text):
    return "".join(voice.phonemize(text)).replace("ˈ", "").replace("ˌ", "").replace(" ", "")


print("hibari", hibari.__version__)
for written, said, meant in (
    ("The answer is no.", "The answer is number.", "The answer is no!"),
    ("We orbit the Sun.", "We orbit the Sunday.", "We orbit the sun!"),
    ("It costs $12.5 now.", "It costs twelve dollars and five cents now.", "It costs $12.50 now."),
):
    print(f"{written!r} is said as {said!r}")
    assert sounds(written) == sounds(said) and sounds(written).strip(".") != sounds(meant).strip("!.")
print("'See No. 5 below.' is split:", voice.split_sentences("See No. 5 below."))
assert voice.split_sentences("See No. 5 below.") == ["See No.", "5 below."]
PY
