"""What the echo gate is told of the answers that a client plays."""

from dataclasses import replace
from typing import Final

import numpy as np

from realtime.audio.formats import SAMPLE_RATE, WINDOW, AudioFormat, Encoding, encode
from realtime.edge.playback import Playback
from realtime.session.config import Modality
from realtime.session.events import SpeechStarted
from realtime.session.response_events import Response, ResponseAudioExtended, ResponseFinished, ResponseStatus
from realtime.speech.echo_gate import EchoGate

PCM24: Final = AudioFormat(Encoding.PCM16, 24_000)
SOUND: Final = 0.1 * np.random.default_rng(0).standard_normal(24_000).astype(np.float32)
RESPONSE: Final = Response("resp_1", True, Modality.AUDIO, PCM24, "calm", None, None)


def lets_through(*events: ResponseAudioExtended | ResponseFinished | SpeechStarted) -> bool:
    """Return whether speech passes right after these events."""
    gate = EchoGate()
    playback = Playback(gate)
    for event in events:
        playback.sent(event)
    windows = SOUND[: 4 * WINDOW].reshape(-1, WINDOW)
    return gate.filter(windows, [1.0] * 4) == [1.0] * 4


def audio(response: Response = RESPONSE) -> ResponseAudioExtended:
    return ResponseAudioExtended(response, 0, "item_1", encode(SOUND, response.output_format.encoding), 0)


def test_an_answer_may_come_back() -> None:
    assert not lets_through(audio())


def test_an_answer_may_change_its_format() -> None:
    telephone = replace(RESPONSE, output_format=AudioFormat(Encoding.MULAW, 8_000))
    assert not lets_through(audio(), audio(telephone))


def test_a_response_outside_of_the_conversation_need_not_be_played() -> None:
    assert lets_through(audio(replace(RESPONSE, in_conversation=False)))


def test_a_response_that_is_interrupted_or_cancelled_ends_at_once() -> None:
    later = [np.zeros((SAMPLE_RATE // WINDOW, WINDOW), np.float32)] * 2
    for end in (SpeechStarted("item_2", 0, interrupts=True), ResponseFinished(RESPONSE, ResponseStatus.CANCELLED)):
        gate = EchoGate()
        playback = Playback(gate)
        playback.sent(audio())
        playback.sent(end)
        for windows in later:
            gate.filter(windows, [0.0] * len(windows))
        assert gate.filter(SOUND[None, :WINDOW], [1.0]) == [1.0]
