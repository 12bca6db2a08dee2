"""Run xinference-client on the orders of `tests/support/client_programs.py`: a line of JSON in, a line of JSON out.

`xinference_python.py sync` or `xinference_python.py async`.
"""

import asyncio
import base64
import inspect
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import Any

import xinference_client

try:
    from aiohttp import ClientError
except ImportError:  # the older version has no asynchronous client
    from requests import RequestException as ClientError  # type: ignore[assignment]


async def main(kind: str) -> None:
    for line in sys.stdin:
        print(json.dumps(await outcome(kind, **json.loads(line))), flush=True)


async def outcome(
    kind: str, task: str, address: str, key: str | None, retries: int, arguments: dict[str, Any]
) -> dict[str, Any]:
    try:
        done = await TASKS[task](connected(kind, address, key), **arguments)
    except (RuntimeError, OSError, ClientError) as error:
        return {"raised": type(error).__name__, "message": str(error)}
    return {"type": type(done).__name__, "value": done}


@cache
def connected(kind: str, address: str, key: str | None) -> Any:
    name = "AsyncRESTfulClient" if kind == "async" else "RESTfulClient"
    return getattr(xinference_client, name)(address, api_key=key)


def content(file: str) -> bytes:
    return Path(file).read_bytes()


async def had(answer: Any) -> Any:
    """Return the result of a method, awaiting it if necessary."""
    return await answer if inspect.isawaitable(answer) else answer


async def transcribe(client: Any, file: str, model: str = "whisper-1", **fields: Any) -> Any:
    handle = await had(client.get_model(model))
    return await had(handle.transcriptions(content(file), **fields))


async def translate(client: Any, file: str, model: str = "whisper-1", **fields: Any) -> Any:
    handle = await had(client.get_model(model))
    return await had(handle.translations(content(file), **fields))


async def speak(client: Any, model: str = "tts-1", prompt: str | None = None, **fields: Any) -> dict[str, Any]:
    handle = await had(client.get_model(model))
    prompt_speech = content(prompt) if prompt else None
    answer = await had(handle.speech(**fields, prompt_speech=prompt_speech))
    chunks = [chunk async for chunk in each(answer)] if fields.get("stream") else [answer]
    return {"chunks": [len(chunk) for chunk in chunks], "data": base64.b64encode(b"".join(chunks)).decode()}


async def each(chunks: Any) -> AsyncIterator[bytes]:
    """Yield the chunks of a generator of either kind and report the arrival of the first."""
    following = anext if inspect.isasyncgen(chunks) else next
    begun = False
    while (chunk := await had(following(chunks, None))) is not None:
        if not begun:
            print(json.dumps({"begun": True}), flush=True)
        begun = True
        yield chunk


async def handle(client: Any, model: str) -> str:
    return type(await had(client.get_model(model))).__name__


async def models(client: Any) -> list[str]:
    return list(await had(client.list_models()))


async def model(client: Any, name: str) -> Any:
    return await had(client.describe_model(name))


async def launch(client: Any, **fields: Any) -> Any:
    return await had(client.launch_model(model_type="audio", **fields))


async def login(client: Any, name: str, password: str) -> list[str]:
    """Log in, and list the models."""
    await had(client.login(name, password))
    return await models(client)


async def delete(client: Any, name: str) -> Any:
    return await had(client.terminate_model(name))


TASKS: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {
    "transcribe": transcribe,
    "translate": translate,
    "speak": speak,
    "handle": handle,
    "models": models,
    "model": model,
    "launch": launch,
    "login": login,
    "delete": delete,
}

if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
