#!/usr/bin/env bash
# wetext 0.1.8, which CosyVoice reads Chinese with: the second of something becomes two of it.
#
# Guess: "第2天" is read "第二天", the second day.
# Seen:  "第两天", which nobody says; "第12天" and "第3天" are right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wetext==0.1.8
"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

from wetext import Normalizer

print("wetext", version("wetext"))
normalizer = Normalizer(lang="zh", operator="tn")
for written, seen, meant in (
    ("第2天下雨了。", "第两天下雨了。", "第二天下雨了。"),
    ("第12天下雨了。", "第十二天下雨了。", "第十二天下雨了。"),
    ("第3天下雨了。", "第三天下雨了。", "第三天下雨了。"),
):
    said = normalizer.normalize(written)
    print(f"{written} -> {said} right would be {meant}")
    assert said == seen, said
PY
