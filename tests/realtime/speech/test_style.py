import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.errors import AudioTooLong, AudioTooShort
from realtime.speech.style import MAX_CLIP_SECONDS, MIN_CLIP_SECONDS, PLAIN, ReferenceClip


@pytest.mark.parametrize("seconds", [MIN_CLIP_SECONDS, MAX_CLIP_SECONDS])
def test_a_clip_of_a_voice_may_be_as_long_as_the_limits(seconds: float) -> None:
    assert ReferenceClip(np.zeros(round(seconds * SAMPLE_RATE), np.float32)).transcript == ""


def test_a_clip_of_a_voice_outside_the_limits_is_refused() -> None:
    with pytest.raises(AudioTooShort, match="at least 1 s"):
        ReferenceClip(np.zeros(round(MIN_CLIP_SECONDS * SAMPLE_RATE) - 1, np.float32))
    with pytest.raises(AudioTooLong, match="at most 30 s"):
        ReferenceClip(np.zeros(round(MAX_CLIP_SECONDS * SAMPLE_RATE) + 1, np.float32))


def test_a_plain_style_asks_for_nothing_but_early_samples() -> None:
    assert (PLAIN.instructions, PLAIN.clip, PLAIN.streamed) == ("", None, True)
