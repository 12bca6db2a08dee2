"""The dialect of WhisperLive."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.catalogue.names import lookup
from realtime.errors import Overloaded
from realtime.session.commands import AppendAudio
from realtime.session.jobs import Transcribe
from realtime.speech.transcript import Hypothesis, Word
from realtime.wire.codec import MAX_PROMPT_CHARACTERS, Close
from realtime.wire.whisperlive.codec import MAX_SEGMENTS, WhisperLiveCodec
from realtime.wire.whisperlive.messages import END_OF_AUDIO
from realtime.wire.whisperlive.samples import SampleConverter
from tests.support.dialect_client import DialectClient, captions_again, golden_captions, handshake
from tests.support.scripted_conversation import Microphone, words_between

GOLDEN = Path(__file__).parents[3] / "data" / "whisperlive_captions.jsonl"
READY = {"uid": "me", "message": "SERVER_READY", "backend": "faster_whisper"}


class Client(DialectClient):
    """A client that has sent its options, and sends 16-bit samples."""

    def __init__(self, *, held: Any = (), **options: Any) -> None:
        super().__init__(WhisperLiveCodec.open, held=held)
        self.microphone = Microphone()
        self.answers = self.send({"uid": "me", "audio_format": "int16", **options})

    def hear(self, *, speech: float = 0.0, silence: float = 0.0) -> list[Any]:
        """Send sound and then silence, 0.32 s at a time; return the messages."""
        before = len(self.frames)
        for sound, seconds in ((self.microphone.speech, speech), (self.microphone.silence, silence)):
            for _ in range(round(seconds / 0.32)):
                self.send(sound(0.32))
        return self.received(before)


def segments(messages: list[Any]) -> list[tuple[str, str, str, bool]]:
    """Return the segments of the last message that has any."""
    newest = [each["segments"] for each in messages if not isinstance(each, Close) and "segments" in each][-1]
    return [(each["start"], each["end"], each["text"].strip(), each["completed"]) for each in newest]


def test_a_client_is_told_that_it_may_send_audio() -> None:
    client = Client()
    assert client.answers == [READY]
    assert client.codec.idle_timeout_seconds is None


def test_the_options_configure_the_session() -> None:
    client = Client(language="de", task="translate", initial_prompt="Riga.", hotwords="Tallinn", model="large-v3")
    config = client.codec.config
    assert (config.language, config.translate, config.prompt) == ("de", True, "Riga. Tallinn")
    assert len(Client(initial_prompt="Riga. " * 1000).codec.config.prompt) == MAX_PROMPT_CHARACTERS
    assert config.recognizer.name == "whisper-base"


def test_the_segment_of_the_turn_in_progress_is_open_and_then_completed() -> None:
    client = Client(language="en")
    spoken = segments(client.hear(speech=1.28))
    assert spoken == [("0.000", "1.280", words_between(0, 1.28), False)]
    heard = segments(client.hear(silence=1.6))
    assert heard == [("0.000", "1.280", words_between(0, 1.28), True)]
    heard = segments(client.hear(speech=0.64))
    assert [completed for *_, completed in heard] == [True, False]


def test_the_language_that_was_detected_is_told_once() -> None:
    client = Client()
    messages = client.hear(speech=1.28, silence=1.6) + client.hear(speech=1.28, silence=1.6)
    assert [each for each in messages if "language" in each] == [{"uid": "me", "language": "en"}]


def test_a_turn_is_cut_into_sentences() -> None:
    client = Client(held=(Transcribe,))
    client.hear(speech=1.28, silence=1.6)
    words = (Word(" One", 0, 3_200, 0.9), Word(" two.", 3_200, 6_400, 0.9), Word(" Three.", 6_400, 9_600, 0.9))
    heard = segments(client.transcribe(Hypothesis(words, "en")))
    assert heard == [("0.000", "0.400", "One two.", True), ("0.400", "0.600", "Three.", True)]


def test_a_turn_whose_words_have_no_times_is_one_segment() -> None:
    client = Client(held=(Transcribe,), language="en")
    client.hear(speech=1.28, silence=1.6)
    heard = segments(client.transcribe("One two. Three."))
    assert [text for _, _, text, _ in heard] == ["One two. Three."]
    assert heard[0][0] == "0.000"


def test_the_last_error_of_a_connection_closes_it_with_its_code() -> None:
    status, close = Client().codec.encode_error(Overloaded("too many sessions"), final=True)
    assert json.loads(str(status)) == {"uid": "me", "status": "ERROR", "message": "too many sessions"}
    assert close == Close(1013, "server_overloaded")


def test_as_many_segments_are_sent_as_the_client_wants() -> None:
    client = Client(send_last_n_segments=2)
    for _ in range(3):
        messages = client.hear(speech=0.64, silence=1.6)
    assert len(segments(messages)) == 2
    assert Client(send_last_n_segments=10**6).codec._completed.maxlen == MAX_SEGMENTS  # type: ignore[attr-defined]


def test_after_the_end_of_the_audio_come_the_last_segment_and_the_end() -> None:
    client = Client(held=(Transcribe,), language="en")
    client.hear(speech=0.64)
    assert client.send(END_OF_AUDIO) == []
    last, close = client.transcribe()
    assert segments([last]) == [("0.000", "0.640", words_between(0, 0.64), True)]
    assert close == Close()


def test_the_end_of_silence_is_the_end() -> None:
    assert Client().send(END_OF_AUDIO) == [Close()]


def test_a_turn_without_text_has_no_segment() -> None:
    client = Client(held=(Transcribe,))
    client.hear(speech=0.64)
    client.send(END_OF_AUDIO)
    assert client.fail(Transcribe) == [Close()]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"uid": "me", "language": "Klingon"}, "me"),
        ({"uid": "me", "audio_format": "int24"}, "me"),
        ({"uid": 3}, None),
        ("no JSON", None),
        (b"\0\0\0\0", None),
        ("[" * 100_000, None),
        ("\ud800", None),
    ],
)
def test_options_that_cannot_be_fulfilled_end_the_connection(options: Any, named: str | None) -> None:
    status, close = DialectClient(WhisperLiveCodec.open).send(options)
    assert (status["uid"], status["status"]) == (named, "ERROR")
    assert isinstance(close, Close)


def test_options_that_cannot_be_fulfilled_are_named() -> None:
    status, _ = DialectClient(WhisperLiveCodec.open).send({"uid": "me", "task": "summarize"})
    assert status["message"] == "Invalid value: 'summarize'. Supported values are: 'transcribe' and 'translate'."


def test_a_model_that_cannot_translate_does_not() -> None:
    english = {"": lookup("whisper-tiny.en")}
    client = DialectClient(WhisperLiveCodec.open, find_recognizer=english.get)
    status, _ = client.send({"uid": "me", "task": "translate"})
    assert status["message"] == "The model 'whisper-tiny.en' cannot translate."


def test_text_after_the_options_is_refused_and_the_connection_goes_on() -> None:
    client = Client(language="en")
    (warning,) = client.send("more options")
    assert (warning["uid"], warning["status"]) == ("me", "WARNING")
    assert segments(client.hear(speech=0.64))[0][2] == words_between(0, 0.64)


def test_nothing_is_taken_after_the_end() -> None:
    client = Client(held=(Transcribe,))
    client.hear(speech=0.64)
    client.send(END_OF_AUDIO)
    (warning,) = client.send(b"\0\0")
    assert warning["message"] == "Nothing can follow the end of the audio."


@pytest.mark.parametrize(
    ("sample_format", "data"),
    [
        ("float32", np.array([0.0, 0.5, -1.0, 2.0, np.nan, np.inf], "<f4").tobytes()),
        ("int16", np.array([0, 16_384, -32_768, 32_767, 0, 0], "<i2").tobytes()),
        ("uint8", bytes([128, 192, 0, 255, 128, 128])),
    ],
)
def test_samples_are_converted_however_the_messages_are_cut(sample_format: Any, data: bytes) -> None:
    converter = SampleConverter(sample_format)
    whole = b"".join(converter.convert(data[start : start + 3]) for start in range(0, len(data), 3))
    samples = np.frombuffer(whole, "<i2").tolist()
    assert samples[:3] == [0, 16_384, -32_768]
    assert samples[3] in (32_767, 32_512)
    assert samples[4:] == [0, 0]


def test_a_client_sends_32_bit_samples_unless_it_says_otherwise() -> None:
    codec = WhisperLiveCodec.open(handshake())
    codec.decode('{"uid": "me"}')
    assert codec.decode(np.array([0.5], "<f4").tobytes()) == [AppendAudio(b"\x00\x40")]


def test_captions_look_as_documented() -> None:
    golden = golden_captions(GOLDEN)
    assert captions_again(golden, WhisperLiveCodec.open) == golden
