import numpy as np
import pytest

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW, AudioFormat, Encoding, Samples
from realtime.errors import EngineError
from realtime.session.commands import AppendAudio, ClearAudio, CommitAudio, Configure
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    CommandRefused,
    Event,
    RefusalReason,
    SilencePassed,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
)
from realtime.session.jobs import ScoreTurn, ScoreWindows, Transcribe
from realtime.session.listening import WINDOWS_PER_JOB
from realtime.session.session import Session
from realtime.speech.endpointing import JUDGED_AFTER, JUDGED_SILENCE, EndOfTurn, TurnDetection
from tests.support.scripted_conversation import (
    CONFIG,
    SERVER_VAD,
    Conversation,
    Microphone,
    configured,
    count_loud,
)

BY_HAND = configured(turn_detection=None)
BY_MEANING = configured(turn_detection=TurnDetection(silence=9_600, end_of_turn=EndOfTurn(12_800, 32_000)))
UNHEARD = configured(transcribe=False)


def loud(audio: bytes) -> int:
    """Loud samples in frames of the scripted microphone."""
    return sum(audio[index] != 0 or audio[index + 1] != 0 for index in range(0, len(audio), 2))


def decoded(conversation: Conversation) -> list[Samples]:
    """The audio of the finals."""
    return [request.samples for request in conversation.finals]


def test_a_turn_is_started_stopped_committed_and_completed_in_this_order() -> None:
    conversation, microphone = Conversation(configured(transcribe=True)), Microphone()
    conversation.hear(microphone.silence(1.0), microphone.speech(1.0), microphone.silence(1.0))
    names = (SpeechStarted, SpeechStopped, AudioCommitted, TranscriptCompleted)
    turn = [event for event in conversation.events if isinstance(event, names)]
    assert [type(event) for event in turn] == list(names)
    assert len({event.item_id for event in turn}) == 1


def test_start_and_stop_are_positions_in_the_stream_with_pre_roll_and_silence() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(1.0), microphone.speech(1.0), microphone.silence(1.0))
    (started,), (stopped,) = conversation.outputs_of(SpeechStarted), conversation.outputs_of(SpeechStopped)
    first, last = 16_000 // WINDOW * WINDOW, (32_000 // WINDOW + 1) * WINDOW
    assert (started.at, stopped.at) == (first - 4800, last + 16 * WINDOW)


def test_nothing_happens_in_silence() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(5.0))
    assert conversation.events == []


@pytest.mark.parametrize("before", [0.0, 0.01, 0.05, 0.3, 1.0, 3.333])
def test_no_sample_of_the_first_word_is_lost(before: float) -> None:
    conversation, microphone = Conversation(), Microphone()
    word = b""
    conversation.hear(microphone.silence(before), word := microphone.speech(0.32), microphone.silence(1.0))
    (final,) = decoded(conversation)
    assert count_loud(final).total() == loud(word)


def test_what_was_said_before_the_onset_was_certain_is_in_the_pre_roll() -> None:
    """A soft beginning: single loud windows, too few for an onset, right before the word."""
    conversation, microphone = Conversation(), Microphone()
    audio = [microphone.silence(1.024)]
    for _ in range(3):
        audio += [microphone.speech(0.02), microphone.silence(0.076)]
    conversation.hear(*audio, word := microphone.speech(0.5), microphone.silence(1.0))
    (started,) = conversation.outputs_of(SpeechStarted)
    assert started.at <= 16_384 + 3 * 1536 - 4096
    (final,) = decoded(conversation)
    assert count_loud(final).total() >= loud(word)


@pytest.mark.parametrize("padding_seconds", [1.0, 8.0, 30.0, 600.0])
def test_a_long_prefix_padding_moves_the_start_of_the_turn_and_not_what_is_decoded(padding_seconds: float) -> None:
    def heard(padding: float) -> Conversation:
        detection = TurnDetection(prefix_padding=round(padding * SAMPLE_RATE))
        conversation, microphone = Conversation(configured(turn_detection=detection)), Microphone()
        for seconds in (40.0, 12.0):
            conversation.hear(microphone.silence(seconds), microphone.speech(3.2))
            conversation.hear(microphone.silence(0.4), microphone.speech(1.6))
        conversation.hear(microphone.silence(1.0))
        return conversation

    long, usual = heard(padding_seconds), heard(0.3)
    assert [event.text for event in long.outputs_of(TranscriptCompleted)] == [
        event.text for event in usual.outputs_of(TranscriptCompleted)
    ]
    assert [len(request.samples) for request in long.requests] == [len(request.samples) for request in usual.requests]
    earlier = usual.outputs_of(SpeechStarted)[0].at - long.outputs_of(SpeechStarted)[0].at
    assert earlier == pytest.approx(min(padding_seconds, 40.0) * SAMPLE_RATE - 4_800, abs=WINDOW)


def test_a_long_prefix_padding_keeps_no_more_audio() -> None:
    conversation, microphone, buffer = Conversation(), Microphone(), AudioBuffer()
    config = configured(turn_detection=TurnDetection(prefix_padding=600 * SAMPLE_RATE))
    conversation.session = Session(config, lambda prefix: prefix, lambda: buffer)
    conversation.hear(microphone.silence(60.0))
    assert buffer.end - buffer.start <= 2 * SAMPLE_RATE


@pytest.mark.parametrize("frame_seconds", [1 / 32_000, 0.0007, 0.02, 0.1, 7.0])
def test_it_does_not_matter_how_the_stream_was_cut(frame_seconds: float) -> None:
    def turns(frame_bytes: int) -> list[Event]:
        conversation, microphone = Conversation(UNHEARD), Microphone()
        audio = b"".join(
            (microphone.silence(0.4), microphone.speech(0.6), microphone.silence(0.7), microphone.speech(0.3))
        )
        audio += microphone.silence(1.0)
        for start in range(0, len(audio), frame_bytes):
            conversation.send(AppendAudio(audio[start : start + frame_bytes]))
        return conversation.events

    odd = round(frame_seconds * 32_000) | 1
    assert turns(odd) == turns(640)


def test_it_does_not_matter_how_fast_the_detector_is() -> None:
    def turns(held: tuple[type[ScoreWindows], ...]) -> list[Event]:
        conversation, microphone = Conversation(UNHEARD, held=held), Microphone()
        conversation.hear(microphone.silence(0.5), microphone.speech(1.0))
        conversation.send(CommitAudio())
        conversation.hear(microphone.speech(0.5), microphone.silence(1.0), microphone.speech(0.5))
        conversation.send(ClearAudio())
        conversation.hear(microphone.silence(1.0), microphone.speech(0.5))
        conversation.send(Configure(configured(transcribe=False, turn_detection=None)))
        conversation.hear(microphone.speech(0.5))
        conversation.send(CommitAudio())
        conversation.release(ScoreWindows)
        return conversation.events

    assert turns((ScoreWindows,)) == turns(())


def test_the_detector_has_one_job_at_a_time_of_at_most_two_seconds() -> None:
    conversation, microphone = Conversation(UNHEARD, held=(ScoreWindows,)), Microphone()
    conversation.hear(microphone.silence(10.0))
    while pending := conversation.pending(ScoreWindows):
        (job,) = pending
        assert job.windows.shape[1] == WINDOW
        assert len(job.windows) <= WINDOWS_PER_JOB
        conversation.answer(ScoreWindows)
    jobs = conversation.outputs_of(ScoreWindows)
    assert sum(len(job.windows) for job in jobs) == 160_000 // WINDOW


def test_a_session_that_cannot_hear_ends() -> None:
    conversation, microphone = Conversation(held=(ScoreWindows,)), Microphone()
    conversation.hear(microphone.silence(0.1))
    with pytest.raises(EngineError):
        conversation.fail(ScoreWindows)


# Commit and clear.


def test_a_commit_without_audio_is_refused() -> None:
    conversation = Conversation(BY_HAND)
    conversation.send(CommitAudio(request_id="event_7"))
    (refusal,) = conversation.events
    assert isinstance(refusal, CommandRefused)
    assert (refusal.reason, refusal.command) == (RefusalReason.NOTHING_TO_COMMIT, CommitAudio("event_7"))


def test_a_second_commit_without_audio_in_between_is_refused() -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    conversation.hear(microphone.speech(1.0))
    conversation.send(CommitAudio())
    conversation.send(CommitAudio())
    assert len(conversation.outputs_of(AudioCommitted)) == len(conversation.outputs_of(CommandRefused)) == 1


@pytest.mark.parametrize("seconds", [0.0, 1 / 16_000, 0.03, 0.08, 0.1 - 1 / 16_000])
def test_a_commit_of_less_than_is_asked_for_is_refused_with_its_length(seconds: float) -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    conversation.hear(microphone.speech(seconds))
    conversation.send(commit := CommitAudio("event_7", min_samples=1_600))
    samples = round(seconds * SAMPLE_RATE)
    assert conversation.events == [CommandRefused(RefusalReason.TOO_LITTLE_TO_COMMIT, commit, samples=samples)]


@pytest.mark.parametrize("first", [0.05, 0.064, 0.09])
def test_audio_of_a_commit_that_was_refused_belongs_to_the_next_one(first: float) -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    for seconds in (first, 0.1 - first):
        conversation.hear(microphone.speech(seconds))
        conversation.send(CommitAudio(min_samples=1_600))
    assert len(conversation.outputs_of(CommandRefused)) == len(conversation.outputs_of(AudioCommitted)) == 1
    (completed,) = conversation.outputs_of(TranscriptCompleted)
    assert completed.samples == 1_600


def test_a_commit_counts_the_audio_since_the_last_one_or_since_it_was_cleared() -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    for command in (CommitAudio(min_samples=1_600), ClearAudio()):
        conversation.hear(microphone.speech(0.5))
        conversation.send(command)
        conversation.hear(microphone.speech(0.05))
        conversation.send(CommitAudio(min_samples=1_600))
    refused = conversation.outputs_of(CommandRefused)
    assert [each.samples for each in refused] == [800, 800]


def test_with_turn_detection_a_turn_may_be_committed_whatever_its_length() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(1.0))
    conversation.send(CommitAudio(min_samples=1_600))
    conversation.hear(microphone.speech(0.096))
    conversation.send(CommitAudio(min_samples=16_000))
    assert [each.reason for each in conversation.outputs_of(CommandRefused)] == [RefusalReason.NOTHING_TO_COMMIT]
    assert len(conversation.outputs_of(AudioCommitted)) == 1


@pytest.mark.parametrize("seconds", [1 / 16_000, 0.01, 0.032, 0.04])
def test_a_turn_too_short_to_say_anything_is_completed_with_no_text(seconds: float) -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    conversation.hear(microphone.speech(seconds))
    conversation.send(CommitAudio())
    committed, completed = conversation.events
    assert isinstance(committed, AudioCommitted)
    assert isinstance(completed, TranscriptCompleted)
    assert (completed.item_id, completed.text, completed.suppressed) == (committed.item_id, "", ())
    assert completed.samples == round(seconds * 16_000)
    assert conversation.outputs_of(Transcribe) == []


def test_a_turn_committed_by_hand_is_all_that_was_sent_since_the_last() -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    for seconds in (1.0, 0.777, 2.0):
        conversation.hear(audio := microphone.speech(seconds))
        conversation.send(CommitAudio())
        assert count_loud(decoded(conversation)[-1]).total() == loud(audio)
    assert conversation.outputs_of(SpeechStarted, SpeechStopped) == []
    assert [completed.samples for completed in conversation.outputs_of(TranscriptCompleted)] == [16_000, 12_432, 32_000]


@pytest.mark.parametrize("committed", [False, True])
def test_the_silence_after_a_turn_is_reported(committed: bool) -> None:
    conversation = Conversation(configured(turn_detection=TurnDetection(reported_silence=16_000)))
    microphone = Microphone()
    conversation.hear(microphone.speech(1.0))
    if committed:
        conversation.send(CommitAudio())
    conversation.hear(microphone.silence(3.0))
    (passed,) = conversation.outputs_of(SilencePassed)
    assert passed.at == pytest.approx(32_000, abs=2 * WINDOW)


def test_cleared_audio_cannot_be_committed() -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    conversation.hear(microphone.speech(1.01))
    conversation.send(ClearAudio())
    conversation.send(CommitAudio())
    cleared, refused = conversation.events[-2:]
    assert isinstance(cleared, AudioCleared)
    assert isinstance(refused, CommandRefused)
    assert conversation.outputs_of(AudioCommitted) == []


def test_clearing_detected_speech_ends_it_and_what_follows_is_a_new_turn() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(1.0))
    conversation.send(ClearAudio())
    conversation.hear(rest := microphone.speech(1.0), microphone.silence(1.0))
    turn = [event for event in conversation.events if isinstance(event, SpeechStarted | AudioCleared | AudioCommitted)]
    first, cleared, second, committed = turn
    assert isinstance(cleared, AudioCleared)
    assert isinstance(first, SpeechStarted)
    assert isinstance(second, SpeechStarted)
    assert isinstance(committed, AudioCommitted)
    assert second.at == 24_000
    assert first.item_id != second.item_id == committed.item_id
    assert count_loud(decoded(conversation)[-1]).total() == loud(rest)


def test_a_commit_during_detected_speech_closes_the_turn_without_a_stop() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(0.5), first := microphone.speech(1.0))
    conversation.send(CommitAudio())
    assert [type(event) for event in conversation.events if not hasattr(event, "delta")] == [
        SpeechStarted,
        AudioCommitted,
        TranscriptCompleted,
    ]
    conversation.hear(second := microphone.speech(1.0), microphone.silence(1.0))
    assert len(conversation.outputs_of(SpeechStarted)) == len(conversation.outputs_of(AudioCommitted)) == 2
    assert len(conversation.outputs_of(SpeechStopped)) == 1
    assert [count_loud(final).total() for final in decoded(conversation)] == [loud(first), loud(second)]


def test_a_refused_commit_in_silence_costs_nothing_of_what_is_being_said() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(1.0), start := microphone.speech(0.035))
    conversation.send(CommitAudio())
    assert len(conversation.outputs_of(CommandRefused)) == 1
    conversation.hear(rest := microphone.speech(1.0), microphone.silence(1.0))
    (started,) = conversation.outputs_of(SpeechStarted)
    assert started.at == 16_000 // WINDOW * WINDOW - 4800
    assert count_loud(decoded(conversation)[-1]).total() == loud(start) + loud(rest)


def test_a_commit_waits_for_the_scores_of_the_audio_before_it() -> None:
    conversation, microphone = Conversation(BY_HAND, held=(ScoreWindows,)), Microphone()
    conversation.hear(microphone.speech(1.0))
    assert not any(isinstance(output, AudioCommitted) for output in conversation.send(CommitAudio()))
    conversation.release(ScoreWindows)
    assert len(conversation.outputs_of(AudioCommitted)) == 1


# Configuration.


def test_switching_turn_detection_off_closes_the_turn_and_loses_nothing() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(0.5), first := microphone.speech(1.01))
    conversation.send(Configure(BY_HAND))
    assert len(conversation.outputs_of(SpeechStopped)) == len(conversation.outputs_of(AudioCommitted)) == 1
    conversation.hear(second := microphone.speech(1.0))
    conversation.send(CommitAudio())
    assert len(conversation.outputs_of(AudioCommitted)) == 2
    assert len(conversation.outputs_of(SpeechStarted)) == 1
    assert sum(count_loud(final).total() for final in decoded(conversation)) == loud(first) + loud(second)


def test_switching_turn_detection_on_closes_the_turn_and_loses_nothing() -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    conversation.hear(first := microphone.speech(1.01))
    conversation.send(Configure(CONFIG))
    assert len(conversation.outputs_of(AudioCommitted)) == 1
    assert conversation.outputs_of(SpeechStopped) == []
    conversation.hear(second := microphone.speech(1.0), microphone.silence(1.0))
    assert len(conversation.outputs_of(SpeechStarted)) == len(conversation.outputs_of(SpeechStopped)) == 1
    assert sum(count_loud(final).total() for final in decoded(conversation)) == loud(first) + loud(second)


def test_a_configuration_with_the_same_turn_detection_does_not_disturb_the_turn() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(0.5), first := microphone.speech(0.51))
    conversation.send(Configure(configured(prompt="names", turn_detection=SERVER_VAD)))
    conversation.hear(second := microphone.speech(0.5), microphone.silence(1.0))
    assert len(conversation.outputs_of(SpeechStarted)) == len(conversation.outputs_of(AudioCommitted)) == 1
    assert count_loud(decoded(conversation)[-1]).total() == loud(first) + loud(second)


def test_the_input_format_can_change_between_frames() -> None:
    telephone = configured(input_format=AudioFormat(Encoding.MULAW, 8000))
    conversation, microphone = Conversation(telephone), Microphone()
    conversation.send(AppendAudio(b"\xff" * 8000))
    conversation.send(Configure(CONFIG))
    conversation.hear(microphone.silence(0.5), word := microphone.speech(1.0), microphone.silence(1.0))
    (started,) = conversation.outputs_of(SpeechStarted)
    assert started.at == pytest.approx(24_000 - 4800, abs=WINDOW)
    assert count_loud(decoded(conversation)[-1]).total() == loud(word)


def test_half_a_sample_of_one_format_does_not_shift_the_next() -> None:
    conversation, microphone = Conversation(configured(input_format=AudioFormat(Encoding.PCM16, 24_000))), Microphone()
    conversation.send(AppendAudio(bytes(4801)))
    conversation.send(Configure(CONFIG))
    conversation.hear(word := microphone.speech(1.0), microphone.silence(1.0))
    assert count_loud(decoded(conversation)[-1]).total() == loud(word)


def test_audio_at_another_rate_is_heard_at_the_same_positions() -> None:
    conversation = Conversation(configured(input_format=AudioFormat(Encoding.PCM16, 48_000)))
    tone = (b"\x00\x10" * 24 + b"\x00\xf0" * 24) * 1000
    conversation.send(AppendAudio(bytes(96_000) + tone + bytes(96_000)))
    (started,), (stopped,) = conversation.outputs_of(SpeechStarted), conversation.outputs_of(SpeechStopped)
    assert started.at == pytest.approx(16_000 - 4800, abs=2 * WINDOW)
    assert stopped.at == pytest.approx(32_000 + 8000, abs=2 * WINDOW)


def test_half_a_sample_at_a_commit_does_not_spoil_what_comes_after() -> None:
    conversation, microphone = Conversation(BY_HAND), Microphone()
    conversation.hear(microphone.speech(1.0))
    conversation.send(AppendAudio(b"\x01"))
    conversation.send(CommitAudio())
    conversation.hear(microphone.speech(1.0))
    conversation.send(CommitAudio())
    assert [each.text != "" for each in conversation.outputs_of(TranscriptCompleted)] == [True, True]


def test_a_manual_turn_of_which_text_was_given_out_is_completed_without_a_stop_when_it_is_cleared() -> None:
    conversation, microphone = Conversation(configured(turn_detection=None)), Microphone()
    conversation.hear(microphone.speech(6.0))
    conversation.send(ClearAudio())
    assert conversation.outputs_of(SpeechStopped) == []
    *_, committed, completed, cleared = conversation.events
    assert isinstance(committed, AudioCommitted)
    assert isinstance(completed, TranscriptCompleted)
    assert isinstance(cleared, AudioCleared)


def test_clearing_silence_reports_no_turn() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.silence(1.0))
    conversation.send(ClearAudio())
    assert [type(event) for event in conversation.events] == [AudioCleared]


def test_clearing_a_turn_without_text_reports_no_transcript() -> None:
    conversation, microphone = Conversation(held=(Transcribe,)), Microphone()
    conversation.hear(microphone.speech(1.0))
    conversation.send(ClearAudio())
    assert isinstance(conversation.events[-1], AudioCleared)
    assert conversation.outputs_of(AudioCommitted, TranscriptCompleted) == []


def test_a_turn_of_which_text_was_given_out_is_completed_when_it_is_cleared() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(6.0))
    assert conversation.outputs_of(TranscriptExtended)
    conversation.send(ClearAudio())
    *_, stopped, committed, completed, cleared = conversation.events
    assert isinstance(stopped, SpeechStopped)
    assert isinstance(committed, AudioCommitted)
    assert isinstance(completed, TranscriptCompleted)
    assert completed.text == conversation.transcript()
    assert isinstance(cleared, AudioCleared)


def ends(conversation: Conversation) -> list[int]:
    """The positions at which turns ended."""
    return [event.at for event in conversation.outputs_of(SpeechStopped)]


@pytest.mark.parametrize(("finished", "silence"), [(1.0, 0.8), (0.5, 1.4), (0.0, 2.0)])
def test_a_turn_ends_the_sooner_the_surer_it_is_that_the_speaker_has_finished(finished: float, silence: float) -> None:
    conversation, microphone = Conversation(BY_MEANING), Microphone()
    conversation.finished = finished
    conversation.hear(microphone.speech(1.6), microphone.silence(3.0))
    (end,) = ends(conversation)
    assert end == pytest.approx((1.6 + silence) * SAMPLE_RATE, abs=WINDOW)


def test_a_speaker_who_goes_on_before_the_end_stays_in_one_turn_with_a_whole_transcript() -> None:
    conversation, microphone = Conversation(BY_MEANING), Microphone()
    conversation.hear(microphone.speech(1.6), microphone.silence(0.7), microphone.speech(0.96), microphone.silence(1.0))
    assert len(conversation.outputs_of(SpeechStarted)) == len(conversation.outputs_of(SpeechStopped)) == 1
    (completed,) = conversation.outputs_of(TranscriptCompleted)
    assert completed.text == "w0 w1 w2 w3 w4 w7 w8 w9"


def test_a_pause_is_judged_by_the_speech_of_the_turn_and_a_little_silence() -> None:
    conversation, microphone = Conversation(BY_MEANING, held=(ScoreTurn,)), Microphone()
    conversation.hear(microphone.silence(2.0), speech := microphone.speech(1.6), microphone.silence(0.5))
    (job,) = conversation.pending(ScoreTurn)
    assert count_loud(job.samples).total() == loud(speech)
    assert 0 <= len(job.samples) - 4_800 - loud(speech) - JUDGED_SILENCE <= 2 * WINDOW


def test_a_long_turn_is_judged_by_its_last_8_seconds() -> None:
    conversation, microphone = Conversation(BY_MEANING, held=(ScoreTurn,)), Microphone()
    conversation.hear(microphone.speech(40.0), microphone.silence(0.5))
    (job,) = conversation.pending(ScoreTurn)
    assert len(job.samples) == 8 * SAMPLE_RATE - JUDGED_AFTER + JUDGED_SILENCE


def test_a_turn_ends_at_the_same_position_however_late_the_end_of_turn_model_answers() -> None:
    def heard(conversation: Conversation) -> Conversation:
        microphone = Microphone()
        conversation.hear(microphone.speech(1.6), microphone.silence(1.0), microphone.speech(0.64))
        conversation.send(CommitAudio())
        return conversation

    prompt, late = heard(Conversation(BY_MEANING)), heard(Conversation(BY_MEANING, held=(ScoreTurn,)))
    assert late.outputs_of(SpeechStopped, AudioCommitted) == []
    late.release(ScoreTurn)
    kinds = SpeechStarted, SpeechStopped, AudioCommitted
    assert late.outputs_of(*kinds) == prompt.outputs_of(*kinds)
    assert len(late.outputs_of(AudioCommitted)) == 2


def test_without_an_answer_of_the_end_of_turn_model_silence_ends_the_turn() -> None:
    conversation, microphone = Conversation(BY_MEANING, held=(ScoreTurn,)), Microphone()
    conversation.hear(microphone.speech(1.6), microphone.silence(1.0))
    conversation.fail(ScoreTurn)
    (end,) = ends(conversation)
    assert end == pytest.approx(2.2 * SAMPLE_RATE, abs=WINDOW)


def test_no_pause_is_judged_where_silence_alone_ends_the_turn() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(1.6), microphone.silence(1.0))
    assert conversation.outputs_of(ScoreTurn) == []


def test_what_was_kept_for_the_end_of_turn_model_is_freed_after_the_turn() -> None:
    conversation, microphone, buffer = Conversation(), Microphone(), AudioBuffer()
    conversation.session = Session(BY_MEANING, lambda prefix: prefix, lambda: buffer)
    conversation.hear(microphone.speech(30.0))
    assert buffer.end - buffer.start >= 8 * SAMPLE_RATE
    conversation.hear(microphone.silence(3.0))
    assert buffer.end - buffer.start <= SAMPLE_RATE


def test_a_word_right_after_the_end_of_a_turn_is_decoded_with_the_silence_before_it() -> None:
    conversation, microphone = Conversation(), Microphone()
    conversation.hear(microphone.speech(0.96), microphone.silence(0.56), microphone.speech(0.96))
    conversation.hear(microphone.silence(1.0))
    _, second = decoded(conversation)
    assert np.flatnonzero(second)[0] >= 0.2 * SAMPLE_RATE
    assert conversation.outputs_of(SpeechStarted)[1].at == ends(conversation)[0]
