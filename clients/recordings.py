"""Requests over HTTP: transcripts and subtitles of recordings, and the names of models and voices.

These functions block, and are all there is for programs without asyncio; `clients` has them as coroutines.
"""

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Final, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from clients.aio import DEFAULT_URL
from clients.arguments import check_numbers, check_strings, request_failed
from clients.connection import authorization, plain, prefix_of, reachable, refused, unreachable
from clients.errors import ConnectionRefused, ErrorCode, ProtocolError, RealtimeError, RequestFailed, ServerClosed
from clients.events import Completed, Payload, Word, parse_words
from clients.options import unknown_language, unknown_model
from clients.sources import Recording, open_recording

REQUEST_TIMEOUT: Final = 600.0
"""Seconds by default in which the server must go on answering: an upload is answered when it is transcribed."""

DEFAULT_MODEL: Final = "whisper-1"
"""OpenAI's name, which means the server's default."""

_BLOCK_BYTES: Final = 256 * 1024

_NO_ANSWER: Final = frozenset({401, 403, 429, 502, 503, 504})
"""Statuses with which a server refuses to look at a request."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a transcript; times in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """The transcript of a recording of `duration` seconds."""

    text: str
    language: str
    duration: float
    segments: tuple[Segment, ...]
    words: tuple[Word, ...]


def transcribe(
    recording: Recording,
    url: str = DEFAULT_URL,
    *,
    api_key: str | None = None,
    model: str = DEFAULT_MODEL,
    language: str | None = None,
    prompt: str | None = None,
    translate: bool = False,
    timeout: float = REQUEST_TIMEOUT,
) -> Transcript:
    """Transcribe a recording in any format that the server reads, with the times of its words.

    Args:
        recording: The path of a file, its contents, or an open binary file. It is sent as it is, block by block.
        url: Address of the server, `http`, `https`, `ws` or `wss`.
        api_key: Key of the server, if it needs one.
        model: Recognizer; OpenAI's names mean the server's default.
        language: Language spoken, such as `en`. Default: detected.
        prompt: What the recording is about, and names to expect.
        translate: Transcribe into English, whatever language is spoken.
        timeout: Seconds in which the server must go on answering.

    Raises:
        OSError: The file cannot be read.
        TypeError: An argument has the wrong type, which the message names.
        RequestFailed: The server cannot transcribe it; `code` says why, for example `invalid_file_format`. A model
            that it does not have (`model_not_found`) is refused before the file is sent.
        ConnectionRefused: The server cannot be reached, refuses the client or is busy (`retry_after`).
        ServerClosed: The answer breaks off.
        ProtocolError: The server does not speak the protocol.
    """
    fields = {"model": model, "language": language, "prompt": prompt, "response_format": "verbose_json"}
    granularities = [("timestamp_granularities[]", each) for each in ("word", "segment")]
    with _upload(recording, url, api_key, translate, [*fields.items(), *granularities], timeout) as answered:
        body = _read(answered)
    try:
        answer: Payload = json.loads(body)
        segments = tuple(Segment(each["text"], each["start"], each["end"]) for each in answer.get("segments") or ())
        words = tuple(Word(each["word"], each["start"], each["end"]) for each in answer.get("words") or ())
        return Transcript(answer["text"], answer["language"], answer["duration"], segments, words)
    except (LookupError, TypeError, ValueError) as error:
        raise ProtocolError(f"the server sent an invalid transcript: {error!r}") from error


def stream(
    recording: Recording,
    url: str = DEFAULT_URL,
    *,
    api_key: str | None = None,
    translate: bool = False,
    fields: Iterable[tuple[str, str | None]] = (),
    timeout: float = REQUEST_TIMEOUT,
) -> Iterator[Completed | None]:
    """Transcribe a recording, and yield its segments as they are transcribed, and None from time to time meanwhile.

    Raises the errors of `transcribe`, and `ServerClosed` if the answer breaks off.
    """
    asked = [*fields, ("stream", "true"), ("timestamp_granularities[]", "word")]
    with _upload(recording, url, api_key, translate, asked, timeout) as answer:
        number = 0
        end: RealtimeError | None = ServerClosed(1006, "the answer broke off")
        try:
            for line in answer:  # to its end, so that the server can finish
                raw: Payload = json.loads(line[5:]) if line.startswith(b"data:") else {}
                match raw:
                    case {"type": "transcript.text.delta", "delta": str(text)}:
                        language = raw.get("language")
                        words = parse_words(raw)
                        start, end_of_words = (words[0].start, words[-1].end) if words else (None, None)
                        yield Completed(
                            f"segment_{number}", text.strip(), words, language, start=start, end=end_of_words, raw=raw
                        )
                        number += 1
                    case {"type": "transcript.text.done"}:
                        end = None
                    case {"error": {"code": str(code), "message": str(message)} as error}:
                        end = request_failed(code, message, error.get("param"))
                    case _:
                        yield None
        except (OSError, HTTPException) as error:
            raise ServerClosed(1006, plain(error)) from error
        except (LookupError, TypeError, ValueError) as error:
            raise ProtocolError(f"the server sent an invalid event: {error!r}") from error
    if end is not None:
        raise end


def subtitles(
    recording: Recording,
    form: Literal["srt", "vtt"] = "srt",
    url: str = DEFAULT_URL,
    *,
    api_key: str | None = None,
    model: str = DEFAULT_MODEL,
    language: str | None = None,
    prompt: str | None = None,
    translate: bool = False,
    timeout: float = REQUEST_TIMEOUT,
) -> str:
    """Return subtitles of a recording as the server lays them out; arguments and errors are those of `transcribe`.

    Raises `ValueError` for another `form`, too.
    """
    if form not in ("srt", "vtt"):
        raise ValueError(f"form is srt or vtt, not {form!r}")
    fields = {"model": model, "language": language, "prompt": prompt, "response_format": form}
    with _upload(recording, url, api_key, translate, fields.items(), timeout) as answer:
        return _read(answer).decode()


def voices(url: str = DEFAULT_URL, *, api_key: str | None = None, timeout: float = REQUEST_TIMEOUT) -> list[str]:
    """Return the voices that can speak, those of the default model first. Raises the errors of `transcribe`."""
    return _names(url, "audio/voices", api_key, timeout)


def models(url: str = DEFAULT_URL, *, api_key: str | None = None, timeout: float = REQUEST_TIMEOUT) -> list[str]:
    """Return the models that can be requested. Raises the errors of `transcribe`."""
    return _names(url, "models", api_key, timeout)


def _names(url: str, path: str, api_key: str | None, timeout: float) -> list[str]:
    check_numbers(timeout=timeout)
    request = urllib.request.Request(_address(url, path))  # noqa: S310 - see `_address`
    with _request(request, api_key, timeout) as answer:
        body = _read(answer)
    try:
        return [str(each["id"]) for each in json.loads(body)["data"]]
    except (LookupError, TypeError, ValueError) as error:
        raise ProtocolError(f"the server sent an invalid list: {error!r}") from error


def _upload(
    recording: Recording,
    url: str,
    api_key: str | None,
    translate: bool,
    fields: Iterable[tuple[str, str | None]],
    timeout: float,
) -> HTTPResponse:
    """Send a form with a file, block by block, and return the answer; the server's default model may not give it."""
    fields = [*fields]
    for name, value in fields:
        check_strings(**{name.removesuffix("[]"): value})
    check_numbers(timeout=timeout)
    model = next((value for name, value in fields if name == "model"), None) or ""
    boundary = secrets.token_hex(16)
    form = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
        if value is not None
    )
    tail = f"\r\n--{boundary}--\r\n".encode()

    with open_recording(recording) as (file, file_name):
        head = form + (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quote(file_name)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        begin = file.tell()
        size = file.seek(0, 2) - begin
        file.seek(begin)

        def body() -> Iterator[bytes]:
            yield head.encode()
            while block := file.read(_BLOCK_BYTES):
                yield block
            yield tail

        request = urllib.request.Request(  # noqa: S310 - see `_address`
            _address(url, f"audio/{'translations' if translate else 'transcriptions'}"),
            data=body(),
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "Content-Length": str(len(head.encode()) + size + len(tail)),
            },
        )
        _check_model(model, url, api_key, timeout)
        try:
            answer = _request(request, api_key, timeout)
        except RequestFailed as refusal:
            language = next((value for name, value in fields if name == "language"), None)
            if refusal.param == "language" and language:
                raise unknown_language(language) from None
            raise
    if "model" in answer.headers.get("x-vivavoce-substituted", ""):
        answer.close()
        raise unknown_model(model)
    return answer


def _check_model(name: str, url: str, api_key: str | None, timeout: float) -> None:
    """Raise `RequestFailed` if the server says that it does not have the model.

    A key that is only for uploads, or a proxy that passes nothing else, leaves this to the answer of the upload.
    """
    if name.strip() in {"", DEFAULT_MODEL}:
        return
    request = urllib.request.Request(_address(url, f"models/{quote(name, safe='')}"))  # noqa: S310 - see `_address`
    try:
        _request(request, api_key, timeout).close()
    except RequestFailed as refusal:
        if refusal.code == ErrorCode.MODEL_NOT_FOUND:
            raise unknown_model(name) from None
    except ConnectionRefused as refusal:
        if refusal.status is None:
            raise


def _request(request: urllib.request.Request, api_key: str | None, timeout: float) -> HTTPResponse:
    """Return the answer. Raises `ConnectionRefused` or `RequestFailed`."""
    for name, value in authorization(api_key).items():
        request.add_unredirected_header(name, value)
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=timeout)  # noqa: S310 - see `_address`
    except urllib.error.HTTPError as error:
        with error:
            refusal = refused(error.code, dict(error.headers), error.read())
        if error.code in _NO_ANSWER:
            raise refusal from None
        raise request_failed(refusal.code, str(refusal), refusal.param) from None
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise unreachable(request.full_url, reason if isinstance(reason, Exception) else error) from error
    return answer


def _read(answer: HTTPResponse) -> bytes:
    try:
        return answer.read()
    except (OSError, HTTPException) as error:
        raise ServerClosed(1006, plain(error)) from error


def _address(url: str, path: str) -> str:
    """Return the address of an endpoint beside that of the websocket. Raises `ConnectionRefused`."""
    parts = urlsplit(reachable(url))
    scheme = {"ws": "http", "wss": "https"}[parts.scheme]
    return urlunsplit(parts._replace(scheme=scheme, path=f"{prefix_of(parts.path)}/v1/{path}"))
