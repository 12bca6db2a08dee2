"""Transcripts as events: OpenAI's `transcript.text.delta` and `transcript.text.done`."""

from http_compat.openai.formats import logprobs, suppressed_field, token_usage
from http_compat.streaming import event
from realtime.offline.transcript import TranscribedSegment, Transcript


def delta(segment: TranscribedSegment, *, first: bool, with_logprobs: bool) -> bytes:
    """What a passage adds to the text. The first begins without a space, as a whole transcript does."""
    text = segment.hypothesis.text
    body = {"type": "transcript.text.delta", "delta": text.lstrip() if first else text}
    return event({**body, "logprobs": logprobs([segment])} if with_logprobs else body)


def done(transcript: Transcript, *, with_logprobs: bool) -> bytes:
    """All of it: the text is what the deltas add up to."""
    body = {
        "type": "transcript.text.done",
        "text": "".join(segment.hypothesis.text for segment in transcript.segments).lstrip(),
        "usage": token_usage(transcript),
        **suppressed_field(transcript),
    }
    return event({**body, "logprobs": logprobs(transcript.segments)} if with_logprobs else body)
