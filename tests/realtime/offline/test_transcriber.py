"""Transcribing several speech segments of a recording concurrently, with results in order."""

import asyncio
from dataclasses import replace
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
from realtime.speech.language_evidence import likeliest_language
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from tests.support.recordings import silence, tone
from tests.support.scripted_models import ScriptedDetector, ScriptedRecognizer
from tests.support.uploads import LONG


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
    return transcription(recognizer, options, samples, vad_filter=vad_filter)[0]


def language_of(recognizer: ScriptedRecognizer, samples: Samples) -> str | None:
    return transcription(recognizer, OfflineOptions(), samples)[1]


def transcription(
    recognizer: ScriptedRecognizer, options: OfflineOptions, samples: Samples, *, vad_filter: bool = True
) -> tuple[list[TranscribedSegment], str | None]:
    async def run() -> tuple[list[TranscribedSegment], str | None]:
        segmenter = SpeechSegmenter(ScriptedDetector(), TurnDetection(), vad_filter=vad_filter)
        transcriber = OfflineTranscriber(recognizer, options, ClientId("", "upload"))

        async def speech_segments() -> Any:
            async for speech_segment in segmenter.add(samples):
                yield speech_segment
            async for speech_segment in segmenter.finish():
                yield speech_segment

        return [segment async for segment in transcriber.segments(speech_segments())], transcriber.language

    return asyncio.run(run())


def test_with_a_known_language_a_dozen_segments_are_concurrent_and_in_order() -> None:
    recognizer = NewestFirst()
    pitches = range(300, 1000, 50)
    speech = np.concatenate([part for pitch in pitches for part in (tone(1, pitch), silence(3))])
    segments = transcribed(recognizer, OfflineOptions(("en",)), speech)
    assert [segment.hypothesis.text for segment in segments] == [f" {pitch}." for pitch in pitches]
    assert recognizer.max_waiting == MAX_CONCURRENT_SEGMENTS == 12


def languages_by_pitch(recognizer: ScriptedRecognizer, **languages: dict[str, float]) -> None:
    """Let the recognizer detect languages by the pitch of a segment."""

    def detected(request: TranscriptionRequest, said: Hypothesis) -> Hypothesis:
        if request.language or not said.words:
            return said
        probabilities = languages[f"p{said.text.strip(' .')}"]
        detected = likeliest_language(probabilities, request.language_prior)
        return replace(
            said, language=detected.language, language_probability=detected.probability, languages=probabilities
        )

    recognizer.decorate = detected


def test_a_doubtful_first_segment_is_decoded_again_in_the_language_of_those_that_follow() -> None:
    recognizer = ScriptedRecognizer("whisper-base")
    languages_by_pitch(recognizer, p300={"en": 0.5, "de": 0.4}, p500={"de": 0.99})
    recording = np.concatenate([tone(1.2, 300), silence(3), tone(11, 500), silence(3), tone(11, 500)])
    segments = transcribed(recognizer, OfflineOptions(), recording)
    assert [segment.hypothesis.language for segment in segments] == ["de"] * 3
    assert [request.language for request in recognizer.requests].count("de") == 1


def test_a_segment_clearly_in_another_language_keeps_it() -> None:
    recognizer = ScriptedRecognizer("whisper-base")
    languages_by_pitch(recognizer, p300={"en": 0.99}, p500={"de": 0.99})
    recording = np.concatenate([tone(11, 500), silence(3), tone(11, 300), silence(3), tone(11, 500)])
    segments = transcribed(recognizer, OfflineOptions(), recording)
    assert [segment.hypothesis.language for segment in segments] == ["de", "en", "de"]


def test_with_several_languages_a_segment_is_told_by_itself() -> None:
    recognizer = ScriptedRecognizer("whisper-base")
    languages_by_pitch(recognizer, p300={"en": 0.5, "de": 0.4}, p500={"de": 0.99})
    recording = np.concatenate([tone(11, 500), silence(3), tone(1.2, 300), silence(3), tone(11, 500)])
    segments = transcribed(recognizer, OfflineOptions(multilingual=True), recording)
    assert [segment.hypothesis.language for segment in segments] == ["de", "en", "de"]


def test_a_segment_in_two_languages_is_divided_where_they_change() -> None:
    recognizer = ScriptedRecognizer("whisper-base")

    def two(request: TranscriptionRequest, said: Hypothesis) -> Hypothesis:
        if request.language:
            return said
        english, german = {"en": 0.99}, {"de": 0.99}
        return replace(said, language="en", languages=english, stretch_languages=(english, german))

    recognizer.decorate = two
    recording = np.concatenate([tone(3, 300), silence(1), tone(4, 500)])
    segments = transcribed(recognizer, OfflineOptions(), recording)
    assert [(segment.hypothesis.language, segment.hypothesis.text) for segment in segments] == [
        ("en", " 300."),
        ("de", " 500."),
    ]
    assert segments[1].start > 3 * SAMPLE_RATE


def test_the_language_of_a_recording_is_that_of_most_of_its_speech() -> None:
    recognizer = ScriptedRecognizer("whisper-base")
    languages_by_pitch(recognizer, p300={"en": 0.99}, p500={"de": 0.99})
    recording = np.concatenate([tone(2, 300), silence(3), tone(11, 500), silence(3), tone(2, 300)])
    assert language_of(recognizer, recording) == "de"


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
