"""The query parameters of Deepgram's endpoints that mean something here. All others are ignored."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from realtime.audio.formats import AudioFormat, Encoding
from realtime.errors import ClientError, UnsupportedAudio
from realtime.languages import language_code, language_codes

Query: TypeAlias = Mapping[str, Sequence[str]]
"""The values of each query parameter, of which the last counts where there should be one."""

RAW_ENCODINGS: Final = {"linear16": Encoding.PCM16, "mulaw": Encoding.MULAW, "alaw": Encoding.ALAW}
"""Encodings of raw samples by Deepgram's names."""

_CONTAINED: Final = ("opus", "ogg-opus", "flac")
"""Encodings that come in a container, which is recognized by its first bytes, as without `encoding`."""

_MAX_TERMS: Final = 2_000
"""Characters of the terms to expect that are used."""

_MAX_QUOTED: Final = 40
"""Characters of a value that an error quotes."""

_MAX_NUMBER: Final = 9
"""Digits of the longest number."""

_VOICE: Final = re.compile(r"aura(?:-\d+)?-(?P<voice>.+?)(?:-[a-z]{2})?")
"""Deepgram's names of voices: `aura-2-thalia-en`, `aura-asteria-en`."""

_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}

FLAGS: Final = (
    "interim_results", "vad_events", "multichannel", "punctuate", "smart_format", "dictation", "paragraphs",
    "utterances",
)  # fmt: skip
"""Parameters that are true or false."""


class InvalidQuery(ClientError):
    """A query parameter has a value that cannot be used."""

    code = "invalid_query_parameter"


def text_of(query: Query, name: str) -> str:
    """Return the value of a parameter without white space around it, empty where there is none."""
    values = query.get(name, ())
    return values[-1].strip() if values else ""


def flag(query: Query, name: str) -> bool:
    """Return whether a parameter is true. Raises `InvalidQuery` if it is neither true nor false."""
    text = text_of(query, name)
    if text.lower() not in _FLAGS:
        raise InvalidQuery(f"`{name}` must be true or false, not {text[:_MAX_QUOTED]!r}.", param=name)
    return _FLAGS[text.lower()]


def check_flags(query: Query) -> None:
    """Raise `InvalidQuery` if one of `FLAGS` is neither true nor false."""
    for name in FLAGS:
        flag(query, name)


def number(query: Query, name: str) -> int | None:
    """Return the value of a parameter that is a whole number, None where there is none. Raises `InvalidQuery`."""
    text = text_of(query, name)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_NUMBER):
        raise InvalidQuery(f"`{name}` must be a whole number, not {text[:_MAX_QUOTED]!r}.", param=name)
    return int(text)


def decimal(query: Query, name: str, low: float, high: float) -> float | None:
    """Return the value of a number, moved into the range, None where there is none. Raises `InvalidQuery`."""
    text = text_of(query, name)
    if not text:
        return None
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
        raise InvalidQuery(f"`{name}` must be a number, not {text[:_MAX_QUOTED]!r}.", param=name)
    return min(max(float(text), low), high)


def language(query: Query) -> str | None:
    """Return Whisper's code of the language; None, to detect it, for `multi` and where none is given.

    Raises `ClientError` for an unknown language.
    """
    return language_code(text_of(query, "language"))


def languages_to_detect(query: Query) -> tuple[str, ...] | None:
    """Return from which languages the language is to be detected, none for all, by `detect_language`.

    It is true or false, or a language, and may be repeated, where languages count; None without it. Raises
    `ClientError` for another value.
    """
    name = "detect_language"
    languages = [each for each in query.get(name, ()) if each.strip().lower() not in _FLAGS]
    if not languages:
        return () if flag(query, name) else None
    return language_codes(languages, param=name)


def is_punctuated(query: Query) -> bool:
    """Return whether transcripts keep their punctuation and capitals, which Deepgram adds only on request."""
    return any(flag(query, name) for name in ("punctuate", "smart_format", "dictation"))


def expected_terms(query: Query) -> str:
    """Return the terms to expect as text that precedes the audio: `keyterm`, and `keywords` without their weights."""
    keywords = (re.sub(r":-?[\d.]+$", "", each) for each in query.get("keywords", ()))
    return joined_terms([*query.get("keyterm", ()), *keywords])


def joined_terms(terms: Sequence[str]) -> str:
    """Return terms to expect as one text."""
    return ", ".join(filter(None, map(str.strip, terms)))[:_MAX_TERMS]


def input_format(query: Query) -> AudioFormat | None:
    """Return the format of raw audio, None for audio in a container. Raises `ClientError`."""
    encoding = text_of(query, "encoding").lower()
    sample_rate, channels = number(query, "sample_rate"), number(query, "channels") or 1
    if not encoding or encoding in _CONTAINED:
        return None
    if encoding not in RAW_ENCODINGS:
        known = ", ".join([*RAW_ENCODINGS, *_CONTAINED])
        raise InvalidQuery(
            f"`encoding` {encoding[:_MAX_QUOTED]!r} is not supported. Use {known}, or leave it out for audio in a "
            "container.",
            param="encoding",
        )
    return _audio_format(encoding, sample_rate, channels)


def output_format(query: Query) -> AudioFormat:
    """Return the format of raw speech. Raises `ClientError`."""
    encoding = text_of(query, "encoding").lower() or "linear16"
    if encoding not in RAW_ENCODINGS or text_of(query, "container").lower() not in ("", "none"):
        raise InvalidQuery(f"Streamed speech is raw: `encoding` must be {', '.join(RAW_ENCODINGS)}.", param="encoding")
    rate = number(query, "sample_rate")
    return _audio_format(encoding, 24_000 if rate is None and encoding == "linear16" else rate, 1)


def _audio_format(encoding: str, sample_rate: int | None, channels: int) -> AudioFormat:
    if sample_rate is None:
        if encoding == "linear16":
            raise InvalidQuery("`sample_rate` is missing, which raw audio needs.", param="sample_rate")
        sample_rate = 8_000
    try:
        return AudioFormat(RAW_ENCODINGS[encoding], sample_rate, channels)
    except UnsupportedAudio as error:
        raise InvalidQuery(error.message, param="sample_rate") from None


def voice_names(query: Query) -> list[str]:
    """Return the names that `model` may mean a voice by, and the empty one of the default voice."""
    name = text_of(query, "model")
    named = _VOICE.fullmatch(name.lower())
    return [name, named["voice"], ""] if named else [name, ""]


def voice_of(query: Query, find_voice: Callable[[str], str | None]) -> str | None:
    """Return the voice that `model` names, or the default one, which `find_voice` returns for an empty name."""
    return next(filter(None, map(find_voice, voice_names(query))), None)


def speed_of(query: Query) -> float:
    """Return the speed of the voice: 1 is normal. Raises `InvalidQuery`."""
    return decimal(query, "speed", 0.25, 4.0) or 1.0
