"""Transcripts as text: plain, SubRip, WebVTT, and the structure that JSON formats share.

Times are samples until they are written and are rounded once, so no cue begins before the previous one ends. No number
is NaN or infinite, because JSON has neither.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.languages import language_name
from realtime.offline.transcript import TranscribedSegment, Transcript, cues, language_of, speaker
from realtime.speech.subtitles import Subtitle, SubtitleLayout, subtitles
from realtime.speech.transcript import Word

_ENGLISH: Final = "en"

READABLE: Final = SubtitleLayout()
"""Two lines of 42 characters."""


def to_text(transcript: Transcript) -> str:
    """Return the text and a newline."""
    return transcript.text + "\n"


def to_srt(transcript: Transcript, layout: SubtitleLayout | None = READABLE) -> str:
    """Return SubRip subtitles; without a layout, each sentence is one, in one line. Needs word times."""
    cues_without_numbers = _cues(transcript, layout, ",", "{}: ", _without_arrows)
    return "".join(f"{number}\n{cue}" for number, cue in enumerate(cues_without_numbers, 1))


def to_vtt(transcript: Transcript, layout: SubtitleLayout | None = READABLE) -> str:
    """Return WebVTT subtitles (W3C WebVTT, section 4), as `to_srt`. Needs word times."""
    return "WEBVTT\n\n" + "".join(_cues(transcript, layout, ".", "<v {}>", _escaped))


def to_tsv(transcript: Transcript) -> str:
    """Return a line of start and end in milliseconds and text for each cue, as Whisper's own program. Needs word times.

    The values are separated by tabs, and the first line names them.
    """
    rows = [
        f"{_milliseconds(cue.start)}\t{_milliseconds(cue.end)}\t{cue.text.strip().replace(chr(9), ' ')}\n"
        for cue in cues(transcript)
    ]
    return "".join(("start\tend\ttext\n", *rows))


def to_dict(transcript: Transcript, *, segments: bool = True, words: bool = False) -> dict[str, Any]:
    """Return language, duration in seconds and text, with `segments` and `words` on demand. These need word times.

    Without `segments` or `words` their value is None. `suppressed` is present only if text was suppressed,
    `track` only if the recording has several audio tracks, `channels` and the `channel` of segments and words only if
    each channel is a speaker.
    """
    language = _ENGLISH if transcript.translated else transcript.language
    return {
        "task": "translate" if transcript.translated else "transcribe",
        "language": language_name(language),
        "language_code": language,
        "duration": seconds(transcript.samples),
        "text": transcript.text,
        "segments": _segments(transcript) if segments else None,
        "words": _words(transcript) if words else None,
        **suppressed_field(transcript),
        **track_field(transcript),
        **({} if transcript.channels is None else {"channels": transcript.channels}),
    }


def channel_field(channel: int | None) -> dict[str, Any]:
    """Return `channel`, the index of the channel of a speaker; an empty object where channels are mixed."""
    return {} if channel is None else {"channel": channel}


def streamed(segment: TranscribedSegment, *, first: bool) -> str:
    """Return what a segment adds to a streamed text; of several channels, a line with the name of the speaker."""
    text = segment.hypothesis.text
    if segment.channel is None:
        return text.lstrip() if first else text
    return f"{'' if first else chr(10)}{speaker(segment.channel)}: {text.strip()}"


def track_field(transcript: Transcript) -> dict[str, Any]:
    """Return `track`, the audio track that was transcribed; an empty object if the recording has only one."""
    track = transcript.track
    return {"track": {"index": track.index, "language": track.language, "title": track.title}} if track else {}


def suppressed_field(transcript: Transcript) -> dict[str, Any]:
    """Return `suppressed`, the segments whose text was suppressed and why; an empty object if there are none."""
    segments = [
        {"start": seconds(each.start), "end": seconds(each.end), "reason": each.reason.value}
        | channel_field(each.channel)
        for each in transcript.suppressed
    ]
    return {"suppressed": segments} if segments else {}


def word_object(word: Word) -> dict[str, Any]:
    """Return OpenAI's object of a word: its text and its times in seconds."""
    return {"word": word.text.strip(), "start": seconds(word.start), "end": seconds(word.end)}


def seconds(samples: int) -> float:
    """Convert a number of samples to seconds, rounded to milliseconds."""
    return round(samples / SAMPLE_RATE, 3)


def _segments(transcript: Transcript) -> list[dict[str, Any]]:
    """Return one object per cue, with the keys of Whisper's own segments, and the code of its language.

    The statistics are those of the speech segment that contains the cue.
    """
    return [
        {
            "id": number,
            "seek": cue.segment.start * 100 // SAMPLE_RATE,
            "start": seconds(cue.start),
            "end": seconds(cue.end),
            "text": cue.text,
            "tokens": [token.id for word in cue.words for token in word.tokens],
            "temperature": _finite(cue.segment.hypothesis.temperature),
            "avg_logprob": _finite(cue.segment.hypothesis.average_log_probability),
            "compression_ratio": _finite(cue.segment.hypothesis.compression_ratio),
            "no_speech_prob": _finite(cue.segment.hypothesis.no_speech_probability),
            "language": language_of(transcript, cue.segment),
            **channel_field(cue.segment.channel),
        }
        for number, cue in enumerate(cues(transcript))
    ]


def _words(transcript: Transcript) -> list[dict[str, Any]]:
    words = [(word, segment.channel) for segment in transcript.segments for word in segment.words]
    if transcript.channels is not None:
        words.sort(key=lambda each: each[0].start)
    return [word_object(word) | channel_field(channel) for word, channel in words]


def _cues(
    transcript: Transcript,
    layout: SubtitleLayout | None,
    decimal_mark: str,
    prefix: str,
    written: Callable[[str], str],
) -> list[str]:
    """Return the cues without their numbers, their text as `written` returns it.

    `prefix` is how the format names a speaker.
    """
    return [
        f"{_timestamp(each.start, decimal_mark)} --> {_timestamp(each.end, decimal_mark)}\n"
        f"{'' if channel is None else prefix.format(speaker(channel))}"
        f"{written(chr(10).join(each.lines))}\n\n"
        for each, channel in _laid_out(transcript, layout, "" if prefix.startswith("<") else prefix)
    ]


def _without_arrows(text: str) -> str:
    """Return text in which a reader of SubRip finds no line of times."""
    return text.replace("-->", "->")


def _escaped(text: str) -> str:
    """Return text as WebVTT has it, where `&` begins an escape, `<` a tag, and `-->` ends a cue."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _laid_out(transcript: Transcript, layout: SubtitleLayout | None, prefix: str) -> list[tuple[Subtitle, int | None]]:
    """Return the subtitles in the order in which they begin, each with its channel.

    The lines leave room for `prefix`, how the name of the speaker is shown.
    """
    if layout is None:
        return [(Subtitle(cue.start, cue.end, (cue.text.strip(),)), cue.segment.channel) for cue in cues(transcript)]
    found: list[tuple[Subtitle, int | None]] = []
    for channel in dict.fromkeys(segment.channel for segment in transcript.segments):
        words = [(each.words, language_of(transcript, each)) for each in transcript.segments if each.channel == channel]
        name = "" if channel is None else prefix.format(speaker(channel))
        narrowed = replace(layout, line_width=max(1, layout.line_width - len(name)))
        found += [(subtitle, channel) for subtitle in subtitles(words, narrowed)]
    return sorted(found, key=lambda each: each[0].start)


def _finite(number: float) -> float:
    return number if math.isfinite(number) else 0.0


def _milliseconds(samples: int) -> int:
    return round(samples * 1000 / SAMPLE_RATE)


def _timestamp(samples: int, decimal_mark: str) -> str:
    milliseconds = _milliseconds(samples)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{decimal_mark}{milliseconds:03}"
