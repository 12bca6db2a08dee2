"""Server events that report transcripts, in the OpenAI Realtime dialect."""

import math
import sys
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.session.events import TranscriptCompleted, TranscriptExtended, TranscriptFailed, TranscriptRevised
from realtime.speech.transcript import Word
from realtime.wire.codec import Frames
from realtime.wire.openai.frames import FrameWriter
from realtime.wire.openai.items import JsonItem, channel_field
from realtime.wire.openai.session_object import milliseconds

MAX_WORDS: Final = 5_000
"""Words of a transcript that are sent with their times; a longer transcript is sent without any.

At about 100 bytes each they stay below 1 MiB, the largest message that some clients accept.
"""


class TranscriptWriter:
    """Writes the transcripts of one connection; with `detailed`, also tentative text, word times and suppressions."""

    def __init__(self, writer: FrameWriter, *, detailed: bool) -> None:
        self._writer = writer
        self._detailed = detailed

    def extended(self, event: TranscriptExtended) -> str:
        return self._event("delta", event, delta=event.delta)

    def revised(self, event: TranscriptRevised) -> Frames:
        """Return the message about tentative text, if the client asked for any."""
        if not self._detailed:
            return []
        partial = self._writer.event(
            "x.transcription.partial",
            item_id=event.item_id,
            stable="".join(word.text for word in event.committed),
            text="".join(word.text for word in event.tentative),
            audio_end_ms=milliseconds(event.audio_end),
            **channel_field(event.channel),
        )
        return [partial]

    def completed(self, event: TranscriptCompleted, *, content_index: int = 0, logprobs: bool = False) -> str:
        fields: dict[str, object] = {"usage": {"type": "duration", "seconds": event.samples / SAMPLE_RATE}}
        if self._detailed:
            words = [_timed(word) for word in event.words] if len(event.words) <= MAX_WORDS else []
            fields |= {"words": words, "language": event.language, "suppressed": event.suppressed}
        if logprobs:
            fields["logprobs"] = [_logprob(word) for word in event.words[:MAX_WORDS]]
        return self._event("completed", event, content_index, transcript=event.text, **fields)

    def failed(self, event: TranscriptFailed, *, content_index: int = 0) -> str:
        error = {"type": "transcription_error", "code": event.error.code, "message": event.error.public_message}
        return self._event("failed", event, content_index, error=error)

    def _event(
        self,
        kind: str,
        event: TranscriptExtended | TranscriptCompleted | TranscriptFailed,
        content_index: int = 0,
        **fields: object,
    ) -> str:
        event_type = f"conversation.item.input_audio_transcription.{kind}"
        fields |= channel_field(event.channel)
        return self._writer.event(event_type, item_id=event.item_id, content_index=content_index, **fields)


def _logprob(word: Word) -> JsonItem:
    """Return a word with its log probability, in the place of OpenAI's tokens."""
    probability = max(word.probability, sys.float_info.min)
    return {"token": word.text, "logprob": math.log(probability), "bytes": list(word.text.encode())}


def _timed(word: Word) -> JsonItem:
    """Return a word with its times in seconds since the session began."""
    return {
        "word": word.text.strip(),
        "start": word.start / SAMPLE_RATE,
        "end": word.end / SAMPLE_RATE,
        "probability": word.probability,
    }
