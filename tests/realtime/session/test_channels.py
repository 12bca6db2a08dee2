from dataclasses import replace

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, WINDOW, AudioFormat, Encoding, Samples
from realtime.errors import EngineError
from realtime.session.commands import AppendAudio, ClearAudio, CommitAudio, Configure, Rest, RetrieveItem, Speak
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    CommandRefused,
    IdleTimeoutReached,
    ItemRetrieved,
    SessionConfigured,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptRevised,
)
from realtime.session.jobs import Generate, ScoreTurn, ScoreWindows, Transcribe
from realtime.speech.endpointing import EndOfTurn, TurnDetection
from realtime.tracing.replay import replay
from tests.support.scripted_conversation import Conversation, configured, words_between
from tests.support.stereo_call import call
from tests.support.traced_conversation import TracedConversation

STEREO = AudioFormat(Encoding.PCM16, SAMPLE_RATE, 2)
CALL = configured(input_format=STEREO, separate_channels=True, transcribe=True)
BY_HAND = replace(CALL, turn_detection=None)
BY_MEANING = replace(CALL, turn_detection=TurnDetection(silence=9_600, end_of_turn=EndOfTurn(12_800, 32_000)))


def hear(conversation: Conversation, *parts: tuple[float, bool, bool]) -> None:
    """Send stereo audio in frames of 20 ms."""
    conversation.hear(call(*parts), frame_seconds=0.04)


ONE_AFTER_THE_OTHER = (
    (0.5, False, False),
    (1.0, True, False),
    (0.2, False, False),
    (1.0, False, True),
    (1.0, False, False),
)


def test_each_channel_has_turns_and_transcripts_of_its_own() -> None:
    conversation = Conversation(CALL)
    hear(conversation, *ONE_AFTER_THE_OTHER)
    completed = [(event.channel, event.text) for event in conversation.outputs_of(TranscriptCompleted)]
    assert completed == [(0, words_between(0.5, 1.5)), (1, words_between(1.7, 2.7))]


def test_a_rest_in_a_turn_changes_no_transcript() -> None:
    conversation = Conversation(CALL)
    audio = call(*ONE_AFTER_THE_OTHER)
    conversation.hear(audio[: 2 * SAMPLE_RATE], frame_seconds=0.04)
    conversation.send(Rest())
    conversation.hear(audio[2 * SAMPLE_RATE :], frame_seconds=0.04)
    completed = [(event.channel, event.text) for event in conversation.outputs_of(TranscriptCompleted)]
    assert completed == [(0, words_between(0.5, 1.5)), (1, words_between(1.7, 2.7))]


def test_windows_are_scored_under_the_channel_that_they_are_from() -> None:
    conversation = Conversation(CALL)
    hear(conversation, *ONE_AFTER_THE_OTHER)
    assert {job.channel for job in conversation.outputs_of(ScoreWindows)} == {0, 1}


def test_every_event_of_a_turn_has_the_channel_of_its_speaker() -> None:
    conversation = Conversation(replace(CALL, include_partials=True))
    hear(conversation, *ONE_AFTER_THE_OTHER)
    kinds = (SpeechStarted, SpeechStopped, AudioCommitted, TranscriptExtended, TranscriptRevised, TranscriptCompleted)
    channels = {event.item_id: event.channel for event in conversation.outputs_of(SpeechStarted)}
    assert set(channels.values()) == {0, 1}
    events = [event for event in conversation.events if isinstance(event, kinds)]
    assert {type(event) for event in events} == set(kinds)
    assert all(event.channel == channels[event.item_id] for event in events)


def test_the_turns_of_all_channels_are_items_of_one_conversation() -> None:
    conversation = Conversation(CALL)
    hear(conversation, *ONE_AFTER_THE_OTHER)
    first, second = conversation.outputs_of(AudioCommitted)
    assert (first.channel, first.previous_item_id) == (0, None)
    assert (second.channel, second.previous_item_id) == (1, first.item_id)


def test_an_item_keeps_the_channel_it_was_spoken_on() -> None:
    conversation = Conversation(CALL)
    hear(conversation, *ONE_AFTER_THE_OTHER)
    for event in conversation.outputs_of(AudioCommitted):
        conversation.send(RetrieveItem(event.item_id))
        assert conversation.outputs_of(ItemRetrieved)[-1].item.channel == event.channel


def test_speakers_who_talk_at_once_are_both_transcribed() -> None:
    conversation = Conversation(CALL)
    hear(conversation, (0.5, False, False), (1.0, True, True), (1.0, False, False))
    texts = [event.text for event in conversation.outputs_of(TranscriptCompleted)]
    assert texts == 2 * [words_between(0.5, 1.5)]


@pytest.mark.parametrize("first", [0, 1])
def test_events_are_in_the_order_of_the_audio_whichever_channel_is_scored_first(first: int) -> None:
    conversation = Conversation(CALL, held=(ScoreWindows,))
    conversation.send(AppendAudio(call(*ONE_AFTER_THE_OTHER)))
    while jobs := conversation.pending(ScoreWindows):
        latest = jobs[-1] if first else jobs[0]
        conversation.waiting.pop(latest.number)
        conversation.waiting = {latest.number: latest, **conversation.waiting}
        conversation.answer(ScoreWindows)
    positions = [event.at for event in conversation.events if isinstance(event, SpeechStarted | SpeechStopped)]
    assert len(positions) == 4
    assert positions == sorted(positions)


def test_the_end_of_a_turn_is_judged_on_its_own_channel() -> None:
    conversation = Conversation(BY_MEANING)
    hear(conversation, *ONE_AFTER_THE_OTHER, (1.0, False, False))
    assert len(conversation.outputs_of(ScoreTurn)) == 2
    assert [event.channel for event in conversation.outputs_of(AudioCommitted)] == [0, 1]


def test_a_commit_ends_the_turns_of_all_channels_that_have_one() -> None:
    conversation = Conversation(CALL)
    hear(conversation, (0.5, False, False), (1.01, True, False))
    conversation.send(CommitAudio())
    assert [event.channel for event in conversation.outputs_of(AudioCommitted)] == [0]
    assert conversation.outputs_of(CommandRefused) == []
    hear(conversation, (0.5, False, False), (1.0, False, True), (1.0, False, False))
    assert [event.channel for event in conversation.outputs_of(TranscriptCompleted)] == [0, 1]


def test_a_commit_is_refused_once_where_no_channel_has_a_turn() -> None:
    conversation = Conversation(CALL)
    hear(conversation, (0.5, False, False))
    conversation.send(CommitAudio("request"))
    (refused,) = conversation.outputs_of(CommandRefused)
    assert refused.command == CommitAudio("request")


def test_a_commit_by_hand_makes_an_item_of_each_channel() -> None:
    conversation = Conversation(BY_HAND)
    hear(conversation, (0.5, False, False), (1.01, True, False))
    conversation.send(CommitAudio())
    texts = [(event.channel, event.text) for event in conversation.outputs_of(TranscriptCompleted)]
    assert sorted(texts) == [(0, words_between(0.5, 1.5)), (1, "")]


def test_a_clear_is_answered_once_and_drops_the_turns_of_all_channels() -> None:
    conversation = Conversation(BY_HAND)
    hear(conversation, (0.5, True, True))
    conversation.send(ClearAudio())
    assert conversation.outputs_of(AudioCleared) == [AudioCleared()]
    assert conversation.outputs_of(TranscriptCompleted) == []


def test_a_configuration_is_confirmed_once_as_the_client_gave_it() -> None:
    conversation = Conversation(CALL)
    hear(conversation, (0.5, False, False))
    faster = replace(CALL, input_format=AudioFormat(Encoding.PCM16, 24_000, 2))
    conversation.send(Configure(faster))
    assert conversation.outputs_of(SessionConfigured) == [SessionConfigured(faster)]


@pytest.mark.parametrize("rate", [SAMPLE_RATE, 8000])
def test_a_configuration_that_keeps_the_format_leaves_the_audio_as_it_is(rate: int) -> None:
    """Half a sample waits for the rest of it, and nothing is added between two frames."""
    config = replace(CALL, input_format=AudioFormat(Encoding.PCM16, rate, 2))
    frame = np.full(2 * rate, 1000, "<i2").tobytes()
    heard: list[list[Samples]] = []
    for between in ((), (Configure(replace(config, prompt="Riga")),)):
        conversation = Conversation(config)
        conversation.send(AppendAudio(frame[:2001]))
        for update in between:
            conversation.send(update)
        conversation.send(AppendAudio(frame[2001:]))
        heard.append([buffer.slice(buffer.end - SAMPLE_RATE // 8, buffer.end) for buffer in conversation.buffers])
    undisturbed, configured_between = heard
    np.testing.assert_array_equal(configured_between, undisturbed)


def test_channels_may_be_asked_for_until_the_first_audio() -> None:
    conversation = Conversation(configured(transcribe=True))
    conversation._vad_states = [None, None]
    conversation.send(Configure(CALL))
    assert conversation.outputs_of(SessionConfigured) == [SessionConfigured(CALL)]
    hear(conversation, *ONE_AFTER_THE_OTHER)
    assert [event.channel for event in conversation.outputs_of(TranscriptCompleted)] == [0, 1]


def test_a_user_is_in_a_turn_while_any_speaker_is() -> None:
    conversation = Conversation(CALL)
    hear(conversation, (0.5, False, False), (0.5, False, True))
    assert conversation.session._listening.in_turn
    hear(conversation, (1.0, False, False))
    assert not conversation.session._listening.in_turn


def test_an_answer_to_silence_follows_the_audio_of_the_channels() -> None:
    conversation = Conversation(replace(CALL, chat=True, idle_timeout=5.0))
    conversation.send(Speak("Hello?"))
    hear(conversation, (1.0, False, False))
    conversation.wait(20.0)
    assert conversation.outputs_of(IdleTimeoutReached)[0].end == pytest.approx(SAMPLE_RATE, abs=WINDOW)


def test_the_users_are_answered_when_all_of_them_have_finished() -> None:
    conversation = Conversation(replace(CALL, chat=True, create_response=True, prepare_answers=True))
    hear(conversation, (0.5, False, False), (1.0, True, False), (2.0, False, True))
    assert conversation.outputs_of(Generate) == []
    hear(conversation, (1.0, False, False))
    assert len(conversation.outputs_of(Generate)) == 1


def test_the_transcription_in_flight_of_one_channel_does_not_hold_up_another() -> None:
    conversation = Conversation(CALL, held=(Transcribe,))
    hear(conversation, (0.5, False, False), (1.0, True, True))
    first, second = conversation.pending(Transcribe)
    assert first.number != second.number
    hear(conversation, (0.3, False, False), (1.0, True, True), (1.0, False, False))
    assert conversation.cancelled
    conversation.release(Transcribe)
    assert len(conversation.outputs_of(TranscriptCompleted)) == 2


def test_a_session_waits_for_the_slowest_channel() -> None:
    conversation = Conversation(CALL, held=(ScoreWindows,))
    conversation.send(AppendAudio(call((25.0, False, False))))
    assert conversation.session.saturated
    assert conversation.session.waiting is None


def test_a_session_waits_for_more_speech_on_any_channel() -> None:
    conversation = Conversation(CALL, held=(Transcribe,))
    hear(conversation, (0.5, False, False), (2.0, False, True))
    assert conversation.session.waiting is not None


def test_a_failed_detector_ends_the_session() -> None:
    conversation = Conversation(CALL, held=(ScoreWindows,))
    conversation.send(AppendAudio(call((0.5, False, False))))
    with pytest.raises(EngineError):
        conversation.fail(ScoreWindows)


def test_a_session_of_two_channels_replays_from_its_trace() -> None:
    conversation = TracedConversation(CALL, held=(Transcribe,))
    hear(conversation, (0.5, False, False), (25.0, True, True))
    conversation.release(Transcribe)
    hear(conversation, (1.0, False, False))
    assert replay(conversation.trace) is None


def test_windows_need_not_begin_together() -> None:
    conversation = Conversation(CALL)
    hear(conversation, (0.5, False, False), (0.5 + 100 / SAMPLE_RATE, True, False))
    conversation.send(CommitAudio())
    hear(conversation, (0.5, False, False), (0.5, True, True), (0.503, False, False))
    conversation.send(CommitAudio())
    hear(conversation, (0.5, False, False), (0.5, True, True), (1.0, False, False))
    assert len(conversation.outputs_of(AudioCommitted)) >= 4
    assert max(len(job.windows) for job in conversation.outputs_of(ScoreWindows)) <= 2 * SAMPLE_RATE // WINDOW
