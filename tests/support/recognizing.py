"""A recognizer called directly, without a scheduler."""

from collections.abc import Sequence
from typing import TypeVar

from realtime.engines.base import Recognizer
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis

State = TypeVar("State")


def transcribe_all(recognizer: Recognizer[State], requests: Sequence[TranscriptionRequest]) -> list[Hypothesis]:
    """Transcribe requests in one batch, decoding until each has its hypothesis."""
    waiting: dict[int, State] = {index: recognizer.encode(request) for index, request in enumerate(requests)}
    found: dict[int, Hypothesis] = {}
    while waiting:
        for index, answer in zip(tuple(waiting), recognizer.decode([*waiting.values()]), strict=True):
            waiting.pop(index)
            if isinstance(answer, Hypothesis):
                found[index] = answer
            else:
                waiting[index] = answer
    return [found[index] for index in range(len(requests))]


def transcribe(recognizer: Recognizer[State], request: TranscriptionRequest) -> Hypothesis:
    """Transcribe one request."""
    return transcribe_all(recognizer, [request])[0]
