"""A call of two synthetic voices, one on each channel, on one websocket of the real service."""

from collections.abc import Callable

import numpy as np
import pytest
from websockets.sync.client import connect

from realtime.audio.formats import Samples
from tests.support.realtime_service import ProtocolClient

pytestmark = pytest.mark.models

RATE = 24_000
COMPLETED = "conversation.item.input_audio_transcription.completed"


def test_a_call_becomes_a_dialogue_without_its_crosstalk(realtime_url: str, spoken: Callable[[str], Samples]) -> None:
    asked, answered = spoken("Where did you put the keys?"), spoken("They are on the kitchen table.")
    channels = np.zeros((2, len(asked) + len(answered) + 3 * RATE), np.float32)
    channels[0, RATE : RATE + len(asked)] = asked
    channels[1, RATE + len(asked) : RATE + len(asked) + len(answered)] = answered
    channels += 10 ** (-30 / 20) * np.roll(channels[::-1], RATE // 100, axis=1)
    audio_format = {"type": "audio/pcm", "rate": RATE, "channels": 2}
    with connect(f"{realtime_url}?intent=transcription") as socket:
        client = ProtocolClient(socket)
        client.send("session.update", session={"audio": {"input": {"format": audio_format}}})
        client.send_audio(channels.T.reshape(-1))
        messages = [*client.until(COMPLETED), *client.until(COMPLETED)]
    committed = [each["channel"] for each in messages if each["type"] == "input_audio_buffer.committed"]
    transcripts = {each["channel"]: each["transcript"] for each in messages if each["type"] == COMPLETED}
    assert committed == [0, 1]
    assert transcripts == {0: "Where did you put the keys?", 1: "They are on the kitchen table."}
