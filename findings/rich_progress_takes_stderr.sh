#!/usr/bin/env bash
# rich 15.0.0: while a progress bar or Live is shown, what a program writes to standard error goes to standard output.
#
# Guess: rich moves such lines above its display where both streams are the terminal, and leaves alone a standard error
#        that the user has redirected into a file.
# Seen:  with `2> errors.log` the file stays empty, and the lines are on the terminal, in standard output. Whether rich
#        does so depends on standard output alone; `redirect_stderr=False` turns it off.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check rich==15.0.0
cat > "$work/program.py" <<'PY'
import sys

from rich.progress import Progress

with Progress() as progress:
    progress.add_task("working", total=1)
    print("warning: the disk is almost full", file=sys.stderr)
PY
"$work/venv/bin/python" - "$work" <<'PY'
import importlib.metadata
import os
import pty
import subprocess
import sys
from pathlib import Path

work = Path(sys.argv[1])
ours, theirs = pty.openpty()
with (work / "errors.log").open("wb") as errors:
    environment = {**os.environ, "TERM": "xterm"}
    program = [sys.executable, str(work / "program.py")]
    subprocess.run(program, stdout=theirs, stderr=errors, env=environment, check=True)
os.close(theirs)
shown = b""
while True:
    try:
        data = os.read(ours, 65_536)
    except OSError:  # Linux: everything is read
        break
    if not data:
        break
    shown += data
logged = (work / "errors.log").read_text()
print("rich", importlib.metadata.version("rich"))
print("standard error, in the file:       ", repr(logged))
print("warning in standard output, shown: ", b"almost full" in shown)
sys.exit(not (logged == "" and b"almost full" in shown))
PY
