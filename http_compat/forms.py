"""The multipart form of an upload, as many clients write it."""

import math
import re
from dataclasses import dataclass, field
from typing import IO, Final

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from http_compat.errors import InvalidMultipart, InvalidType, MissingParameter, UnsupportedValue
from http_compat.formats import Granularity, TranscriptFormat
from realtime.errors import ClientError, UnsupportedAudio
from realtime.languages import language_code

_MAX_FIELDS: Final = 128
_MAX_FIELD_BYTES: Final = 64 * 1024
_MAX_PROMPT: Final = 2_000
"""Characters, more than a recognizer takes."""


@dataclass(frozen=True, slots=True)
class TranscriptionForm:
    """The fields of the form besides the file; `language` is a code, `prompt` the end of a long one."""

    model: str
    language: str | None
    prompt: str = field(repr=False)
    response_format: TranscriptFormat
    granularities: frozenset[Granularity]


async def read_form(request: Request) -> FormData:
    """Receive the whole form, files over a megabyte on disk; the caller closes it. Raises `ClientError`."""
    try:
        return await request.form(max_files=1, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES)
    except HTTPException as error:
        raise InvalidMultipart(error.detail) from error


def uploaded_file(form: FormData) -> IO[bytes]:
    """The recording, opened. Raises `ClientError` where there is none."""
    match form.get("file"):
        case None:
            raise MissingParameter("The form has no field `file`.", param="file")
        case UploadFile(size=0):
            raise UnsupportedAudio("The file is empty.", param="file")
        case UploadFile(file=file):
            return file
        case _:
            raise InvalidType("`file` must be a file part, with a filename.", param="file")


def read_fields(form: FormData) -> TranscriptionForm:
    """Read every field but the file; those this server has no use for are left alone. Raises `ClientError`."""
    model = _text(form, "model")
    if model is None:
        raise MissingParameter("The form has no field `model`.", param="model")
    _check_temperature(_text(form, "temperature"))
    response_format = _response_format(_text(form, "response_format") or TranscriptFormat.JSON)
    granularities = _granularities(form)
    if Granularity.WORD in granularities and response_format is not TranscriptFormat.VERBOSE_JSON:
        raise ClientError("Word times need response_format verbose_json.", param="timestamp_granularities")
    language = _text(form, "language")
    return TranscriptionForm(
        model=model,
        language=language_code(language) if language else None,
        prompt=(_text(form, "prompt") or "")[-_MAX_PROMPT:],
        response_format=response_format,
        granularities=granularities or frozenset({Granularity.SEGMENT}),
    )


def _text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    if isinstance(value, UploadFile):
        raise InvalidType(f"`{name}` must be text, not a file.", param=name)
    return value


def _response_format(value: str) -> TranscriptFormat:
    if value == "diarized_json":
        raise UnsupportedValue("This server does not tell speakers apart.", param="response_format")
    if value not in set(TranscriptFormat):
        raise ClientError(f"response_format must be one of {', '.join(TranscriptFormat)}.", param="response_format")
    return TranscriptFormat(value)


def _granularities(form: FormData) -> frozenset[Granularity]:
    """Clients write the list in many ways: repeated, with or without brackets, with commas, as Python or JSON."""
    values = [*form.getlist("timestamp_granularities[]"), *form.getlist("timestamp_granularities")]
    names = {name for value in values for name in re.findall(r"\w+", str(value))}
    if not names <= set(Granularity):
        raise ClientError("Granularities are word and segment.", param="timestamp_granularities")
    return frozenset(Granularity(name) for name in names)


def _check_temperature(value: str | None) -> None:
    """The recognizer chooses the temperature; a nonsensical one is refused all the same."""
    try:
        temperature = float(value or 0)
    except ValueError:
        temperature = math.nan
    if not 0 <= temperature <= 1:
        raise ClientError("The temperature must be a number from 0 to 1.", param="temperature")
