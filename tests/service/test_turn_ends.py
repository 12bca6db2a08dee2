"""Where turns end by meaning: the detector and the end-of-turn model, with a session and without a server."""

from itertools import count
from typing import Literal

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, Encoding, Samples, encode
from realtime.audio.resampler import Resampler
from realtime.engines.hibari import Hibari
from realtime.engines.silero import Silero
from realtime.engines.smart_turn import SmartTurn
from realtime.session.commands import AppendAudio
from realtime.session.events import SpeechStopped
from realtime.session.jobs import ScoreTurn, ScoreWindows, TurnScored, WindowsScored
from realtime.session.session import Session
from realtime.speech.endpointing import TurnDetection
from realtime.wire.openai.session_update import SemanticVad
from tests.support.bundled_models import require_packages
from tests.support.scripted_conversation import configured

pytestmark = pytest.mark.models

SENTENCE = "I would like to book a table for two people tomorrow evening."


@pytest.fixture(scope="module")
def sentence() -> Samples:
    """Return a sentence of 3 s at 16 kHz, without silence at its end."""
    require_packages("hibari", "pipecat", "silero_vad")
    voice = Hibari()
    spoken = np.concatenate(list(voice.synthesize(SENTENCE, voice.voices[0], 1.0)))
    at_16_khz = Resampler(voice.sample_rate, SAMPLE_RATE).process(spoken)
    return at_16_khz[: int(np.flatnonzero(np.abs(at_16_khz) > 0.02)[-1])]


def paused(sentence: Samples, at: int, seconds: float) -> Samples:
    """Return the sentence with a pause in it, and silence after it."""
    return np.concatenate([sentence[:at], silence(seconds), sentence[at:], silence(3.0)])


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def ends(audio: Samples, detection: TurnDetection) -> list[float]:
    """Return the seconds at which turns end."""
    detector, model, numbers = Silero(), SmartTurn(), count()
    session = Session(
        configured(turn_detection=detection, transcribe=False), lambda prefix: f"{prefix}_{next(numbers)}"
    )
    outputs = session.receive(AppendAudio(encode(audio, Encoding.PCM16)), 0.0)
    found = []
    while outputs:
        match outputs.pop(0):
            case ScoreWindows(number, windows, state):
                state = detector.initial_state() if state is None else state
                ((probabilities, after),) = detector.score([(windows, state)])
                outputs += session.receive(WindowsScored(number, probabilities, after), 0.0)
            case ScoreTurn(number, samples):
                outputs += session.receive(TurnScored(number, model.score(samples)), 0.0)
            case SpeechStopped(_, at):
                found.append(at / SAMPLE_RATE)
    return found


@pytest.mark.parametrize("eagerness", ["high", "medium", "low"])
def test_a_pause_within_a_phrase_does_not_end_the_turn(
    sentence: Samples, eagerness: Literal["high", "medium", "low"]
) -> None:
    audio = paused(sentence, len(sentence) * 17 // 20, 0.8)  # after "for two people to", which is no end in any tone
    assert len(ends(audio, TurnDetection())) == 2
    assert len(ends(audio, SemanticVad(eagerness=eagerness).detection())) == 1


def test_a_speaker_who_has_finished_need_not_wait(sentence: Samples) -> None:
    (end,) = ends(paused(sentence, 0, 0.0), SemanticVad(eagerness="high").detection())
    assert end - len(sentence) / SAMPLE_RATE < 1.0
