"""A call of two speakers, one on each channel."""

import numpy as np

from tests.support.scripted_conversation import Microphone

SPEAKING, SILENT = Microphone.speech, Microphone.silence


def call(*parts: tuple[float, bool, bool]) -> bytes:
    """Return stereo audio of parts: seconds, and whether the speakers on the two channels speak."""
    channels = []
    for channel in (1, 2):
        microphone = Microphone()
        audio = [(SPEAKING if part[channel] else SILENT)(microphone, part[0]) for part in parts]
        channels.append(np.frombuffer(b"".join(audio), "<i2"))
    return np.stack(channels, axis=1).tobytes()
