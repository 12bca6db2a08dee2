#!/usr/bin/env bash
# silero-vad 6.2.3: the ONNX variant cannot be used without torch.
#
# Guess: `silero-vad[onnx-cpu]` is the install for machines without torch, as its name says.
# Seen:  torch is a requirement of the package itself, with any extra, and `import silero_vad` fails without it, although
#        scoring needs onnxruntime alone: the model file in the package answers when it is run directly.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnxruntime==1.32.0 packaging==26.3
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps silero-vad==6.2.3
"$work/venv/bin/python" - <<'PY'
import importlib.metadata
import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime
from packaging.requirements import Requirement

print("silero-vad", importlib.metadata.version("silero-vad"), "onnxruntime", onnxruntime.__version__)
requirements = [Requirement(each) for each in importlib.metadata.requires("silero-vad")]
always = sorted(each.name for each in requirements if each.marker is None or each.marker.evaluate({"extra": "onnx-cpu"}))
print("silero-vad[onnx-cpu] requires:", ", ".join(always))
assert "torch" in always, "torch is no longer required: the finding is out of date"

try:
    import silero_vad
except ModuleNotFoundError as error:
    print("import silero_vad:", error)
    assert error.name == "torch"
else:
    raise SystemExit("silero_vad imports without torch: the finding is out of date")

folder = Path(importlib.util.find_spec("silero_vad").origin).parent / "data"
model = onnxruntime.InferenceSession(folder / "silero_vad_16k_op15.onnx", providers=["CPUExecutionProvider"])
window = np.zeros((1, 576), np.float32)  # 64 samples of context, then 512
inputs = {"input": window, "state": np.zeros((2, 1, 128), np.float32), "sr": np.array(16_000, np.int64)}
[probability, _] = model.run(None, {each.name: inputs[each.name] for each in model.get_inputs()})
print(f"the same file run by onnxruntime alone: speech probability of silence {probability.item():.3f}")
assert probability.item() < 0.1
PY
