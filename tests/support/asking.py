"""A recognizer asked without a service around it."""

from collections.abc import Sequence

from realtime.engines.base import Encoded, Recognizer
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis


def answers(recognizer: Recognizer, requests: Sequence[TranscriptionRequest]) -> list[Hypothesis]:
    """All requests together, decoded until every one has its answer."""
    waiting: dict[int, Encoded] = {index: recognizer.encode(request) for index, request in enumerate(requests)}
    found: dict[int, Hypothesis] = {}
    while waiting:
        for index, answer in zip(tuple(waiting), recognizer.decode([*waiting.values()]), strict=True):
            waiting.pop(index)
            if isinstance(answer, Hypothesis):
                found[index] = answer
            else:
                waiting[index] = answer
    return [found[index] for index in range(len(requests))]


def answer(recognizer: Recognizer, request: TranscriptionRequest) -> Hypothesis:
    """One request by itself."""
    return answers(recognizer, [request])[0]
