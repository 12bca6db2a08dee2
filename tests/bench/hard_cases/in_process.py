"""The models of the default configuration, called in turn without a server: live, for an upload, and faster-whisper."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any, Final

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding, Samples, encode
from realtime.audio.resampler import Resampler
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.silero import Silero
from realtime.engines.whisper.engine import Whisper
from realtime.offline.job import TranscriptionJob
from realtime.offline.options import OfflineOptions
from realtime.offline.transcript import Transcript
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.session.commands import AppendAudio, CommitAudio
from realtime.session.config import SessionConfig
from realtime.session.events import Input, TranscriptCompleted
from realtime.session.jobs import ScoreWindows, Transcribe, Transcribed, WindowsScored
from realtime.session.session import Session
from realtime.settings import Settings
from realtime.speech.endpointing import TurnDetection
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from realtime.weights.locate import locate
from tests.support.recognizing import transcribe

PCM16: Final = AudioFormat(Encoding.PCM16, SAMPLE_RATE)
MULAW: Final = AudioFormat(Encoding.MULAW, 8_000)

_FRAME_SECONDS: Final = 0.1
_SILENCE_SECONDS: Final = 1.0
"""Digital silence after a stream, so that its last turn ends."""


class Models:
    """Detector, recognizer and faster-whisper with the weights of the recognizer, one thread each."""

    entry = WHISPER_BASE

    def __init__(self) -> None:
        directory = locate(WHISPER_BASE, Settings(offline=True))
        self._detector = Silero()
        self._whisper = Whisper(directory, device="cpu", compute_type="int8", threads=1)
        self._faster_whisper = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=1)

    async def score(
        self, windows: NDArray[np.float32], state: NDArray[np.float32] | None, *, live: bool = True
    ) -> tuple[list[float], NDArray[np.float32]]:
        return self._score(windows, state)

    async def transcribe(self, request: TranscriptionRequest, *_: Any) -> Hypothesis:
        return transcribe(self._whisper, request)

    def _score(
        self, windows: NDArray[np.float32], state: NDArray[np.float32] | None
    ) -> tuple[list[float], NDArray[np.float32]]:
        return self._detector.score([(windows, self._detector.initial_state() if state is None else state)])[0]

    def upload(self, samples: Samples, options: OfflineOptions) -> Transcript:
        """Transcribe 16 kHz samples as an upload."""

        async def blocks() -> AsyncIterator[Samples]:
            yield samples

        return asyncio.run(TranscriptionJob(blocks(), self, self, options).whole())

    def live(
        self, samples: Samples, *, audio_format: AudioFormat = PCM16, language: str | None = None, manual: bool = False
    ) -> list[TranscriptCompleted]:
        """Transcribe 16 kHz samples as a live stream in which only finals are decoded, each at once.

        With `manual`, the client commits everything as one turn.
        """
        config = SessionConfig(
            WHISPER_BASE,
            audio_format,
            turn_detection=None if manual else TurnDetection(),
            transcribe=True,
            language=language,
        )
        padded = np.concatenate([samples, np.zeros(round(_SILENCE_SECONDS * SAMPLE_RATE), np.float32)])
        return self.play(
            encode(Resampler(SAMPLE_RATE, audio_format.sample_rate).process(padded), audio_format.encoding), config
        )

    def live_channels(self, channels: NDArray[np.float32], language: str | None = None) -> list[TranscriptCompleted]:
        """Transcribe channels at 16 kHz, shape (channels, n), as a live stream of which each is a speaker."""
        audio_format = AudioFormat(Encoding.PCM16, SAMPLE_RATE, len(channels))
        config = SessionConfig(WHISPER_BASE, audio_format, separate_channels=True, transcribe=True, language=language)
        padded = np.pad(channels, ((0, 0), (0, round(_SILENCE_SECONDS * SAMPLE_RATE))))
        return self.play(encode(padded.T.reshape(-1), Encoding.PCM16), config)

    def play(self, audio: bytes, config: SessionConfig) -> list[TranscriptCompleted]:
        """Transcribe a live stream in the format of `config`."""
        numbers = count()
        session = Session(config, lambda prefix: f"{prefix}_{next(numbers)}")
        audio_format = config.input_format
        size = round(_FRAME_SECONDS * audio_format.sample_rate) * audio_format.bytes_per_sample * audio_format.channels
        commands: list[Input] = [AppendAudio(audio[start : start + size]) for start in range(0, len(audio), size)]
        turns: list[TranscriptCompleted] = []
        for command in [*commands, CommitAudio()]:
            outputs = session.receive(command, 0.0)
            while outputs:
                match outputs.pop(0):
                    case ScoreWindows(number, windows, state):
                        outputs += session.receive(WindowsScored(number, *self._score(windows, state)), 0.0)
                    case Transcribe(number, priority=Priority.FINAL):
                        if request := session.request_for(number, LoadLevel.LOW):
                            outputs += session.receive(Transcribed(number, transcribe(self._whisper, request)), 0.0)
                    case TranscriptCompleted() as turn:
                        turns.append(turn)
        return turns

    def whole_file(self, samples: Samples, language: str | None = None, hotwords: str | None = None) -> str:
        """Transcribe 16 kHz samples with faster-whisper, greedily and without its voice activity detection."""
        segments, _ = self._faster_whisper.transcribe(
            samples, language=language, beam_size=1, temperature=0.0, hotwords=hotwords
        )
        return "".join(segment.text for segment in segments).strip()
