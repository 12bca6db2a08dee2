"""The fields of an upload, in one form for all the ways in which clients write them.

Fields arrive in a multipart form or in JSON; lists as repeated names, with or without brackets, or as one text with
commas; objects as `name[key]` or as JSON in a text; booleans as `true` or `True`. `Fields` holds all of them as text
under plain names and reads them with a type and a range. Errors are `ClientError`s that name the field.
"""

import base64
import binascii
import math
import re
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

import msgspec
from starlette.datastructures import FormData, QueryParams, UploadFile

from http_compat.errors import InvalidType, MissingParameter
from http_compat.parsing.bodies import MAX_FIELD_BYTES, decode_json
from realtime.errors import ClientError, EmptyFile

_FLAGS: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
NOTHING: Final = frozenset({"", "null", "none", "undefined"})
"""Texts that stand for a missing value, in lower case: what programs write for one in a form."""

_MAX_TYPED: Final = 1024
"""Bytes of a part `file` without a filename that may be a text: a path, or what a form's text input holds."""

_MAX_DEPTH: Final = 2
"""Depth of nested lists and objects in JSON; `chunking_strategy` has one level."""

_IN_MEMORY: Final = 1024 * 1024
"""Bytes of a recording from JSON that are kept in memory instead of a file; Starlette uses the same for forms."""

_DATA_URL: Final = re.compile(r"data:[^,]{0,200};base64,")


class Fields:
    """Texts by field name; repeated fields keep their order."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}

    def add(self, name: str, text: str) -> None:
        self._texts.setdefault(name.removesuffix("[]"), []).append(text)

    def add_missing(self, others: "Fields") -> None:
        """Add the fields of `others` that are missing here."""
        self._texts = others._texts | self._texts

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def texts(self, name: str) -> list[str]:
        """Return the items of a list field, which may be repeated or one text with commas, without empty items."""
        return [
            part
            for text in self._texts.get(name, ())
            for part in (item.strip(" []'\"") for item in text.split(","))
            if part.lower() not in NOTHING
        ]

    def text(self, name: str) -> str | None:
        """Return the text of a field; None if it is empty or missing.

        Raises:
            ClientError: The field is repeated with different texts.
        """
        texts = [text for text in self._texts.get(name, ()) if text.strip().lower() not in NOTHING]
        if len(set(texts)) > 1:
            raise ClientError(f"`{name}` is given {len(texts)} times, with different values.", param=name)
        return texts[0] if texts else None

    def number(self, name: str, least: float, most: float, label: str = "") -> float | None:
        """Read a number from `least` to `most`; None if it is missing. Errors call the field `label`."""
        text = self.text(name)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise ClientError(f"`{label or name}` must be a number from {least:g} to {most:g}.", param=label or name)
        return value

    def integer(self, name: str, least: int, most: int, label: str = "") -> int | None:
        """Read an integer as `number` does."""
        value = self.number(name, least, most, label)
        if value is not None and not value.is_integer():
            raise ClientError(f"`{label or name}` must be an integer.", param=label or name)
        return None if value is None else int(value)

    def flag(self, name: str) -> bool | None:
        """Read a boolean; None if it is missing."""
        text = (self.text(name) or "").strip().lower()
        if not text:
            return None
        if text not in _FLAGS:
            raise ClientError(f"`{name}` must be true or false.", param=name)
        return _FLAGS[text]

    def members(self, name: str) -> "Fields | None":
        """Return the members of an object field; None if it is not an object. Raises `ClientError` for invalid JSON."""
        text = self.text(name)
        if text is not None and text.lstrip().startswith("{"):
            return read_object(text.encode("utf-8", "surrogatepass"), name)
        found = Fields()
        for key, texts in self._texts.items():
            if key.startswith(f"{name}[") and key.endswith("]"):
                for each in texts:
                    found.add(key[len(name) + 1 : -1], each)
        return found if found._texts else None


def query_fields(query: QueryParams) -> Fields:
    """Return the fields in the query of the address."""
    fields = Fields()
    for name, value in query.multi_items():
        fields.add(name, value)
    return fields


def form_fields(form: FormData, file_name: str = "file") -> tuple[Fields, IO[bytes]]:
    """Return the fields of a multipart form, and the recording in the part `file_name`. Raises `ClientError`."""
    file = _uploaded(form, file_name)
    fields = Fields()
    for name, value in form.multi_items():
        match value:
            case str():
                fields.add(name, value)
            case UploadFile() if name != file_name:
                raise InvalidType(f"`{name}` must not be a file; the recording goes into `{file_name}`.", param=name)
    return fields, file


def _uploaded(form: FormData, part: str) -> IO[bytes]:
    if len(form.getlist(part)) > 1:
        raise ClientError(f"`{part}` is given more than once.", param=part)
    match form.get(part):
        case None:
            raise MissingParameter(f"The field `{part}` is missing.", param=part)
        case UploadFile(size=0):
            raise EmptyFile("The file is empty.", param=part)
        case UploadFile(file=file, filename=name, size=int(size)):
            if not name and size <= _MAX_TYPED and _is_text(file.read()):
                message = f"`{part}` must be the recording itself. With curl: `-F {part}=@talk.mp3`."
                raise InvalidType(message, param=part)
            file.seek(0)
            return file
        case _:
            raise InvalidType(f"`{part}` must be a file part.", param=part)


def _is_text(data: bytes) -> bool:
    try:
        return data.decode().strip().isprintable()
    except UnicodeDecodeError:
        return False


def json_fields(body: bytes) -> tuple[Fields, IO[bytes]]:
    """Return the fields and the recording of a JSON object, whose `file` is base64 or a data URL. Blocking.

    `file` is never a path or an address. The caller closes the recording. Raises `ClientError`.
    """
    values = decode_json(body, dict[str, Any])
    file = values.pop("file", None)
    match values.pop("input_audio", None):
        case {"data": data} if file is None:  # as Open WebUI and OpenAI's chat API write it
            file = data
    if file is None:
        raise MissingParameter("The field `file` is missing.", param="file")
    if not isinstance(file, str):
        raise InvalidType("`file` must be a string: the recording in base64.", param="file")
    if len(msgspec.json.encode(values)) > MAX_FIELD_BYTES:
        raise ClientError(f"The fields besides `file` must not exceed {MAX_FIELD_BYTES} bytes.")
    start = _DATA_URL.match(file)
    try:
        recording = base64.b64decode(file[start.end() :] if start else file, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidType(
            "`file` must be the recording in base64, or a data URL. With curl, upload a file by `-F file=@talk.mp3`.",
            param="file",
        ) from error
    if not recording:
        raise EmptyFile("The file is empty.", param="file")
    fields = _flattened(values)
    opened = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the caller closes it
    opened.write(recording)
    opened.seek(0)
    return fields, opened


def read_object(text: bytes, name: str) -> Fields:
    """Return the members of the JSON object in the field `name`. Raises `ClientError`."""
    try:
        return _flattened(decode_json(text, dict[str, Any]))
    except ClientError as error:
        raise ClientError(f"`{name}` must be a JSON object.", param=name) from error


def _flattened(values: dict[str, Any]) -> Fields:
    fields = Fields()
    for name, value in values.items():
        for path, text in _leaves(name, value, _MAX_DEPTH):
            fields.add(path, text)
    return fields


def _leaves(name: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the values inside `value`, nested at most `depth` levels, each as text under its path."""
    match value:
        case None:
            return
        case str():
            yield name, value
        case bool():
            yield name, str(value).lower()
        case list() if depth:
            for each in value:
                yield from _leaves(name, each, depth - 1)
        case dict() if depth:
            for key, each in value.items():
                yield from _leaves(f"{name}[{key}]", each, depth - 1)
        case int() | float():
            yield name, str(value)
        case _:
            raise InvalidType(f"`{name}` is nested too deeply.", param=name)
