"""Speech from hibari, a small English synthesizer whose weights are in its wheel.

hibari answers sentence by sentence; a finished sentence is handed on in pieces, so that playing can begin, and stop,
at once.
"""

from collections.abc import Iterator
from typing import Final

import hibari
import numpy as np
from hibari.g2p import G2P
from hibari.voices import DEFAULT, VOICES, voice_path
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NoSuchFile,
    RuntimeException,
)

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import SynthesizerCapabilities
from realtime.errors import EngineError

_FIRST_PIECE: Final = hibari.SAMPLE_RATE * 40 // 1000
_PIECE: Final = hibari.SAMPLE_RATE * 100 // 1000
_LEAD: Final = hibari.SAMPLE_RATE * 20 // 1000
_AUDIBLE: Final = 1e-3


class Hibari:
    """A `Synthesizer` of English on one CPU thread, for speeds from 0.25 to 4.0 (above 2.5 sounds no faster).

    Offers the voice in the wheel and those already in hibari's cache; none is downloaded. Text without anything to
    pronounce gives no chunks. The same words give the same samples.

    Safe for concurrent syntheses: all is loaded at the start, hibari keeps no state between sentences, and an
    onnxruntime session may run in several threads.
    """

    capabilities = SynthesizerCapabilities(languages=("en",), speed=True)
    sample_rate: int = hibari.SAMPLE_RATE

    def __init__(self) -> None:
        """Raises `EngineError` where a model cannot be loaded."""
        at_hand = [name for name in VOICES if _is_at_hand(name)]
        self.voices: tuple[str, ...] = tuple(sorted(at_hand, key=lambda name: name != DEFAULT))
        try:
            readers = {british: _reader(british) for british in {VOICES[name]["british"] for name in self.voices}}
            self._speakers = {
                name: hibari.Hibari(name, threads=1, g2p=readers[VOICES[name]["british"]]) for name in self.voices
            }
        except (OSError, ValueError, Fail, InvalidGraph, InvalidProtobuf, NoSuchFile) as exc:
            raise EngineError("hibari cannot be loaded") from exc

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """Yield 40 ms, then 100 ms at a time."""
        speaker = self._speakers[voice]
        for sentence in speaker.split_sentences(text):
            samples = _without_lead(_speak(speaker, sentence, speed))
            if len(samples):
                yield from np.split(samples, range(_FIRST_PIECE, len(samples), _PIECE))

    def close(self) -> None:
        self._speakers.clear()


def _without_lead(samples: Samples) -> Samples:
    """Speech without the third of a second of silence that hibari puts before it and nobody wants to wait for."""
    sounds = np.flatnonzero(np.abs(samples) > _AUDIBLE)
    return samples[max(0, sounds[0] - _LEAD) :] if len(sounds) else samples[:0]


def _is_at_hand(voice: str) -> bool:
    try:
        voice_path(voice, download_missing=False)
    except FileNotFoundError:
        return False
    return True


def _reader(british: bool) -> G2P:
    """What turns text into phonemes, with the network for unknown words that hibari would load on meeting one."""
    reader = G2P(british=british)
    reader.oov  # noqa: B018
    return reader


def _speak(speaker: hibari.Hibari, sentence: str, speed: float) -> Samples:
    try:
        spoken = [
            speaker.from_phonemes(phonemes, speed, seed=0)
            for phonemes in speaker.phonemize(sentence)
            if any(map(str.isalpha, phonemes))
        ]
    except (IndexError, ValueError) as exc:  # a number of more than 36 digits; digits like the bracketed nine, U+247C
        raise EngineError("hibari cannot read this text") from exc
    except (Fail, InvalidArgument, RuntimeException) as exc:
        raise EngineError("hibari failed to speak") from exc
    return np.concatenate(spoken) if spoken else np.empty(0, np.float32)
