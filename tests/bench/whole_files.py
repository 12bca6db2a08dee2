"""The same clips as whole files through faster-whisper, greedily: what streaming is measured against."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import soxr
from faster_whisper import WhisperModel

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import lookup
from realtime.settings import Settings
from realtime.weights.locate import locate
from tests.bench.scoring import word_error_rate
from tests.bench.speech_clips import RATE, SpeechClip

THREADS: Final = 2


@dataclass(slots=True)
class WholeFiles:
    """What a model makes of clips, one at a time. `cpu_seconds` of this process went into `audio_seconds`."""

    model: str
    gain: float = 1.0
    """Factor by which the clips are louder."""
    cpu_seconds: float = 0.0
    audio_seconds: float = 0.0
    _texts: dict[int, str] = field(default_factory=dict)
    """By the identity of the clip; clips live as long as the benchmark."""

    def read(self, clips: Sequence[SpeechClip]) -> None:
        """Transcribe the clips that are not known yet."""
        directory = locate(lookup(self.model), Settings(offline=True))
        whisper = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=THREADS)
        for clip in clips:
            began = time.process_time()
            samples = soxr.resample(clip.samples * np.float32(self.gain), RATE, SAMPLE_RATE)
            segments, _ = whisper.transcribe(samples, language="en", beam_size=1, temperature=0.0)
            self._texts[id(clip)] = " ".join(segment.text for segment in segments)
            self.cpu_seconds += time.process_time() - began
            self.audio_seconds += clip.seconds

    @property
    def cost(self) -> float:
        """Processor seconds per second of audio."""
        return self.cpu_seconds / self.audio_seconds

    def error_rate(self, clips: Sequence[SpeechClip]) -> float:
        return word_error_rate([clip.text for clip in clips], [self._texts[id(clip)] for clip in clips])
