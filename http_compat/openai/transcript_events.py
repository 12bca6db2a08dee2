"""Streamed transcripts: OpenAI's events `transcript.text.delta` and `transcript.text.done`."""

from typing import Final

from http_compat.openai.formats import logprobs, token_usage
from http_compat.streaming import event
from realtime.offline.formats import channel_field, streamed, suppressed_field, track_field, word_object
from realtime.offline.transcript import TranscribedSegment, Transcript

MAX_PADDING: Final = 1.0
"""Seconds by which the decoded audio may be longer than the packets say, so that the total stays the same."""


def delta(segment: TranscribedSegment, *, first: bool, with_logprobs: bool, with_words: bool) -> bytes:
    """Encode the text of one segment; the `first` one has no leading space, as the whole text has none.

    Its words with their times, and its language, are an extension.
    """
    body = {"type": "transcript.text.delta", "delta": streamed(segment, first=first), **channel_field(segment.channel)}
    if with_words:
        body["words"] = [word_object(word) | {"probability": word.probability} for word in segment.words]
        body["language"] = segment.hypothesis.language
    return event({**body, "logprobs": logprobs([segment])} if with_logprobs else body)


def done(transcript: Transcript, *, with_logprobs: bool) -> bytes:
    """Encode the whole text, which is the concatenation of the deltas."""
    body = {
        "type": "transcript.text.done",
        "text": "".join(streamed(each, first=not index) for index, each in enumerate(transcript.segments)),
        "usage": token_usage(transcript),
        **suppressed_field(transcript),
        **track_field(transcript),
    }
    return event({**body, "logprobs": logprobs(transcript.segments)} if with_logprobs else body)


def progress(seconds: float, total_seconds: float | None) -> bytes:
    """Encode how many seconds of the recording are done, and how many it has, if that is known; an extension."""
    body = {"type": "x.transcript.progress"}
    if total_seconds is None:
        return event({**body, "seconds": round(seconds, 2)})
    if seconds > total_seconds + MAX_PADDING:
        total_seconds = seconds
    return event({**body, "seconds": round(min(seconds, total_seconds), 2), "total_seconds": round(total_seconds, 2)})
