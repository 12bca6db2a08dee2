"""A silence after a response is answered, where the client asks for it."""

from dataclasses import replace

import pytest

from realtime.session.commands import CancelResponse, Configure, CreateResponse, RetrieveItem, Speak
from realtime.session.conversation import AudioPart, Message, Role
from realtime.session.events import AudioCommitted, IdleTimeoutReached, ItemRetrieved, TranscriptCompleted
from realtime.session.generation import ChatDelta, ChatFinished, ChatFinishReason, ChatMessage, ChatRequest, ChatRole
from realtime.session.jobs import Generate
from realtime.session.response_events import ResponseFinished, ResponseStarted
from tests.support.scripted_conversation import Conversation, Microphone, configured

WAITING = configured(chat=True, create_response=True, idle_timeout=5.0)
ANSWER_SECONDS = 0.1 * len("You said: w0 w1 w2")


def asked() -> tuple[Conversation, Microphone]:
    """Return a conversation in which the user has asked something and has been answered."""
    conversation, microphone = Conversation(WAITING), Microphone()
    conversation.hear(microphone.speech(0.96), microphone.silence(1))
    conversation.wait(ANSWER_SECONDS + 0.1)
    assert len(conversation.outputs_of(ResponseFinished)) == 1
    return conversation, microphone


def test_a_silence_is_committed_and_answered_when_it_has_lasted_since_the_end_of_playback() -> None:
    conversation, _ = asked()
    conversation.wait(4)
    assert not conversation.outputs_of(IdleTimeoutReached)
    before = len(conversation.events)
    conversation.wait(0.5)
    reached, committed, completed, started = conversation.events[before : before + 4]
    assert isinstance(reached, IdleTimeoutReached)
    assert (reached.start, reached.end) == (0, 31_360)
    assert isinstance(committed, AudioCommitted)
    assert (committed.item_id, committed.answered) == (reached.item_id, False)
    assert committed.previous_item_id is not None
    assert isinstance(completed, TranscriptCompleted)
    assert (completed.item_id, completed.text) == (reached.item_id, "")
    assert isinstance(started, ResponseStarted)


def test_the_chat_backend_is_sent_the_conversation_without_the_silence() -> None:
    conversation, _ = asked()
    requests: list[ChatRequest] = []

    def answer(request: ChatRequest) -> list[ChatDelta]:
        requests.append(request)
        return [ChatFinished(ChatFinishReason.STOP)]

    conversation.chat = answer
    conversation.wait(6)
    assert [message.role for message in requests[0].messages] == [ChatRole.USER, ChatRole.ASSISTANT]
    assert requests[0].messages[0] == ChatMessage(ChatRole.USER, "w0 w1 w2")


def test_speech_stops_the_timer_until_it_has_been_answered() -> None:
    conversation, microphone = asked()
    conversation.wait(4)
    conversation.hear(microphone.silence(0.1), microphone.speech(0.96))
    conversation.wait(20)
    assert not conversation.outputs_of(IdleTimeoutReached)
    conversation.hear(microphone.silence(1))
    conversation.wait(ANSWER_SECONDS + 4)
    assert not conversation.outputs_of(IdleTimeoutReached)
    conversation.wait(6)
    assert len(conversation.outputs_of(IdleTimeoutReached)) == 1


@pytest.mark.parametrize("interrupts", [True, False])
def test_the_timer_does_not_run_while_the_user_speaks_on_after_a_response_has_ended(interrupts: bool) -> None:
    config = replace(WAITING, interrupt_response=interrupts)
    conversation, microphone = Conversation(config), Microphone()
    conversation.send(Speak("One two three four five six seven eight nine ten."))
    conversation.hear(microphone.speech(1.0))
    conversation.wait(20)
    assert len(conversation.outputs_of(ResponseFinished)) == 1
    assert not conversation.outputs_of(IdleTimeoutReached)


def test_a_response_of_the_client_stops_the_timer_and_starts_it_anew() -> None:
    conversation, _ = asked()
    conversation.wait(4)
    conversation.send(Speak("Still there?"))
    conversation.wait(5.5)
    assert not conversation.outputs_of(IdleTimeoutReached)
    conversation.wait(2)
    assert len(conversation.outputs_of(IdleTimeoutReached)) == 1


def test_a_response_outside_of_the_conversation_leaves_the_timer_alone() -> None:
    conversation, _ = asked()
    conversation.wait(4)
    conversation.send(Speak("Still there?", in_conversation=False))
    conversation.wait(1)
    assert len(conversation.outputs_of(IdleTimeoutReached)) == 1


def test_after_a_cancelled_response_the_timer_runs_and_after_a_failed_one_it_does_not() -> None:
    for cancels in (True, False):
        conversation = Conversation(WAITING, held=(Generate,))
        conversation.send(CreateResponse())
        if cancels:
            conversation.send(CancelResponse())
        else:
            conversation.fail(Generate)
        conversation.wait(6)
        assert bool(conversation.outputs_of(IdleTimeoutReached)) is cancels


@pytest.mark.parametrize(("timeout", "reached"), [(None, 0), (5.0, 1)])
def test_a_new_configuration_may_switch_the_timer_off(timeout: float | None, reached: int) -> None:
    conversation, _ = asked()
    conversation.send(Configure(replace(WAITING, idle_timeout=timeout)))
    conversation.wait(5.5)
    assert len(conversation.outputs_of(IdleTimeoutReached)) == reached


def test_the_silence_is_an_item_without_words() -> None:
    conversation, _ = asked()
    conversation.wait(6)
    (reached,) = conversation.outputs_of(IdleTimeoutReached)
    conversation.send(RetrieveItem(reached.item_id))
    (retrieved,) = conversation.outputs_of(ItemRetrieved)
    assert retrieved.item.content == Message(Role.USER, (AudioPart(""),))
