"""What a response says: the text of the client, or the answer of a chat backend."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from realtime.errors import EngineError, NothingToSpeak
from realtime.scheduling.priority import LoadLevel
from realtime.session.answer import MAX_GENERATED_CHARACTERS, MAX_TOOL_CALLS
from realtime.session.commands import (
    CancelResponse,
    ClearAudio,
    CommitAudio,
    Configure,
    CreateItem,
    CreateResponse,
    DeleteItem,
    ExtendSpeech,
    ItemReference,
    RetrieveItem,
    Speak,
    TruncateItem,
)
from realtime.session.config import Modality
from realtime.session.conversation import (
    BLOCK_ITEMS,
    MAX_CHARACTERS,
    FunctionCall,
    FunctionCallOutput,
    ItemStatus,
    Message,
    Role,
    TextPart,
)
from realtime.session.events import (
    CommandRefused,
    ItemRetrieved,
    RefusalReason,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
)
from realtime.session.generation import (
    ChatDelta,
    ChatFinished,
    ChatFinishReason,
    ChatInterrupted,
    ChatMessage,
    ChatNotConfigured,
    ChatRequest,
    ChatRole,
    ChatTextDelta,
    ChatTool,
    ChatToolCallDelta,
    ChatUsage,
)
from realtime.session.jobs import (
    CancelJob,
    Generate,
    Generated,
    JobFailed,
    SpeechSynthesized,
    SynthesisFinished,
    Synthesize,
    Transcribe,
)
from realtime.session.response_events import (
    EndReason,
    ResponseAudioExtended,
    ResponseFinished,
    ResponseFlushed,
    ResponseItemAdded,
    ResponseItemFinished,
    ResponseStarted,
    ResponseStatus,
    ResponseTextExtended,
)
from realtime.session.responses import MAX_OUTSIDE_CONVERSATION
from tests.support.scripted_conversation import (
    VOICE_RATE,
    Conversation,
    EngineJob,
    Microphone,
    configured,
    hypothesis_of,
    words_between,
)
from tests.support.unpacked_blocks import unpacked_from_now_on

CHAT = configured(chat=True, create_response=True)
BY_HAND = configured(chat=True, turn_detection=None)
STOP = ChatFinished(ChatFinishReason.STOP)
DIM = ChatTool("dim", "Dim the light.", {"type": "object"})


def user(text: str) -> Message:
    return Message(Role.USER, (TextPart(text),))


def assistant(text: str) -> Message:
    return Message(Role.ASSISTANT, (TextPart(text),))


def answers(*deltas: ChatDelta) -> Callable[[ChatRequest], list[ChatDelta]]:
    return lambda _: list(deltas)


def said(conversation: Conversation) -> list[str]:
    """Let everything be played; return the texts of the responses."""
    conversation.wait(120.0)
    return [finished.text for finished in conversation.outputs_of(ResponseFinished)]


def error_of(conversation: Conversation) -> object:
    (finished,) = conversation.outputs_of(ResponseFinished)
    return type(finished.error)


# Without a chat backend.


def test_the_input_is_spoken_whoever_says_it() -> None:
    conversation = Conversation()
    conversation.send(CreateResponse(False, (user("Hello there."),), instructions="You are a renderer."))
    conversation.send(CreateResponse(False, (assistant("Good morning."),)))
    assert said(conversation) == ["Hello there.", "Good morning."]


def test_an_item_of_the_conversation_may_be_the_input() -> None:
    conversation = Conversation()
    conversation.send(CreateItem(assistant("From the conversation."), "mine"))
    conversation.send(CreateItem(user("What?")))
    conversation.send(CreateResponse(input=(ItemReference("mine"),)))
    assert said(conversation) == ["From the conversation."]


def test_a_thousand_references_to_old_items_unpack_them_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation()
    for number in range(3 * BLOCK_ITEMS):
        conversation.send(CreateItem(assistant(f"Text {number}."), str(number)))
    unpacked = unpacked_from_now_on(monkeypatch)
    conversation.send(CreateResponse(input=(ItemReference("0"),) * 1000))
    assert sum(unpacked) <= 10 * BLOCK_ITEMS
    assert said(conversation) == ["Text 0."]


def test_an_unknown_item_as_input_is_refused() -> None:
    command = CreateResponse(input=(ItemReference("x"),))
    assert Conversation().send(command) == [CommandRefused(RefusalReason.UNKNOWN_ITEM, command, item_id="x")]


def test_the_item_that_the_client_added_last_is_spoken_once() -> None:
    conversation = Conversation()
    conversation.send(CreateItem(assistant("First.")))
    conversation.send(CreateItem(assistant("Second.")))
    conversation.send(CreateResponse(instructions="Be kind."))
    conversation.wait(10.0)
    conversation.send(CreateResponse())
    first, second = conversation.outputs_of(ResponseFinished)
    assert (first.text, second.status) == ("Second.", ResponseStatus.FAILED)


def test_an_item_added_while_another_is_spoken_is_not_lost() -> None:
    conversation = Conversation()
    conversation.send(CreateItem(assistant("First.")))
    conversation.send(CreateResponse())
    conversation.send(CreateItem(assistant("Second.")))
    conversation.wait(10.0)
    conversation.send(CreateResponse())
    assert said(conversation) == ["First.", "Second."]


def test_an_item_that_is_deleted_before_its_turn_is_not_spoken() -> None:
    conversation = Conversation()
    conversation.send(CreateItem(assistant("Hello."), "mine"))
    conversation.send(DeleteItem("mine"))
    conversation.send(CreateResponse())
    assert error_of(conversation) is ChatNotConfigured


@pytest.mark.parametrize("content", [user("What?"), FunctionCallOutput("call_1", "done")])
def test_what_needs_an_answer_fails(content: Message | FunctionCallOutput) -> None:
    conversation = Conversation()
    conversation.send(CreateItem(assistant("First.")))
    conversation.send(CreateItem(content))
    conversation.send(CreateResponse(metadata={"a": "b"}))
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.response.metadata) == (ResponseStatus.FAILED, {"a": "b"})
    assert error_of(conversation) is ChatNotConfigured
    assert not conversation.session.responding


@pytest.mark.parametrize("content", [assistant(""), assistant(" \n"), assistant("..."), user(""), user("?!")])
def test_a_message_without_words_fails_and_says_so(content: Message) -> None:
    conversation = Conversation()
    conversation.send(CreateResponse(input=(content,)))
    assert error_of(conversation) is NothingToSpeak


def test_an_items_text_without_words_fails() -> None:
    conversation = Conversation()
    conversation.send(CreateItem(assistant("...")))
    conversation.send(CreateResponse())
    assert error_of(conversation) is NothingToSpeak


def test_signs_may_be_written() -> None:
    conversation = Conversation(configured(modality=Modality.TEXT))
    conversation.send(CreateResponse(input=(assistant("..."),)))
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.text) == (ResponseStatus.COMPLETED, "...")


@pytest.mark.parametrize("last", [FunctionCallOutput("call_1", "done"), Message(Role.SYSTEM)])
def test_input_that_is_not_spoken_needs_a_chat_backend(last: Message | FunctionCallOutput) -> None:
    conversation = Conversation()
    conversation.send(CreateResponse(input=(last,)))
    assert error_of(conversation) is ChatNotConfigured


def test_instructions_are_spoken_where_there_is_nothing_that_they_instruct_about() -> None:
    conversation = Conversation()
    conversation.send(CreateResponse(instructions="Say this."))
    assert said(conversation) == ["Say this."]


def test_instructions_are_not_spoken_in_a_conversation() -> None:
    conversation = Conversation()
    conversation.send(CreateItem(user("Hello.")))
    conversation.send(CreateResponse(instructions="Greet the user."))
    assert error_of(conversation) is ChatNotConfigured


def test_instructions_are_not_spoken_beside_those_of_the_session() -> None:
    conversation = Conversation(configured(instructions="You are Bob."))
    conversation.send(CreateResponse(instructions="You are Bob. Greet the user."))
    assert error_of(conversation) is ChatNotConfigured


def test_a_text_may_be_written_instead_of_spoken() -> None:
    conversation = Conversation(configured(modality=Modality.TEXT))
    conversation.send(CreateItem(assistant("Good morning. And good night.")))
    conversation.send(CreateResponse())
    (text,) = conversation.outputs_of(ResponseTextExtended)
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert text.delta == finished.text == "Good morning. And good night."
    assert finished.items[0].content == assistant("Good morning. And good night.")
    assert conversation.outputs_of(Synthesize, ResponseAudioExtended) == []


# With a chat backend.


@pytest.mark.parametrize("text", ["", " \n", "..."])
def test_a_text_of_the_client_without_words_is_no_question_to_the_chat_backend(text: str) -> None:
    conversation = Conversation(CHAT)
    conversation.send(CreateResponse(input=(user("Hello."), assistant(text)), in_conversation=False))
    assert error_of(conversation) is NothingToSpeak
    assert conversation.outputs_of(Generate) == []


def test_a_turn_is_answered_when_it_is_transcribed() -> None:
    conversation, microphone = Conversation(CHAT), Microphone()
    conversation.hear(microphone.silence(0.64), microphone.speech(1.92), microphone.silence(1.0))
    assert said(conversation) == [f"You said: {words_between(0.64, 2.56)}"]
    order = [type(each) for each in conversation.events]
    assert order.index(TranscriptCompleted) < order.index(ResponseStarted)


def test_a_turn_in_which_nothing_was_said_is_not_answered() -> None:
    conversation, microphone = Conversation(CHAT, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.0), microphone.silence(1.0))
    conversation.send(JobFailed(conversation.pending(Transcribe)[0].number, EngineError("scripted")))
    while conversation.pending(Transcribe):
        conversation.fail(Transcribe)
    assert conversation.outputs_of(ResponseStarted) == []


def test_silence_is_not_answered() -> None:
    conversation, microphone = Conversation(CHAT, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    hear(conversation, "")
    assert conversation.outputs_of(TranscriptCompleted)[0].text == ""
    assert conversation.outputs_of(ResponseStarted) == []


def test_a_turn_is_not_answered_where_the_client_says_so() -> None:
    conversation, microphone = Conversation(configured(chat=True)), Microphone()
    conversation.hear(microphone.speech(2.0), microphone.silence(1.0))
    assert conversation.outputs_of(ResponseStarted) == []
    conversation.send(CreateResponse())
    assert len(said(conversation)) == 1


def test_a_user_who_speaks_again_is_answered_once() -> None:
    conversation, microphone = Conversation(CHAT, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(2.0), microphone.silence(1.0), microphone.speech(2.0))
    conversation.release(Transcribe)
    assert conversation.outputs_of(ResponseStarted) == []
    conversation.hear(microphone.silence(1.0))
    (answer,) = conversation.outputs_of(Generate)
    assert len(answer.request.messages) == 2


def test_an_answer_that_is_due_comes_when_the_rest_was_cleared() -> None:
    conversation, microphone = Conversation(CHAT, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(2.0), microphone.silence(1.0), microphone.speech(0.4))
    conversation.release(Transcribe)
    assert conversation.outputs_of(ResponseStarted) == []
    conversation.send(ClearAudio())
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_turn_beside_a_response_that_may_not_be_interrupted_is_not_answered() -> None:
    conversation, microphone = (
        Conversation(configured(chat=True, create_response=True, interrupt_response=False)),
        Microphone(),
    )
    conversation.send(Speak("This takes quite some time to say. " * 4))
    conversation.hear(microphone.speech(2.0), microphone.silence(1.0))
    assert len(conversation.outputs_of(ResponseStarted)) == 1
    assert conversation.outputs_of(CommandRefused) == []


def test_a_request_waits_for_the_transcripts_of_what_was_said_before() -> None:
    conversation, microphone = Conversation(BY_HAND, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.92))
    conversation.send(CommitAudio())
    conversation.send(CreateResponse())
    assert len(conversation.outputs_of(ResponseStarted)) == 1
    assert conversation.outputs_of(Generate) == []
    conversation.release(Transcribe)
    (asked,) = conversation.outputs_of(Generate)
    assert asked.request.messages == (ChatMessage(ChatRole.USER, words_between(0.0, 1.92)),)


def test_a_request_that_is_cancelled_while_it_waits_asks_nothing() -> None:
    conversation, microphone = Conversation(BY_HAND, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.92))
    conversation.send(CommitAudio())
    conversation.send(CreateResponse())
    conversation.send(CancelResponse())
    conversation.release(Transcribe)
    assert conversation.outputs_of(Generate) == []
    assert not conversation.session.responding


def test_a_request_says_what_the_session_says_unless_it_says_otherwise() -> None:
    config = configured(chat=True, instructions="Be kind.", tools=(DIM,), tool_choice="required", max_output_tokens=50)
    conversation = Conversation(config, held=(Generate,))
    conversation.send(CreateItem(user("Hello.")))
    conversation.send(CreateResponse(False))
    conversation.send(
        CreateResponse(False, (user("Hi."),), "Be rude.", tools=(), tool_choice="auto", max_output_tokens=9)
    )
    ours, theirs = (job.request for job in conversation.outputs_of(Generate))
    assert ours == ChatRequest(
        (ChatMessage(ChatRole.SYSTEM, "Be kind."), ChatMessage(ChatRole.USER, "Hello.")),
        (DIM,),
        "required",
        max_output_tokens=50,
    )
    assert theirs == ChatRequest(
        (ChatMessage(ChatRole.SYSTEM, "Be rude."), ChatMessage(ChatRole.USER, "Hi.")), max_output_tokens=9
    )


def test_an_assistants_input_is_spoken_as_it_is_written() -> None:
    conversation = Conversation(BY_HAND)
    conversation.send(CreateResponse(input=(user("Hello."), assistant("Good morning."))))
    assert said(conversation) == ["Good morning."]
    assert conversation.outputs_of(Generate) == []


def test_an_answer_is_spoken_while_it_is_generated() -> None:
    conversation = Conversation(BY_HAND, held=(Generate,))
    conversation.send(CreateResponse())
    (job,) = conversation.pending(Generate)
    assert conversation.outputs_of(ResponseItemAdded) == []
    conversation.send(Generated(job.number, ChatTextDelta(" ")))
    assert conversation.outputs_of(ResponseItemAdded) == []
    conversation.send(Generated(job.number, ChatTextDelta("Good morning. How are")))
    assert len(conversation.outputs_of(ResponseItemAdded)) == 1
    assert [text.delta for text in conversation.outputs_of(ResponseTextExtended)] == ["Good morning. "]
    conversation.wait(30.0)
    conversation.send(Generated(job.number, ChatTextDelta(" you?")))
    conversation.send(Generated(job.number, ChatFinished(ChatFinishReason.STOP, ChatUsage(5, 3))))
    assert said(conversation) == ["Good morning. How are you?"]
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.usage) == (ResponseStatus.COMPLETED, ChatUsage(5, 3))


def test_an_empty_answer_is_complete_without_an_item() -> None:
    conversation = Conversation(BY_HAND)
    conversation.chat = answers(ChatTextDelta("\n"), STOP)
    conversation.send(CreateResponse())
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.items) == (ResponseStatus.COMPLETED, ())


def test_tool_calls_follow_when_the_speech_before_them_has_been_sent() -> None:
    conversation = Conversation(configured(chat=True, turn_detection=None, tools=(DIM,)))
    conversation.chat = answers(
        ChatTextDelta("One moment please, while I look for the switch of the light in the kitchen."),
        ChatToolCallDelta(0, "call_1", "dim", '{"level"'),
        ChatToolCallDelta(1, "call_2", "dim", "{}"),
        ChatToolCallDelta(0, "call_1", "dim", ":3}"),
        ChatFinished(ChatFinishReason.TOOL_CALLS),
    )
    conversation.send(CreateResponse())
    assert conversation.outputs_of(ResponseItemFinished) == []
    conversation.wait(60.0)
    message, *calls = [each.item for each in conversation.outputs_of(ResponseItemFinished)]
    assert isinstance(message.content, Message)
    assert [call.content for call in calls] == [
        FunctionCall("call_1", "dim", '{"level":3}'),
        FunctionCall("call_2", "dim", "{}"),
    ]
    assert [each.index for each in conversation.outputs_of(ResponseItemAdded)] == [0, 1, 2]
    conversation.send(CreateItem(FunctionCallOutput("call_1", "done")))
    conversation.send(CreateResponse())
    roles = [each.role for each in conversation.outputs_of(Generate)[-1].request.messages]
    assert roles == [ChatRole.ASSISTANT, ChatRole.TOOL]


def test_more_tool_calls_than_anybody_needs_are_dropped() -> None:
    conversation = Conversation(BY_HAND)
    calls = (ChatToolCallDelta(index, f"call_{index}", "dim", "{}") for index in range(MAX_TOOL_CALLS + 5))
    conversation.chat = answers(*calls, STOP)
    conversation.send(CreateResponse())
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert len(finished.items) == MAX_TOOL_CALLS


def test_an_answer_without_end_is_stopped() -> None:
    conversation = Conversation(configured(chat=True, turn_detection=None, modality=Modality.TEXT), held=(Generate,))
    conversation.send(CreateResponse())
    (job,) = conversation.pending(Generate)
    for _ in range(3):
        conversation.send(Generated(job.number, ChatTextDelta("x" * (MAX_GENERATED_CHARACTERS // 2))))
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.reason) == (ResponseStatus.INCOMPLETE, EndReason.MAX_OUTPUT_TOKENS)
    assert conversation.outputs_of(CancelJob) == [CancelJob(job.number)]


@pytest.mark.parametrize(
    ("finish_reason", "reason"),
    [
        (ChatFinishReason.LENGTH, EndReason.MAX_OUTPUT_TOKENS),
        (ChatFinishReason.CONTENT_FILTER, EndReason.CONTENT_FILTER),
    ],
)
def test_an_answer_that_breaks_off_is_incomplete(finish_reason: ChatFinishReason, reason: EndReason) -> None:
    conversation = Conversation(BY_HAND)
    conversation.chat = answers(ChatTextDelta("Once upon a"), ChatFinished(finish_reason))
    conversation.send(CreateResponse())
    conversation.wait(60.0)
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.reason, finished.text) == (ResponseStatus.INCOMPLETE, reason, "Once upon a")
    assert finished.items[0].status is ItemStatus.INCOMPLETE


def test_a_response_fails_with_the_chat_backend_and_keeps_what_was_sent() -> None:
    conversation = Conversation(BY_HAND, held=(Generate,))
    conversation.send(CreateResponse())
    (job,) = conversation.pending(Generate)
    conversation.send(Generated(job.number, ChatTextDelta("Good morning. How are")))
    conversation.send(JobFailed(job.number, ChatInterrupted("scripted")))
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.text) == (ResponseStatus.FAILED, "Good morning. ")
    assert isinstance(finished.error, ChatInterrupted)
    assert not conversation.session.responding


def test_a_cancelled_answer_stops_the_chat_backend() -> None:
    conversation = Conversation(BY_HAND, held=(Generate,))
    conversation.send(CreateResponse())
    (job,) = conversation.pending(Generate)
    conversation.send(CancelResponse())
    assert conversation.outputs_of(CancelJob) == [CancelJob(job.number)]


# Beside the conversation.


def test_responses_outside_of_the_conversation_run_beside_the_one_in_it() -> None:
    conversation = Conversation(BY_HAND, held=(Synthesize,))
    conversation.send(Speak("In the conversation."))
    conversation.send(CreateResponse(False, (user("Hello."),)))
    started = conversation.outputs_of(ResponseStarted)
    assert [each.response.in_conversation for each in started] == [True, False]
    conversation.send(CancelResponse(started[1].response.id))
    (cancelled,) = conversation.outputs_of(ResponseFinished)
    assert cancelled.response == started[1].response
    conversation.release(Synthesize)
    conversation.wait(60.0)
    assert conversation.outputs_of(ResponseFinished)[-1].text == "In the conversation."


def test_only_so_many_responses_run_outside_of_the_conversation() -> None:
    conversation = Conversation(held=(Synthesize,))
    for _ in range(MAX_OUTSIDE_CONVERSATION):
        conversation.send(Speak("Hello.", in_conversation=False))
    (refusal,) = conversation.send(Speak("One more.", in_conversation=False))
    assert isinstance(refusal, CommandRefused)
    assert refusal.reason is RefusalReason.RESPONSE_IN_PROGRESS


def test_a_response_outside_of_the_conversation_leaves_no_item() -> None:
    conversation = Conversation()
    conversation.send(Speak("Hello.", in_conversation=False))
    (added,) = conversation.outputs_of(ResponseItemAdded)
    (refusal,) = conversation.send(RetrieveItem(added.item.id))
    assert isinstance(refusal, CommandRefused)


# Text in parts.


def test_a_text_in_parts_is_spoken_from_its_first_phrase_on() -> None:
    conversation = Conversation()
    conversation.send(Speak("Good morn", complete=False))
    assert conversation.outputs_of(Synthesize) == []
    conversation.send(ExtendSpeech("ing. How are"))
    assert [job.text for job in conversation.outputs_of(Synthesize)] == ["Good morning. "]
    conversation.send(ExtendSpeech(" you?", complete=True))
    assert said(conversation) == ["Good morning. How are you?"]


def test_a_clause_is_spoken_before_its_sentence_is_there_if_nothing_is_left_to_play() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak("Yes, of course. This is one thing, and", complete=False))
    (first,) = conversation.pending(Synthesize)
    conversation.send(SpeechSynthesized(first.number, np.full(2 * VOICE_RATE, 0.25, np.float32), VOICE_RATE))
    conversation.send(SynthesisFinished(first.number))
    conversation.wait(1.6)
    assert len(conversation.outputs_of(Synthesize)) == 1
    conversation.wait(0.2)
    assert conversation.outputs_of(Synthesize)[-1].text == "This is one thing, "


def test_after_that_a_clause_is_spoken_as_soon_as_it_is_there() -> None:
    conversation = Conversation()
    conversation.send(Speak("Yes. And", complete=False))
    conversation.wait(5.0)
    assert len(conversation.outputs_of(Synthesize)) == 1
    conversation.send(ExtendSpeech(" that is one thing, but"))
    assert conversation.outputs_of(Synthesize)[-1].text == "And that is one thing, "
    conversation.send(ExtendSpeech(" not the only one, or so I think", complete=True))
    conversation.wait(60.0)
    assert said(conversation) == ["Yes. And that is one thing, but not the only one, or so I think"]


def test_a_flush_speaks_what_was_given_and_is_confirmed_after_its_audio() -> None:
    conversation = Conversation()
    conversation.send(Speak("Good morning to", in_conversation=False, complete=False))
    conversation.send(ExtendSpeech(" you", flush=True))
    last, flushed = conversation.events[-2:]
    assert isinstance(last, ResponseAudioExtended)
    assert isinstance(flushed, ResponseFlushed)
    assert conversation.outputs_of(ResponseFinished) == []
    conversation.send(ExtendSpeech(complete=True))
    assert said(conversation) == ["Good morning to you"]


def test_a_text_that_is_complete_takes_no_more() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak("Hello."))
    (refusal,) = conversation.send(ExtendSpeech("More."))
    assert refusal == CommandRefused(RefusalReason.RESPONSE_NOT_ACTIVE, ExtendSpeech("More."))


def test_an_answer_that_waits_for_a_transcript_takes_no_text() -> None:
    conversation = Conversation(BY_HAND, held=(Transcribe,))
    conversation.hear(Microphone().speech(1.0))
    conversation.send(CommitAudio())
    conversation.send(CreateResponse())
    (refusal,) = conversation.send(ExtendSpeech("More.", complete=True))
    assert refusal == CommandRefused(RefusalReason.RESPONSE_NOT_ACTIVE, ExtendSpeech("More.", complete=True))
    conversation.release(Transcribe)
    conversation.wait(60.0)
    assert said(conversation) == ["You said: w0 w1 w2"]


def test_a_text_in_parts_has_a_bound_and_can_be_completed_there() -> None:
    conversation = Conversation(configured(modality=Modality.TEXT))
    conversation.send(Speak("x" * MAX_CHARACTERS, complete=False))
    (refusal,) = conversation.send(ExtendSpeech("y"))
    assert refusal == CommandRefused(RefusalReason.RESPONSE_NOT_ACTIVE, ExtendSpeech("y"))
    conversation.send(ExtendSpeech(complete=True))
    assert conversation.outputs_of(ResponseFinished)[-1].status is ResponseStatus.COMPLETED


# Before a turn ends.

PREPARING = configured(chat=True, create_response=True, prepare_answers=True)


def pausing() -> tuple[Conversation, Microphone, Generate]:
    """Pause in a turn for long enough to prepare an answer, and too briefly to end the turn."""
    conversation, microphone = Conversation(PREPARING, held=(Generate,)), Microphone()
    conversation.hear(microphone.silence(0.64), microphone.speech(1.92), microphone.silence(0.4))
    (job,) = conversation.pending(Generate)
    return conversation, microphone, job


def test_an_answer_is_prepared_in_the_pause_in_which_a_turn_may_end() -> None:
    conversation, microphone, job = pausing()
    assert job.request.messages == (ChatMessage(ChatRole.USER, words_between(0.64, 2.56)),)
    conversation.send(Generated(job.number, ChatTextDelta("Good morning. How")))
    assert conversation.outputs_of(ResponseStarted) == []
    conversation.hear(microphone.silence(0.2))
    assert [text.delta for text in conversation.outputs_of(ResponseTextExtended)] == ["Good morning. "]
    conversation.send(Generated(job.number, ChatTextDelta(" are you?")))
    conversation.send(Generated(job.number, STOP))
    assert said(conversation) == ["Good morning. How are you?"]
    assert conversation.outputs_of(Generate) == [job]


def test_a_prepared_answer_is_dropped_when_the_turn_goes_on() -> None:
    conversation, microphone, job = pausing()
    conversation.hear(microphone.speech(1.0))
    assert CancelJob(job.number) in conversation.outputs_of(CancelJob)
    conversation.hear(microphone.silence(1.0))
    (again,) = conversation.pending(Generate)
    assert again.request != job.request
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_prepared_answer_is_not_said_when_the_request_has_become_another() -> None:
    conversation, microphone, job = pausing()
    conversation.send(CreateItem(user("By the way.")))
    conversation.hear(microphone.silence(0.2))
    (again,) = conversation.pending(Generate)
    assert [message.text for message in again.request.messages] == ["By the way.", words_between(0.64, 2.56)]
    assert CancelJob(job.number) in conversation.outputs_of(CancelJob)


def test_a_prepared_answer_that_fails_is_asked_for_again() -> None:
    conversation, microphone, job = pausing()
    conversation.send(JobFailed(job.number, ChatInterrupted("scripted")))
    conversation.hear(microphone.silence(0.2))
    _, again = conversation.outputs_of(Generate)
    assert again.request == job.request
    assert conversation.outputs_of(ResponseFinished) == []


# The first phrase of a prepared answer.


def phrase_prepared() -> tuple[Conversation, Microphone, Synthesize]:
    """Pause in a turn until the answer is generated, whose first phrase is being synthesized."""
    conversation, microphone = Conversation(PREPARING, held=(Synthesize,)), Microphone()
    conversation.chat = lambda _: [ChatTextDelta("Good morning. How "), ChatTextDelta("are you?"), STOP]
    conversation.hear(microphone.silence(0.64), microphone.speech(1.92), microphone.silence(0.3))
    (job,) = conversation.pending(Synthesize)
    return conversation, microphone, job


def test_the_final_and_the_first_phrase_of_the_answer_are_prepared_at_the_beginning_of_the_pause() -> None:
    conversation, _, job = phrase_prepared()
    assert job.text == "Good morning. "
    assert conversation.outputs_of(SpeechStopped) == []
    conversation.answer(Synthesize)
    assert conversation.outputs_of(ResponseStarted, ResponseAudioExtended, Synthesize) == [job]


@pytest.mark.parametrize("answered", [False, True], ids=["in progress", "finished"])
def test_the_prepared_phrase_is_spoken_when_the_turn_ends(*, answered: bool) -> None:
    conversation, microphone, job = phrase_prepared()
    if answered:
        conversation.answer(Synthesize)
    conversation.held = ()
    conversation.hear(microphone.silence(0.3))
    conversation.release(Synthesize)
    assert said(conversation) == ["Good morning. How are you?"]
    assert [each.text for each in conversation.outputs_of(Synthesize)] == ["Good morning. ", "How are you?"]
    assert conversation.outputs_of(Synthesize)[0] == job


@pytest.mark.parametrize("answered", [False, True], ids=["in progress", "finished"])
def test_the_prepared_phrase_is_dropped_when_the_turn_goes_on(*, answered: bool) -> None:
    conversation, microphone, job = phrase_prepared()
    if answered:
        conversation.answer(Synthesize)
    conversation.hear(microphone.speech(0.64))
    assert (CancelJob(job.number) in conversation.outputs_of(CancelJob)) is not answered
    assert conversation.outputs_of(ResponseStarted, ResponseAudioExtended) == []


def test_the_prepared_phrase_is_not_spoken_in_another_voice() -> None:
    conversation, microphone, job = phrase_prepared()
    conversation.send(Configure(replace(PREPARING, voice="another")))
    conversation.hear(microphone.silence(0.3))
    assert CancelJob(job.number) in conversation.outputs_of(CancelJob)
    (again,) = conversation.pending(Synthesize)
    assert (again.text, again.voice) == (job.text, "another")


def test_a_prepared_phrase_that_fails_is_synthesized_again() -> None:
    conversation, microphone, job = phrase_prepared()
    conversation.fail(Synthesize)
    assert conversation.outputs_of(ResponseFinished) == []
    conversation.held = ()
    conversation.hear(microphone.silence(0.3))
    assert [each.text for each in conversation.outputs_of(Synthesize)] == [job.text, job.text, "How are you?"]
    assert said(conversation) == ["Good morning. How are you?"]


def test_an_answer_of_one_phrase_is_prepared_whole() -> None:
    conversation, microphone = Conversation(PREPARING), Microphone()
    conversation.chat = lambda _: [ChatTextDelta("Good "), ChatTextDelta("morning."), STOP]
    conversation.hear(microphone.silence(0.64), microphone.speech(1.92), microphone.silence(0.3))
    assert [job.text for job in conversation.outputs_of(Synthesize)] == ["Good morning."]
    conversation.hear(microphone.silence(0.3))
    assert said(conversation) == ["Good morning."]
    assert len(conversation.outputs_of(Synthesize)) == 1


def test_no_speech_is_prepared_for_an_answer_without_text() -> None:
    conversation, microphone = Conversation(PREPARING), Microphone()
    conversation.chat = lambda _: [ChatToolCallDelta(0, "call_1", "look", "{}"), STOP]
    conversation.hear(microphone.silence(0.64), microphone.speech(1.92), microphone.silence(0.6))
    assert said(conversation) == [""]
    assert conversation.outputs_of(Synthesize) == []


def test_no_speech_is_prepared_for_a_written_answer() -> None:
    conversation, microphone = Conversation(replace(PREPARING, modality=Modality.TEXT)), Microphone()
    conversation.hear(microphone.silence(0.64), microphone.speech(1.92), microphone.silence(0.3))
    assert len(conversation.outputs_of(Generate)) == 1
    conversation.hear(microphone.silence(0.3))
    assert said(conversation) == [f"You said: {words_between(0.64, 2.56)}"]
    assert conversation.outputs_of(Synthesize) == []


def test_under_load_nothing_is_transcribed_in_a_pause_too_short_for_a_final() -> None:
    conversation, microphone = Conversation(PREPARING), Microphone()
    conversation.load = LoadLevel.BUSY
    conversation.hear(microphone.silence(0.64), microphone.speech(1.92), microphone.silence(0.2))
    assert conversation.finals == []


def test_a_request_of_the_client_gives_up_what_was_prepared_for_a_turn() -> None:
    conversation, _, job = pausing()
    conversation.send(CreateResponse(input=(user("Something else."),)))
    assert CancelJob(job.number) in conversation.outputs_of(CancelJob)
    (asked,) = conversation.pending(Generate)
    assert [message.text for message in asked.request.messages] == ["Something else."]


def test_nothing_is_prepared_for_what_would_not_be_answered() -> None:
    conversation, microphone = Conversation(PREPARING, held=(Generate,)), Microphone()
    conversation.send(Configure(configured(chat=True, prepare_answers=True)))
    conversation.hear(microphone.silence(0.64), microphone.speech(1.92), microphone.silence(0.4))
    assert conversation.outputs_of(Generate) == []


def test_nothing_is_prepared_for_a_false_interruption() -> None:
    config = configured(chat=True, create_response=True, prepare_answers=True, resume_false_interruptions=True)
    conversation, microphone = Conversation(config, held=(Transcribe, Generate)), Microphone()
    conversation.send(CreateResponse(input=(assistant(COUNT),)))
    conversation.wait(1.0)
    conversation.hear(microphone.speech(0.5), microphone.silence(0.4))
    hear(conversation, "Mhm.")
    assert conversation.outputs_of(Generate) == []


def test_a_turn_that_failed_in_part_is_not_answered_in_its_pause() -> None:
    conversation, microphone = Conversation(PREPARING, held=(Transcribe, Generate)), Microphone()
    conversation.hear(microphone.speech(12.0), microphone.silence(0.4))
    while conversation.pending(Transcribe):
        conversation.fail(Transcribe)
    conversation.hear(microphone.speech(1.0))
    conversation.release(Transcribe)
    conversation.hear(microphone.silence(0.4))
    assert conversation.outputs_of(Generate) == []


# Interruption: what was played is what is kept.


def kept(conversation: Conversation) -> str:
    (added,) = conversation.outputs_of(ResponseItemAdded)
    (retrieved,) = conversation.send(RetrieveItem(added.item.id))
    assert isinstance(retrieved, ItemRetrieved)
    assert isinstance(retrieved.item.content, Message)
    return retrieved.item.content.text


def test_an_interrupted_response_keeps_the_words_that_were_played() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.send(Speak("One two three four five six seven eight nine ten eleven twelve thirteen."))
    conversation.wait(1.0)
    conversation.hear(microphone.speech(0.5))
    assert len(conversation.outputs_of(SpeechStarted)) == 1
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert finished.reason is EndReason.TURN_DETECTED
    assert finished.text == "One two three four five six seven eight nine ten eleven twelve thirteen."
    assert kept(conversation) == "One two three"


def test_a_response_that_has_been_sent_but_not_played_is_interrupted_too() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.send(Speak("One two three four five six."))
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert finished.status is ResponseStatus.COMPLETED
    conversation.wait(1.0)
    conversation.hear(microphone.speech(0.5))
    assert kept(conversation) == "One two three"


def test_a_response_that_has_been_played_stays_whole() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.send(Speak("One two three four five six."))
    conversation.wait(10.0)
    conversation.hear(microphone.speech(0.5))
    assert kept(conversation) == "One two three four five six."


def test_a_response_that_was_cancelled_before_any_audio_keeps_nothing() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak("One two three."))
    conversation.send(CancelResponse())
    assert kept(conversation) == ""


@pytest.mark.parametrize(("interrupted", "keeps"), [(False, "One two three four, five six. "), (True, "One two three")])
def test_a_response_that_has_failed_keeps_what_is_played_of_it(interrupted: bool, keeps: str) -> None:
    conversation, microphone = Conversation(CHAT, held=(Generate,)), Microphone()
    conversation.send(CreateItem(user("Count.")))
    conversation.send(CreateResponse())
    (job,) = conversation.pending(Generate)
    conversation.send(Generated(job.number, ChatTextDelta("One two three four, five six. Sev")))
    conversation.wait(0.5)
    conversation.send(JobFailed(job.number, ChatInterrupted("scripted")))
    conversation.wait(0.6)
    if interrupted:
        conversation.hear(microphone.speech(0.5))
    assert kept(conversation) == keeps


# False interruptions: what was not said goes on.

RESUMING = configured(chat=True, create_response=True, resume_false_interruptions=True)
COUNT = "One two three four five six seven eight nine ten eleven twelve."


def counting(held: tuple[type[EngineJob], ...] = (Transcribe,)) -> tuple[Conversation, Microphone]:
    """Let a response be played for a second, and then interrupt it for half a second."""
    conversation, microphone = Conversation(RESUMING, held=held), Microphone()
    conversation.send(CreateResponse(input=(assistant(COUNT),)))
    conversation.wait(1.0)
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    return conversation, microphone


def hear(conversation: Conversation, text: str) -> None:
    """Answer all transcriptions with this text."""
    while conversation.pending(Transcribe):
        conversation.answer(Transcribe, hypothesis_of(text, average_log_probability=-3 if not text else -0.2))


@pytest.mark.parametrize("text", ["", "Mhm.", "Yeah, right.", "Genau!"])
def test_a_response_goes_on_where_nothing_was_said_to_it(text: str) -> None:
    conversation, _ = counting()
    hear(conversation, text)
    assert said(conversation)[1:] == ["four five six seven eight nine ten eleven twelve."]
    first, second = conversation.outputs_of(ResponseStarted)
    assert second.response.id != first.response.id
    assert conversation.outputs_of(Generate) == []


def test_a_response_goes_on_where_the_client_says_that_it_was_played_to() -> None:
    conversation, _ = counting()
    (spoken,) = [each.item.id for each in conversation.outputs_of(ResponseItemAdded)]
    conversation.send(TruncateItem("item_other", 0))
    conversation.send(TruncateItem(spoken, 500))
    hear(conversation, "")
    assert said(conversation)[1:] == ["two three four five six seven eight nine ten eleven twelve."]


def test_a_response_does_not_go_on_while_the_user_speaks_again() -> None:
    conversation, microphone = counting()
    conversation.send(Configure(replace(RESUMING, interrupt_response=False)))
    conversation.hear(microphone.speech(0.5))
    hear(conversation, "")
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_response_does_not_go_on_where_something_was_said() -> None:
    conversation, _ = counting()
    hear(conversation, "Stop it.")
    assert said(conversation)[1:] == ["You said: Stop it."]


def test_near_the_end_of_a_response_yes_is_an_answer() -> None:
    conversation, microphone = Conversation(RESUMING, held=(Transcribe,)), Microphone()
    conversation.send(CreateResponse(input=(assistant("Shall I turn it off?"),)))
    conversation.wait(1.2)
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    hear(conversation, "Yes.")
    assert said(conversation)[1:] == ["You said: Yes."]


def test_a_backchannel_after_a_response_is_an_answer() -> None:
    conversation, microphone = Conversation(RESUMING, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    hear(conversation, "Right.")
    assert said(conversation) == ["You said: Right."]


def test_where_a_response_had_been_played_to_its_end_nothing_goes_on() -> None:
    conversation, microphone = Conversation(RESUMING, held=(Transcribe,)), Microphone()
    conversation.send(CreateResponse(input=(assistant("One two."),)))
    conversation.wait(0.74)
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    hear(conversation, "")
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_response_that_has_been_sent_goes_on_where_it_was_played_to() -> None:
    conversation, microphone = Conversation(RESUMING, held=(Transcribe,)), Microphone()
    conversation.send(CreateResponse(input=(assistant("One two three four five six."),)))
    assert len(conversation.outputs_of(ResponseFinished)) == 1
    conversation.wait(1.0)
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    hear(conversation, "")
    assert said(conversation)[1:] == ["four five six."]


def generating_and_interrupted() -> tuple[Conversation, Generate]:
    """Interrupt an answer of which the chat backend has generated a part, after a second of it."""
    conversation, microphone = Conversation(RESUMING, held=(Transcribe, Generate)), Microphone()
    conversation.send(CreateItem(user("Count.")))
    conversation.send(CreateResponse())
    (job,) = conversation.pending(Generate)
    conversation.send(Generated(job.number, ChatTextDelta("One two three four, five six. Sev")))
    conversation.wait(1.0)
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    return conversation, job


def test_an_answer_is_generated_on_while_nobody_knows_whether_it_was_interrupted() -> None:
    conversation, job = generating_and_interrupted()
    conversation.send(Generated(job.number, ChatTextDelta("en eight.")))
    assert CancelJob(job.number) not in conversation.outputs_of(CancelJob)
    hear(conversation, "")
    conversation.send(Generated(job.number, ChatTextDelta(" Nine.")))
    conversation.send(Generated(job.number, ChatToolCallDelta(0, "call_1", "dim", "{}")))
    conversation.send(Generated(job.number, STOP))
    assert said(conversation)[1:] == ["four, five six. Seven eight. Nine."]
    assert isinstance(conversation.outputs_of(ResponseItemFinished)[-1].item.content, FunctionCall)


def test_an_answer_that_breaks_off_while_it_is_interrupted_is_said_as_far_as_it_goes() -> None:
    conversation, job = generating_and_interrupted()
    conversation.send(JobFailed(job.number, ChatInterrupted("scripted")))
    hear(conversation, "")
    assert said(conversation)[1:] == ["four, five six. Sev"]


def test_a_true_interruption_stops_the_chat_backend() -> None:
    conversation, job = generating_and_interrupted()
    hear(conversation, "Stop it.")
    assert CancelJob(job.number) in conversation.outputs_of(CancelJob)


def test_a_second_cough_does_not_end_a_response_either() -> None:
    conversation, microphone = counting()
    conversation.hear(microphone.speech(0.5))
    hear(conversation, "")
    assert len(conversation.outputs_of(ResponseStarted)) == 1
    conversation.hear(microphone.silence(1.0))
    hear(conversation, "")
    assert said(conversation)[1:] == ["four five six seven eight nine ten eleven twelve."]


def test_an_interrupted_response_does_not_go_on_beside_another() -> None:
    conversation, _ = counting()
    conversation.send(CreateResponse(input=(assistant("Something else."),)))
    hear(conversation, "")
    assert said(conversation)[1:] == ["Something else."]


def test_a_client_that_cancels_after_an_interruption_hears_no_more() -> None:
    conversation, _ = counting()
    conversation.send(CancelResponse())
    hear(conversation, "")
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_client_that_cancels_when_it_hears_of_speech_hears_the_rest_after_a_false_interruption() -> None:
    conversation, microphone = Conversation(RESUMING, held=(Transcribe,)), Microphone()
    conversation.send(CreateResponse(input=(assistant(COUNT),)))
    conversation.wait(1.0)
    conversation.hear(microphone.speech(0.5))
    conversation.send(CancelResponse())
    assert [each.reason for each in conversation.outputs_of(CommandRefused)] == [RefusalReason.RESPONSE_NOT_ACTIVE]
    conversation.hear(microphone.silence(1.0))
    hear(conversation, "")
    assert said(conversation)[1:] == ["four five six seven eight nine ten eleven twelve."]


def test_a_response_that_the_client_has_cancelled_does_not_go_on_after_a_false_interruption() -> None:
    conversation, microphone = Conversation(RESUMING, held=(Transcribe,)), Microphone()
    conversation.send(CreateResponse(input=(assistant(COUNT),)))
    conversation.wait(1.0)
    conversation.send(CancelResponse())
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    hear(conversation, "")
    assert len(conversation.outputs_of(ResponseStarted)) == 1


@pytest.mark.parametrize("stop", ["cancel", "truncate"])
def test_a_response_whose_playback_the_client_has_stopped_does_not_go_on(stop: str) -> None:
    conversation, microphone = Conversation(RESUMING, held=(Transcribe,)), Microphone()
    conversation.send(CreateResponse(input=(assistant("One two three four five six."),)))
    conversation.wait(1.0)
    (spoken,) = [each.item.id for each in conversation.outputs_of(ResponseItemAdded)]
    conversation.send(CancelResponse() if stop == "cancel" else TruncateItem(spoken, 500))
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    hear(conversation, "")
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_response_that_has_failed_does_not_go_on_after_a_false_interruption() -> None:
    conversation, microphone = Conversation(RESUMING, held=(Transcribe, Generate)), Microphone()
    conversation.send(CreateItem(user("Count.")))
    conversation.send(CreateResponse())
    (job,) = conversation.pending(Generate)
    conversation.send(Generated(job.number, ChatTextDelta("One two three four, five six. Sev")))
    conversation.send(JobFailed(job.number, ChatInterrupted("scripted")))
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    hear(conversation, "")
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_response_that_is_interrupted_before_the_chat_backend_was_asked_leaves_room_for_the_next() -> None:
    config = replace(RESUMING, create_response=False)
    conversation, microphone = Conversation(config, held=(Transcribe,)), Microphone()
    conversation.send(CreateItem(user("Count.")))
    conversation.hear(microphone.speech(0.5))
    conversation.send(CommitAudio())
    conversation.send(CreateResponse())
    conversation.hear(microphone.silence(0.5), microphone.speech(0.5), microphone.silence(1.0))
    assert [each.reason for each in conversation.outputs_of(ResponseFinished)] == [EndReason.TURN_DETECTED]
    hear(conversation, "")
    assert len(conversation.outputs_of(ResponseStarted)) == 1
    conversation.send(CreateResponse())
    assert said(conversation)[1:] == ["You said: Count."]


def test_a_turn_that_cannot_be_transcribed_is_an_interruption() -> None:
    conversation, _ = counting()
    while conversation.pending(Transcribe):
        conversation.fail(Transcribe)
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_turn_that_the_client_clears_is_an_interruption() -> None:
    conversation, microphone = Conversation(RESUMING), Microphone()
    conversation.send(CreateResponse(input=(assistant(COUNT),)))
    conversation.wait(1.0)
    conversation.hear(microphone.speech(0.5))
    conversation.send(ClearAudio())
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_written_response_that_is_interrupted_does_not_go_on() -> None:
    config = configured(chat=True, resume_false_interruptions=True, modality=Modality.TEXT)
    conversation, microphone = Conversation(config, held=(Transcribe, Generate)), Microphone()
    conversation.send(CreateResponse())
    (job,) = conversation.pending(Generate)
    conversation.send(Generated(job.number, ChatTextDelta("One two three")))
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    assert CancelJob(job.number) in conversation.outputs_of(CancelJob)
    hear(conversation, "")
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_after_white_space_that_was_shortened_nothing_goes_on() -> None:
    conversation, microphone = Conversation(RESUMING, held=(Transcribe,)), Microphone()
    conversation.send(CreateResponse(input=(assistant("A" + " " * 500 + "b c d e f g h i j k l m n o p q r s t u"),)))
    conversation.wait(22.0)
    conversation.hear(microphone.speech(0.5), microphone.silence(1.0))
    hear(conversation, "")
    assert len(conversation.outputs_of(ResponseStarted)) == 1


def test_a_configuration_may_change_while_a_response_is_spoken() -> None:
    conversation = Conversation(CHAT)
    conversation.send(Speak("One two three."))
    conversation.send(Configure(configured(chat=False)))
    assert said(conversation) == ["One two three."]
