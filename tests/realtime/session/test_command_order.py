"""What a client asks for right after a commit, while the audio before it is still to be scored."""

from realtime.session.command_order import MAX_HELD
from realtime.session.commands import CancelResponse, CommitAudio, CreateItem, CreateResponse, Speak
from realtime.session.conversation import Message, Role, TextPart
from realtime.session.events import AudioCommitted, CommandRefused, ItemAdded
from realtime.session.generation import ChatMessage, ChatRole
from realtime.session.jobs import Generate, ScoreWindows
from realtime.session.response_events import ResponseFinished, ResponseStarted, ResponseStatus
from tests.support.scripted_conversation import Conversation, Microphone, configured, words_between

BY_HAND = configured(chat=True, turn_detection=None)


def unscored() -> Conversation:
    """A client has committed a turn whose audio the detector has not scored."""
    conversation, microphone = Conversation(BY_HAND, held=(ScoreWindows,)), Microphone()
    conversation.hear(microphone.speech(1.92))
    conversation.send(CommitAudio())
    return conversation


def test_a_response_that_is_asked_for_after_a_commit_answers_that_turn() -> None:
    conversation = unscored()
    conversation.send(CreateResponse())
    assert conversation.outputs_of(ResponseStarted) == []
    conversation.release(ScoreWindows)
    (asked,) = conversation.outputs_of(Generate)
    assert asked.request.messages == (ChatMessage(ChatRole.USER, words_between(0.0, 1.92)),)


def test_what_a_client_asks_for_after_a_commit_happens_in_its_order() -> None:
    conversation = unscored()
    conversation.send(CreateItem(Message(Role.USER, (TextPart("And this?"),)), "written"))
    conversation.send(CreateResponse())
    conversation.send(CancelResponse())
    conversation.release(ScoreWindows)
    kinds = (AudioCommitted, ItemAdded, ResponseStarted, ResponseFinished)
    assert [type(event) for event in conversation.events if isinstance(event, kinds)] == list(kinds)


def test_a_response_between_two_commits_begins_between_their_turns() -> None:
    conversation, microphone = Conversation(BY_HAND, held=(ScoreWindows,)), Microphone()
    conversation.hear(microphone.speech(1.92))
    conversation.send(CommitAudio())
    conversation.send(CreateResponse())
    conversation.hear(microphone.speech(1.92))
    conversation.send(CommitAudio())
    conversation.release(ScoreWindows)
    kinds = [type(event) for event in conversation.events if isinstance(event, AudioCommitted | ResponseStarted)]
    assert kinds == [AudioCommitted, ResponseStarted, AudioCommitted]


def test_text_is_spoken_and_a_response_is_cancelled_without_waiting_for_a_commit() -> None:
    conversation = unscored()
    conversation.send(Speak("This takes quite some time to say. " * 4))
    conversation.send(CancelResponse())
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert finished.status is ResponseStatus.CANCELLED
    assert conversation.outputs_of(AudioCommitted) == []


def test_a_response_after_a_commit_of_nothing_is_begun() -> None:
    conversation, microphone = Conversation(configured(chat=True), held=(ScoreWindows, Generate)), Microphone()
    conversation.hear(microphone.silence(1.0))
    conversation.send(CommitAudio())
    conversation.send(CreateResponse())
    conversation.release(ScoreWindows)
    assert len(conversation.outputs_of(CommandRefused)) == len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_session_takes_no_more_when_too_many_commands_wait_for_a_commit() -> None:
    conversation = unscored()
    for _ in range(MAX_HELD + 1):
        assert not conversation.session.saturated
        conversation.send(CreateResponse(in_conversation=False))
    assert conversation.session.saturated
    conversation.release(ScoreWindows)
    assert not conversation.session.saturated
