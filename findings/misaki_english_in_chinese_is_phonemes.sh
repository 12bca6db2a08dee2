#!/usr/bin/env bash
# misaki 0.9.4: English words in a Chinese text are handed to Kokoro as if they were phonemes.
#
# Guess: "我用 computer 工作。" has the phonemes of "computer" in it, or leaves the word out.
# Seen:  the letters of the word are in the phonemes as they are. Kokoro reads those that are in its vocabulary by their
#        sounds in IPA, with "c" as in "kj" and "A" and "I" for diphthongs; "P" is in none, so "iPhone" is "ihone".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  misaki==0.9.4 addict==2.4.0 regex cn2an==0.5.24 jieba==0.42.1 ordered-set==4.1.0 pypinyin==0.55.0 pypinyin-dict==0.9.0 \
  "setuptools<81"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

from misaki.zh import ZHG2P

print("misaki", version("misaki"))
read = ZHG2P()
for text, word in (("我用 computer 工作。", "computer"), ("这是我的iPhone。", "iPhone"), ("打开Wi-Fi。", "Wi-Fi")):
    phonemes = read(text)[0]
    print(f"{text!r} is read as {phonemes!r}")
    assert word in phonemes, phonemes
PY
