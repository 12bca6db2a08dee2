"""The Wyoming dialect between its events and a session whose engines are scripted."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.audio.formats import SAMPLE_RATE
from realtime.errors import ClientError, EngineError, TooLarge, UnsupportedAudio
from realtime.session.commands import ClearAudio, Configure, Speak
from realtime.session.jobs import Synthesize, Transcribe
from realtime.wire.codec import MAX_PROMPT_CHARACTERS
from realtime.wire.wyoming.codec import REQUESTS
from realtime.wire.wyoming.framing import WyomingEvent
from tests.support.scripted_conversation import Microphone, words_between
from tests.support.wyoming_conversation import MAX_CHARACTERS, WyomingConversation, data, types

GOLDEN = Path(__file__).parents[3] / "data" / "wyoming_conversation.jsonl"
PCM: dict[str, Any] = {"rate": SAMPLE_RATE, "width": 2, "channels": 1}


def say(client: WyomingConversation, audio: bytes, seconds: float = 0.1, **pcm: int) -> list[WyomingEvent]:
    """Send audio in chunks."""
    size = 2 * round(seconds * SAMPLE_RATE)
    return [
        answer
        for start in range(0, len(audio), size)
        for answer in client.send("audio-chunk", audio[start : start + size], **(PCM | pcm))
    ]


def transcribed(*, audio: bytes, **request: object) -> list[WyomingEvent]:
    """Send what Home Assistant sends for one command."""
    client = WyomingConversation()
    client.send("transcribe", **request)
    client.send("audio-start", **PCM)
    return [*say(client, audio), *client.send("audio-stop")]


# Recognition.


def test_audio_becomes_a_transcript_that_is_streamed_and_then_sent_whole() -> None:
    events = transcribed(audio=Microphone().speech(3.2), language="en")
    text = words_between(0, 3.2)
    assert types(events)[0] == "transcript-start"
    assert types(events)[-2:] == ["transcript", "transcript-stop"]
    assert "".join(each["text"] for each in data(events, "transcript-chunk")) == text
    assert data(events, "transcript") == [{"text": text, "language": "en"}]


def test_chunks_are_sent_while_the_client_speaks() -> None:
    client, microphone = WyomingConversation(), Microphone()
    client.send("transcribe")
    client.send("audio-start", **PCM)
    heard: list[WyomingEvent] = []
    for _ in range(40):
        client.conversation.now += 0.1
        heard += client.send("audio-chunk", microphone.speech(0.1), **PCM)
    assert types(heard[:2]) == ["transcript-start", "transcript-chunk"]


def test_silence_has_an_empty_transcript() -> None:
    events = transcribed(audio=Microphone().silence(2))
    assert [(event.type, event.data) for event in events] == [
        ("transcript-start", {}),
        ("transcript", {"text": ""}),
        ("transcript-stop", {}),
    ]


def test_no_audio_at_all_has_an_empty_transcript() -> None:
    client = WyomingConversation()
    client.send("audio-start", **PCM)
    assert types(client.send("audio-stop")) == ["transcript-start", "transcript", "transcript-stop"]
    assert not client.codec.busy


def test_pauses_do_not_divide_the_audio_of_a_client() -> None:
    microphone = Microphone()
    audio = microphone.speech(1.28) + microphone.silence(2.56) + microphone.speech(1.28)
    (transcript,) = data(transcribed(audio=audio), "transcript")
    assert transcript["text"] == f"{words_between(0, 1.28)} {words_between(3.84, 5.12)}"


def test_one_connection_takes_several_commands() -> None:
    client, microphone = WyomingConversation(), Microphone()
    for number in range(2):
        client.send("audio-start", **PCM)
        say(client, microphone.speech(0.96))
        (transcript,) = data(client.send("audio-stop"), "transcript")
        assert transcript["text"] == words_between(0.96 * number, 0.96 * (number + 1))


def test_audio_that_was_not_ended_is_dropped_when_new_audio_starts() -> None:
    client, microphone = WyomingConversation(), Microphone()
    client.send("audio-start", **PCM)
    say(client, microphone.speech(0.96))
    assert client.codec.decode(WyomingEvent("audio-start", PCM)) == [ClearAudio()]
    assert client.codec.decode(WyomingEvent("audio-start", PCM)) == []


def test_what_was_transcribed_of_dropped_audio_is_not_the_answer_to_the_new() -> None:
    client, microphone = WyomingConversation(), Microphone()
    client.send("audio-start", **PCM)
    for _ in range(40):
        client.conversation.now += 0.1
        client.send("audio-chunk", microphone.speech(0.1), **PCM)
    assert client.send("audio-start", **PCM) == []
    events = [*say(client, microphone.speech(0.96)), *client.send("audio-stop")]
    assert types(events)[0] == "transcript-start"
    (transcript,) = data(events, "transcript")
    assert transcript["text"] == words_between(4.0, 4.96)


@pytest.mark.parametrize("start", [True, False])
def test_audio_of_another_format_is_converted(start: bool) -> None:
    """It may be announced by `audio-start`, or by the chunks alone."""
    client, microphone = WyomingConversation(), Microphone()
    stereo = {"rate": 16_000, "width": 4, "channels": 2}
    if start:
        client.send("audio-start", **stereo)
    for _ in range(16):
        samples = memoryview(microphone.speech(0.08)).cast("h").tolist()
        wide = b"".join((value << 16).to_bytes(4, "little", signed=True) * 2 for value in samples)
        client.send("audio-chunk", wide, **({} if start else stereo))
    (transcript,) = data(client.send("audio-stop"), "transcript")
    assert transcript["text"] == words_between(0, 1.28)


def test_another_rate_configures_the_session() -> None:
    client = WyomingConversation()
    (command,) = client.codec.decode(WyomingEvent("audio-start", PCM | {"rate": 44_100}))
    assert isinstance(command, Configure)
    assert command.config.input_format.sample_rate == 44_100
    assert client.codec.decode(WyomingEvent("audio-chunk", PCM | {"rate": 44_100})) == []


@pytest.mark.parametrize("wrong", [{"rate": 4000}, {"rate": 10**30}, {"rate": -1}, {"width": 8}, {"channels": 0}])
def test_audio_that_cannot_be_converted_is_refused(wrong: dict[str, int]) -> None:
    (error,) = WyomingConversation().send("audio-start", **(PCM | wrong))
    assert error.type == "error"
    assert error.data["text"]


def test_the_language_is_read_as_clients_write_it() -> None:
    client = WyomingConversation()
    for written, code in {"de-CH": "de", "nb": "no", "auto": None, "": None, None: None}.items():
        client.send("transcribe", language=written)
        assert client.codec.config.language == code


def test_a_language_that_the_model_does_not_know_is_refused() -> None:
    (error,) = WyomingConversation().send("transcribe", name="whisper-tiny.en", language="de")
    assert error.data["text"] == "The model 'whisper-tiny.en' does not support the language de."


def test_an_unknown_model_means_the_default_one() -> None:
    client = WyomingConversation()
    client.send("transcribe", name="whisper-tiny.en", language="en")
    assert client.codec.config.recognizer.name == "whisper-tiny.en"
    client.send("transcribe")
    assert client.codec.config.recognizer.name == "whisper-base"
    client.send("transcribe", name="parakeet")
    assert client.codec.config.recognizer.name == "whisper-base"


def test_names_and_terms_to_expect_become_the_prompt_and_names_count_most() -> None:
    client = WyomingConversation()
    client.send("transcribe", transcript_names=["Ada", "Boole"], transcript_terms=["lamp"])
    assert client.codec.config.prompt == "lamp, Ada, Boole"
    client.send("transcribe", transcript_names=["Ada"], transcript_terms=["lamp"] * 1000)
    assert client.codec.config.prompt.endswith("lamp, Ada")
    assert len(client.codec.config.prompt) == MAX_PROMPT_CHARACTERS
    client.send("transcribe")
    assert client.codec.config.prompt == ""


def test_a_transcript_that_fails_ends_the_connection_with_an_error() -> None:
    client = WyomingConversation(held=(Transcribe,))
    client.send("audio-start", **PCM)
    say(client, Microphone().speech(1))
    client.send("audio-stop")
    while len(client.conversation.pending(Transcribe)) > 1:
        client.conversation.answer(Transcribe)
    with pytest.raises(EngineError):
        list(client.encoded(client.conversation.fail(Transcribe)))


# Speech.


def test_a_text_becomes_audio() -> None:
    events = WyomingConversation().send("synthesize", text="Hello.", voice={"name": "bright"})
    pcm = {"rate": 24_000, "width": 2, "channels": 1}
    assert sorted(set(types(events)), key=types(events).index) == ["audio-start", "audio-chunk", "audio-stop"]
    assert events[0].data == {**pcm, "timestamp": 0}
    assert sum(len(event.payload) for event in events) == 2 * 24_000 * 6 // 10
    assert all(event.data.items() >= pcm.items() for event in events if event.type == "audio-chunk")


def test_the_time_of_a_chunk_is_where_it_begins() -> None:
    events = WyomingConversation().send("synthesize", text="One two three four five six.")
    before = 0
    for event in events:
        if event.type == "audio-chunk":
            assert event.data["timestamp"] == 1000 * before // 48_000
            before += len(event.payload)


@pytest.mark.parametrize("text", ["", " ", "..."])
def test_a_text_without_a_sound_still_ends(text: str) -> None:
    client = WyomingConversation()
    events = client.send("synthesize", text=text)
    assert types(events)[0] == "audio-start"
    assert types(events)[-1] == "audio-stop"
    assert not client.codec.busy


def spoken_in_parts(client: WyomingConversation, *parts: str) -> list[WyomingEvent]:
    """Send what Home Assistant sends for an answer that is being generated."""
    events = client.send("synthesize-start", voice={"name": "bright"})
    for part in parts:
        events += client.send("synthesize-chunk", text=part)
    events += client.send("synthesize", text="".join(parts))
    return [*events, *client.send("synthesize-stop")]


def test_a_text_in_parts_becomes_audio_once() -> None:
    events = spoken_in_parts(WyomingConversation(), "It is ", "ten. ", "Good ", "night.")
    assert types(events)[0] == "audio-start"
    assert types(events)[-2:] == ["audio-stop", "synthesize-stopped"]
    assert types(events).count("audio-start") == types(events).count("audio-stop") == 1
    whole = WyomingConversation().send("synthesize", text="It is ten. Good night.")
    assert sum(len(event.payload) for event in events) == sum(len(event.payload) for event in whole)


def test_audio_begins_before_the_last_part() -> None:
    client = WyomingConversation()
    client.send("synthesize-start")
    assert "audio-chunk" in types(client.send("synthesize-chunk", text="This is the whole of the first sentence. And"))


def test_an_empty_text_in_parts_ends_too() -> None:
    client = WyomingConversation()
    client.send("synthesize-start")
    assert types(client.send("synthesize-stop")) == ["audio-start", "audio-stop", "synthesize-stopped"]


def test_texts_follow_each_other_on_one_connection() -> None:
    client = WyomingConversation()
    spoken_in_parts(client, "One.")
    assert types(client.send("synthesize", text="Two."))[-1] == "audio-stop"
    assert types(spoken_in_parts(client, "Three."))[-1] == "synthesize-stopped"


def test_a_second_text_in_parts_before_the_end_of_the_first_is_refused() -> None:
    client = WyomingConversation()
    client.send("synthesize-start")
    (error,) = client.send("synthesize-start")
    assert "synthesize-stop" in error.data["text"]


@pytest.mark.parametrize("kind", ["synthesize-chunk", "synthesize-stop"])
def test_parts_without_a_beginning_are_ignored(kind: str) -> None:
    assert WyomingConversation().send(kind, text="Hello") == []


@pytest.mark.parametrize("voice", [{"language": "de"}, {"language": "de_DE", "name": "unknown"}])
def test_a_language_means_the_voice_that_is_configured_for_it(voice: object) -> None:
    (command,) = WyomingConversation().codec.decode(WyomingEvent("synthesize", {"text": "Hi", "voice": voice}))
    assert isinstance(command, Speak)
    assert command.voice == "thorsten"


@pytest.mark.parametrize(
    "voice", [None, {}, {"name": None}, {"name": "unknown"}, {"language": "sv"}, {"language": "Klingon"}]
)
def test_any_other_voice_is_the_default_one(voice: object) -> None:
    (command,) = WyomingConversation().codec.decode(WyomingEvent("synthesize", {"text": "Hi", "voice": voice}))
    assert isinstance(command, Speak)
    assert command.voice is None


def test_markup_is_refused_instead_of_read_aloud() -> None:
    (error,) = WyomingConversation().send("synthesize", text="<speak/>", text_format="ssml")
    assert "SSML" in error.data["text"]
    assert types(WyomingConversation().send("synthesize", text="Hi", text_format="text"))[-1] == "audio-stop"


def test_a_text_has_a_limit_whole_and_in_parts() -> None:
    (error,) = WyomingConversation().send("synthesize", text="x" * (MAX_CHARACTERS + 1))
    assert error.data["code"] == TooLarge.code
    client = WyomingConversation()
    client.send("synthesize-start")
    client.send("synthesize-chunk", text="x" * MAX_CHARACTERS)
    assert client.send("synthesize-chunk", text="x")[-1].data["code"] == TooLarge.code


def test_speech_that_fails_ends_the_connection_with_an_error() -> None:
    client = WyomingConversation(held=(Synthesize,))
    client.send("synthesize", text="Hello.")
    with pytest.raises(EngineError):
        list(client.encoded(client.conversation.fail(Synthesize)))


# One thing at a time.


def test_a_request_waits_for_the_answer_to_the_one_before() -> None:
    client = WyomingConversation(held=(Transcribe, Synthesize))
    say(client, Microphone().speech(1))
    client.send("audio-stop")
    client.send("synthesize", text="Hello.")
    assert client.codec.busy
    assert {kind for kind in REQUESTS if client.codec.ready_for(WyomingEvent(kind))} == {
        "synthesize-chunk",
        "synthesize-stop",
    }
    while client.codec.transcribing:
        list(client.encoded(client.conversation.answer(Transcribe)))
    assert client.codec.ready_for(WyomingEvent("transcribe"))
    list(client.encoded(client.conversation.answer(Synthesize)))
    assert all(client.codec.ready_for(WyomingEvent(kind)) for kind in REQUESTS)


def test_a_text_in_parts_does_not_wait_for_its_own_answer() -> None:
    client = WyomingConversation(held=(Synthesize,))
    client.send("synthesize-start")
    client.send("synthesize-chunk", text="This is a sentence. And")
    assert client.codec.ready_for(WyomingEvent("synthesize", {"text": "This is a sentence. And"}))
    assert client.codec.ready_for(WyomingEvent("synthesize-start"))


# What a client may send by mistake.


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("transcribe", {"language": 1}),
        ("transcribe", {"transcript_names": "Ada"}),
        ("audio-start", {"rate": "16000"}),
        ("audio-chunk", {"rate": []}),
        ("synthesize", {}),
        ("synthesize", {"text": None}),
        ("synthesize", {"text": "Hi", "voice": "amber"}),
        ("synthesize-start", {"voice": []}),
        ("synthesize-chunk", {"text": {}}),
    ],
)
def test_a_member_of_the_wrong_type_is_named(kind: str, wrong: dict[str, Any]) -> None:
    (error,) = WyomingConversation().send(kind, **wrong)
    assert (error.type, error.data["code"]) == ("error", "invalid_event")
    assert kind in error.data["text"]


def test_an_error_of_the_codec_is_one_of_the_client() -> None:
    with pytest.raises(ClientError):
        WyomingConversation().codec.decode(WyomingEvent("transcribe", {"language": "Klingon"}))
    with pytest.raises(UnsupportedAudio):
        WyomingConversation().codec.decode(WyomingEvent("audio-start", {"rate": 1}))


LETTERS = "aZ é\n\0\U0001f600"
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(LETTERS, max_size=300)
    | st.lists(st.text(LETTERS, max_size=3), max_size=3)
    | st.dictionaries(
        st.sampled_from(["name", "language", "speaker"]), st.text(LETTERS, max_size=9) | st.none(), max_size=2
    )
    | st.sampled_from([8000, 16_000, 48_000, 1, 2, 3, 4, "en", "text", "ssml", "whisper-tiny.en", "bright"])
)
MEMBERS = (
    "rate", "width", "channels", "timestamp", "text", "voice", "text_format", "language", "name",
    "transcript_names", "transcript_terms", "context", "vad_sensitivity",
)  # fmt: skip
HOSTILE = st.builds(
    lambda kind, data, payload: WyomingEvent(kind, data, payload).frame(),
    st.sampled_from([*sorted(REQUESTS), "describe", "ping", "run-satellite", "", "\0"]),
    st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=4),
    st.binary(max_size=70) | st.just(b"\0\x10" * 800),
)
VALID = st.sampled_from(
    [
        WyomingEvent("transcribe", {"language": "en"}).frame(),
        WyomingEvent("audio-start", PCM).frame(),
        WyomingEvent("audio-chunk", PCM, b"\0\x10" * 1600).frame(),
        WyomingEvent("audio-chunk", PCM, b"\1").frame(),
        WyomingEvent("audio-stop").frame(),
        WyomingEvent("synthesize", {"text": "Hello there."}).frame(),
        WyomingEvent("synthesize-start").frame(),
        WyomingEvent("synthesize-chunk", {"text": "Hello. "}).frame(),
        WyomingEvent("synthesize-stop").frame(),
    ]
)


@given(st.lists(VALID | HOSTILE | st.binary(max_size=9), max_size=12), st.integers(1, 5000))
def test_hostile_events_get_answers_or_one_error(events: list[bytes], size: int) -> None:
    client, stream = WyomingConversation(), b"".join(events)
    answers: list[WyomingEvent] = []
    for start in range(0, len(stream), size):
        answers += client.feed(stream[start : start + size])
        if client.failed:
            break
    assert types(answers).count("error") == client.failed
    if not client.failed:
        assert types(answers).count("transcript") == types(answers).count("transcript-stop")
        assert not client.codec.transcribing


# A conversation as documentation.


def conversation() -> list[dict[str, Any]]:
    """Play what Home Assistant sends: a command, an answer that is being generated, an announcement, and an error.

    Home Assistant opens a connection for each of them.
    """
    client, microphone = WyomingConversation(), Microphone()
    client.send("transcribe", language="en")
    client.send("audio-start", **PCM, timestamp=0)
    for audio in (microphone.speech(0.64), microphone.silence(0.32), microphone.speech(0.64)):
        client.send("audio-chunk", audio, **PCM, timestamp=0)
    client.send("audio-stop")
    spoken_in_parts(client, "It is ", "ten. ")
    client.send("synthesize", text="Good night.", voice={"name": "amber"})
    client.send("transcribe", language="Klingon")
    return client.log


def test_the_golden_conversation_is_reproduced_exactly() -> None:
    golden = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    assert conversation() == golden
