"""Run openai-python on the orders of `tests/support/client_programs.py`: a line of JSON in, a line of JSON out."""

import asyncio
import base64
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import openai

try:
    import httpx2 as httpx
except ImportError:  # older versions
    import httpx  # type: ignore[no-redef]

Create = Callable[..., Any]


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(outcome(**json.loads(line))), flush=True)


def outcome(task: str, address: str, key: str, retries: int, arguments: dict[str, Any]) -> dict[str, Any]:
    client = connected(address, key, retries)
    try:
        done = TASKS[task](client, **arguments)
    except openai.APIStatusError as error:
        seen = {"status": error.status_code, "code": error.code, "param": error.param, "id": error.request_id}
        return {"raised": type(error).__name__, "message": str(error), **seen}
    except openai.APIError as error:
        return {"raised": type(error).__name__, "message": str(error), "code": error.code}
    except httpx.HTTPError as error:
        return {"raised": type(error).__name__, "message": str(error)}
    return {"type": type(done).__name__, "value": done.to_dict() if hasattr(done, "to_dict") else done}


@cache
def connected(address: str, key: str, retries: int) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=retries, timeout=20)


def transcribe(client: openai.OpenAI, file: str, **fields: Any) -> Any:
    return uploaded(client.audio.transcriptions.create, file, fields)


def translate(client: openai.OpenAI, file: str, **fields: Any) -> Any:
    return uploaded(client.audio.translations.create, file, fields)


def uploaded(create: Create, file: str, fields: dict[str, Any], model: str = "whisper-1") -> Any:
    """Send the bytes of the file, without a file name unless `named`."""
    path = Path(file)
    content = path if fields.pop("named", False) else path.read_bytes()
    answer = create(**typed(create, {"model": model, **fields}), file=content)
    if fields.get("stream"):
        return [event.to_dict() for event in begun(answer)]
    return answer


def typed(create: Create, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments for these fields; those unknown to this version go into `extra_body`."""
    known = inspect.signature(create).parameters
    arguments = {name: value for name, value in fields.items() if name in known}
    return {**arguments, "extra_body": {name: value for name, value in fields.items() if name not in known}}


def speak(client: openai.OpenAI, **fields: Any) -> dict[str, Any]:
    wanted = {"model": "tts-1", "voice": "alloy", **fields}
    if "stream" in fields or "stream_format" in fields:
        streamed: Create = client.audio.speech.with_streaming_response.create
        with streamed(**typed(streamed, wanted)) as answer:
            chunks = list(begun(answer.iter_bytes()))
    else:
        create: Create = client.audio.speech.create
        chunks = [create(**typed(create, wanted)).content]
    return {"chunks": [len(chunk) for chunk in chunks], "data": base64.b64encode(b"".join(chunks)).decode()}


def speak_async(client: openai.OpenAI, *, leaves: bool = False, **fields: Any) -> dict[str, Any]:
    """Read the body as it comes, with the asynchronous client, or leave after the first chunk."""

    async def read() -> list[bytes]:
        async with openai.AsyncOpenAI(base_url=client.base_url, api_key=client.api_key, max_retries=0) as asynchronous:
            speech = asynchronous.audio.speech
            if not leaves:
                return [(await speech.create(**wanted)).content]
            async with speech.with_streaming_response.create(**wanted) as answer:
                async for chunk in answer.iter_bytes():
                    return [chunk]
        return []

    wanted: dict[str, Any] = {"model": "tts-1", "voice": "alloy", **fields}
    chunks = asyncio.run(read())
    return {"chunks": [len(chunk) for chunk in chunks], "data": base64.b64encode(b"".join(chunks)).decode()}


def leave_speech(client: openai.OpenAI, **fields: Any) -> int:
    """Leave after the first chunk; return its size."""
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", **fields) as answer:
        return len(next(answer.iter_bytes()))


def begun(chunks: Iterator[Any]) -> Iterator[Any]:
    """Yield the chunks and report the arrival of the first."""
    for number, chunk in enumerate(chunks):
        if not number:
            print(json.dumps({"begun": True}), flush=True)
        yield chunk


TASKS: dict[str, Callable[..., Any]] = {
    "transcribe": transcribe,
    "translate": translate,
    "speak": speak,
    "speak_async": speak_async,
    "leave_speech": leave_speech,
    "models": lambda client: [model.id for model in client.models.list()],
    "model": lambda client, name: client.models.retrieve(name),
    "delete": lambda client, name: client.models.delete(name),
    "get": lambda client, path: client.get(path, cast_to=object),
}

if __name__ == "__main__":
    main()
