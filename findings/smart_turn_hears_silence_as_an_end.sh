#!/usr/bin/env bash
# Smart Turn v3.2 (pipecat-ai 1.14.0): the longer the silence after half a sentence, the surer the end of the turn.
#
# Guess: it judges intonation and wording, so half a sentence stays unfinished; the silence behind it changes little.
# Seen:  sentences cut in the middle of a phrase have probabilities below 0.1, and of 0.8 and more with 0.8 s of silence.
#        Pipecat passes on all of the silence that its voice detector waits for (0.2 s by default): whoever sets
#        `stop_secs` to 0.8 s, to be patient, gets ends by silence alone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip hibari-tts==0.2.1 onnxruntime==1.32.0 soxr==1.1.0
pip --no-deps pipecat-ai==1.14.0  # its model and its features, which need numpy and onnxruntime only
"$work/venv/bin/python" - <<'PY'
import importlib.metadata
import importlib.util
from pathlib import Path

import hibari
import numpy as np
import onnxruntime
import soxr

RATE = 16_000
package = Path(importlib.util.find_spec("pipecat").submodule_search_locations[0]) / "audio/turn/smart_turn"
spec = importlib.util.spec_from_file_location("features", package / "_whisper_features.py")
features = importlib.util.module_from_spec(spec)
spec.loader.exec_module(features)
model = onnxruntime.InferenceSession(package / "data/smart-turn-v3.2-cpu.onnx", providers=["CPUExecutionProvider"])
print("pipecat-ai", importlib.metadata.version("pipecat-ai"))


def finished(samples):
    window = np.pad(samples[-8 * RATE :], (max(0, 8 * RATE - len(samples)), 0)).astype(np.float32)
    return float(model.run(None, {"input_features": features.compute_whisper_log_mel_features(window)[None]})[0].item())


voice = hibari.Hibari("heart")
for text in ("I would like to book a table for two people tomorrow evening.",
             "Could you tell me when the next bus to the airport leaves?"):
    speech = np.concatenate([voice.from_phonemes(phonemes, seed=0) for phonemes in voice.phonemize(text)])
    speech = soxr.resample(speech, hibari.SAMPLE_RATE, RATE)
    half = speech[: len(speech) // 2]
    scores = {s: finished(np.concatenate([half, np.zeros(round(s * RATE), np.float32)])) for s in (0.0, 0.2, 0.8, 2.0)}
    print(f"half of {text!r}:", ", ".join(f"{score:.2f} with {s} s of silence" for s, score in scores.items()))
    assert scores[0.0] < 0.2 and scores[0.8] > 0.5 and scores[2.0] > 0.5
PY
