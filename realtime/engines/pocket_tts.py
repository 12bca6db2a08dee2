"""Speech from pocket-tts (https://github.com/kyutai-labs/pocket-tts), a language model of audio for CPUs.

It runs in its own process: the library starts two threads for each phrase, and answers one phrase at a time.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.pocket import POCKET_LANGUAGES
from realtime.engines.speech_job import Parts, SpeechJob, described
from realtime.errors import EngineError, UnusableModel
from realtime.speech.phrases import has_words
from realtime.weights.pocket import voice_files

MAX_CACHED_VOICES: Final = 8
"""Voices whose states are kept in memory; each takes a few megabytes."""


class Stop:
    """What tells the library to end a phrase; it asks for no more of an event than this."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set


class PocketTTS:
    """A `ProcessEngine` for one language, with the voices in its directory."""

    def __init__(self, arguments: Mapping[str, Any], on_stage: Callable[[str], None]) -> None:
        """Load the model in the directory `path`, which is that of the language `folder`, onto the CPU.

        Raises `UnusableModel` without the library, and `EngineError` for files that it does not accept.
        """
        if find_spec("pocket_tts") is None:
            raise UnusableModel(
                "pocket-tts is not installed. It comes with the extra `pocket`; see docs/voices.md.", param="model"
            )
        on_stage("loading")
        from pocket_tts import TTSModel

        folder = Path(arguments["path"])
        try:
            with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
                json.dump(_configuration(folder, arguments["folder"]), file)
                file.flush()
                self._model = TTSModel.load_model(config=file.name)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, AssertionError) as exc:
            raise EngineError(
                f"pocket-tts does not accept {folder}. Published models change with the package: a newer one may help."
            ) from exc
        files = voice_files(folder, arguments["folder"])
        self._voice = lru_cache(MAX_CACHED_VOICES)(lambda name: self._model.get_state_for_audio_prompt(files[name]))
        self._stopped = Stop()
        language = POCKET_LANGUAGES[arguments["folder"]]
        self.description = described(self._model.sample_rate, tuple(files), Capabilities((language,)))

    def run(self, job: Mapping[str, Any], samples: Samples) -> Parts:  # noqa: ARG002 - it clones no voices
        """Yield the phrase in parts of 80 ms, or several at once where it is fast."""
        phrase = SpeechJob.from_fields(job)
        self._stopped = stopped = Stop()
        if not has_words(phrase.text):
            return
        try:
            for chunk in self._model.generate_audio_stream(self._voice(phrase.voice), phrase.text, stop=stopped):
                if stopped.is_set():
                    return
                yield {}, np.clip(chunk.numpy(), -1, 1)
        except (OSError, ValueError, KeyError, RuntimeError) as exc:
            raise EngineError("pocket-tts failed to speak.") from exc
        finally:
            stopped.set()  # the library's threads would otherwise finish a phrase that nobody hears

    def interrupt(self) -> None:
        self._stopped.set()


def _configuration(folder: Path, language: str) -> dict[str, Any]:
    """Return the configuration of a model with the files in its folder instead of those on the hub.

    A folder may have one of its own, `config.yaml`; otherwise it is the one that the library has for the language.
    """
    import yaml  # the library's own dependency
    from pocket_tts.utils.config import CONFIGS_DIR

    own = folder / "config.yaml"
    path = own if own.is_file() else CONFIGS_DIR / f"{language}.yaml"
    configuration: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    configuration["weights_path"] = str(folder / "model.safetensors")
    configuration["weights_path_without_voice_cloning"] = None
    table = configuration["flow_lm"]["lookup_table"]
    table["tokenizer_path"] = str(folder / Path(table["tokenizer_path"].partition("@")[0]).name)
    return configuration
