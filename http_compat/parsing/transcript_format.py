"""The formats of transcripts that a request may ask for."""

from enum import StrEnum


class TranscriptFormat(StrEnum):
    """OpenAI's response formats for transcripts without diarization."""

    JSON = "json"
    TEXT = "text"
    VERBOSE_JSON = "verbose_json"
    SRT = "srt"
    VTT = "vtt"

    @property
    def timed(self) -> bool:
        """Whether the format contains times."""
        return self in {TranscriptFormat.VERBOSE_JSON, TranscriptFormat.SRT, TranscriptFormat.VTT}


class Granularity(StrEnum):
    """Units for which verbose_json contains times."""

    WORD = "word"
    SEGMENT = "segment"
