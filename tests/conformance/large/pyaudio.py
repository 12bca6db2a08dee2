"""A stand-in for PyAudio, which WhisperLive's client imports, and which needs the headers of a sound library."""

paInt16 = 8  # noqa: N816 - the name of PyAudio


class PyAudio:
    """A machine without a microphone."""
