"""Read the bodies of requests, JSON and multipart forms, into typed objects, with errors that name the field."""

import codecs
import json
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from http_compat.errors import (
    InputTooLong,
    InvalidJson,
    InvalidMultipart,
    InvalidType,
    MissingParameter,
    UnsupportedMediaType,
)
from realtime.errors import ClientError

Body = TypeVar("Body")

MAX_FIELD_BYTES: Final = 64 * 1024
"""Maximum size in bytes of a form field that is not a file."""

_MAX_FIELDS: Final = 128
"""Maximum number of form fields that are not files."""

_MAX_PREAMBLE: Final = 16 * 1024
"""Maximum size in bytes of what precedes the first boundary of a form."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NAME: Final = re.compile(r"\w{1,64}")
"""Field names that are repeated in an error."""


def media_type(request: Request) -> str:
    """Return the media type of the body without its parameters; empty if there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request, kind: type[Body]) -> Body:
    """Read a JSON object. Raises `ClientError`."""
    # A web page may send other media types to another origin without a preflight request.
    if media_type(request) != "application/json":
        raise UnsupportedMediaType("Send a JSON object with `Content-Type: application/json`.")
    return decode_json(await request.body(), kind)


def close_files(form: FormData) -> None:
    """Close the files of a form. `FormData.close` waits for a thread, and leaves them open when it is cancelled."""
    for _, value in form.multi_items():
        if isinstance(value, UploadFile):
            value.file.close()


async def read_form(request: Request, *, max_files: int, max_field_bytes: int = MAX_FIELD_BYTES) -> FormData:
    """Read a whole form, spooling files over 1 MB to disk.

    The caller closes its files with `close_files`. Raises `ClientError`.
    """
    parser = _WholeForm(
        request.headers, request.stream(), max_files=max_files, max_fields=_MAX_FIELDS, max_part_size=max_field_bytes
    )
    try:
        return await parser.parse()
    except _FieldTooLong as error:
        name = error.name if _NAME.fullmatch(error.name) else None
        subject = f"`{name}`" if name else "A field"
        raise InputTooLong(f"{subject} must not exceed {max_field_bytes} bytes.", param=name) from error
    except MultiPartException as error:
        raise InvalidMultipart(error.message) from error


class _FieldTooLong(MultiPartException):
    """A field of this name has more bytes than a field may have."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _WholeForm(MultiPartParser):
    """Starlette's parser, with four differences.

    A truncated form is refused instead of accepted as complete. A preamble before the first boundary (RFC 2046, 5.1.1)
    is skipped. The part `file` is a file also without a filename, instead of text in an unknown encoding.
    A field that is too long is named.
    """

    _ended = False

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._current_part.content_disposition)
        if options.get(b"name") == b"file" and b"filename" not in options:
            self._current_part.content_disposition = b'form-data; name="file"; filename=""'
        super().on_headers_finished()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._current_part
        if part.file is None and len(part.data) + end - start > self.max_part_size:
            raise _FieldTooLong(part.field_name)
        super().on_part_data(data, start, end)

    def on_end(self) -> None:
        self._ended = True

    async def parse(self) -> FormData:
        self.stream = self._checked(self.stream)
        return await super().parse()

    async def _checked(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for chunk in self._without_preamble(chunks):
            yield chunk
        if not self._ended:
            raise MultiPartException("The form is incomplete: its final boundary is missing.")

    async def _without_preamble(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        _, parameters = parse_options_header(self.headers["content-type"])
        first_boundary = re.compile(rb"(?:\A|\n)(--" + re.escape(parameters.get(b"boundary", b"")) + rb")")
        start, found = b"", None
        async for chunk in chunks:
            if found:
                yield chunk
                continue
            start += chunk
            if found := first_boundary.search(start):
                yield start[found.start(1) :]
            elif len(start) > _MAX_PREAMBLE:
                raise MultiPartException("The boundary that `Content-Type` declares is not at the start of the form.")
        if not found:
            yield start


def decode_json(data: bytes | str, kind: type[Body]) -> Body:
    """Decode a JSON object, which may begin with a byte order mark (RFC 8259, 8.1). Raises `ClientError`."""
    try:
        if isinstance(data, bytes):
            data = _without_byte_order_mark(data)
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid_field(str(error), kind) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        if name := _field_with_surrogate(data):
            raise ClientError(f"`{name}` is not valid Unicode: it has an unpaired surrogate.", param=name) from error
        raise InvalidJson("The body must be a JSON object in UTF-8.") from error


def _without_byte_order_mark(data: bytes) -> bytes | str:
    """Return JSON without its byte order mark; with that of UTF-16, decoded. Raises `UnicodeError`."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    return data.removeprefix(codecs.BOM_UTF8)


def _field_with_surrogate(data: bytes | str) -> str | None:
    """Return the name of the field with an unpaired surrogate, which JSON escapes allow and UTF-8 does not."""
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        return None
    for name, text in members.items() if isinstance(members, dict) else ():
        if isinstance(text, str) and _SURROGATE.search(text) and _NAME.fullmatch(name):
            return str(name)
    return None


def convert_texts(fields: Mapping[str, Any], kind: type[Body]) -> Body:
    """Convert fields, in which numbers and booleans may be written as text. Raises `ClientError`."""
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid_field(str(error), kind) from error


_KINDS: Final = {
    "str": "text",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
}
"""What an error calls the types of msgspec's messages."""


def _invalid_field(message: str, body: Any) -> ClientError:  # noqa: ANN401
    """Turn a message of msgspec about `body`, which ends with the path of the field, into an error that names it."""
    if path := re.search(r" - at `\$\.(\w+)", message):
        kind = InvalidType if ", got `" in message else ClientError
        choices = _choices(body, path[1])
        requirement = f"must be one of {choices}" if choices else _requirement(message[: path.start()])
        return kind(f"`{path[1]}` {requirement}.", param=path[1])
    if missing := re.search(r"missing required field `(\w+)`", message):
        return MissingParameter(f"`{missing[1]}` is missing.", param=missing[1])
    return InvalidJson("The body must be a JSON object.")


def _choices(body: Any, field: str) -> str:  # noqa: ANN401
    """Return the values of a field that is a choice of texts; empty if it is not one."""
    hint = get_type_hints(body).get(field) if isinstance(body, type) else None
    return ", ".join(value for each in get_args(hint) for value in get_args(each) if get_origin(each) is Literal)


def _requirement(message: str) -> str:
    """Say what a field must be, from a message of msgspec without its path."""
    if expected := re.match(r"Expected `([^`]+)`(?: (?:of length )?(?:<= (\S+)|>= (\S+)))?", message):
        kinds = [_KINDS.get(kind, kind) for kind in expected[1].split(" | ") if kind != "null"]
        most, least = expected[2], expected[3]
        bound = f" of at most {most}" if most else f" of at least {least}" if least else ""
        return f"must be {' or '.join(kinds)}{bound}{' characters' if 'length' in message else ''}"
    return f"is invalid: {message[:1].lower()}{message[1:]}"
