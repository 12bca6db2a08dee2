#!/usr/bin/env bash
# deepgram-sdk 7.17.0: the answer to a Clear of streamed speech arrives as the class of the answer to a Flush.
#
# Guess: `{"type": "Cleared", ...}` becomes `SpeakV1Cleared`, by its `type`.
# Seen:  it becomes `SpeakV1Flushed`, with `type == "Cleared"`: both classes have the same fields, and the first fits. A
#        program that tells them apart by `isinstance`, as it can tell all other messages, takes an interruption for the
#        end of the speech. The field `type` tells them apart.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check deepgram-sdk==7.17.0 websockets==16.0
"$work/venv/bin/python" - <<'PY'
import json
import threading
from importlib.metadata import version

from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from deepgram.speak.v1.types import SpeakV1Cleared, SpeakV1Flushed
from websockets.sync.server import serve


def answer(connection):
    """Answer each Flush with Flushed and each Clear with Cleared, as Deepgram's documentation shows them."""
    for message in connection:
        kind = {"Flush": "Flushed", "Clear": "Cleared"}[json.loads(message)["type"]]
        connection.send(json.dumps({"type": kind, "sequence_id": 0}))


server = serve(answer, "127.0.0.1", 0)
threading.Thread(target=server.serve_forever, daemon=True).start()
host = f"127.0.0.1:{server.socket.getsockname()[1]}"
here = DeepgramClientEnvironment(
    base=f"http://{host}", production=f"ws://{host}", agent=f"ws://{host}", agent_rest=f"http://{host}"
)
with DeepgramClient(api_key="none", environment=here).speak.v1.connect(model="aura-2-thalia-en") as speech:
    speech.send_flush()
    flushed = speech.recv()
    speech.send_clear()
    cleared = speech.recv()
print("deepgram-sdk", version("deepgram-sdk"))
print("Flush:", repr(flushed))
print("Clear:", repr(cleared))
assert isinstance(flushed, SpeakV1Flushed) and flushed.type == "Flushed"
assert isinstance(cleared, SpeakV1Flushed) and cleared.type == "Cleared"
assert not isinstance(cleared, SpeakV1Cleared)
PY
