#!/usr/bin/env bash
# litellm 1.108.7: an answer that breaks off is reported as complete.
#
# Guess: a streamed chat completion that ends without a finish_reason and without [DONE], because the server behind it
#        stopped, ends the same way or raises an error, so that a client can tell.
# Seen:  litellm adds a last chunk with finish_reason "stop", in the library and in its proxy. Behind it, nobody can tell
#        half a sentence ("The dose is not") from a whole one. The openai package ends without a finish_reason.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check litellm==1.108.7
LITELLM_LOCAL_MODEL_COST_MAP=True NO_PROXY=127.0.0.1 "$work/venv/bin/python" - <<'PY'
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import litellm
import openai

print("litellm", importlib.metadata.version("litellm"), "openai", importlib.metadata.version("openai"))


class Backend(BaseHTTPRequestHandler):
    """A chat model that stops in the middle of an answer."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for word in ("The", " dose", " is", " not"):
            choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

    def log_message(self, *_):
        pass


def reasons(chunks):
    return [chunk.choices[0].finish_reason for chunk in chunks]


server = HTTPServer(("127.0.0.1", 0), Backend)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"
messages = [{"role": "user", "content": "May I take it twice?"}]
by_openai = reasons(
    openai.OpenAI(base_url=url, api_key="x").chat.completions.create(model="m", messages=messages, stream=True)
)
by_litellm = reasons(litellm.completion("openai/m", messages, api_base=url, api_key="x", stream=True))
print("openai: ", by_openai)
print("litellm:", by_litellm)
assert by_openai == [None] * 4
assert by_litellm == [None] * 4 + ["stop"]
PY
