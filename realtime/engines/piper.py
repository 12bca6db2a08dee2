"""Speech from the voices of the Piper project (https://github.com/OHF-Voice/piper1-gpl): VITS networks, espeak-ng.

The package is GPL-3.0-or-later, so it is an extra of its own and never imported before one of its voices is used.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import piper

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.engines.chunks import in_chunks
from realtime.engines.onnx import FAILED_RUN, load_model
from realtime.errors import EngineError
from realtime.speech.phrases import has_words
from realtime.weights.piper import network

logging.getLogger("piper").setLevel(logging.ERROR)  # below, the package logs what it reads


FASTEST: Final = 1.0
"""The fastest speed at which the voices speak themselves, because they do not shorten pauses.

Asked for 2.0, `joe` speaks at 1.6, and asked for 4.0 at 2.0.
"""


class Piper:
    """A `Synthesizer` with one of Piper's voices, on one CPU thread; a voice of several speakers has a name for each.

    A sentence is synthesized at once and yielded in chunks. Concurrent syntheses are safe: the package locks espeak-ng,
    and an onnxruntime session may run in several threads.
    """

    def __init__(self, directory: Path, language: str) -> None:
        """Load the only voice in a directory. Raises `EngineError`."""
        path = network(directory)
        if path is None:
            raise EngineError(f"{directory} does not contain a voice of Piper's: one .onnx file and its .onnx.json.")
        name = f"The voice {path.stem}"
        try:
            config = piper.PiperConfig.from_dict(json.loads(Path(f"{path}.json").read_text(encoding="utf-8")))
            self._voice = piper.PiperVoice(load_model(path, name), config, download_dir=directory)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise EngineError(f"{name} could not be loaded.") from exc
        self._speakers: dict[str, int | None] = dict(config.speaker_id_map) or {path.stem.split("-")[1]: None}
        self.capabilities = Capabilities((language,), speed=True, fastest=FASTEST)
        self.sample_rate: int = config.sample_rate
        self.voices: tuple[str, ...] = tuple(self._speakers)

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """Yield each sentence in a chunk of 40 ms and further ones of 100 ms."""
        options = piper.SynthesisConfig(
            speaker_id=self._speakers[voice],
            length_scale=self._voice.config.length_scale / speed,
            normalize_audio=False,  # sentence by sentence, it makes their loudness differ by 5 LUFS instead of 3
        )
        if not has_words(text):
            return
        try:
            # The package takes what is in double brackets for phonemes.
            for sentence in self._voice.synthesize(text.replace("[[", "[ ["), options):
                yield from in_chunks(sentence.audio_float_array, self.sample_rate)
        except (*FAILED_RUN, RuntimeError, ValueError) as exc:
            raise EngineError("Piper failed to speak.") from exc

    def close(self) -> None:
        del self._voice
