"""Channels that are transcribed by themselves, in the OpenAI dialect."""

import base64
import json
from typing import Any

import pytest

from realtime.audio.formats import AudioFormat, Encoding
from realtime.errors import EngineError
from realtime.session.events import (
    AudioCommitted,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptRevised,
)
from tests.support.openai_dialect import TRANSCRIPTION, Client, Json


def update(**audio_format: Any) -> Json:
    return {"type": "session.update", "session": {"audio": {"input": {"format": audio_format}}}}


def with_audio(client: Client) -> Client:
    client.send({"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(4)).decode()})
    return client


@pytest.mark.parametrize(
    ("asked", "audio_format"),
    [
        ({"type": "audio/pcm", "rate": 24_000, "channels": 2}, AudioFormat(Encoding.PCM16, 24_000, 2)),
        ({"type": "audio/pcmu", "channels": 3}, AudioFormat(Encoding.MULAW, 8_000, 3)),
    ],
)
def test_each_channel_becomes_a_speaker(asked: Json, audio_format: AudioFormat) -> None:
    client = Client(TRANSCRIPTION)
    (updated,) = client.ask(update(**asked))
    assert updated["session"]["audio"]["input"]["format"] == asked
    assert client.codec.config.input_format == audio_format
    assert client.codec.config.speakers == audio_format.channels


def test_one_channel_is_not_shown() -> None:
    (updated,) = Client().ask(update(type="audio/pcm", rate=24_000, channels=1))
    assert updated["session"]["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}


@pytest.mark.parametrize("channels", [0, 9, 1.5, "2"])
def test_an_impossible_number_of_channels_is_refused(channels: object) -> None:
    refused = Client().refusal(json.dumps(update(type="audio/pcm", rate=24_000, channels=channels)))
    assert refused["param"] == "session.audio.input.format.channels"


def test_the_number_of_channels_cannot_change_once_audio_has_been_received() -> None:
    refused = with_audio(Client()).refusal(json.dumps(update(type="audio/pcm", channels=2)))
    assert "once audio has been received" in refused["message"]
    assert refused["param"] == "session.audio.input.format.channels"


def test_the_encoding_of_the_channels_can_change_at_any_time() -> None:
    client = Client()
    client.ask(update(type="audio/pcmu", channels=2))
    (updated,) = with_audio(client).ask(update(type="audio/pcm", rate=24_000, channels=2))
    assert updated["type"] == "session.updated"


def test_the_channels_of_a_container_are_refused() -> None:
    refused = Client().refusal(json.dumps(update(type="audio/webm", channels=2)))
    assert "container" in refused["message"]


@pytest.mark.parametrize(("channel", "shown"), [(1, {"channel": 1}), (None, {})])
def test_every_event_about_a_speaker_has_their_channel(channel: int | None, shown: Json) -> None:
    client = Client(TRANSCRIPTION, detailed=True)
    messages = client.tell(
        SpeechStarted("item_1", 0, channel=channel),
        SpeechStopped("item_1", 16_000, channel=channel),
        AudioCommitted("item_1", channel=channel),
        TranscriptExtended("item_1", "Hello", channel=channel),
        TranscriptRevised("item_1", (), (), 16_000, channel=channel),
        TranscriptCompleted("item_1", "Hello", (), "en", 16_000, channel=channel),
        TranscriptFailed("item_1", EngineError("scripted"), channel=channel),
    )
    assert len(messages) == 9
    for message in messages:
        about = message.get("item", message)
        assert {name: value for name, value in about.items() if name == "channel"} == shown
