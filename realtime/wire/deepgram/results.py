"""The messages about what was heard: `Results`, `SpeechStarted`, `UtteranceEnd` and `Metadata`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from realtime.catalogue.table import ModelEntry
from realtime.speech.transcript import Word
from realtime.wire.deepgram.messages import message_of
from realtime.wire.deepgram.transcripts import (
    confidence,
    iso_time,
    model_info,
    model_uuid,
    plain,
    seconds,
    word_objects,
)

MAX_WORDS: Final = 5_000
"""Words of a transcript that are sent with their times. With more, at 120 bytes each, a message could exceed 1 MiB, the
largest that some clients accept."""


@dataclass(frozen=True, slots=True)
class Span:
    """The audio that a result is about, in samples at 16 kHz since the connection was opened."""

    start: int
    end: int


class ResultWriter:
    """Writes the messages of one connection."""

    def __init__(self, request_id: str, model: ModelEntry, *, punctuated: bool, with_language: bool) -> None:
        """`punctuated` keeps punctuation and capitals; `with_language` tells the language of each result."""
        self._request_id = request_id
        self._metadata = {
            "request_id": request_id,
            "model_uuid": model_uuid(model.name),
            "model_info": model_info(model),
        }
        self._punctuated = punctuated
        self._with_language = with_language
        self._hash = hashlib.sha256()

    def count(self, data: bytes) -> None:
        """Take note of audio that was received."""
        self._hash.update(data)

    def result(
        self,
        text: str,
        words: Sequence[Word],
        span: Span,
        channel: Sequence[int],
        *,
        language: str = "",
        is_final: bool = True,
        speech_final: bool = False,
        from_finalize: bool = False,
    ) -> str:
        """Return a `Results`. `words` are those of the text that have times; see `Utterances` for `channel`."""
        alternative: dict[str, Any] = {
            "transcript": text.strip() if self._punctuated else plain(text),
            "confidence": confidence(words),
            "words": word_objects(words[:MAX_WORDS], punctuated=self._punctuated),
        }
        if self._with_language and language:
            alternative["languages"] = [language]
        return message_of(
            "Results",
            channel_index=channel,
            start=seconds(span.start),
            duration=seconds(max(0, span.end - span.start)),
            is_final=is_final,
            speech_final=speech_final,
            from_finalize=from_finalize,
            channel={"alternatives": [alternative]},
            metadata=self._metadata,
        )

    def speech_started(self, at: int, channel: Sequence[int]) -> str:
        return message_of("SpeechStarted", channel=channel, timestamp=seconds(at))

    def utterance_end(self, last_word_end: int, channel: Sequence[int]) -> str:
        return message_of("UtteranceEnd", channel=channel, last_word_end=seconds(last_word_end))

    def summary(self, samples: int, opened_at: int, *, channels: int) -> str:
        """Return the `Metadata` that ends a connection, which was opened at this Unix time and had so much audio."""
        return message_of(
            "Metadata",
            transaction_key="deprecated",
            request_id=self._request_id,
            sha256=self._hash.hexdigest(),
            created=iso_time(opened_at),
            duration=seconds(samples),
            channels=channels,
        )
