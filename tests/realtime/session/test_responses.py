from dataclasses import replace

import numpy as np
import pytest

from realtime.audio.formats import AudioFormat, Decoder, Encoding
from realtime.errors import EngineError, UnreadableText
from realtime.session.commands import CancelResponse, Configure, CreateResponse, Speak
from realtime.session.conversation import ItemStatus, Message, Role, TextPart
from realtime.session.events import CommandRefused, RefusalReason
from realtime.session.jobs import CancelJob, SpeechSynthesized, SynthesisFinished, Synthesize
from realtime.session.response_events import (
    EndReason,
    ResponseAudioExtended,
    ResponseFinished,
    ResponseItemAdded,
    ResponseItemFinished,
    ResponseStarted,
    ResponseStatus,
    ResponseTextExtended,
    ResponseWordsTimed,
)
from realtime.session.speaking import MAX_BUFFERED_SECONDS
from realtime.speech.phrases import phrases
from realtime.speech.playout import CHUNK_SECONDS, FIRST_CHUNK_SECONDS, MAX_LEAD_SECONDS
from realtime.text_normalization.normalizer import spoken_text
from tests.support.scripted_conversation import VOICE_RATE, Conversation, configured

TEXT = "Good morning to you, dear listener. Here is the news of the day. It is short! That was all…"
LONG_TEXT = " ".join(f"This is sentence number {index} of a long answer." for index in range(20))


def request_id_of(refusal: CommandRefused) -> str | None:
    command = refusal.command
    assert isinstance(command, Speak | CancelResponse)
    return command.request_id


def spoken(conversation: Conversation) -> str:
    return "".join(event.delta for event in conversation.outputs_of(ResponseTextExtended))


def seconds_sent(conversation: Conversation) -> float:
    """Seconds of audio sent so far, at the rate of the default output format."""
    return sum(len(event.data) for event in conversation.outputs_of(ResponseAudioExtended)) / 2 / VOICE_RATE


def chunk(number: int, seconds: float) -> SpeechSynthesized:
    return SpeechSynthesized(number, np.full(round(seconds * VOICE_RATE), 0.25, np.float32), VOICE_RATE)


def speaking() -> tuple[Conversation, Synthesize]:
    """A response has begun; its first phrase waits for the engine."""
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak(TEXT))
    (phrase,) = conversation.pending(Synthesize)
    return conversation, phrase


def test_a_response_is_started_spoken_and_finished() -> None:
    conversation = Conversation()
    conversation.send(Speak(TEXT))
    conversation.wait(60.0)
    started, added, text, audio = conversation.events[:4]
    done, finished = conversation.events[-2:]
    assert isinstance(started, ResponseStarted)
    assert isinstance(added, ResponseItemAdded)
    assert isinstance(done, ResponseItemFinished)
    assert (done.item.id, done.item.status) == (added.item.id, ItemStatus.COMPLETED)
    assert isinstance(text, ResponseTextExtended)
    assert isinstance(audio, ResponseAudioExtended)
    assert isinstance(finished, ResponseFinished)
    assert (finished.status, finished.reason, finished.error) == (ResponseStatus.COMPLETED, None, None)
    assert started.response == finished.response


def test_the_times_of_words_are_reported_if_they_are_wanted() -> None:
    conversation = Conversation(configured(time_speech=True), held=(Synthesize,))
    conversation.send(Speak("In 1984 I left. So did she."))
    for seconds in (3.1, 1.2):
        phrase = conversation.pending(Synthesize)[-1]
        positions = spoken_text(phrase.text).positions
        conversation.send(replace(chunk(phrase.number, seconds), positions=positions))
        conversation.send(SynthesisFinished(phrase.number))
    first, second = conversation.outputs_of(ResponseWordsTimed)
    assert [word.text for word in first.timed] == ["In", "1984", "I", "left."]
    assert [word.text for word in second.timed] == ["So", "did", "she."]
    assert second.timed[0].start == round(3.1 * VOICE_RATE)
    in_, year, *_ = first.timed
    assert year.end - year.start > 5 * (in_.end - in_.start)


def test_a_phrase_without_audio_has_no_times() -> None:
    conversation = Conversation(configured(time_speech=True), held=(Synthesize,))
    conversation.send(Speak("Good morning."))
    (phrase,) = conversation.pending(Synthesize)
    conversation.send(SynthesisFinished(phrase.number))
    assert conversation.outputs_of(ResponseWordsTimed) == []


def test_a_finished_response_names_each_language_that_the_voice_does_not_speak_once() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak("Das ist neu. This is new. Es ist schön.", in_conversation=False))
    for language in ("de", "", "de"):
        phrase = conversation.pending(Synthesize)[-1]
        conversation.send(chunk(phrase.number, 1.0))
        conversation.send(SynthesisFinished(phrase.number, language))
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert finished.unspoken_languages == ("de",)


def test_the_texts_of_a_response_add_up_to_the_text_given() -> None:
    conversation = Conversation()
    conversation.send(Speak(TEXT))
    conversation.wait(60.0)
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert spoken(conversation) == finished.text == TEXT


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_response_of_nothing_is_completed_at_once(text: str) -> None:
    conversation = Conversation()
    conversation.send(Speak(text))
    finished = conversation.events[-1]
    assert isinstance(finished, ResponseFinished)
    assert finished.status is ResponseStatus.COMPLETED


def test_a_timer_that_fires_without_a_response_does_nothing() -> None:
    assert Conversation().session.handle_timer(1.0) == []


def test_a_phrase_without_sound_still_has_its_text_beside_others_with_sound() -> None:
    conversation, phrase = speaking()
    conversation.send(chunk(phrase.number, 0.1))
    conversation.send(SynthesisFinished(phrase.number))
    silent = conversation.pending(Synthesize)[-1]
    conversation.send(SynthesisFinished(silent.number))
    conversation.wait(1.0)
    assert spoken(conversation) == phrase.text + silent.text


def finished_without_audio(text: str) -> ResponseFinished:
    """Return the end of a response of whose phrases the engine makes no audio."""
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak(text))
    for phrase in phrases(text):
        assert conversation.pending(Synthesize)[-1].text == phrase
        conversation.send(SynthesisFinished(conversation.pending(Synthesize)[-1].number))
    (finished,) = conversation.outputs_of(ResponseFinished)
    return finished


@pytest.mark.parametrize("text", ["你好，世界", "你好。世界。Привет, мир!", "١٢"])
def test_a_response_fails_if_the_voice_can_read_no_part_of_its_text(text: str) -> None:
    finished = finished_without_audio(text)
    assert finished.status is ResponseStatus.FAILED
    assert isinstance(finished.error, UnreadableText)
    assert finished.error.code == "unsupported_language"
    assert finished.text == ""


@pytest.mark.parametrize("text", ["…", "?!", "👋", "—\n***"])
def test_a_response_with_nothing_to_say_is_completed(text: str) -> None:
    finished = finished_without_audio(text)
    assert (finished.status, finished.error, finished.text) == (ResponseStatus.COMPLETED, None, text)


def test_one_phrase_that_cannot_be_read_does_not_fail_a_response() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak("你好。Good morning."))
    (unread,) = conversation.pending(Synthesize)
    conversation.send(SynthesisFinished(unread.number))
    (read,) = conversation.pending(Synthesize)[1:]
    conversation.send(chunk(read.number, 0.5))
    conversation.send(SynthesisFinished(read.number))
    conversation.wait(60.0)
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.text) == (ResponseStatus.COMPLETED, "你好。Good morning.")


def test_the_first_audio_is_short() -> None:
    conversation = Conversation()
    conversation.send(Speak(TEXT))
    lengths = [len(event.data) / 2 / VOICE_RATE for event in conversation.outputs_of(ResponseAudioExtended)]
    assert lengths[0] == FIRST_CHUNK_SECONDS
    assert lengths[1] == CHUNK_SECONDS


def test_audio_is_sent_as_soon_as_there_is_some() -> None:
    conversation, phrase = speaking()
    conversation.send(chunk(phrase.number, 0.01))
    assert seconds_sent(conversation) == 0.01


def test_offsets_count_the_samples_sent_before() -> None:
    conversation = Conversation()
    conversation.send(Speak(TEXT))
    conversation.wait(60.0)
    position = 0
    for event in conversation.outputs_of(ResponseAudioExtended):
        assert event.offset == position
        position += len(event.data) // 2
    assert position > 5 * VOICE_RATE


def test_a_conversation_is_sent_no_faster_than_it_is_heard() -> None:
    conversation = Conversation()
    conversation.send(Speak(LONG_TEXT))
    for elapsed in (0.0, 1.0, 5.0, 20.0):
        conversation.wait(elapsed - conversation.now)
        assert seconds_sent(conversation) == pytest.approx(elapsed + MAX_LEAD_SECONDS, abs=CHUNK_SECONDS)
    assert conversation.outputs_of(ResponseFinished) == []
    conversation.wait(600.0)
    assert len(conversation.outputs_of(ResponseFinished)) == 1


def test_a_recording_is_sent_as_fast_as_it_is_made() -> None:
    conversation = Conversation()
    conversation.send(Speak(LONG_TEXT, in_conversation=False))
    assert len(conversation.outputs_of(ResponseFinished)) == 1
    assert spoken(conversation) == LONG_TEXT
    assert conversation.session.deadline() is None


def test_phrases_are_synthesized_one_at_a_time_and_no_further_ahead_than_needed() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak(LONG_TEXT))
    while jobs := conversation.pending(Synthesize):
        assert len(jobs) == 1
        conversation.answer(Synthesize)
    longest = max(len(job.text) for job in conversation.outputs_of(Synthesize)) / 10
    made = sum(len(job.text) for job in conversation.outputs_of(Synthesize)) / 10
    assert MAX_BUFFERED_SECONDS <= made - seconds_sent(conversation) <= MAX_BUFFERED_SECONDS + longest
    conversation.wait(longest + CHUNK_SECONDS)
    assert len(conversation.pending(Synthesize)) == 1


def test_voice_and_speed_are_those_of_the_response_else_of_the_configuration() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Configure(configured(voice="alto", speed=1.2)))
    conversation.send(Speak(TEXT))
    conversation.send(CancelResponse())
    conversation.send(Speak(TEXT, voice="bass", speed=0.8))
    first, second = conversation.outputs_of(Synthesize)
    assert (first.voice, first.speed, second.voice, second.speed) == ("alto", 1.2, "bass", 0.8)


@pytest.mark.parametrize("unknown", [True, False])
def test_a_response_tells_whether_another_voice_was_asked_for(unknown: bool) -> None:
    conversation = Conversation()
    said = Message(Role.ASSISTANT, (TextPart(TEXT),))
    conversation.send(CreateResponse(in_conversation=False, input=(said,), voice_unknown=unknown))
    (started,) = conversation.outputs_of(ResponseStarted)
    assert started.response.voice_unknown is unknown


@pytest.mark.parametrize("encoding", [Encoding.MULAW, Encoding.ALAW])
def test_telephone_audio_is_a_byte_a_sample_at_8_khz(encoding: Encoding) -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak("Hello.", in_conversation=False, output_format=AudioFormat(encoding, 8000)))
    (phrase,) = conversation.pending(Synthesize)
    conversation.send(chunk(phrase.number, 2.0))
    conversation.send(SynthesisFinished(phrase.number))
    events = conversation.outputs_of(ResponseAudioExtended)
    data = b"".join(event.data for event in events)
    assert len(data) == pytest.approx(16_000, abs=2)
    assert [event.offset for event in events] == [0, *np.cumsum([len(event.data) for event in events])[:-1]]
    heard = Decoder(AudioFormat(encoding, 8000)).decode(data)
    np.testing.assert_allclose(heard[400:-400], 0.25, atol=0.01)


def test_the_tail_held_back_by_resampling_is_sent_at_the_end() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak("Hello.", in_conversation=False, output_format=AudioFormat(Encoding.PCM16, 48_000)))
    (phrase,) = conversation.pending(Synthesize)
    for _ in range(10):
        conversation.send(chunk(phrase.number, 0.1))
    conversation.send(SynthesisFinished(phrase.number))
    sent = sum(len(event.data) // 2 for event in conversation.outputs_of(ResponseAudioExtended))
    assert sent == pytest.approx(48_000, abs=2)


# Refusals, cancellation, failure.


def test_a_second_response_is_refused_while_one_is_active() -> None:
    conversation, _ = speaking()
    (refusal,) = conversation.send(Speak("And another.", request_id="event_2"))
    assert isinstance(refusal, CommandRefused)
    assert (refusal.reason, request_id_of(refusal)) == (RefusalReason.RESPONSE_IN_PROGRESS, "event_2")
    assert refusal.response_id == conversation.outputs_of(ResponseStarted)[0].response.id


def test_after_a_response_another_may_begin() -> None:
    conversation = Conversation()
    for text in ("One.", "Two.", "Three."):
        conversation.send(Speak(text))
        conversation.wait(10.0)
    assert [event.text for event in conversation.outputs_of(ResponseFinished)] == ["One.", "Two.", "Three."]
    assert len({event.response.id for event in conversation.outputs_of(ResponseStarted)}) == 3
    assert conversation.outputs_of(CommandRefused) == []


def test_a_phrase_is_asked_for_with_the_seconds_that_the_client_has_yet_to_play() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak("This is one sentence. This is another one. And here is the last."))
    (first,) = conversation.pending(Synthesize)
    conversation.send(chunk(first.number, 5.0))
    conversation.wait(0.5)
    conversation.send(SynthesisFinished(first.number))
    second = conversation.pending(Synthesize)[-1]
    conversation.send(chunk(second.number, 1.0))
    conversation.wait(9.5)
    conversation.send(SynthesisFinished(second.number))
    third = conversation.pending(Synthesize)[-1]
    ahead = [phrase.seconds_ahead for phrase in (first, second, third)]
    assert ahead == pytest.approx([0.0, 4.5, 0.0], abs=0.01)


def test_cancelling_nothing_is_refused() -> None:
    conversation = Conversation()
    (refusal,) = conversation.send(CancelResponse(request_id="event_3"))
    assert isinstance(refusal, CommandRefused)
    assert (refusal.reason, request_id_of(refusal)) == (RefusalReason.RESPONSE_NOT_ACTIVE, "event_3")


def test_cancelling_another_response_is_refused() -> None:
    conversation, _ = speaking()
    conversation.send(CancelResponse(response_id="resp_of_yesterday"))
    assert len(conversation.outputs_of(CommandRefused)) == 1
    assert conversation.outputs_of(ResponseFinished) == []


def test_a_cancelled_response_says_what_was_sent_of_it_and_frees_the_engine() -> None:
    conversation, phrase = speaking()
    conversation.send(chunk(phrase.number, 10.0))
    conversation.send(CancelResponse())
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert (finished.status, finished.reason) == (ResponseStatus.CANCELLED, EndReason.CLIENT_CANCELLED)
    assert finished.text == phrase.text != TEXT
    assert conversation.outputs_of(CancelJob) == [CancelJob(phrase.number)]


def test_after_a_cancelled_response_nothing_of_it_is_sent() -> None:
    conversation, phrase = speaking()
    conversation.send(chunk(phrase.number, 10.0))
    conversation.send(CancelResponse())
    before = len(conversation.outputs)
    conversation.send(chunk(phrase.number, 1.0))
    conversation.send(SynthesisFinished(phrase.number))
    conversation.wait(60.0)
    assert conversation.outputs[before:] == []


def test_a_response_fails_with_the_engine() -> None:
    conversation, phrase = speaking()
    conversation.send(chunk(phrase.number, 1.0))
    conversation.fail(Synthesize)
    (finished,) = conversation.outputs_of(ResponseFinished)
    assert finished.status is ResponseStatus.FAILED
    assert isinstance(finished.error, EngineError)
    assert finished.text == phrase.text
    assert not conversation.session.responding


def test_a_session_responds_until_all_audio_has_been_sent() -> None:
    conversation = Conversation(held=(Synthesize,))
    responding = [conversation.session.responding]
    conversation.send(Speak("This is a single phrase that takes a while to say, and no more than that."))
    responding.append(conversation.session.responding)
    conversation.release(Synthesize)
    responding.append(conversation.session.responding)
    conversation.wait(60.0)
    responding.append(conversation.session.responding)
    assert responding == [False, True, True, False]


def test_a_client_may_choose_the_id_of_speech_and_cancel_it_before_it_is_told() -> None:
    conversation = Conversation(held=(Synthesize,))
    conversation.send(Speak(LONG_TEXT, in_conversation=False, response_id="resp_mine"))
    conversation.send(CancelResponse("resp_mine"))
    (started,), (finished,) = conversation.outputs_of(ResponseStarted), conversation.outputs_of(ResponseFinished)
    assert started.response.id == finished.response.id == "resp_mine"
    assert finished.status is ResponseStatus.CANCELLED
