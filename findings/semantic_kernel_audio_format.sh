#!/usr/bin/env bash
# Semantic Kernel 1.45.0: a realtime session with an audio format cannot be opened. Installs half a gigabyte.
#
# Guess: `input_audio_format="g711_ulaw"` of the realtime settings becomes the object of OpenAI's current protocol.
# Seen:  each of the values that the settings allow is put into the session as a string, which the models of
#        openai-python refuse: pydantic's ValidationError, before anything is sent. Without a format it works.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "semantic-kernel[realtime]==1.45.0" openai==3.57.0
"$work/venv/bin/python" - <<'PY'
import asyncio
import json
from importlib.metadata import version

from openai import AsyncOpenAI
from pydantic import ValidationError
from semantic_kernel.connectors.ai.open_ai import OpenAIRealtimeExecutionSettings, OpenAIRealtimeWebsocket
from websockets.asyncio.server import serve

received = []


async def read(socket):
    async for message in socket:
        received.append(json.loads(message))


async def opened(port, **formats):
    client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none")
    service = OpenAIRealtimeWebsocket(ai_model_id="gpt-realtime", client=client)
    received.clear()
    try:
        await service.create_session(settings=OpenAIRealtimeExecutionSettings(instructions="Be brief.", **formats))
    except ValidationError as error:
        return f"{type(error).__name__}: {error.errors()[0]['loc']}"
    await service.close_session()
    await asyncio.sleep(0.2)
    return received[0]["type"]


async def main():
    print("semantic-kernel", version("semantic-kernel"), "openai", version("openai"))
    async with serve(read, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        plain = await opened(port)
        print("no format:", plain)
        assert plain == "session.update", plain
        for name in ("input_audio_format", "output_audio_format"):
            for value in ("pcm16", "g711_ulaw", "g711_alaw"):
                seen = await opened(port, **{name: value})
                print(f"{name}={value}:", seen)
                assert seen.startswith("ValidationError") and not received, seen


asyncio.run(main())
PY
