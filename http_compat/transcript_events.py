"""Transcripts as events: OpenAI's `transcript.text.delta` and `transcript.text.done`."""

from http_compat.formats import Passage, Transcript, logprobs, suppressed, token_usage
from http_compat.streams import event


def delta(passage: Passage, *, first: bool, with_logprobs: bool) -> bytes:
    """What a passage adds to the text. The first begins without a space, as a whole transcript does."""
    text = passage.hypothesis.text
    body = {"type": "transcript.text.delta", "delta": text.lstrip() if first else text}
    return event({**body, "logprobs": logprobs([passage])} if with_logprobs else body)


def done(transcript: Transcript, *, with_logprobs: bool) -> bytes:
    """All of it: the text is what the deltas add up to."""
    body = {
        "type": "transcript.text.done",
        "text": "".join(passage.hypothesis.text for passage in transcript.passages).lstrip(),
        "usage": token_usage(transcript),
        **suppressed(transcript),
    }
    return event({**body, "logprobs": logprobs(transcript.passages)} if with_logprobs else body)
