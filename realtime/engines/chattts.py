"""Speech from ChatTTS (github.com/2noise/ChatTTS), for its own process.

ChatTTS has one context and one set of caches, so a process speaks one phrase at a time. A call gets one phrase, whole:
with several, streaming loses half a second of each group after the first, and mixes their order. Its parameters are
fresh objects each time, because the defaults are shared and changed by the library. Digits and most signs it
leaves out, so a phrase must be written in words.

The code is AGPL-3.0-or-later and the weights are CC BY-NC 4.0: neither is part of this service.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.engines.speech_job import Parts, SpeechJob, described
from realtime.errors import EngineError, UnusableModel

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from ChatTTS import Chat

Configuration = TypeVar("Configuration", bound="DataclassInstance")

CHATTTS_RATE: Final = 24_000
"""Sample rate in Hz of the speech."""

DEFAULT_VOICE: Final = "default"
"""The voice of a request that names none."""

NORMAL_SPEED: Final = 5
"""The library's number for the speed 1.0, in a scale from 0 to 9."""

FASTEST: Final = 9 / NORMAL_SPEED
"""The speed of the largest number of that scale."""

TOKENS_PER_SECOND: Final = CHATTTS_RATE / 512
"""Audio tokens in a second of speech."""

MAX_TOKENS: Final = 2048
"""Most tokens of one phrase, which is the library's own limit: 44 s."""

SECONDS_PER_CHARACTER: Final = 0.6
EXTRA_SECONDS: Final = 3.0
"""Upper bound for the length of a phrase, at speed 1: a model that has lost its way goes on for ever.

Chinese takes 0.25 s a character, and digits in English up to 0.5 s.
"""

MAX_CACHED_CLIPS: Final = 8
"""Reference clips whose codes are kept; those of 30 s take 45 kB."""

_MARKS: Final = {"oral": 9, "laugh": 2, "break": 7}
"""The marks for the manner of speech, with the largest number of each: fillers, laughter and pauses."""

_MANNERS: Final = (
    (re.compile(r"casual|conversation|spontaneous|natural|informal|chatty", re.IGNORECASE), "[oral_7]"),
    (re.compile(r"formal|read|news|neutral|serious", re.IGNORECASE), "[oral_0]"),
    (re.compile(r"laugh|giggl|amused|cheerful|happy|joy", re.IGNORECASE), "[laugh_1]"),
    (re.compile(r"slow|paus|calm|thoughtful", re.IGNORECASE), "[break_6]"),
    (re.compile(r"fast|quick|hurr|without a break", re.IGNORECASE), "[break_2]"),
)
"""Words of instructions, and the marks that come closest to them."""


class ChatTTS:
    """A `ProcessEngine` for Chinese and English. Any name is a voice, the same one that Xinference gives this name."""

    def __init__(self, arguments: Mapping[str, Any], on_stage: Callable[[str], None]) -> None:
        """Load the model in the directory `path` on the `device`: `auto`, `cpu` or `cuda`.

        Raises `UnusableModel` without the library, and `EngineError` for a directory that it does not accept.
        """
        if find_spec("ChatTTS") is None:
            raise UnusableModel(
                "ChatTTS is not installed. It comes with the extra `chattts`; see docs/voices.md.", param="model"
            )
        try:
            import torch
            import torchaudio  # noqa: F401 - the library fails without it, with another error
            import xxhash
            from ChatTTS import Chat
        except (ImportError, OSError) as exc:
            raise UnusableModel(
                f"ChatTTS cannot be imported: {exc}. Often torch and torchaudio do not match; see docs/voices.md.",
                param="model",
            ) from exc
        on_stage("loading")
        self._torch = torch
        self._seed = xxhash.xxh32_intdigest
        if arguments["threads"]:
            torch.set_num_threads(arguments["threads"])
        self._chat = Chat()
        _adopt_configuration(self._chat, Path(arguments["path"]))
        cuda = arguments["device"] == "cuda" or (arguments["device"] == "auto" and torch.cuda.is_available())
        device = torch.device("cuda", arguments["device_index"]) if cuda else torch.device("cpu")
        # Never source="local", which downloads a program and runs it.
        if not self._chat.load(source="custom", custom_path=arguments["path"], device=device, compile=False):
            raise EngineError(
                f"ChatTTS does not accept {arguments['path']}: a file is missing, or is not the published one. For "
                "other weights put their digests beside them; see docs/voices.md."
            )
        self._codes = lru_cache(MAX_CACHED_CLIPS)(self._encode_clip)
        capabilities = Capabilities(
            ("zh", "en"), speed=True, instructions=True, cloning=True, any_voice=True, fastest=FASTEST
        )
        self.description = described(CHATTTS_RATE, (DEFAULT_VOICE,), capabilities)
        self._stopped = False

    def run(self, job: Mapping[str, Any], samples: Samples) -> Parts:
        """Speak one phrase, in chunks of half a second if it is streamed; `samples` is the reference clip, if any.

        The same phrase, voice and clip give the same samples. Refining the text, which adds the pauses and the laughter
        of a speaker, takes as long as a second or two of speech: streamed, it is done for instructions only.
        """
        self._stopped = False
        phrase = SpeechJob.from_fields(job)
        manner = manner_of(phrase.instructions)
        name = "" if phrase.voice == DEFAULT_VOICE else phrase.voice
        chat, seed = self._chat, self._seed(name.encode(errors="replace"))
        self._torch.manual_seed(seed)
        np.random.seed(seed)
        parameters = chat.InferCodeParams(
            prompt=f"[speed_{min(9, int(NORMAL_SPEED * phrase.speed))}]",
            spk_emb=None if len(samples) else chat.sample_random_speaker(),
            spk_smp=self._codes(samples.tobytes()) if len(samples) else None,
            txt_smp=phrase.transcript or None if len(samples) else None,
            max_new_token=max_tokens(phrase),
            show_tqdm=False,
        )
        chunks = chat.infer(
            [phrase.text],
            stream=phrase.streamed,
            split_text=False,
            skip_refine_text=phrase.streamed and not manner,
            params_refine_text=chat.RefineTextParams(prompt=manner, show_tqdm=False),
            params_infer_code=parameters,
        )
        for chunk in chunks:
            # After an interruption the library still gives a chunk or two, of a sound that breaks off.
            if self._stopped:
                return
            samples = np.clip(np.ravel(chunk), -1, 1).astype(np.float32)
            if len(samples):
                yield {}, samples

    def interrupt(self) -> None:
        self._stopped = True
        self._chat.interrupt()

    def _encode_clip(self, samples: bytes) -> str:
        from torchaudio.functional import resample

        clip = self._torch.frombuffer(bytearray(samples), dtype=self._torch.float32)
        return str(self._chat.sample_audio_speaker(resample(clip, SAMPLE_RATE, CHATTTS_RATE).numpy()))


def max_tokens(phrase: SpeechJob) -> int:
    """Return the most audio tokens that a phrase may take."""
    seconds = EXTRA_SECONDS + SECONDS_PER_CHARACTER * len(phrase.text) / phrase.speed
    return min(MAX_TOKENS, int(seconds * TOKENS_PER_SECOND))


def manner_of(instructions: str) -> str:
    """Return the marks for instructions: those that are written in them, `oral_2`, or those closest to their words."""
    written = re.findall(r"\b(oral|laugh|break)[_ ]?(\d)\b", instructions.lower())
    if written:
        return "".join(f"[{mark}_{min(int(number), _MARKS[mark])}]" for mark, number in written)
    marks: dict[str, str] = {}
    for words, mark in _MANNERS:
        if words.search(instructions):
            marks.setdefault(mark.partition("_")[0], mark)
    return "".join(marks.values())


def _adopt_configuration(chat: "Chat", directory: Path) -> None:
    """Read the sizes and digests that a directory of other weights than the published ones may have.

    ChatTTS has both in its code: `chattts_config.json` replaces fields of its configuration, `sha256_map.json` the
    digests that its own check compares.
    """
    if (path := directory / "chattts_config.json").is_file():
        chat.config = _replaced(chat.config, json.loads(path.read_text(encoding="utf-8")))
    if (path := directory / "sha256_map.json").is_file():
        chat.sha256_map = json.loads(path.read_text(encoding="utf-8"))


def _replaced(configuration: Configuration, changes: Mapping[str, Any]) -> Configuration:
    """Return a copy of a dataclass with other values, however deep; its instances share their defaults."""
    values = {}
    for each in fields(configuration):
        value = getattr(configuration, each.name)
        if each.name in changes:
            changed = changes[each.name]
            if is_dataclass(value) and not isinstance(value, type):
                value = _replaced(value, changed)
            else:
                value = tuple(changed) if isinstance(changed, list) else changed
        values[each.name] = value
    return type(configuration)(**values)
