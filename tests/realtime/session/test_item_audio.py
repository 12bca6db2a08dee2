import pytest

from realtime.errors import EngineError
from realtime.session.commands import CreateItem, CreateResponse, DeleteItem, RetrieveItem
from realtime.session.conversation import AudioPart, ItemContent, Message, Role, TextPart
from realtime.session.events import (
    AudioCommitted,
    ItemAdded,
    ItemRetrieved,
    RecordingTranscribed,
    TranscriptCompleted,
    TranscriptFailed,
)
from realtime.session.item_audio import MAX_RECORDINGS
from realtime.session.jobs import Generate, ScoreWindows, Transcribe
from realtime.tracing.replay import replay
from tests.support.scripted_conversation import CONFIG, Conversation, EngineJob, Microphone, configured
from tests.support.traced_conversation import TracedConversation

CHATTING = configured(chat=True)


def recorded(seconds: float = 0.64, text: str | None = None) -> CreateItem:
    """Return the command for an item with a recording, after a text if there is one."""
    parts = (AudioPart(),) if text is None else (TextPart(text), AudioPart())
    audio = Microphone().speech(seconds)
    return CreateItem(Message(Role.USER, parts), "item_a", audio=((len(parts) - 1, audio),))


def content(conversation: Conversation, item_id: str = "item_a") -> ItemContent:
    conversation.send(RetrieveItem(item_id))
    return conversation.outputs_of(ItemRetrieved)[-1].item.content


def test_the_words_of_a_recording_are_those_of_its_item() -> None:
    conversation = Conversation()
    conversation.send(recorded())
    assert content(conversation) == Message(Role.USER, (AudioPart("w0 w1"),))
    assert [type(event) for event in conversation.events] == [ItemAdded, RecordingTranscribed, ItemRetrieved]


def test_the_transcript_of_each_recording_is_reported_with_its_part() -> None:
    conversation = Conversation()
    conversation.send(recorded(text="Listen:"))
    (event,) = conversation.outputs_of(RecordingTranscribed)
    assert isinstance(event.transcript, TranscriptCompleted)
    assert (event.item_id, event.part, event.transcript.text) == ("item_a", 1, "w0 w1")


def test_a_failure_to_transcribe_a_recording_is_reported() -> None:
    conversation = Conversation(held=(Transcribe,))
    conversation.send(recorded())
    conversation.fail(Transcribe)
    (event,) = conversation.outputs_of(RecordingTranscribed)
    assert isinstance(event.transcript, TranscriptFailed)


def test_the_recording_of_a_deleted_item_is_not_reported() -> None:
    conversation = Conversation(held=(Transcribe,))
    conversation.send(recorded())
    conversation.send(DeleteItem("item_a"))
    assert conversation.outputs_of(RecordingTranscribed) == []


def test_a_recording_is_not_from_the_microphone() -> None:
    conversation = Conversation()
    conversation.send(recorded())
    assert {job.channel for job in conversation.outputs_of(ScoreWindows)} == {None}


def test_a_recording_of_any_length_is_transcribed_whole() -> None:
    conversation = Conversation()
    conversation.send(recorded(48.0))
    assert content(conversation) == Message(Role.USER, (AudioPart(" ".join(f"w{word}" for word in range(150))),))


def test_a_final_of_a_pause_is_given_up_when_the_recording_goes_on() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    audio = b"".join(part for _ in range(20) for part in (microphone.speech(0.64), microphone.silence(0.64)))
    conversation.send(CreateItem(Message(Role.USER, (AudioPart(),)), "item_a", audio=((0, audio),)))
    assert conversation.cancelled
    conversation.release(Transcribe)
    words = [f"w{word}" for word in range(80) if word % 4 < 2]
    assert content(conversation) == Message(Role.USER, (AudioPart(" ".join(words)),))


def test_the_other_parts_of_the_message_stay_as_they_are() -> None:
    conversation = Conversation()
    conversation.send(recorded(text="Listen:"))
    assert content(conversation) == Message(Role.USER, (TextPart("Listen:"), AudioPart("w0 w1")))


def test_a_response_waits_for_the_words_of_all_recordings() -> None:
    conversation = Conversation(CHATTING, held=(Transcribe,))
    speech, command = Microphone().speech(0.64), CreateItem(Message(Role.USER, (AudioPart(), AudioPart())))
    conversation.send(CreateItem(command.content, "item_a", audio=((0, speech), (1, speech))))
    conversation.send(CreateResponse())
    conversation.answer(Transcribe)
    assert conversation.outputs_of(Generate) == []
    conversation.answer(Transcribe)
    (job,) = conversation.outputs_of(Generate)
    assert job.request.messages[-1].text == "w0 w1 w0 w1"


def test_a_recording_that_cannot_be_transcribed_has_no_words_and_the_response_goes_on() -> None:
    conversation = Conversation(CHATTING, held=(Transcribe,))
    conversation.send(recorded(text="Listen:"))
    conversation.send(CreateResponse())
    conversation.fail(Transcribe)
    assert content(conversation) == Message(Role.USER, (TextPart("Listen:"), AudioPart(None)))
    assert len(conversation.outputs_of(Generate)) == 1


@pytest.mark.parametrize("audio", [b"\0", Microphone().silence(1.0)])
def test_a_recording_without_speech_has_an_empty_transcript(audio: bytes) -> None:
    conversation = Conversation()
    conversation.send(CreateItem(Message(Role.USER, (AudioPart(),)), "item_a", audio=((0, audio),)))
    assert content(conversation) == Message(Role.USER, (AudioPart(""),))


def test_a_turn_of_the_microphone_goes_on_beside_a_recording() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.64), microphone.speech(0.64))
    conversation.send(recorded())
    conversation.hear(microphone.silence(1.0))
    conversation.release(Transcribe)
    assert [event.text for event in conversation.outputs_of(TranscriptCompleted)] == ["w2 w3"]
    assert len(conversation.outputs_of(AudioCommitted)) == 1
    assert content(conversation) == Message(Role.USER, (AudioPart("w0 w1"),))


@pytest.mark.parametrize("held", [ScoreWindows, Transcribe])
def test_no_more_commands_are_taken_while_many_recordings_wait(held: type[EngineJob]) -> None:
    conversation = Conversation(held=(held,))
    for number in range(MAX_RECORDINGS):
        assert not conversation.session.saturated
        command = recorded()
        conversation.send(CreateItem(command.content, f"item_{number}x", audio=command.audio))
    assert conversation.session.saturated
    conversation.release(held)
    assert not conversation.session.saturated


@pytest.mark.parametrize("held", [ScoreWindows, Transcribe])
def test_an_item_that_is_created_again_has_its_own_words(held: type[EngineJob]) -> None:
    conversation = Conversation(held=(held,))
    conversation.send(recorded(3.2))
    conversation.send(DeleteItem("item_a"))
    assert conversation.pending(held) == []
    conversation.send(recorded(0.64))
    conversation.release(held)
    assert content(conversation) == Message(Role.USER, (AudioPart("w0 w1"),))


def test_a_response_does_not_wait_for_the_words_of_a_deleted_item() -> None:
    conversation = Conversation(CHATTING, held=(Transcribe,))
    conversation.send(recorded())
    conversation.send(CreateItem(Message(Role.USER, (TextPart("Well?"),))))
    conversation.send(CreateResponse())
    conversation.send(DeleteItem("item_a"))
    (job,) = conversation.outputs_of(Generate)
    assert [message.text for message in job.request.messages] == ["Well?"]


def test_a_session_whose_detector_fails_at_a_recording_cannot_go_on() -> None:
    conversation = Conversation(held=(ScoreWindows,))
    conversation.send(recorded())
    with pytest.raises(EngineError):
        conversation.fail(ScoreWindows)


def test_the_trace_of_a_recording_can_be_replayed() -> None:
    conversation = TracedConversation(CONFIG)
    conversation.send(recorded())
    assert replay(conversation.trace) is None
