import tracemalloc

import numpy as np

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW, AudioFormat, Encoding
from realtime.session.input_audio import InputAudio, InputChannels

PCM = AudioFormat(Encoding.PCM16, SAMPLE_RATE)


def test_frames_become_samples_at_their_positions() -> None:
    audio = InputAudio(PCM, AudioBuffer())
    audio.append(np.arange(100, dtype="<i2").tobytes())
    audio.append(np.arange(100, 200, dtype="<i2").tobytes())
    np.testing.assert_array_equal(audio.buffer.slice(50, 150) * 32_768, np.arange(50, 150))


def test_half_a_sample_waits_for_its_other_half_unless_the_stream_ends() -> None:
    audio = InputAudio(PCM, AudioBuffer())
    audio.append(b"\x01")
    audio.append(b"\x00")
    assert audio.end == 1
    audio.append(b"\x01")
    audio.flush()
    audio.append(b"\x00")
    assert audio.end == 1


def test_a_rest_frees_memory_and_the_stream_goes_on_within_a_sample() -> None:
    audio = InputAudio(AudioFormat(Encoding.PCM16, 24_000), AudioBuffer())
    audio.append(bytes(2 * 24_000) + b"\x01")
    audio.discard(audio.end - 100)
    tracemalloc.start()
    audio.rest()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 4 * 600 + 500  # the samples, with 30 ms of the resampler
    audio.append(b"\x00" + bytes(2 * 24_000))
    audio.flush()
    assert abs(audio.end - 2 * SAMPLE_RATE) <= 3


def test_a_rest_frees_the_resamplers_of_channels_and_the_stream_goes_on_within_a_sample() -> None:
    channels = InputChannels(AudioFormat(Encoding.PCM16, 24_000, 2))
    seconds = [channels.add(bytes(4 * 24_000) + b"\x01"), channels.rest()]
    assert np.shape(channels.rest()) == (2, 0)
    seconds += [channels.add(b"\x00" * 3 + bytes(4 * 24_000)), channels.flush()]
    assert seconds[1].size > 0
    assert abs(sum(each.shape[1] for each in seconds) - 2 * SAMPLE_RATE) <= 3


def test_windows_are_copies_and_silence_fills_up_the_last() -> None:
    audio = InputAudio(PCM, AudioBuffer())
    audio.append(np.full(WINDOW + 10, 8192, "<i2").tobytes())
    for end, expected in ((WINDOW, [WINDOW]), (WINDOW + 10, [WINDOW, 10])):
        windows = audio.windows(0, end)
        assert np.count_nonzero(windows, axis=1).tolist() == expected
        windows[:] = 0
    assert np.count_nonzero(audio.buffer.slice(0, WINDOW)) == WINDOW


def test_the_tail_of_the_old_format_comes_before_the_first_sample_of_the_new() -> None:
    audio = InputAudio(AudioFormat(Encoding.MULAW, 8000), AudioBuffer())
    audio.append(b"\x90" * 8000)
    audio.set_format(PCM)
    assert abs(audio.end - SAMPLE_RATE) <= 2
    before = audio.end
    audio.append(bytes(2 * SAMPLE_RATE))
    assert audio.end - before == SAMPLE_RATE


def test_the_same_format_again_changes_nothing() -> None:
    audio = InputAudio(PCM, AudioBuffer())
    audio.append(b"\x01")
    audio.set_format(PCM)
    audio.append(b"\x00")
    assert audio.end == 1


def test_discarded_audio_is_gone_and_the_rest_stays_where_it_is() -> None:
    audio = InputAudio(PCM, AudioBuffer())
    audio.append(np.arange(1000, dtype="<i2").tobytes())
    audio.discard(600)
    assert (audio.buffer.start, audio.end) == (600, 1000)
