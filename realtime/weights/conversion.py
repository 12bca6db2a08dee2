"""Convert a Whisper checkpoint in transformers' format to a CTranslate2 model that faster-whisper can use.

CTranslate2's converter, in a child process, makes the weights, the vocabulary and the configuration. It, and
faster-whisper, fail on what many checkpoints lack or have wrong, which is corrected here:

- `tokenizer.json` may be missing, or be that of another generation of Whisper (large-v3 has one more language, which
  shifts the ids of all special tokens): then that of OpenAI's checkpoint with the same vocabulary is used.
- `preprocessor_config.json` must give the number of mel bins; faster-whisper assumes 80 without it.
- The alignment heads for word times may be missing, and the converter then takes all heads of half the decoder, which
  is slow and inexact; or they are those of the larger model that was distilled, which crashes the process.
- The ids of the languages, without which no language can be detected.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from realtime.errors import EngineError, UnusableModel
from realtime.weights import storage
from realtime.weights.alignment_heads import DecoderShape, alignment_heads
from realtime.weights.progress import Report

SMALL_FILES: Final = ("config.json", "generation_config.json", "tokenizer.json")
"""The files of a checkpoint besides its weights."""

WEIGHTS: Final = (
    ("model.safetensors",),
    ("model.safetensors.index.json", "model-*.safetensors"),
    ("pytorch_model.bin",),
    ("pytorch_model.bin.index.json", "pytorch_model-*.bin"),
)
"""The layouts in which a checkpoint holds its weights, in order of preference."""

PATTERNS: Final = (*SMALL_FILES, *(pattern for layout in WEIGHTS for pattern in layout))
"""All files that a conversion may read."""

OFFICIAL: Final = {
    51864: "openai/whisper-tiny.en",
    51865: "openai/whisper-large-v2",
    51866: "openai/whisper-large-v3",
}
"""OpenAI's checkpoint for each size of vocabulary; its tokenizer fits every checkpoint of that size."""

TIMESTAMPS: Final = 1501
"""Timestamp tokens at the end of every Whisper vocabulary; the token before them is `<|notimestamps|>`."""

CONVERSION_TIMEOUT: Final = 3600.0
"""Seconds after which a conversion is killed."""


def files_among(names: Iterable[str]) -> tuple[str, ...]:
    """Return the files that a conversion reads of a repository with these files; none if it is no checkpoint."""
    available = sorted(names)
    if "config.json" not in available:
        return ()
    small = tuple(name for name in SMALL_FILES if name in available)
    for layout in WEIGHTS:
        if found := tuple(name for name in available if any(fnmatch(name, pattern) for pattern in layout)):
            return small + found
    return ()


def require_converter(name: str) -> None:
    """Raise `UnusableModel` if a library that converting the model `name` needs is not installed."""
    if absent := [each for each in ("torch", "transformers") if importlib.util.find_spec(each) is None]:
        raise UnusableModel(
            f"{name} must be converted before its first use, which needs {' and '.join(absent)}: "
            "pip install -e '.[convert]' in the Vivavoce folder",
            param="model",
        )


def convert(
    name: str, checkpoint: Path, directory: Path, official_tokenizer: Callable[[str], Path], report: Report
) -> Path:
    """Convert the checkpoint of the model `name` into `directory`, completely or not at all. Takes minutes.

    `official_tokenizer` returns the `tokenizer.json` of one of the `OFFICIAL` repositories. Of several processes one
    converts while the others wait. Raises `EngineError`.
    """
    try:
        with storage.locked(directory) as lock:
            if (directory / "model.bin").is_file():
                return directory
            model = _read(checkpoint / "config.json")
            if model.get("model_type") != "whisper":
                raise EngineError(f"{name} is a model of type {model.get('model_type')!r}, not a Whisper model.")
            tokenizer = _tokenizer(checkpoint, model, official_tokenizer)
            with tempfile.TemporaryDirectory() as staging, storage.atomic_directory(directory) as output:
                staged = _stage(checkpoint, tokenizer, Path(staging))
                expected = storage.size_of(staged)
                storage.require_space([(directory, expected)])
                _run(staged, output, lock.fileno(), lambda: report(min(storage.size_of(output), expected), expected))
                _complete(output, staged, model)
                report(expected, expected)
    except OSError as exc:
        raise EngineError(f"{name} could not be converted: {exc}") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise EngineError(f"The configuration of {name} cannot be read: {exc!r}") from exc
    return directory


def _tokenizer(checkpoint: Path, model: dict[str, Any], official_tokenizer: Callable[[str], Path]) -> Path:
    """Return the `tokenizer.json` whose special tokens have the ids that the model was trained with."""
    size = model["vocab_size"]
    own = checkpoint / "tokenizer.json"
    if own.is_file() and _special_tokens(own).get("<|notimestamps|>") == size - TIMESTAMPS - 1:
        return own
    if size not in OFFICIAL:
        raise EngineError(
            f"The checkpoint has no tokenizer, and its vocabulary of {size} tokens is not that of a Whisper model."
        )
    return official_tokenizer(OFFICIAL[size])


def _stage(checkpoint: Path, tokenizer: Path, staging: Path) -> Path:
    """Fill the directory `staging` with links to the files for the converter."""
    paths = {name: checkpoint / name for name in files_among(path.name for path in checkpoint.iterdir())}
    for name, path in (paths | {"tokenizer.json": tokenizer}).items():
        (staging / name).symlink_to(path.resolve())
    return staging


def _run(checkpoint: Path, output: Path, lock: int, tick: Callable[[], None]) -> None:
    """Run the converter. It inherits the `lock`, so that no second one starts if this process is killed."""
    command = [sys.executable, "-P", "-m", "realtime.weights.whisper_converter", str(checkpoint), str(output)]
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(  # noqa: S603 - this Python and this package
            command,
            env=os.environ | quiet,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=(lock,),
        )
        try:
            deadline = time.monotonic() + CONVERSION_TIMEOUT
            while (code := _exit_code(process)) is None:
                tick()
                if time.monotonic() > deadline:
                    raise EngineError(f"The conversion took more than {CONVERSION_TIMEOUT:g} seconds.")
        finally:
            process.kill()
            process.wait()
        if code != 0:
            errors.seek(0)
            lines = errors.read().strip().splitlines() or ["no error message"]
            raise EngineError(f"The conversion failed with exit code {code}: {lines[-1]}")


def _exit_code(process: "subprocess.Popen[bytes]") -> int | None:
    try:
        return process.wait(0.5)
    except subprocess.TimeoutExpired:
        return None


def _complete(output: Path, staged: Path, model: dict[str, Any]) -> None:
    """Add the files that faster-whisper reads, and complete the configuration."""
    (output / "tokenizer.json").write_bytes((staged / "tokenizer.json").read_bytes())
    mel = {"feature_size": model["num_mel_bins"], "sampling_rate": 16000, "hop_length": 160, "n_fft": 400}
    _write(output / "preprocessor_config.json", mel | {"chunk_length": 30})
    config = _read(output / "config.json")
    special = _special_tokens(staged / "tokenizer.json")
    languages = range(special["<|startoftranscript|>"] + 1, special["<|translate|>"])
    generation = staged / "generation_config.json"
    own_heads = _read(generation).get("alignment_heads") if generation.is_file() else None
    shape = DecoderShape(model["decoder_layers"], model["decoder_attention_heads"], model["vocab_size"])
    config["alignment_heads"] = alignment_heads(shape, own_heads)
    config["lang_ids"] = config.get("lang_ids") or [*languages]
    config["suppress_ids"] = config.get("suppress_ids") or model.get("suppress_tokens") or []
    config["suppress_ids_begin"] = config.get("suppress_ids_begin") or model.get("begin_suppress_tokens") or []
    _write(output / "config.json", config)


def _special_tokens(tokenizer: Path) -> dict[str, int]:
    return {token["content"]: token["id"] for token in _read(tokenizer)["added_tokens"]}


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
