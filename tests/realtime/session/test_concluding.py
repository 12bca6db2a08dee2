"""What is in progress in a session, and how the end of the service concludes it."""

from dataclasses import replace

import numpy as np
import pytest

from realtime.session.commands import AppendAudio, CommitAudio, Conclude, CreateItem, CreateResponse, Speak
from realtime.session.config import Modality, SessionConfig
from realtime.session.conversation import AudioPart, ItemStatus, Message, Role
from realtime.session.events import AudioCommitted, CommandRefused, TranscriptCompleted
from realtime.session.generation import ChatRequest, ChatTextDelta, ChatToolCallDelta
from realtime.session.jobs import Generate, Generated, Synthesize, Transcribe
from realtime.session.response_events import (
    ResponseFinished,
    ResponseItemFinished,
    ResponseStarted,
    ResponseStatus,
    ResponseTextExtended,
)
from tests.support.scripted_conversation import (
    CONFIG,
    Conversation,
    Microphone,
    configured,
    words_between,
)

PHRASES = ("The first phrase of it. ", "The second phrase of it, which is longer. ", "The third phrase of it.")
LONG_PHRASE = "This is a phrase of which the client has not been sent everything."
BY_HAND = replace(CONFIG, turn_detection=None)


def settled(conversation: Conversation) -> bool:
    return conversation.session.settled(conversation.now)


def texts(conversation: Conversation) -> str:
    return "".join(event.delta for event in conversation.outputs_of(ResponseTextExtended))


# What is in progress.


def test_a_session_that_hears_silence_is_settled() -> None:
    conversation, microphone = Conversation(), Microphone()
    assert settled(conversation)
    conversation.hear(microphone.silence(2.0))
    assert settled(conversation)


def test_a_turn_is_in_progress_until_its_transcript_has_come() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1.0))
    assert not settled(conversation)
    conversation.hear(microphone.silence(1.0))
    assert conversation.outputs_of(AudioCommitted)
    assert not settled(conversation)
    conversation.release(Transcribe)
    assert conversation.outputs_of(TranscriptCompleted)
    assert settled(conversation)


def test_audio_is_in_progress_until_the_client_commits_it() -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    conversation.hear(microphone.speech(1.0))
    assert not settled(conversation)
    conversation.send(CommitAudio())
    assert settled(conversation)


def test_a_recording_in_an_item_is_in_progress_until_it_is_transcribed() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    content = Message(Role.USER, (AudioPart(),))
    conversation.send(CreateItem(content, audio=((0, microphone.speech(1.0)),)))
    assert not settled(conversation)
    conversation.release(Transcribe)
    assert settled(conversation)


def test_a_response_is_in_progress_until_it_has_been_played() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak(PHRASES[0]))
    assert not settled(conversation)
    conversation.answer(Synthesize)
    assert conversation.outputs_of(ResponseFinished)
    conversation.wait(1.9)
    assert not settled(conversation)
    conversation.wait(0.6)
    assert settled(conversation)


def test_an_answer_is_in_progress_as_long_as_the_user_keeps_it_waiting() -> None:
    chat = configured(chat=True, create_response=True)
    conversation, microphone = Conversation(chat, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    assert not settled(conversation)
    conversation.release(Transcribe)
    assert conversation.outputs_of(ResponseStarted)
    assert not settled(conversation)


def test_of_several_channels_each_may_be_in_progress() -> None:
    channels = configured(input_format=replace(CONFIG.input_format, channels=2), separate_channels=True)
    conversation, microphone = Conversation(channels), Microphone()
    right = np.frombuffer(microphone.speech(1.0), "<i2")
    both = np.stack([np.zeros_like(right), right], axis=1)
    conversation.send(AppendAudio(both.tobytes()))
    assert not settled(conversation)
    conversation.send(Conclude())
    assert settled(conversation)
    assert [event.channel for event in conversation.outputs_of(TranscriptCompleted)] == [1]


# The end of the user's turn.


@pytest.mark.parametrize("config", [CONFIG, BY_HAND], ids=["detected", "by hand"])
def test_the_turn_in_progress_is_transcribed_up_to_the_conclusion_and_nothing_after_it(config: SessionConfig) -> None:
    conversation, microphone = Conversation(config), Microphone()
    conversation.hear(microphone.speech(1.6))
    conversation.send(Conclude())
    conversation.hear(microphone.speech(1.6), microphone.silence(1.0))
    (completed,) = conversation.outputs_of(TranscriptCompleted)
    assert completed.text == words_between(0.0, 1.6)
    assert settled(conversation)


def test_without_a_turn_a_conclusion_says_nothing() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(1.0))
    assert [each for each in conversation.send(Conclude()) if isinstance(each, CommandRefused | AudioCommitted)] == []


# The end of responses.


def test_a_response_ends_with_the_phrase_that_is_being_sent() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak("".join(PHRASES)))
    conversation.answer(Synthesize)
    conversation.answer(Synthesize)
    assert [job.text for job in conversation.pending(Synthesize)] == [PHRASES[2]]
    conversation.send(Conclude())
    assert conversation.pending(Synthesize) == []
    conversation.wait(10.0)
    (finished,) = conversation.outputs_of(ResponseFinished)
    (item,) = conversation.outputs_of(ResponseItemFinished)
    assert texts(conversation) == "".join(PHRASES[:2])
    assert (finished.status, finished.reason) == (ResponseStatus.INCOMPLETE, None)
    assert item.item.status is ItemStatus.INCOMPLETE
    assert settled(conversation)


def test_phrases_that_wait_to_be_sent_are_dropped() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak(f"{LONG_PHRASE} {LONG_PHRASE} {LONG_PHRASE}"))
    conversation.answer(Synthesize)
    conversation.answer(Synthesize)
    conversation.send(Conclude())
    conversation.wait(20.0)
    assert texts(conversation).strip() == LONG_PHRASE
    assert settled(conversation)


def test_the_phrase_that_is_being_made_is_finished() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak("".join(PHRASES)))
    conversation.send(Conclude())
    assert not conversation.outputs_of(ResponseFinished)
    conversation.answer(Synthesize)
    assert conversation.pending(Synthesize) == []
    assert texts(conversation) == PHRASES[0]


def test_a_response_in_its_last_phrase_is_complete() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak(PHRASES[0]))
    conversation.send(Conclude())
    conversation.answer(Synthesize)
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert finished.status is ResponseStatus.COMPLETED


def test_an_answer_is_no_longer_generated_and_its_tool_calls_are_dropped() -> None:
    conversation = Conversation(configured(chat=True, modality=Modality.TEXT), held=(Generate,))
    conversation.send(CreateResponse(instructions="Tell me."))
    (job,) = conversation.pending(Generate)
    for delta in (ChatTextDelta("Once upon"), ChatToolCallDelta(0, "call_1", "time", "{")):
        conversation.send(Generated(job.number, delta))
    conversation.send(Conclude())
    assert conversation.pending(Generate) == []
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert finished.status is ResponseStatus.INCOMPLETE
    assert len(finished.items) == 1
    assert texts(conversation) == "Once upon"


def test_no_response_begins_after_the_conclusion() -> None:
    def answer(_: ChatRequest) -> list[ChatTextDelta]:
        pytest.fail("the chat backend was asked")

    conversation, microphone = Conversation(configured(chat=True, create_response=True)), Microphone()
    conversation.chat = answer  # type: ignore[assignment]
    conversation.hear(microphone.speech(1.0), microphone.silence(0.2))
    conversation.send(Conclude())
    conversation.send(CreateResponse())
    conversation.send(Speak(PHRASES[0]))
    assert conversation.outputs_of(TranscriptCompleted)
    assert conversation.outputs_of(ResponseStarted) == []
    assert settled(conversation)
