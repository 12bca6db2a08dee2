#!/usr/bin/env bash
# websocket-client 1.9.0 and 1.9.2 (the socket of WhisperLive's client): a server that closes normally is an error.
#
# Guess: after a close frame with code 1000 (RFC 6455, 7.4.1: normal closure) `WebSocketApp` calls on_close(1000) alone.
# Seen:  so did 1.8.0. Both later versions call on_error first; 1.9.0 passes it the frame instead of an exception, calls
#        on_close without the code, and `run_forever` returns True, which stands for an error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
pip=("$work/venv/bin/pip" install --quiet --disable-pip-version-check)
"${pip[@]}" websockets==17.4
cat > "$work/close.py" <<'PY'
import asyncio
import importlib.metadata

import websocket
import websockets

seen = []


async def serve(socket):
    await socket.send("the last message")
    await socket.close(1000)


def connect(port):
    app = websocket.WebSocketApp(
        f"ws://127.0.0.1:{port}",
        on_error=lambda _, error: seen.append(f"on_error({type(error).__name__})"),
        on_close=lambda _, code, __: seen.append(f"on_close({code})"),
    )
    seen.append(f"run_forever -> {app.run_forever()}")


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        await asyncio.to_thread(connect, server.sockets[0].getsockname()[1])


asyncio.run(main())
version = importlib.metadata.version("websocket-client")
print(f"websocket-client {version}: {', '.join(seen)}")
assert seen == {
    "1.8.0": ["on_close(1000)", "run_forever -> False"],
    "1.9.0": ["on_error(ABNF)", "on_close(None)", "run_forever -> True"],
    "1.9.2": ["on_error(WebSocketConnectionClosedException)", "on_close(1000)", "run_forever -> False"],
}[version]
PY
for version in 1.8.0 1.9.0 1.9.2; do
    "${pip[@]}" "websocket-client==$version"
    "$work/venv/bin/python" "$work/close.py"
done
