"""Transcripts in OpenAI's response formats: json, verbose_json, text, srt, vtt.

Times are samples until the last moment and are rounded once, so that no cue begins before its predecessor ends. No
number is ever NaN or infinite, which is not JSON.
"""

import math
import sys
from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from realtime.audio.formats import SAMPLE_RATE
from realtime.languages import language_name
from realtime.offline.transcript import TranscribedSegment, Transcript, cues

_TOKENS_PER_SECOND: Final = 10
"""What OpenAI counts for a second of audio."""


_ENGLISH: Final = "en"


class TranscriptFormat(StrEnum):
    """OpenAI's response formats for transcripts that need no diarization."""

    JSON = "json"
    TEXT = "text"
    VERBOSE_JSON = "verbose_json"
    SRT = "srt"
    VTT = "vtt"

    @property
    def timed(self) -> bool:
        """Whether it shows when something was said."""
        return self in {TranscriptFormat.VERBOSE_JSON, TranscriptFormat.SRT, TranscriptFormat.VTT}


class Granularity(StrEnum):
    """What verbose_json gives times for."""

    WORD = "word"
    SEGMENT = "segment"


def render(
    transcript: Transcript,
    transcript_format: TranscriptFormat,
    granularities: Collection[Granularity],
    *,
    with_logprobs: bool = False,
    quoted: bool = False,
) -> Response:
    """The body of the answer. `granularities` are what verbose_json shows; `quoted` is text as a JSON string."""
    match transcript_format:
        case TranscriptFormat.JSON:
            body = {"text": transcript.text, "usage": _usage(transcript)}
            return JSONResponse({**body, "logprobs": logprobs(transcript.segments)} if with_logprobs else body)
        case TranscriptFormat.VERBOSE_JSON:
            return JSONResponse(_verbose(transcript, granularities))
        case TranscriptFormat.TEXT:
            text, media_type = transcript.text + "\n", "text/plain"
        case TranscriptFormat.SRT:
            text = "".join(f"{number}\n{cue}" for number, cue in enumerate(_cues(transcript, ","), 1))
            media_type = "application/x-subrip; charset=utf-8"
        case TranscriptFormat.VTT:
            text, media_type = "WEBVTT\n\n" + "".join(_cues(transcript, ".")), "text/vtt"
    return JSONResponse(text) if quoted else Response(text, media_type=media_type)


def logprobs(segments: Iterable[TranscribedSegment]) -> list[dict[str, Any]]:
    """OpenAI's list of the tokens of a text, each with its bytes and the logarithm of its probability."""
    return [
        {
            "token": piece.text.decode("utf-8", "replace"),
            "logprob": math.log(max(piece.probability, sys.float_info.min)),
            "bytes": list(piece.text),
        }
        for segment in segments
        for word in segment.words
        for piece in word.pieces
    ]


def token_usage(transcript: Transcript) -> dict[str, Any]:
    """What streams report, where OpenAI's clients expect tokens: those of the text, and a rate for the audio."""
    heard = math.ceil(transcript.samples * _TOKENS_PER_SECOND / SAMPLE_RATE)
    written = sum(len(segment.hypothesis.tokens) for segment in transcript.segments)
    return {
        "type": "tokens",
        "input_tokens": heard,
        "input_token_details": {"audio_tokens": heard, "text_tokens": 0},
        "output_tokens": written,
        "total_tokens": heard + written,
    }


def suppressed_field(transcript: Transcript) -> dict[str, Any]:
    """A field of our own for what was withheld; none where nothing was."""
    if not transcript.suppressed:
        return {}
    return {
        "suppressed": [
            {"start": _seconds(each.start), "end": _seconds(each.end), "reason": each.reason}
            for each in transcript.suppressed
        ]
    }


def _usage(transcript: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": _seconds(transcript.samples)}


def _verbose(transcript: Transcript, granularities: Collection[Granularity]) -> dict[str, Any]:
    every: Callable[[Granularity], bool] = granularities.__contains__
    language = _ENGLISH if transcript.translated else transcript.language
    return {
        "task": "translate" if transcript.translated else "transcribe",
        "language": language_name(language),
        "language_code": language,
        "duration": _seconds(transcript.samples),
        "text": transcript.text,
        "segments": _verbose_segments(transcript) if every(Granularity.SEGMENT) else None,
        "words": _verbose_words(transcript) if every(Granularity.WORD) else None,
        "usage": _usage(transcript),
        **suppressed_field(transcript),
    }


def _verbose_segments(transcript: Transcript) -> list[dict[str, Any]]:
    """Whisper's own segments have all these keys; the measurements are those of the excerpt a segment is from."""
    return [
        {
            "id": number,
            "seek": segment.segment.start * 100 // SAMPLE_RATE,
            "start": _seconds(segment.start),
            "end": _seconds(segment.end),
            "text": segment.text,
            "tokens": [piece.id for word in segment.words for piece in word.pieces],
            "temperature": _finite(segment.segment.hypothesis.temperature),
            "avg_logprob": _finite(segment.segment.hypothesis.average_log_probability),
            "compression_ratio": _finite(segment.segment.hypothesis.compression_ratio),
            "no_speech_prob": _finite(segment.segment.hypothesis.no_speech_probability),
        }
        for number, segment in enumerate(cues(transcript))
    ]


def _verbose_words(transcript: Transcript) -> list[dict[str, Any]]:
    return [
        {"word": word.text.strip(), "start": _seconds(word.start), "end": _seconds(word.end)}
        for segment in transcript.segments
        for word in segment.words
    ]


def _cues(transcript: Transcript, decimal_mark: str) -> list[str]:
    """An arrow within the text would end the line of times."""
    return [
        f"{_timestamp(segment.start, decimal_mark)} --> {_timestamp(segment.end, decimal_mark)}\n"
        f"{segment.text.strip().replace('-->', '->')}\n\n"
        for segment in cues(transcript)
    ]


def _finite(number: float) -> float:
    return number if math.isfinite(number) else 0.0


def _seconds(samples: int) -> float:
    return round(samples / SAMPLE_RATE, 3)


def _timestamp(samples: int, decimal_mark: str) -> str:
    milliseconds = round(samples * 1000 / SAMPLE_RATE)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{decimal_mark}{milliseconds:03}"
