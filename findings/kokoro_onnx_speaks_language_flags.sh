#!/usr/bin/env bash
# kokoro-onnx 0.6.1: foreign words get "(en)" and "(fr)" among their phonemes, and the model speaks them.
#
# Guess: espeak-ng's marks of a change of language are dropped, as misaki does for the same model.
# Seen:  "Le weekend" becomes "lə (en)wiːkˈɛnd(fr)". Brackets and letters are in the model's vocabulary, so "en" and
#        "fr" are said aloud around every such word. So it is in Italian and Hindi; the weights do not matter.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check kokoro-onnx==0.6.1 phonemizer==3.4.0 espeakng-loader==0.2.4
"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

from kokoro_onnx.tokenizer import Tokenizer

print("kokoro-onnx", version("kokoro-onnx"), "phonemizer", version("phonemizer"))
tokenizer = Tokenizer()
for language, text, flag in (
    ("fr-fr", "Le weekend, je regarde un film.", "(en)"),
    ("it", "Guardo un film in streaming.", "(en)"),
    ("hi", "मैं YouTube देखता हूँ।", "(en)"),
):
    phonemes = tokenizer.phonemize(text, language)
    print(f"{text!r} is spoken as {phonemes!r}")
    assert flag in phonemes, phonemes
    assert len(tokenizer.tokenize(flag)) == len(flag)  # all of it reaches the model
PY
