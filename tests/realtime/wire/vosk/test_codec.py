"""The dialect of vosk-server."""

from pathlib import Path
from typing import Any

import pytest

from realtime.errors import ClientError, Overloaded
from realtime.session.jobs import ScoreWindows, Transcribe
from realtime.wire.codec import MAX_PROMPT_CHARACTERS, Close
from realtime.wire.vosk.codec import VoskCodec
from tests.support.dialect_client import DialectClient, captions_again, golden_captions, handshake
from tests.support.scripted_conversation import Microphone, words_between

GOLDEN = Path(__file__).parents[3] / "data" / "vosk_captions.jsonl"
NOTHING = {"partial": ""}


class Client(DialectClient):
    """A client at 16 kHz that sends 0.32 s at a time and waits for the answer, as Vosk's do."""

    def __init__(self, *, held: Any = (), **config: Any) -> None:
        super().__init__(VoskCodec.open, held=held)
        self.microphone = Microphone()
        assert self.send({"config": {"sample_rate": 16_000, **config}}) == []

    def hear(self, *, speech: float = 0.0, silence: float = 0.0) -> list[Any]:
        """Send sound and then silence; return the answers."""
        answers = []
        for sound, seconds in ((self.microphone.speech, speech), (self.microphone.silence, silence)):
            for _ in range(round(seconds / 0.32)):
                answers += self.send(sound(0.32))
        return answers


def test_a_client_without_a_config_sends_8_khz() -> None:
    client = DialectClient(VoskCodec.open)
    assert client.send(bytes(16_000)) == [NOTHING]
    assert client.codec.config.input_format.sample_rate == 8_000
    assert client.codec.idle_timeout_seconds is None


def test_the_language_is_named_in_the_query() -> None:
    codec = VoskCodec.open(handshake(query={"language": ["de-DE"]}))
    assert codec.config.language == "de"
    with pytest.raises(ClientError):
        VoskCodec.open(handshake(query={"language": ["Klingon"]}))


def test_every_message_of_audio_has_one_answer() -> None:
    answers = Client().hear(speech=3.2, silence=1.6)
    assert len(answers) == 15
    assert [each for each in answers if "text" in each] == [
        {
            "text": words_between(0, 3.2),
            "result": [{"conf": 0.7, "end": 0.32 * (n + 1), "start": 0.32 * n, "word": f"w{n}"} for n in range(10)],
        }
    ]
    assert answers[7]["partial"].startswith("w0 w1")
    assert answers[-1] == NOTHING


def test_an_answer_waits_until_its_audio_has_been_heard() -> None:
    client = Client(held=(ScoreWindows,))
    assert client.hear(silence=0.32) == []
    before = len(client.frames)
    client.conversation.release(ScoreWindows)
    client.wait(0.0)
    assert client.received(before) == [NOTHING]


def test_an_answer_waits_for_the_transcript_of_the_utterance_that_ended_in_its_audio() -> None:
    client = Client(held=(Transcribe,))
    answers = client.hear(speech=0.64, silence=1.6)
    assert answers == [NOTHING] * len(answers)
    (result, *partials) = client.transcribe()
    assert result["text"] == words_between(0, 0.64)
    assert partials == [NOTHING] * (6 - len(answers))


def test_the_answer_to_eof_waits_for_all_transcripts_and_ends_the_connection() -> None:
    client = Client(held=(Transcribe,))
    client.hear(speech=0.64)
    assert client.send('{"eof" : 1}') == []
    result, close = client.transcribe()
    assert (result["text"], close) == (words_between(0, 0.64), Close())


def test_eof_after_silence_has_an_empty_text() -> None:
    client = Client()
    client.hear(silence=0.64)
    assert client.send('{"eof" : 1}') == [{"text": ""}, Close()]


def test_after_a_reset_the_next_utterance_follows() -> None:
    client = Client()
    client.hear(speech=0.64)
    assert [each["text"] for each in client.send('{"reset" : 1}')] == [words_between(0, 0.64)]
    client.hear(speech=0.64)
    assert [each["text"] for each in client.send('{"reset" : 1}')] == [words_between(0.64, 1.28)]
    assert client.closed is None


def test_of_an_utterance_that_cannot_be_transcribed_the_text_before_is_kept() -> None:
    client = Client(held=(Transcribe,))
    client.hear(speech=0.64)
    client.send('{"eof" : 1}')
    assert client.fail(Transcribe) == [{"text": ""}, Close()]


def test_words_are_left_out_where_the_client_does_not_want_them() -> None:
    client = Client(words=0)
    client.hear(speech=0.64)
    assert client.send('{"reset" : 1}') == [{"text": words_between(0, 0.64)}]


def test_a_client_that_wants_alternatives_gets_one() -> None:
    client = Client(max_alternatives=3, words=False)
    client.hear(speech=0.64)
    assert client.send('{"reset" : 1}') == [
        {"alternatives": [{"confidence": pytest.approx(0.7), "text": words_between(0, 0.64)}]}
    ]
    assert client.send('{"eof" : 1}') == [{"alternatives": [{"confidence": 0.0, "text": ""}]}, Close()]


def test_the_phrases_of_the_list_are_names_to_expect() -> None:
    client = Client(phrase_list=["Riga Tallinn", "[unk]", "Vilnius"])
    assert client.codec.config.prompt == "Riga Tallinn, Vilnius"
    assert len(Client(phrase_list=["Riga Tallinn"] * 1000).codec.config.prompt) == MAX_PROMPT_CHARACTERS


@pytest.mark.parametrize("rate", [1e300, -1, 0, 100, "nan", "inf"])
def test_a_sample_rate_out_of_range_ends_the_connection(rate: Any) -> None:
    error, close = DialectClient(VoskCodec.open).send({"config": {"sample_rate": rate}})
    assert "sample rate" in error["error"]
    assert close == Close(1003, "unsupported_audio")


@pytest.mark.parametrize(
    "message",
    [
        "no JSON",
        "[]",
        "null",
        "{}",
        '{"eof": 0}',
        '{"config": 3}',
        '{"config": {"words": "maybe"}}',
        "[" * 10**5,
        "\ud800",
    ],
)
def test_a_message_that_is_refused_has_one_answer_and_the_connection_goes_on(message: str) -> None:
    client = Client()
    (error,) = client.send(message)
    assert error.keys() == {"error"}
    client.hear(speech=0.64)
    assert [each["text"] for each in client.send('{"reset" : 1}')] == [words_between(0, 0.64)]


def test_nothing_is_taken_after_eof() -> None:
    client = Client(held=(ScoreWindows,))
    client.hear(silence=0.32)
    client.send('{"eof" : 1}')
    assert client.send(b"\0\0") == [{"error": "Nothing can follow eof."}]


def test_the_last_error_of_a_connection_closes_it_with_its_code() -> None:
    error, close = VoskCodec.open(handshake()).encode_error(Overloaded("too many sessions"), final=True)
    assert (error, close) == ('{"error":"too many sessions"}', Close(1013, "server_overloaded"))


def test_captions_look_as_documented() -> None:
    golden = golden_captions(GOLDEN)
    assert captions_again(golden, VoskCodec.open) == golden


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"sample_rate": "fast"}, "'config.sample_rate': expected a number, but got a string"),
        ({"words": "maybe"}, "'config.words': expected a boolean, but got a string"),
        ({"max_alternatives": 1.5}, "'config.max_alternatives': expected an integer, but got a decimal"),
    ],
)
def test_a_config_that_is_refused_names_its_field(config: dict[str, Any], error: str) -> None:
    (refusal,) = Client().send({"config": config})
    assert refusal["error"] == f"Invalid type for {error} instead."
