#!/usr/bin/env bash
# onnxruntime 1.32.0 for Linux, from PyPI: it collects data of the machine for Microsoft unless told not to.
#
# Guess: only the builds of onnxruntime for Windows have telemetry; wheels for Linux write and send nothing.
# Seen:  the first session makes ~/.cache/Microsoft/DeveloperTools/.onnxruntime with a device id and a database of events
#        that wait to be sent (the library names mobile.events.data.microsoft.com): the model of the CPU, its count, the
#        memory, the distribution, whether it is a container, the name of the program. `ORT_DISABLE_TELEMETRY=1` before
#        the import turns it off; `onnxruntime.disable_telemetry_events()` after it comes when the id exists.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.32.0
cat > "$work/program.py" <<'PY'
import sys

import onnxruntime


def field(number: int, content: bytes) -> bytes:
    return bytes([8 * number + 2, len(content)]) + content


if "call" in sys.argv:
    onnxruntime.disable_telemetry_events()
one = b"\x08\x01"
tensor = field(2, field(1, one + field(2, field(1, one))))  # a float
identity = field(1, b"x") + field(2, b"y") + field(4, b"Identity")
graph = field(1, identity) + field(2, b"graph") + field(11, field(1, b"x") + tensor) + field(12, field(1, b"y") + tensor)
model = b"\x08\x08" + field(7, graph) + field(8, b"\x10\x11")
onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
PY
"$work/venv/bin/python" - "$work" <<'PY'
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

work = Path(sys.argv[1])
kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}


def written(home: str, *arguments: str, **variables: str) -> bytes:
    """Run the program with a home of its own, and return what it has left there."""
    (work / home).mkdir()
    environment = {**kept, "HOME": str(work / home), **variables}
    subprocess.run([sys.executable, str(work / "program.py"), *arguments], env=environment, check=True)
    files = [each for each in (work / home).rglob("*") if each.is_file()]
    print(f"{home}:", *([str(each.relative_to(work / home)) for each in files] or ["nothing"]))
    return b"".join(each.read_bytes() for each in files)


print("onnxruntime", importlib.metadata.version("onnxruntime"))
plain = written("plain")
called = written("called", "call")
switched_off = written("variable", ORT_DISABLE_TELEMETRY="1")
print("the processor is named:", b"cpuModel" in plain)
sys.exit(not (b"cpuModel" in plain and switched_off == b""))
PY
