"""The bodies of requests: JSON and forms, read and typed, and in the client's words what is wrong with them."""

import json
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, TypeVar

import msgspec
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from http_compat.errors import InvalidJson, InvalidMultipart, InvalidType, MissingParameter, UnsupportedMediaType
from realtime.errors import ClientError

Body = TypeVar("Body")

MAX_FIELD_BYTES: Final = 64 * 1024
"""Of a field of a form that is not a file."""

_MAX_FIELDS: Final = 128

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NAME: Final = re.compile(r"\w{1,64}")


def media_type(request: Request) -> str:
    """The type of the body, without its parameters; empty where there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request, kind: type[Body]) -> Body:
    """Read a JSON object. Raises `ClientError`."""
    # Another type, or none, is what any web page may send without asking first.
    if media_type(request) != "application/json":
        raise UnsupportedMediaType("Send a JSON object, with `Content-Type: application/json`.")
    return decode_json(await request.body(), kind)


async def read_form(request: Request, *, max_files: int = 1, max_field_bytes: int = MAX_FIELD_BYTES) -> FormData:
    """Receive the whole form, files over a megabyte on disk; the caller closes it. Raises `ClientError`."""
    parser = _WholeForm(
        request.headers, request.stream(), max_files=max_files, max_fields=_MAX_FIELDS, max_part_size=max_field_bytes
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise InvalidMultipart(error.message) from error


class _WholeForm(MultiPartParser):
    """Starlette takes a form that breaks off for a shorter one; this refuses it."""

    _ended = False

    def on_end(self) -> None:
        self._ended = True

    async def parse(self) -> FormData:
        self.stream = self._checked(self.stream)
        return await super().parse()

    async def _checked(self, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for piece in pieces:
            yield piece
        if not self._ended:
            raise MultiPartException("The form breaks off.")


def decode_json(data: bytes | str, kind: type[Body]) -> Body:
    """The object in this JSON. Raises `ClientError`."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid_field(str(error)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        if name := _broken_text(data):
            raise ClientError(f"`{name}` has half a character in it.", param=name) from error
        raise InvalidJson("The body must be a JSON object in UTF-8.") from error


def _broken_text(data: bytes | str) -> str | None:
    """The member of a JSON object that has a surrogate without its other half: JSON can spell it, UTF-8 cannot."""
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        return None
    for name, text in members.items() if isinstance(members, dict) else ():
        if isinstance(text, str) and _SURROGATE.search(text) and _NAME.fullmatch(name):
            return str(name)
    return None


def from_form(fields: Mapping[str, Any], kind: type[Body]) -> Body:
    """The object that the fields of a form are, numbers and truths written as text. Raises `ClientError`."""
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid_field(str(error)) from error


def _invalid_field(message: str) -> ClientError:
    """The error for what msgspec complains of; it puts the field's path at the end of the message."""
    if path := re.search(r" - at `\$\.(\w+)", message):
        kind = InvalidType if ", got `" in message else ClientError
        return kind(f"`{path[1]}`: {message[:1].lower()}{message[1 : path.start()]}.", param=path[1])
    if missing := re.search(r"missing required field `(\w+)`", message):
        return MissingParameter(f"`{missing[1]}` is missing.", param=missing[1])
    return InvalidJson("The body must be a JSON object.")
