"""Transcripts in OpenAI's response formats: json, verbose_json, text, srt, vtt.

Times are samples until the last moment and are rounded once, so that no cue begins before its predecessor ends. No
number is ever NaN or infinite, which is not JSON.
"""

import math
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from realtime.audio import SAMPLE_RATE
from realtime.evidence import Suppression
from realtime.languages import language_name
from realtime.transcript import Hypothesis, Word

_SENTENCE_ENDS: Final = tuple(".?!…。\uff1f\uff01")
_CLOSING: Final = "\"'”\u2019»)]」』"
_PAUSE: Final = SAMPLE_RATE // 2
"""Silence between two words that ends a segment."""

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


@dataclass(frozen=True, slots=True)
class Passage:
    """What was said in one excerpt, which begins at sample `start`. `words` have positions in the whole recording."""

    start: int
    words: tuple[Word, ...]
    hypothesis: Hypothesis


@dataclass(frozen=True, slots=True)
class Withheld:
    """An excerpt, from sample `start` to `end` of the recording, whose text is not given, and why."""

    start: int
    end: int
    reason: Suppression


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole recording of `samples` samples. `language` is a code, empty where nothing was said to tell it by.

    A `translated` one is in English, whatever was spoken. What was `withheld` is in order.
    """

    passages: tuple[Passage, ...]
    language: str
    samples: int
    translated: bool = False
    withheld: tuple[Withheld, ...] = ()

    @property
    def text(self) -> str:
        return "".join(passage.hypothesis.text for passage in self.passages).strip()


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence, or what was said between two pauses."""

    words: tuple[Word, ...]
    passage: Passage

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words)

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return self.words[-1].end


def segments(transcript: Transcript) -> list[Segment]:
    """Cut a transcript with word times at the ends of sentences, at pauses and between excerpts."""
    found: list[Segment] = []
    for passage in transcript.passages:
        begun: list[Word] = []
        for word in passage.words:
            if begun and (_ends_sentence(begun[-1]) or word.start - begun[-1].end >= _PAUSE):
                found.append(Segment(tuple(begun), passage))
                begun = []
            begun.append(word)
        if begun:
            found.append(Segment(tuple(begun), passage))
    return found


def _ends_sentence(word: Word) -> bool:
    return word.text.rstrip().rstrip(_CLOSING).endswith(_SENTENCE_ENDS)


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
            return JSONResponse({**body, "logprobs": logprobs(transcript.passages)} if with_logprobs else body)
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


def logprobs(passages: Iterable[Passage]) -> list[dict[str, Any]]:
    """OpenAI's list of the tokens of a text, each with its bytes and the logarithm of its probability."""
    return [
        {
            "token": piece.text.decode("utf-8", "replace"),
            "logprob": math.log(max(piece.probability, sys.float_info.min)),
            "bytes": list(piece.text),
        }
        for passage in passages
        for word in passage.words
        for piece in word.pieces
    ]


def token_usage(transcript: Transcript) -> dict[str, Any]:
    """What streams report, where OpenAI's clients expect tokens: those of the text, and a rate for the audio."""
    heard = math.ceil(transcript.samples * _TOKENS_PER_SECOND / SAMPLE_RATE)
    written = sum(len(passage.hypothesis.tokens) for passage in transcript.passages)
    return {
        "type": "tokens",
        "input_tokens": heard,
        "input_token_details": {"audio_tokens": heard, "text_tokens": 0},
        "output_tokens": written,
        "total_tokens": heard + written,
    }


def suppressed(transcript: Transcript) -> dict[str, Any]:
    """A field of our own for what was withheld; none where nothing was."""
    if not transcript.withheld:
        return {}
    return {
        "suppressed": [
            {"start": _seconds(each.start), "end": _seconds(each.end), "reason": each.reason}
            for each in transcript.withheld
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
        **suppressed(transcript),
    }


def _verbose_segments(transcript: Transcript) -> list[dict[str, Any]]:
    """Whisper's own segments have all these keys; the measurements are those of the excerpt a segment is from."""
    return [
        {
            "id": number,
            "seek": segment.passage.start * 100 // SAMPLE_RATE,
            "start": _seconds(segment.start),
            "end": _seconds(segment.end),
            "text": segment.text,
            "tokens": [piece.id for word in segment.words for piece in word.pieces],
            "temperature": _finite(segment.passage.hypothesis.temperature),
            "avg_logprob": _finite(segment.passage.hypothesis.average_log_probability),
            "compression_ratio": _finite(segment.passage.hypothesis.compression_ratio),
            "no_speech_prob": _finite(segment.passage.hypothesis.no_speech_probability),
        }
        for number, segment in enumerate(segments(transcript))
    ]


def _verbose_words(transcript: Transcript) -> list[dict[str, Any]]:
    return [
        {"word": word.text.strip(), "start": _seconds(word.start), "end": _seconds(word.end)}
        for passage in transcript.passages
        for word in passage.words
    ]


def _cues(transcript: Transcript, decimal_mark: str) -> list[str]:
    """An arrow within the text would end the line of times."""
    return [
        f"{_timestamp(segment.start, decimal_mark)} --> {_timestamp(segment.end, decimal_mark)}\n"
        f"{segment.text.strip().replace('-->', '->')}\n\n"
        for segment in segments(transcript)
    ]


def _finite(number: float) -> float:
    return number if math.isfinite(number) else 0.0


def _seconds(samples: int) -> float:
    return round(samples / SAMPLE_RATE, 3)


def _timestamp(samples: int, decimal_mark: str) -> str:
    milliseconds = round(samples * 1000 / SAMPLE_RATE)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{decimal_mark}{milliseconds:03}"
