#!/usr/bin/env bash
# uvicorn 0.54.0: a websocket that is lost has the close code of one whose client has closed it, 1005.
#
# Guess: a reset is reported to the application as 1006 (RFC 6455, 7.1.5: closed abnormally), and 1005 means that the
#        client has sent a close frame without a code (7.1.5), as `socket.close()` does in browsers.
# Seen:  both are 1005, with websockets-sansio (the default) and with wsproto. An application cannot know from the code
#        whether its client wants to go on; only that the event of a close frame has a `reason`, an empty one, tells.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check uvicorn==0.54.0 websockets==17.4 wsproto==1.3.2
cat > "$work/lost.py" <<'PY'
import asyncio
import importlib.metadata
import socket
import struct

import uvicorn
from websockets.asyncio.client import connect

seen = []


async def app(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    event = await receive()
    seen.append((int(event["code"]), "with a reason" if "reason" in event else "without a reason"))


async def observe(implementation):
    seen.clear()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, ws=implementation, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    url = "ws://127.0.0.1:%d" % listener.getsockname()[1]
    async with connect(url) as client:
        client.protocol.send_close()  # a close frame without a code
        client.transport.write(b"".join(client.protocol.data_to_send()))
        await client.wait_closed()
    async with connect(url) as client:
        connection = client.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.transport.abort()  # a reset
    while len(seen) < 2:
        await asyncio.sleep(0.01)
    server.should_exit = True
    await serving
    version = importlib.metadata.version("uvicorn")
    print(f"uvicorn {version}, {implementation}: close frame without a code {seen[0]}, reset {seen[1]}")
    assert seen == [(1005, "with a reason"), (1005, "without a reason")]


for implementation in ("websockets-sansio", "wsproto"):
    asyncio.run(observe(implementation))
PY
"$work/venv/bin/python" "$work/lost.py"
