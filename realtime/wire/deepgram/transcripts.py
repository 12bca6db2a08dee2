"""Transcripts as Deepgram writes them: text with or without punctuation, words with times, models by uuid."""

import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.table import ModelEntry
from realtime.speech.transcript import Word

_KEPT: Final = frozenset("%&@#")
"""Punctuation by its Unicode category that is part of what was said."""

_UNSPACED: Final = str.maketrans("", "", "。，、！？；：「」『』")
"""Punctuation of scripts that have no spaces beside it."""

_VERSION: Final = "2026-11-28.0"
"""Version of the models, of which there is only one."""


def seconds(samples: int) -> float:
    """Convert samples at 16 kHz to seconds."""
    return round(samples / SAMPLE_RATE, 3)


def iso_time(unix_seconds: float) -> str:
    """Write a Unix time as ISO 8601 does, in UTC."""
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain(text: str) -> str:
    """Return text in lower case without punctuation, except within words and numbers."""
    return " ".join(filter(None, map(_bare, text.lower().translate(_UNSPACED).split())))


def _bare(word: str) -> str:
    start, end = 0, len(word)
    while end > start and _is_mark(word[end - 1]):
        end -= 1
    while start < end and _is_mark(word[start]) and not (word[start] == "-" and word[start + 1 : start + 2].isdigit()):
        start += 1
    return word[start:end]


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("P") and character not in _KEPT


def confidence(words: Iterable[Word]) -> float:
    """Return the average probability of words with times; 0 where there are none."""
    probabilities = [word.probability for word in words if word.end > 0]
    return round(sum(probabilities) / len(probabilities), 4) if probabilities else 0.0


def word_objects(words: Sequence[Word], *, punctuated: bool) -> list[dict[str, Any]]:
    """Return words with their times in seconds since the audio began."""
    return [_word_object(word, punctuated=punctuated) for word in words]


def _word_object(word: Word, *, punctuated: bool) -> dict[str, Any]:
    written = word.text.strip()
    found = {
        "word": plain(written) or written,
        "start": seconds(word.start),
        "end": seconds(word.end),
        "confidence": round(word.probability, 4),
    }
    return {**found, "punctuated_word": written} if punctuated else found


def model_uuid(name: str) -> str:
    """Return the uuid of a model, which is always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def model_info(model: ModelEntry) -> dict[str, str]:
    """Return what Deepgram tells about a model."""
    return {"name": model.name, "version": _VERSION, "arch": model.engine.value}
