import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from realtime.errors import EngineError, Overloaded, SessionIdle, UnsupportedAudio
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptRevised,
)
from realtime.session.jobs import ScoreWindows, Transcribe
from realtime.speech.transcript import Word
from realtime.wire.codec import Close
from realtime.wire.deepgram.listen import IDLE_SECONDS
from tests.support.deepgram_client import DeepgramClient, Json, opened
from tests.support.scripted_conversation import Microphone
from tests.support.stereo_call import call

GOLDEN = Path(__file__).parents[3] / "data" / "deepgram_listen.jsonl"
FINALIZE, CLOSE, KEEP_ALIVE = ({"type": each} for each in ("Finalize", "CloseStream", "KeepAlive"))


def listening(**options: Any) -> DeepgramClient:
    return DeepgramClient("/v1/listen", encoding="linear16", sample_rate="16000", **options)


def transcript(result: Json) -> str:
    found = result["channel"]["alternatives"][0]["transcript"]
    assert isinstance(found, str)
    return found


def flags(result: Json) -> tuple[bool, bool, bool]:
    return result["is_final"], result["speech_final"], result["from_finalize"]


def test_a_whole_connection_is_as_recorded() -> None:
    """Whoever changes what is sent writes the file anew, by `GOLDEN.write_text`."""
    client, microphone = listening(interim_results="true", vad_events="true", utterance_end_ms="1000"), Microphone()
    client.send(KEEP_ALIVE)
    client.hear(microphone.silence(0.5), microphone.speech(1.3), microphone.silence(2.0))
    client.hear(microphone.speech(0.7))
    client.send(FINALIZE)
    client.send(FINALIZE)
    client.send(CLOSE)
    assert client.closed == Close(1000)
    written = "".join(json.dumps(message, separators=(",", ":")) + "\n" for message in client.messages)
    assert written == GOLDEN.read_text(encoding="utf-8")


def test_an_utterance_has_one_final_result_with_its_words() -> None:
    client, microphone = listening(punctuate="true"), Microphone()
    (result,) = client.hear(microphone.silence(0.64), microphone.speech(0.64), microphone.silence(1.0))
    assert flags(result) == (True, True, False)
    assert result["channel_index"] == [0, 1]
    (alternative,) = result["channel"]["alternatives"]
    assert (alternative["transcript"], alternative["confidence"]) == ("w2 w3", 0.7)
    first = {"word": "w2", "start": 0.64, "end": 0.96, "confidence": 0.7, "punctuated_word": "w2"}
    assert alternative["words"][0] == first
    assert result["start"] <= 0.64 <= 1.28 <= result["start"] + result["duration"]
    metadata = result["metadata"]
    assert (metadata["request_id"], metadata["model_info"]["name"]) == ("sess_1", "whisper-base")


def test_interim_results_grow_into_the_final_one() -> None:
    client, microphone = listening(interim_results="true"), Microphone()
    *interims, final = client.hear(microphone.speech(3.2), microphone.silence(1.0))
    assert len(interims) > 3
    assert {flags(each) for each in interims} == {(False, False, False)}
    assert all(transcript(final).startswith(transcript(each)) for each in interims)
    assert transcript(final) == " ".join(f"w{number}" for number in range(10))
    assert all(each["duration"] > 0 for each in interims)


def test_interim_results_wait_for_the_final_one_of_the_utterance_before() -> None:
    encode = listening(interim_results="true").codec.encode
    for event in (SpeechStarted("one", 0), SpeechStopped("one", 16_000), AudioCommitted("one")):
        encode(event)
    encode(SpeechStarted("two", 32_000))
    draft = TranscriptRevised("two", (), (Word(" words", 0, 0, 0.9),), 40_000)
    assert encode(draft) == []
    encode(TranscriptCompleted("one", "some", (), "en", 16_000))
    assert len(encode(draft)) == 1


def test_without_interim_results_there_are_only_final_ones() -> None:
    microphone = Microphone()
    assert len(listening().hear(microphone.speech(3.2), microphone.silence(1.0))) == 1


def test_the_start_of_speech_is_reported_to_those_who_ask() -> None:
    microphone = Microphone()
    client = listening(vad_events="true")
    client.hear(microphone.silence(1.0), microphone.speech(0.5))
    (started,) = client.messages
    assert (started["type"], started["channel"]) == ("SpeechStarted", [0, 1])
    assert started["timestamp"] == pytest.approx(0.7, abs=0.05)


def test_no_result_is_speech_final_without_endpointing() -> None:
    microphone = Microphone()
    client = listening(endpointing="false")
    (result,) = client.hear(microphone.speech(0.64), microphone.silence(1.0))
    assert flags(result) == (True, False, False)


def test_the_language_of_each_result_is_told_where_it_may_be_any() -> None:
    microphone = Microphone()
    (result,) = listening(language="multi").hear(microphone.speech(0.64), microphone.silence(1.0))
    assert result["channel"]["alternatives"][0]["languages"] == ["en"]


def test_finalize_ends_the_utterance_and_is_answered_by_its_result() -> None:
    client, microphone = listening(), Microphone()
    client.hear(microphone.speech(0.64))
    (result,) = client.send(FINALIZE)
    assert (flags(result), transcript(result)) == ((True, True, True), "w0 w1")


def test_finalize_without_speech_is_answered_by_an_empty_result() -> None:
    client = listening()
    assert [(flags(each), transcript(each)) for each in client.send(FINALIZE)] == [((True, False, True), "")]


def test_finalize_after_an_utterance_is_answered_by_its_result_if_that_is_still_to_come() -> None:
    client, microphone = listening(held=(Transcribe,)), Microphone()
    client.hear(microphone.speech(0.64), microphone.silence(1.0))
    assert client.send(FINALIZE) == []
    assert client.send(FINALIZE) == []
    first, second = client.release(Transcribe)
    assert (flags(first), transcript(first)) == ((True, True, True), "w0 w1")
    assert (flags(second), transcript(second)) == ((True, False, True), "")


def test_each_finalize_has_one_answer_in_the_order_of_the_audio() -> None:
    client, microphone = listening(held=(Transcribe, ScoreWindows)), Microphone()
    for _ in range(3):
        client.hear(microphone.speech(0.64))
        client.send(FINALIZE)
        client.send(FINALIZE)
    client.release(ScoreWindows)
    client.release(Transcribe)
    answers = [transcript(each) for each in client.of("Results") if each["from_finalize"]]
    assert answers == ["w0 w1", "", "w2 w3", "", "w4 w5", ""]


def test_the_connection_ends_after_the_last_result_and_a_summary() -> None:
    client, microphone = listening(held=(Transcribe,)), Microphone()
    client.hear(audio := microphone.speech(0.64))
    assert client.send(CLOSE) == []
    result, metadata = client.release(Transcribe)
    assert (flags(result), transcript(result)) == ((True, True, False), "w0 w1")
    assert (metadata["type"], metadata["duration"], metadata["created"]) == (
        "Metadata", 0.64, "1970-01-01T00:00:00.000Z"
    )  # fmt: skip
    assert metadata["sha256"] == hashlib.sha256(audio).hexdigest()
    assert client.closed == Close(1000)


def test_a_connection_without_audio_can_be_closed() -> None:
    client = listening()
    assert [each["type"] for each in client.send(CLOSE)] == ["Metadata"]
    assert client.closed == Close(1000)


def test_nothing_counts_after_the_end_of_the_stream() -> None:
    client, microphone = listening(), Microphone()
    client.send(CLOSE)
    assert client.hear(microphone.speech(1.0)) == []
    assert client.send(FINALIZE) == client.send("{") == []


def test_a_long_silence_after_words_is_the_end_of_the_utterance() -> None:
    client, microphone = listening(utterance_end_ms="1000"), Microphone()
    client.hear(microphone.speech(0.64), microphone.silence(0.9))
    assert client.of("UtteranceEnd") == []
    (end,) = client.hear(microphone.silence(3.0))
    assert end == {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 0.64}


def test_the_end_of_an_utterance_waits_for_its_result() -> None:
    client, microphone = listening(utterance_end_ms="1000", held=(Transcribe,)), Microphone()
    assert client.hear(microphone.speech(0.64), microphone.silence(2.0)) == []
    assert [each["type"] for each in client.release(Transcribe)] == ["Results", "UtteranceEnd"]


def test_sounds_without_words_have_no_end_of_an_utterance() -> None:
    client, microphone = listening(utterance_end_ms="1000"), Microphone()
    (result,) = client.hear(microphone.speech(0.1), microphone.silence(3.0))
    assert transcript(result) == ""


def test_a_transcription_that_fails_is_reported_and_has_an_empty_result() -> None:
    client, microphone = listening(held=(Transcribe,)), Microphone()
    client.hear(microphone.speech(0.64))
    client.send(FINALIZE)
    client.conversation.fail(Transcribe)
    client.deliver()
    error, result = client.messages
    assert (error["type"], error["code"]) == ("Error", "engine_failed")
    assert (flags(result), transcript(result)) == ((True, True, True), "")


def test_new_terms_are_confirmed_and_expected_from_then_on() -> None:
    client, microphone = listening(keyterm="Silero"), Microphone()
    (confirmed,) = client.send(
        {"type": "Configure", "keyterms": ["Vivavoce", "Hibari"], "features": {"numerals": True}}
    )
    assert confirmed == {"type": "ConfigureSuccess", "request_id": "sess_1", "keyterms": ["Vivavoce", "Hibari"]}
    client.hear(microphone.speech(0.64), microphone.silence(1.0))
    assert client.conversation.finals[0].prompt == "Vivavoce, Hibari"
    client.send({"type": "Configure"})
    assert client.codec.config.prompt == "Vivavoce, Hibari"


def on_channel(messages: list[Json], channel: int) -> list[Json]:
    return [each for each in messages if each.get("channel_index", each.get("channel")) == [channel, 2]]


def test_each_channel_has_results_of_its_own() -> None:
    client = listening(multichannel="true", channels="2", vad_events="true", utterance_end_ms="1000")
    client.hear(call((0.64, True, False), (0.32, False, False), (0.64, False, True), (2.0, False, False)))
    for channel, words, end in ((0, "w0 w1", 0.64), (1, "w3 w4", 1.6)):
        started, result, utterance_end = on_channel(client.messages, channel)
        assert (started["type"], transcript(result), utterance_end["last_word_end"]) == ("SpeechStarted", words, end)


def test_finalize_is_answered_on_each_channel() -> None:
    client = listening(multichannel="true", channels="2")
    client.hear(call((0.64, True, False)))
    results = client.send(FINALIZE)
    assert [transcript(each) for each in on_channel(results, 0)] == ["w0 w1"]
    assert [transcript(each) for each in on_channel(results, 1)] == [""]
    assert all(each["from_finalize"] for each in results)
    client.hear(call((0.64, True, True)))
    assert len(client.send(FINALIZE)) == len(client.send(FINALIZE)) == 2


def test_the_connection_ends_after_the_last_results_of_all_channels() -> None:
    client = listening(multichannel="true", channels="2", held=(Transcribe,))
    client.hear(call((0.64, True, True)))
    assert client.send(CLOSE) == []
    *results, metadata = client.release(Transcribe)
    assert [each["channel_index"] for each in results] == [[0, 2], [1, 2]]
    assert (metadata["duration"], metadata["channels"]) == (0.64, 2)
    assert client.closed == Close(1000)


def test_channels_are_mixed_unless_each_is_asked_for() -> None:
    client = listening(channels="2")
    (result,) = client.hear(call((0.64, True, True), (1.0, False, False)))
    assert result["channel_index"] == [0, 1]
    assert client.send(CLOSE)[-1]["channels"] == 1


def test_interim_results_have_the_times_of_all_their_words() -> None:
    client, microphone = listening(interim_results="true", punctuate="true"), Microphone()
    *interims, final = client.hear(microphone.speech(16.0), microphone.silence(1.0))
    timed = final["channel"]["alternatives"][0]["words"]
    assert len(interims) > 10
    for interim in interims:
        (alternative,) = interim["channel"]["alternatives"]
        words = alternative["words"]
        assert " ".join(word["punctuated_word"] for word in words) == alternative["transcript"]
        assert [word["start"] for word in words] == [word["start"] for word in timed[: len(words)]]
        assert alternative["confidence"] == 0.7


@pytest.mark.parametrize("query", [{}, {"encoding": "opus"}])
def test_audio_without_a_raw_encoding_is_in_a_container(query: dict[str, Any]) -> None:
    client = DeepgramClient("/v1/listen", **query)
    client.send(b"OggS")
    client.send(b"")
    assert client.media == b"OggS"
    (metadata,) = client.send(CLOSE)
    assert metadata["duration"] == 0


def test_audio_that_cannot_be_decoded_ends_the_connection() -> None:
    error, close = opened("/v1/listen").encode_error(UnsupportedAudio("No audio."))
    assert isinstance(error, str)
    assert json.loads(error)["description"] == "No audio."
    assert isinstance(close, Close)
    assert (close.code, close.reason[:9]) == (1008, "DATA-0000")


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (SessionIdle("Nothing."), 1011, "NET-0001"),
        (Overloaded("Too much."), 1011, "NET-0000"),
        (EngineError("secret path"), 1011, "NET-0000"),
    ],
)
def test_a_connection_that_fails_is_closed_with_a_code_of_deepgram(error: Any, code: int, reason: str) -> None:
    message, close = opened("/v1/listen").encode_error(error, final=True)
    assert isinstance(message, str)
    assert "secret" not in message
    assert isinstance(close, Close)
    assert (close.code, close.reason[:8]) == (code, reason)
    assert len(close.reason.encode()) <= 123


def test_a_connection_that_is_silent_for_ten_seconds_is_closed() -> None:
    assert opened("/v1/listen").idle_timeout_seconds == IDLE_SECONDS == 10


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", "null", '"KeepAlive"', "{}", '{"type":1}', '{"type":"Speak","text":"x"}', "[" * 100_000,
     '{"type":"Configure","keyterms":[1]}', "\ud800"],
)  # fmt: skip
def test_a_message_that_is_none_of_the_protocol_has_one_error_and_the_connection_goes_on(message: str) -> None:
    client, microphone = listening(), Microphone()
    (error,) = client.send(message)
    assert (error["type"], error["variant"]) == ("Error", "SchemaError")
    assert len(json.dumps(error)) < 2000
    assert len(client.hear(microphone.speech(0.64), microphone.silence(1.0))) == 1


def test_a_message_of_another_type_has_an_error_with_those_of_the_protocol() -> None:
    (error,) = listening().send('{"type":"KeepALive"}')
    choices = "'KeepAlive', 'Finalize', 'CloseStream', and 'Configure'"
    assert error["description"] == f"Invalid value: 'KeepALive'. Supported values are: {choices}."


def test_other_events_of_the_session_mean_nothing_here() -> None:
    assert opened("/v1/listen").encode(AudioCleared()) == []
