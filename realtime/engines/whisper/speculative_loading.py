"""Load the second decoder of a model, whose graphs another process writes (`decoder_graph`)."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tokenizers import Tokenizer

from realtime.engines.onnx import FAILED_RUN, load_model
from realtime.engines.whisper.speculative import SpeculativeDecoder
from realtime.engines.whisper.stored_weights import StoredWeights
from realtime.engines.whisper.token_choice import SpecialTokens
from realtime.engines.whisper.windows import Encoding
from realtime.errors import EngineError

WRITING_TIMEOUT: Final = 120.0
"""Seconds in which the graphs must have been written; those of whisper-large-v3 take 6 s."""

_ROOT: Final = Path(__file__).parents[3]
"""Directory of the package `realtime`, which may not be in `sys.path`."""


def load(directory: Path, vocabulary: Tokenizer, silence: Encoding, threads: int) -> SpeculativeDecoder:
    """Load the decoder of a model in CTranslate2's format, with so many threads for all calls together.

    `silence` is an encoded window of silence.

    Raises `EngineError`.
    """
    try:
        with ExitStack() as failed:
            weights = StoredWeights(directory / "model.bin")
            failed.callback(weights.close)
            special = _special_tokens(directory, vocabulary)
            with TemporaryDirectory() as graphs:
                _write_graphs(directory, Path(graphs))
                # An arena would keep as much memory as the largest batch took.
                memory, decoder, projection = (
                    load_model(Path(graphs, f"{name}.onnx"), "The decoder", max(1, threads), arena=False)
                    for name in ("memory", "decoder", "projection")
                )
            cache = 2 * weights.decoder_layers, *weights.decoder_heads
            loaded = SpeculativeDecoder(memory, decoder, projection, cache, weights, special, silence)
            failed.pop_all()
            return loaded
    except (OSError, ValueError, LookupError, TypeError, MemoryError, *FAILED_RUN) as exc:
        raise EngineError(f"the weights could not be used: {exc!r}") from exc


def _write_graphs(model: Path, directory: Path) -> None:
    """Write the graphs of a model in another process, which the signals of a terminal do not reach.

    Raises `EngineError` and `OSError`.
    """
    command = [sys.executable, "-P", "-m", "realtime.engines.whisper.decoder_graph", str(model), str(directory)]
    try:
        subprocess.run(  # noqa: S603 - this Python and this package
            command,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(_ROOT)])},  # the same packages as here
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=WRITING_TIMEOUT,
            process_group=0,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"the graphs of the decoder were not written within {WRITING_TIMEOUT:g} seconds") from None
    except subprocess.CalledProcessError as exc:
        *_, reason = ["no error message", *str(exc.stderr).strip().splitlines()]
        raise EngineError(
            f"the graphs of the decoder were not written (exit code {exc.returncode}): {reason}"
        ) from None


def _special_tokens(directory: Path, vocabulary: Tokenizer) -> SpecialTokens:
    numbers = vocabulary.get_vocab()
    config = json.loads((directory / "config.json").read_bytes())
    return SpecialTokens(
        start=numbers["<|startoftranscript|>"],
        end=numbers["<|endoftext|>"],
        no_speech=numbers.get("<|nospeech|>", numbers.get("<|nocaptions|>", 0)),
        no_timestamps=numbers["<|notimestamps|>"],
        suppressed=config["suppress_ids"],
        suppressed_first=config["suppress_ids_begin"],
    )
