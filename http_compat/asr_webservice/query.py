"""The query of `POST /asr`: what whisper-asr-webservice takes, with the same names and values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from http_compat.errors import UnsupportedValue
from http_compat.parsing.form_fields import Fields
from http_compat.parsing.transcription_form import MAX_PROMPT
from realtime.errors import ClientError
from realtime.languages import language_code
from realtime.offline.options import OfflineOptions


class Output(StrEnum):
    """The formats of a transcript."""

    TXT = "txt"
    VTT = "vtt"
    SRT = "srt"
    TSV = "tsv"
    JSON = "json"


TASKS: Final = ("transcribe", "translate")


@dataclass(frozen=True, slots=True)
class AsrQuery:
    """What a request asks for.

    Attributes:
        raw: The recording has no header (`encode=false`).
        output: The format of the transcript.
        word_timestamps: Whether JSON has the times of words.
        options: How to transcribe.
    """

    raw: bool
    output: Output
    word_timestamps: bool
    options: OfflineOptions


def read_query(fields: Fields) -> AsrQuery:
    """Read all fields; `video_file` and others that change nothing here are ignored. Raises `ClientError`."""
    output = _choice(fields, "output", tuple(Output))
    word_timestamps = bool(fields.flag("word_timestamps"))
    if fields.flag("diarize"):
        raise UnsupportedValue("`diarize` is not supported: there is no speaker diarization.", param="diarize")
    language = language_code(fields.text("language") or "")
    options = OfflineOptions(
        languages=(language,) if language else (),
        prompt=(fields.text("initial_prompt") or "")[-MAX_PROMPT:],
        vad_filter=fields.flag("vad_filter") is not False,
        word_times=output != Output.TXT,
        translate=_choice(fields, "task", TASKS) == "translate",
    )
    return AsrQuery(fields.flag("encode") is False, Output(output), word_timestamps, options)


def _choice(fields: Fields, name: str, choices: tuple[str, ...]) -> str:
    """Return the value of a field, the first one if it is missing."""
    value = (fields.text(name) or choices[0]).strip().lower()
    if value not in choices:
        raise ClientError(f"`{name}` must be one of {', '.join(choices)}.", param=name)
    return value
