"""Transcripts in OpenAI's response formats: json, verbose_json, text, srt, vtt.

Times are samples until the last moment and are rounded once, so that no cue begins before its predecessor ends.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from starlette.responses import JSONResponse, PlainTextResponse, Response

from realtime.audio import SAMPLE_RATE
from realtime.languages import language_name
from realtime.transcript import Hypothesis, Word

_SENTENCE_ENDS: Final = tuple(".?!…。\uff1f\uff01")
_CLOSING: Final = "\"'”\u2019»)]」』"
_PAUSE: Final = SAMPLE_RATE // 2
"""Silence between two words that ends a segment."""


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
class Transcript:
    """A whole recording of `samples` samples. `language` is a code, empty where nothing was said to tell it by."""

    passages: tuple[Passage, ...]
    language: str
    samples: int

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
    transcript: Transcript, transcript_format: TranscriptFormat, granularities: Collection[Granularity]
) -> Response:
    """The body of the answer. `granularities` are what verbose_json shows."""
    match transcript_format:
        case TranscriptFormat.JSON:
            return JSONResponse({"text": transcript.text, "usage": _usage(transcript)})
        case TranscriptFormat.VERBOSE_JSON:
            return JSONResponse(_verbose(transcript, granularities))
        case TranscriptFormat.TEXT:
            return PlainTextResponse(transcript.text + "\n")
        case TranscriptFormat.SRT:
            cues = _cues(transcript, ",")
            body = "".join(f"{number}\n{cue}" for number, cue in enumerate(cues, 1))
            return Response(body, media_type="application/x-subrip; charset=utf-8")
        case TranscriptFormat.VTT:
            return Response("WEBVTT\n\n" + "".join(_cues(transcript, ".")), media_type="text/vtt")


def _usage(transcript: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": _seconds(transcript.samples)}


def _verbose(transcript: Transcript, granularities: Collection[Granularity]) -> dict[str, Any]:
    every: Callable[[Granularity], bool] = granularities.__contains__
    return {
        "task": "transcribe",
        "language": language_name(transcript.language),
        "language_code": transcript.language,
        "duration": _seconds(transcript.samples),
        "text": transcript.text,
        "segments": _verbose_segments(transcript) if every(Granularity.SEGMENT) else None,
        "words": _verbose_words(transcript) if every(Granularity.WORD) else None,
        "usage": _usage(transcript),
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
            "tokens": list(segment.passage.hypothesis.tokens) if segment.words == segment.passage.words else [],
            "temperature": 0.0,
            "avg_logprob": segment.passage.hypothesis.average_log_probability,
            "compression_ratio": segment.passage.hypothesis.compression_ratio,
            "no_speech_prob": segment.passage.hypothesis.no_speech_probability,
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


def _seconds(samples: int) -> float:
    return round(samples / SAMPLE_RATE, 3)


def _timestamp(samples: int, decimal_mark: str) -> str:
    milliseconds = round(samples * 1000 / SAMPLE_RATE)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{decimal_mark}{milliseconds:03}"
