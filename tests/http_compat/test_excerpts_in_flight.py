"""Several excerpts of one recording at the same time, and yet in order."""

import asyncio
from typing import Any, cast

import numpy as np
import pytest
from recordings import silence, tone
from scripted_models import ScriptedDetector, ScriptedRecognizer
from uploads import LONG, PITCHES

from http_compat.fields import Fields
from http_compat.formats import Passage
from http_compat.forms import TranscriptionForm, read_fields
from http_compat.recording import Recording
from http_compat.writing import AT_ONCE, Writing
from realtime.audio import Samples
from realtime.endpointing import TurnDetection
from realtime.errors import EngineError
from realtime.events import Priority
from realtime.load import Owner
from realtime.transcript import Hypothesis, TranscriptionRequest


class Reversed(ScriptedRecognizer):
    """Answers the newest of the requests that wait first."""

    def __init__(self) -> None:
        super().__init__("whisper-base")
        self.waiting: list[asyncio.Event] = []
        self.most = 0

    async def transcribe(self, request: TranscriptionRequest, priority: Priority, owner: Owner) -> Hypothesis:
        turn = asyncio.Event()
        self.waiting.append(turn)
        self.most = max(self.most, len(self.waiting))
        asyncio.get_running_loop().call_soon(self._answer_newest)
        await turn.wait()
        return await super().transcribe(request, priority, owner)

    def _answer_newest(self) -> None:
        self.waiting.pop().set()


def wanted(**texts: str) -> TranscriptionForm:
    fields = Fields()
    for name, text in {"model": "whisper-1", **texts}.items():
        fields.add(name, text)
    return read_fields(fields)


def written(recognizer: ScriptedRecognizer, form: TranscriptionForm, samples: Samples = LONG) -> list[Passage]:
    async def write() -> list[Passage]:
        recording = Recording(cast("Any", ScriptedDetector()), TurnDetection(), detected=True)
        writing = Writing(cast("Any", recognizer), form, Owner("", "upload"), translate=False)

        async def excerpts() -> Any:
            async for excerpt in recording.hear(samples):
                yield excerpt
            async for excerpt in recording.finish():
                yield excerpt

        return [passage async for passage in writing.passages(excerpts())]

    return asyncio.run(write())


def test_where_the_language_is_known_four_are_under_way_and_the_answers_in_order() -> None:
    recognizer = Reversed()
    passages = written(recognizer, wanted(language="en"))
    assert [passage.hypothesis.text for passage in passages] == [f" {pitch}." for pitch in PITCHES]
    assert recognizer.most == AT_ONCE == 4


def test_until_the_language_is_known_there_is_one() -> None:
    recognizer = Reversed()
    recognizer.decorate = lambda request, said: said if len(recognizer.requests) > 2 else Hypothesis((), "zh")
    quiet = np.concatenate([tone(11), silence(3)])
    written(recognizer, wanted(), np.concatenate([quiet] * 8))
    languages = [request.language for request in recognizer.requests]
    assert languages == [None] * 3 + ["fr"] * 5
    assert recognizer.most > 1


def test_where_each_depends_on_the_one_before_there_is_one() -> None:
    recognizer = Reversed()
    written(recognizer, wanted(language="en", condition_on_previous_text="true"))
    assert recognizer.most == 1


def test_one_that_fails_stops_the_others() -> None:
    recognizer = ScriptedRecognizer("whisper-base")
    recognizer.failure, recognizer.fails_after = EngineError("It broke."), 2
    with pytest.raises(EngineError):
        written(recognizer, wanted(language="en"))
    assert len(recognizer.requests) <= 2 + AT_ONCE
