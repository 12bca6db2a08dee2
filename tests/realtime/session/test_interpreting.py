"""What is transcribed is spoken, where the client asks for it: one turn after the other, each while it grows."""

from realtime.session.events import TranscriptCompleted, TranscriptExtended, TranscriptsSpoken
from realtime.session.interpreting import MAX_WAITING_CHARACTERS, Interpreting
from realtime.session.jobs import Synthesize, Transcribe
from realtime.session.response_events import ResponseFinished, ResponseStarted, ResponseTextExtended
from tests.support.scripted_conversation import Conversation, Microphone, configured

INTERPRETED = configured(speak_transcripts=True, interrupt_response=False)


def spoken(conversation: Conversation) -> list[str]:
    """Return the words of all responses."""
    texts: dict[str, str] = {}
    for event in conversation.outputs_of(ResponseTextExtended):
        texts[event.response.id] = texts.get(event.response.id, "") + event.delta
    return " ".join(texts.values()).split()


def transcribed(conversation: Conversation) -> list[str]:
    """Return the words of all transcripts."""
    return conversation.transcript().replace("w", " w").split()


def test_a_turn_is_spoken_while_it_grows() -> None:
    conversation, microphone = Conversation(INTERPRETED), Microphone()
    conversation.hear(microphone.speech(4))
    (started,) = conversation.outputs_of(ResponseStarted)
    assert not started.response.in_conversation
    assert not conversation.outputs_of(ResponseFinished)
    conversation.hear(microphone.silence(1))
    assert len(conversation.outputs_of(ResponseFinished)) == 1
    assert spoken(conversation) == transcribed(conversation)
    assert len(conversation.outputs_of(TranscriptsSpoken)) == 1


def test_the_next_turns_wait_until_one_has_been_spoken() -> None:
    conversation, microphone = Conversation(INTERPRETED, held=(Synthesize,)), Microphone()
    for _ in range(3):
        conversation.hear(microphone.speech(1.92), microphone.silence(1.5))
    assert len(conversation.outputs_of(ResponseStarted)) == 1
    conversation.release(Synthesize)
    assert len(conversation.outputs_of(ResponseStarted)) == 2
    assert len(conversation.outputs_of(TranscriptsSpoken)) == 1
    assert spoken(conversation) == transcribed(conversation)


def test_a_turn_that_grows_while_it_waits_is_spoken_to_its_end() -> None:
    conversation, microphone = Conversation(INTERPRETED, held=(Synthesize,)), Microphone()
    conversation.hear(microphone.speech(1.92), microphone.silence(1.5), microphone.speech(4))
    conversation.release(Synthesize)
    assert not conversation.outputs_of(TranscriptsSpoken)
    conversation.hear(microphone.silence(1.5))
    assert len(conversation.outputs_of(TranscriptsSpoken)) == 1
    assert spoken(conversation) == transcribed(conversation)


def test_what_was_said_before_a_failure_is_spoken() -> None:
    conversation, microphone = Conversation(INTERPRETED, held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.92))
    conversation.release(Transcribe)
    conversation.hear(microphone.speech(2))
    conversation.held = (Transcribe,)
    conversation.hear(microphone.silence(1.5))
    while conversation.pending(Transcribe):
        conversation.fail(Transcribe)
    assert len(conversation.outputs_of(TranscriptsSpoken)) == 1


def test_silence_says_nothing() -> None:
    conversation, microphone = Conversation(INTERPRETED), Microphone()
    conversation.hear(microphone.silence(3))
    assert not conversation.outputs_of(ResponseStarted)


def test_no_more_text_waits_than_the_limit() -> None:
    conversation = Conversation(INTERPRETED, held=(Synthesize,))
    interpreting: Interpreting = conversation.session._interpreting
    list(interpreting.follow(TranscriptExtended("item_0", "word"), 0.0))
    list(interpreting.follow(TranscriptCompleted("item_0", "word", (), "en", 1), 0.0))
    for count in range(MAX_WAITING_CHARACTERS // 1_000 + 2):
        list(interpreting.follow(TranscriptExtended(f"item_{count}", "word " * 400), 0.0))
    assert len(interpreting._waiting) == MAX_WAITING_CHARACTERS
