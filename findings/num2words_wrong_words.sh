#!/usr/bin/env bash
# num2words 0.5.14: some numbers are not inflected as their languages need it.
#
# Guess: 21 000 is "veintiún mil" in Spanish, 80th is "quatre-vingtième" in French, and 101 000 is
#        "einhunderteintausend" in German.
# Seen:  "veintiuno mil", "quatre-vingtsième" and "einhunderteinstausend".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check num2words==0.5.14
"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

from num2words import num2words

print("num2words", version("num2words"))
for number, language, kind, seen, meant in (
    (21_000, "es", "cardinal", "veintiuno mil", "veintiún mil"),
    (80, "fr", "ordinal", "quatre-vingtsième", "quatre-vingtième"),
    (101_000, "de", "cardinal", "einhunderteinstausend", "einhunderteintausend"),
):
    said = num2words(number, lang=language, to=kind)
    print(f"{number} in {language} ({kind}): {said}; right would be {meant}")
    assert said == seen, said
PY
