"""Speech from CosyVoice (github.com/FunAudioLLM/CosyVoice), versions 1, 2 and 3, for its own process.

The library is no package: it is imported from a clone, and packages of that name on PyPI are other things. A model
speaks one phrase at a time, because it keeps on itself what belongs to a request. Its language model runs in a thread
of the library, which is guarded here: an exception in it would make the library wait for ever, and closing the
generator would leave it running.
"""

import logging
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.engines.speech_job import Parts, SpeechJob, described
from realtime.errors import ClientError, UnusableModel

if TYPE_CHECKING:
    import torch

DEFAULT_VOICE: Final = "default"
"""The name listed for a model without voices of its own; speaking with it needs a recording."""

TOKEN_HOP: Final = 25
"""Speech tokens in the first chunk of a stream: a second. The library doubles it on the model and never resets it."""

PROMPT_END: Final = "<|endofprompt|>"
"""The token that ends what a model is told; without it version 3 fails."""

ASSISTANT: Final = "You are a helpful assistant."
"""What version 3 was trained to be told first."""

SEED: Final = 0
"""Seed of each phrase, as in Xinference. Phrases still differ a little: two threads of the library draw from it."""

_TOO_SHORT: Final = "Kernel size can't be greater"
"""How the error of version 3 begins where it has too few tokens for a sound."""

_LANGUAGES: Final = ("zh", "en", "ja", "yue", "ko")
_LANGUAGES_3: Final = (*_LANGUAGES, "de", "es", "fr", "it", "ru")


class CosyVoice:
    """A `ProcessEngine` for the model in a directory, whose version its files say."""

    def __init__(self, arguments: Mapping[str, Any], on_stage: Callable[[str], None]) -> None:
        """Load the model in `path` with the clone in `home`. Raises `UnusableModel` where that cannot be imported."""
        root = logging.getLogger()
        level = root.level
        library, frontend = _imported(Path(arguments["home"]))
        root.setLevel(level)  # the library logs texts from DEBUG on
        import torch
        import tqdm

        tqdm.tqdm.monitor_interval = 0  # else it starts a thread
        on_stage("loading")
        if arguments["threads"]:
            torch.set_num_threads(arguments["threads"])
        self._torch = torch
        frontend.load_wav = self._resampled  # the library's own needs torchcodec
        self._library = library.AutoModel(model_dir=arguments["path"])
        self._guard = Guard(self._library.model)
        self._version = {"CosyVoice2": 2, "CosyVoice3": 3}.get(type(self._library).__name__, 1)
        self._voices = tuple(self._library.list_available_spks())
        told_by_name = self._version == 1 and "Instruct" in f"{arguments['name']} {Path(arguments['path']).name}"
        capabilities = Capabilities(
            _LANGUAGES_3 if self._version == 3 else _LANGUAGES,
            instructions=self._version > 1 or told_by_name,
            cloning=True,
        )
        self.description = described(
            self._library.sample_rate, self._voices or (DEFAULT_VOICE,), capabilities, version=self._version
        )

    def run(self, job: Mapping[str, Any], samples: Samples) -> Parts:
        """Speak one phrase; `samples` is the reference clip, if any.

        Raises `ClientError` if the model has no voices and there is no clip.
        """
        phrase = SpeechJob.from_fields(job)
        self._guard.reset()
        self._torch.manual_seed(SEED)
        if self._version > 1:
            self._library.model.token_hop_len = TOKEN_HOP
        try:
            with closing(self._speech(phrase, samples)) as chunks:
                for chunk in chunks:
                    if self._guard.stopped:
                        return
                    spoken = np.clip(chunk["tts_speech"].numpy().ravel(), -1, 1).astype(np.float32)
                    if len(spoken):
                        yield {}, spoken
        except RuntimeError as exc:
            self._guard.raise_error()
            if not self._guard.stopped and not str(exc).startswith(_TOO_SHORT):
                raise
        finally:
            self._guard.end()
        self._guard.raise_error()

    def interrupt(self) -> None:
        self._guard.stop()

    def _speech(self, phrase: SpeechJob, clip: Samples) -> Generator[dict[str, "torch.Tensor"], None, None]:
        """Choose the inference as Xinference does: by the clip, what is said in it, and the instructions."""
        library: Any = self._library
        told, text = phrase.instructions, phrase.text
        speech: Generator[dict[str, torch.Tensor], None, None]
        how: dict[str, Any] = {
            "stream": phrase.streamed,
            "text_frontend": False,  # the phrase is written in words already, and must not be cut again
        }
        prefix = ASSISTANT + PROMPT_END if self._version == 3 else ""
        voice = phrase.voice if phrase.voice in self._voices else "".join(self._voices[:1])
        if len(clip) and phrase.transcript:
            speech = library.inference_zero_shot(text, prefix + phrase.transcript, clip, **how)
        elif len(clip) and told and self._version > 1:
            instruction = f"{ASSISTANT} {told}" if self._version == 3 else told
            speech = library.inference_instruct2(text, instruction + PROMPT_END, clip, **how)
        elif len(clip):
            speech = library.inference_cross_lingual(prefix + text, clip, **how)
        elif not voice:
            raise ClientError(
                "This model has no voice of its own: send a recording in `prompt_speech`, or name one of the folder.",
                param="voice",
            )
        elif told and self.description["capabilities"]["instructions"] and self._version == 1:
            speech = library.inference_instruct(text, voice, told + PROMPT_END, **how)
        else:
            speech = library.inference_sft(prefix + text, voice, **how)
        return speech

    def _resampled(self, clip: Samples, rate: int, _: int = SAMPLE_RATE) -> "torch.Tensor":
        """Return a clip at another rate, of shape (1, n); stands for the library's function that reads a file.

        Of a spectrogram it asks for 24 kHz with all versions, though that of version 1 counts in 22.05 kHz.
        """
        from torchaudio.functional import resample

        wanted = SAMPLE_RATE if rate == SAMPLE_RATE else self._library.sample_rate
        resampled: torch.Tensor = resample(self._torch.from_numpy(clip.copy()).unsqueeze(0), SAMPLE_RATE, wanted)
        return resampled


class Guard:
    """What the library lacks around the thread of its language model: cancellation, and the end after an error."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - an object of the library
        self._model = model
        self._stopped = threading.Event()
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._job = model.llm_job
        model.llm_job = self._guarded
        for name in ("inference", "inference_bistream"):
            if generate := getattr(model.llm, name, None):
                setattr(model.llm, name, self._stoppable(generate))
        self._ended.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def reset(self) -> None:
        """Begin a request."""
        self._stopped.clear()
        self._error = None

    def stop(self) -> None:
        """Make the language model end after its next token."""
        self._stopped.set()

    def end(self) -> None:
        """End the language model, and forget what the library keeps of a request."""
        self.stop()
        self._ended.wait()
        for name in ("tts_speech_token_dict", "llm_end_dict", "hift_cache_dict", "mel_overlap_dict", "flow_cache_dict"):
            getattr(self._model, name, {}).clear()

    def raise_error(self) -> None:
        """Raise what the language model has raised; what the library raises after it says less."""
        if self._error is not None:
            raise self._error

    def _stoppable(self, generate: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def tokens(*arguments: object, **options: object) -> Iterator[Any]:
            for token in generate(*arguments, **options):
                if self.stopped:
                    return
                yield token

        return tokens

    def _guarded(self, *arguments: object) -> None:
        self._ended.clear()
        try:
            self._job(*arguments)
        except Exception as exc:  # noqa: BLE001 - raised again where the phrase is spoken
            self._error = exc
        finally:
            self._model.llm_end_dict[arguments[-1]] = True
            self._ended.set()


def _imported(home: Path) -> tuple[Any, Any]:
    """Import the library from a clone and return its modules. Raises `UnusableModel`."""
    matcha = home / "third_party" / "Matcha-TTS"
    for file, advice in ((home / "cosyvoice" / "cli", ""), (matcha / "matcha", "; clone it with --recursive")):
        if not file.is_dir():
            raise UnusableModel(
                f"VIVAVOCE_COSYVOICE_HOME is no clone of CosyVoice: it lacks {file}{advice}.", param="model"
            )
    sys.path[:0] = [str(home), str(matcha)]
    try:
        import cosyvoice.cli.cosyvoice as library
        from cosyvoice.cli import frontend
    except (ImportError, OSError) as exc:
        raise UnusableModel(f"CosyVoice cannot be imported: {exc}. See docs/voices.md.", param="model") from exc
    return library, frontend
