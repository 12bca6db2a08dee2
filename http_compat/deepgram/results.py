"""A transcript as Deepgram's response: words, and on demand utterances and paragraphs."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any, Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.offline.transcript import Cue, Transcript, cues
from realtime.speech.transcript import Word
from realtime.wire.deepgram.query import Query, decimal, flag, is_punctuated, languages_to_detect
from realtime.wire.deepgram.transcripts import confidence, plain, seconds, word_objects

_UTTERANCE_PAUSE: Final = 0.8
"""Seconds of silence between two utterances: Deepgram's default of `utt_split`."""

_PARAGRAPH_PAUSE: Final = 2 * SAMPLE_RATE
"""Samples of silence between two paragraphs."""

_PARAGRAPH_SENTENCES: Final = 5
"""Sentences of the longest paragraph."""


def results(transcript: Transcript, query: Query) -> dict[str, Any]:
    """Return `results` of the response, with what the query asks for, whose `utterance_pause` is valid."""
    channels = _by_channel(transcript)
    found: dict[str, Any] = {"channels": [_channel(each, query) for each in channels]}
    if flag(query, "utterances"):
        punctuated, pause = is_punctuated(query), utterance_pause(query)
        spoken = [
            _utterance(words, index, punctuated=punctuated)
            for index, channel in enumerate(channels)
            for words in _utterances(_words(channel), pause)
        ]
        found["utterances"] = sorted(spoken, key=itemgetter("start"))
    return found


def _by_channel(transcript: Transcript) -> list[Transcript]:
    """Return the transcript of each channel that was transcribed by itself; the transcript if they are mixed."""
    if transcript.channels is None:
        return [transcript]
    return [
        replace(
            transcript, segments=tuple(each for each in transcript.segments if each.channel == channel), channels=None
        )
        for channel in range(transcript.channels)
    ]


def _words(transcript: Transcript) -> list[Word]:
    return [word for segment in transcript.segments for word in segment.words]


def _channel(transcript: Transcript, query: Query) -> dict[str, Any]:
    punctuated, words = is_punctuated(query), _words(transcript)
    alternative: dict[str, Any] = {
        "transcript": _written(transcript.text, punctuated=punctuated),
        "confidence": confidence(words),
        "words": word_objects(words, punctuated=punctuated),
    }
    if flag(query, "paragraphs") or flag(query, "smart_format"):
        alternative["paragraphs"] = _paragraphs(transcript, punctuated=punctuated)
    channel: dict[str, Any] = {"alternatives": [alternative]}
    if languages_to_detect(query) is not None:
        channel |= _language(transcript)
    return channel


def utterance_pause(query: Query) -> int:
    """Return the samples of silence between two utterances. Raises `InvalidQuery`."""
    pause = decimal(query, "utt_split", 0.0, 60.0)
    return round((_UTTERANCE_PAUSE if pause is None else pause) * SAMPLE_RATE)


def _written(text: str, *, punctuated: bool) -> str:
    return text.strip() if punctuated else plain(text)


def _language(transcript: Transcript) -> dict[str, Any]:
    probabilities = [segment.hypothesis.language_probability for segment in transcript.segments]
    certain = sum(probabilities) / len(probabilities) if probabilities else 0.0
    return {"detected_language": transcript.language, "language_confidence": round(certain, 4)}


def _utterances(words: Sequence[Word], pause: int) -> Iterator[list[Word]]:
    """Yield the words between pauses of so many samples."""
    utterance: list[Word] = []
    for word in words:
        if utterance and word.start - utterance[-1].end >= pause:
            yield utterance
            utterance = []
        utterance.append(word)
    if utterance:
        yield utterance


def _utterance(words: Sequence[Word], channel: int, *, punctuated: bool) -> dict[str, Any]:
    return {
        "start": seconds(words[0].start),
        "end": seconds(words[-1].end),
        "confidence": confidence(words),
        "channel": channel,
        "transcript": _written("".join(word.text for word in words), punctuated=punctuated),
        "words": word_objects(words, punctuated=punctuated),
        "id": str(uuid.uuid4()),
    }


def _paragraphs(transcript: Transcript, *, punctuated: bool) -> dict[str, Any]:
    paragraphs: list[list[Cue]] = []
    for cue in cues(transcript):
        last = paragraphs[-1] if paragraphs else []
        if not last or len(last) == _PARAGRAPH_SENTENCES or cue.start - last[-1].end >= _PARAGRAPH_PAUSE:
            paragraphs.append([])
        paragraphs[-1].append(cue)
    written = [[_written(cue.text, punctuated=punctuated) for cue in paragraph] for paragraph in paragraphs]
    return {
        "transcript": "".join("\n" + " ".join(sentences) for sentences in written),
        "paragraphs": [
            {
                "sentences": [
                    {"text": text, "start": seconds(cue.start), "end": seconds(cue.end)}
                    for text, cue in zip(sentences, paragraph, strict=True)
                ],
                "num_words": sum(len(cue.words) for cue in paragraph),
                "start": seconds(paragraph[0].start),
                "end": seconds(paragraph[-1].end),
            }
            for sentences, paragraph in zip(written, paragraphs, strict=True)
        ],
    }
