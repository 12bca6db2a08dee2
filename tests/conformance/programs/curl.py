"""Run curl on the orders of `tests/support/client_programs.py`: a line of JSON in, a line of JSON out."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

Send = Callable[..., dict[str, Any]]
"""Send a request to a path with curl's arguments and an optional body; return status, headers and body."""


class Refusal(Exception):
    """A response other than 200, or a failure of curl itself."""


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(outcome(**json.loads(line))), flush=True)


def outcome(task: str, address: str, key: str | None, retries: int, arguments: dict[str, Any]) -> dict[str, Any]:
    def send(path: str, *options: str, body: str = "") -> dict[str, Any]:
        return sent(address + path, [*options, *(("-H", f"Authorization: Bearer {key}") if key else ())], body)

    try:
        return {"type": "", "value": TASKS[task](send, **arguments)}
    except Refusal as refusal:
        (seen,) = refusal.args
        return {"raised": "", **seen}


def sent(url: str, options: list[str], body: str) -> dict[str, Any]:
    line = ["curl", "--silent", "--show-error", "--no-buffer", "--include", "--max-time", "20", "--noproxy", "*"]
    with subprocess.Popen([*line, *options, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as curl:
        assert curl.stdin is not None
        assert curl.stdout is not None
        curl.stdin.write(body.encode("latin-1"))
        curl.stdin.close()
        head: list[bytes] = []
        for header in curl.stdout:
            if header != b"\r\n":
                head.append(header)
            elif b" 100 " in head[0]:
                head.clear()
            else:
                break
        first = curl.stdout.read(1)
        print(json.dumps({"begun": True}), flush=True)
        data = first + curl.stdout.read()
    if curl.returncode:
        raise Refusal({"message": f"curl has failed with {curl.returncode}"})
    headers = {name.lower(): value for name, value in _pairs(head[1:])}
    return {"status": int(head[0].split()[1]), "headers": headers, "data": base64.b64encode(data).decode()}


def _pairs(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.decode().strip().partition(": ")
        yield name, value


def received(answer: dict[str, Any]) -> bytes:
    data = base64.b64decode(answer["data"])
    if answer["status"] == 200:
        return data
    body = json.loads(data)
    assert body["detail"] == body["error"]["message"]
    about = {"status": answer["status"], "id": answer["headers"]["x-request-id"]}
    raise Refusal({**{name: body["error"][name] for name in ("message", "code", "param")}, **about})


def understood(answer: dict[str, Any]) -> Any:
    text = received(answer).decode()
    return json.loads(text) if answer["headers"]["content-type"].startswith("application/json") else text


def form(fields: dict[str, Any]) -> list[str]:
    """Return curl's options for a form of these fields, with lists in the notation of OpenAI's clients."""
    options = []
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            match each:
                case dict():
                    pairs = {f"{name}[{key}]": inner for key, inner in each.items()}
                    options += form(pairs)
                case _:
                    text = each if isinstance(each, str) else json.dumps(each)
                    options += ["-F", f"{name}{'[]' if isinstance(value, list) else ''}={text}"]
    return options


def transcribe(send: Send, file: str, path: str = "transcriptions", **fields: Any) -> Any:
    fields.pop("named", None)
    answer = understood(send(f"/v1/audio/{path}", *form({"model": "whisper-1", **fields}), "-F", f"file=@{file}"))
    if fields.get("stream"):
        return [json.loads(line.removeprefix("data: ")) for line in answer.split("\n\n") if line]
    return answer


def speak(send: Send, **fields: Any) -> dict[str, Any]:
    body = json.dumps({"model": "tts-1", "voice": "alloy", **fields})
    data = received(send("/v1/audio/speech", "--json", "@-", body=body))
    return {"chunks": [len(data)], "data": base64.b64encode(data).decode()}


TASKS: dict[str, Callable[..., Any]] = {
    "send": lambda send, path, options=(), body="": send(path, *options, body=body),
    "transcribe": transcribe,
    "translate": lambda send, **fields: transcribe(send, path="translations", **fields),
    "speak": speak,
    "models": lambda send: [model["id"] for model in understood(send("/v1/models"))["data"]],
    "model": lambda send, name: understood(send(f"/v1/models/{name}")),
    "delete": lambda send, name: understood(send(f"/v1/models/{name}", "-X", "DELETE")),
    "get": lambda send, path: understood(send(f"/v1{path}")),
}

if __name__ == "__main__":
    main()
