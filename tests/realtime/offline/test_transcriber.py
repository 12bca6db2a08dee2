"""Several excerpts of one recording at the same time, and yet in order."""

import asyncio
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import Samples
from realtime.errors import EngineError
from realtime.offline.options import OfflineOptions
from realtime.offline.speech_segments import SpeechSegmenter
from realtime.offline.transcriber import MAX_CONCURRENT_SEGMENTS, OfflineTranscriber
from realtime.offline.transcript import TranscribedSegment
from realtime.scheduling.priority import ClientId, Priority
from realtime.speech.endpointing import TurnDetection
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from tests.support.recordings import silence, tone
from tests.support.scripted_models import ScriptedDetector, ScriptedRecognizer
from tests.support.uploads import LONG, PITCHES


class Reversed(ScriptedRecognizer):
    """Answers the newest of the requests that wait first."""

    def __init__(self) -> None:
        super().__init__("whisper-base")
        self.waiting: list[asyncio.Event] = []
        self.most = 0

    async def transcribe(self, request: TranscriptionRequest, priority: Priority, client_id: ClientId) -> Hypothesis:
        turn = asyncio.Event()
        self.waiting.append(turn)
        self.most = max(self.most, len(self.waiting))
        asyncio.get_running_loop().call_soon(self._answer_newest)
        await turn.wait()
        return await super().transcribe(request, priority, client_id)

    def _answer_newest(self) -> None:
        self.waiting.pop().set()


def written(
    recognizer: ScriptedRecognizer, options: OfflineOptions, samples: Samples = LONG
) -> list[TranscribedSegment]:
    async def write() -> list[TranscribedSegment]:
        recording = SpeechSegmenter(ScriptedDetector(), TurnDetection(), vad_filter=True)
        writing = OfflineTranscriber(recognizer, options, ClientId("", "upload"))

        async def speech_segments() -> Any:
            async for speech_segment in recording.add(samples):
                yield speech_segment
            async for speech_segment in recording.finish():
                yield speech_segment

        return [segment async for segment in writing.segments(speech_segments())]

    return asyncio.run(write())


def test_where_the_language_is_known_four_are_under_way_and_the_answers_in_order() -> None:
    recognizer = Reversed()
    segments = written(recognizer, OfflineOptions(("en",)))
    assert [segment.hypothesis.text for segment in segments] == [f" {pitch}." for pitch in PITCHES]
    assert recognizer.most == MAX_CONCURRENT_SEGMENTS == 4


def test_until_the_language_is_known_there_is_one() -> None:
    recognizer = Reversed()
    recognizer.decorate = lambda request, said: said if len(recognizer.requests) > 2 else Hypothesis((), "zh")
    quiet = np.concatenate([tone(11), silence(3)])
    written(recognizer, OfflineOptions(), np.concatenate([quiet] * 8))
    languages = [request.language for request in recognizer.requests]
    assert languages == [None] * 3 + ["fr"] * 5
    assert recognizer.most > 1


def test_where_each_depends_on_the_one_before_there_is_one() -> None:
    recognizer = Reversed()
    written(recognizer, OfflineOptions(("en",), condition_on_previous_text=True))
    assert recognizer.most == 1


def test_one_that_fails_stops_the_others() -> None:
    recognizer = ScriptedRecognizer("whisper-base")
    recognizer.failure, recognizer.fails_after = EngineError("It broke."), 2
    with pytest.raises(EngineError):
        written(recognizer, OfflineOptions(("en",)))
    assert len(recognizer.requests) <= 2 + MAX_CONCURRENT_SEGMENTS
