#!/usr/bin/env bash
# ChatTTS 0.2.5: digits are dropped from the text before the model sees it. Installs torch: about a gigabyte.
#
# Guess: the numbers of "Call me at 10 past 8." are read, well or badly.
# Seen:  with text normalization on, as it is by default, the model is given "Call me at  past ."; a warning is logged.
#        Only a normalizer that one registers oneself would write the numbers out, and the package brings none.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  chattts==0.2.5 torch==2.13.0 torchaudio==2.11.0 transformers==4.57.6 requests==2.34.2
# The libraries of PyPI's torchaudio are built for CUDA; without them it works beside a torch for CPUs.
rm -f "$work"/venv/lib/python3.11/site-packages/torchaudio/lib/*.so
"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

import ChatTTS

print("ChatTTS", version("chattts"))
chat = ChatTTS.Chat()
for text, seen in (
    ("Call me at 10 past 8.", "Call me at  past ."),
    ("Room 42", "Room "),
    ("我有3只猫。", "我有只猫。"),
):
    given = chat.normalizer(text)
    print(f"{text!r} reaches the model as {given!r}")
    assert given == seen, given
PY
