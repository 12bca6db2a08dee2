"""Transcribing several speech segments of a recording concurrently, with results in order."""

import asyncio
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
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


class NewestFirst(ScriptedRecognizer):
    """A recognizer that answers the newest of the waiting requests first."""

    def __init__(self) -> None:
        super().__init__("whisper-base")
        self.waiting: list[asyncio.Event] = []
        self.max_waiting = 0

    async def transcribe(self, request: TranscriptionRequest, priority: Priority, client_id: ClientId) -> Hypothesis:
        turn = asyncio.Event()
        self.waiting.append(turn)
        self.max_waiting = max(self.max_waiting, len(self.waiting))
        asyncio.get_running_loop().call_soon(self._answer_newest)
        await turn.wait()
        return await super().transcribe(request, priority, client_id)

    def _answer_newest(self) -> None:
        self.waiting.pop().set()


def transcribed(
    recognizer: ScriptedRecognizer, options: OfflineOptions, samples: Samples = LONG, *, vad_filter: bool = True
) -> list[TranscribedSegment]:
    async def run() -> list[TranscribedSegment]:
        segmenter = SpeechSegmenter(ScriptedDetector(), TurnDetection(), vad_filter=vad_filter)
        transcriber = OfflineTranscriber(recognizer, options, ClientId("", "upload"))

        async def speech_segments() -> Any:
            async for speech_segment in segmenter.add(samples):
                yield speech_segment
            async for speech_segment in segmenter.finish():
                yield speech_segment

        return [segment async for segment in transcriber.segments(speech_segments())]

    return asyncio.run(run())


def test_with_a_known_language_four_segments_are_concurrent_and_in_order() -> None:
    recognizer = NewestFirst()
    segments = transcribed(recognizer, OfflineOptions(("en",)))
    assert [segment.hypothesis.text for segment in segments] == [f" {pitch}." for pitch in PITCHES]
    assert recognizer.max_waiting == MAX_CONCURRENT_SEGMENTS == 4


def test_one_segment_at_a_time_is_transcribed_until_the_language_is_known() -> None:
    recognizer = NewestFirst()
    recognizer.decorate = lambda request, said: said if len(recognizer.requests) > 2 else Hypothesis((), "zh")
    quiet = np.concatenate([tone(11), silence(3)])
    transcribed(recognizer, OfflineOptions(), np.concatenate([quiet] * 8))
    languages = [request.language for request in recognizer.requests]
    assert languages == [None] * 3 + ["fr"] * 5
    assert recognizer.max_waiting > 1


def test_segments_that_depend_on_the_previous_text_are_transcribed_one_by_one() -> None:
    recognizer = NewestFirst()
    transcribed(recognizer, OfflineOptions(("en",), condition_on_previous_text=True))
    assert recognizer.max_waiting == 1


def test_a_failed_segment_cancels_the_others() -> None:
    recognizer = ScriptedRecognizer("whisper-base")
    recognizer.failure, recognizer.fails_after = EngineError("It broke."), 2
    with pytest.raises(EngineError):
        transcribed(recognizer, OfflineOptions(("en",)))
    assert len(recognizer.requests) <= 2 + MAX_CONCURRENT_SEGMENTS


@pytest.mark.parametrize("vad_filter", [True, False])
def test_the_recognizer_is_told_where_voice_was_detected(*, vad_filter: bool) -> None:
    recognizer = ScriptedRecognizer("whisper-base")
    samples = np.concatenate([silence(1), tone(1), silence(1.5), tone(1), silence(1)])
    transcribed(recognizer, OfflineOptions(languages=("en",)), samples, vad_filter=vad_filter)
    (request,) = recognizer.requests
    loud = np.flatnonzero(request.samples)
    edges = [loud[0], loud[0] + SAMPLE_RATE, loud[-1] - SAMPLE_RATE, loud[-1]]
    found = [edge for span in request.voice for edge in (span.start, span.end)]
    assert found == pytest.approx(edges, abs=WINDOW)
