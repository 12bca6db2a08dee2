"""What the service and the process of a recognizer say to each other."""

import pickle
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from realtime.catalogue.capabilities import Capabilities
from realtime.engines.recognizer_calls import (
    DECODE,
    ENCODE,
    RecognizerCalls,
    answers_of,
    bytes_of_request,
    capabilities_of,
)
from realtime.errors import EngineError
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.segmentation import Span
from realtime.speech.transcript import Hypothesis, Token, Word

HYPOTHESIS = Hypothesis(
    (Word(" Grüße", 100, 16_000, 0.1 + 0.2, (Token(7, b"\xc3", 1e-9),)),), "de", 0.25, -1 / 3, 1.5, (7, 8), 0.2,
    ended=False, sound=12, sound_edges=-20.5, log_likelihood=-3.0, log_likelihood_ratio=None, language_probability=0.9,
    languages={"de": 0.9, "nl": 0.1}, stretch_languages=({"de": 1.0}, {}),
)  # fmt: skip


class Twice:
    """Decodes a request twice, as is, and then answers with `hypothesis`."""

    capabilities = Capabilities(("en", "de"), translation=True, word_times=True)
    workers = 1
    partial_seconds = 0.125

    def __init__(self, hypothesis: Hypothesis = HYPOTHESIS) -> None:
        self._hypothesis = hypothesis
        self.requests: list[TranscriptionRequest] = []

    def encode(self, request: TranscriptionRequest) -> tuple[TranscriptionRequest, int]:
        self.requests.append(request)
        return request, 2

    def decode(
        self, states: Sequence[tuple[TranscriptionRequest, int]]
    ) -> list[Hypothesis | tuple[TranscriptionRequest, int]]:
        return [(request, left - 1) if left else self._hypothesis for request, left in states]

    def close(self) -> None:
        pass


def test_a_request_and_its_hypothesis_arrive_as_they_are() -> None:
    recognizer = Twice()
    calls = RecognizerCalls(recognizer)
    samples = np.linspace(-1, 1, 400, dtype=np.float32)
    sent = TranscriptionRequest(samples, "de", ("de", "en"), {"de": 0.5}, (Span(0, 400),), hotwords="Grüße")
    answers: list[Hypothesis | bytes] = [calls.call(ENCODE, [bytes_of_request(sent)])]
    while isinstance(state := answers[0], bytes):
        answers = answers_of(calls.call(DECODE, [state]))
    assert answers == [HYPOTHESIS]
    assert isinstance(answers[0], Hypothesis)
    assert answers[0].words[0].tokens == HYPOTHESIS.words[0].tokens  # not compared with words
    (received,) = recognizer.requests
    np.testing.assert_array_equal(received.samples, samples)
    assert (received.language, received.language_prior, received.stretches, received.hotwords) == (
        "de", {"de": 0.5}, (Span(0, 400),), "Grüße",
    )  # fmt: skip


def test_numbers_of_numpy_arrive_as_those_of_python() -> None:
    measured = Hypothesis((), "en", average_log_probability=np.float32(-0.5), sound=np.int64(3))  # type: ignore[arg-type]
    answer = RecognizerCalls(Twice(measured)).call(DECODE, [pickle.dumps((None, 0))])
    assert answers_of(answer) == [Hypothesis((), "en", average_log_probability=-0.5, sound=3)]


def test_what_are_no_hypotheses_is_an_engine_error() -> None:
    for data in (b"", b"\xff", msgspec.msgpack.encode([{"words": 3}])):
        with pytest.raises(EngineError, match="no hypotheses"):
            answers_of(data)


def test_the_capabilities_are_those_of_the_recognizer() -> None:
    calls = RecognizerCalls(Twice())
    assert capabilities_of(msgspec.json.decode(msgspec.json.encode(calls.description))) == Twice.capabilities
