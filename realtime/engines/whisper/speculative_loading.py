"""Load the second decoder of a model, whose graphs another process writes (`decoder_graph`)."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tokenizers import Tokenizer

from realtime.engines.onnx import FAILED_RUN, load_model
from realtime.engines.whisper.speculative import SpecialTokens, SpeculativeDecoder
from realtime.engines.whisper.stored_weights import StoredWeights
from realtime.engines.whisper.windows import Encoding
from realtime.errors import EngineError

WRITING_TIMEOUT: Final = 600.0
"""Seconds in which the graphs must have been written."""


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
                _write_graphs(directory, graphs)
                # An arena would keep as much memory as the largest batch took.
                memory, decoder, projection = (
                    load_model(Path(graphs, f"{name}.onnx"), "The decoder", max(1, threads), arena=False)
                    for name in ("memory", "decoder", "projection")
                )
            cache = 2 * weights.decoder_layers, *weights.decoder_heads
            loaded = SpeculativeDecoder(memory, decoder, projection, cache, weights, special, silence)
            failed.pop_all()
            return loaded
    except (OSError, ValueError, LookupError, TypeError, MemoryError, subprocess.SubprocessError, *FAILED_RUN) as exc:
        raise EngineError(f"the weights could not be used: {exc!r}") from exc


def _write_graphs(model: Path, directory: str) -> None:
    """Write the graphs of a model. Raises `EngineError`, `OSError` and `SubprocessError`."""
    command = [sys.executable, "-P", "-m", "realtime.engines.whisper.decoder_graph", str(model), directory]
    writing = subprocess.run(  # noqa: S603 - this Python and this package
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=WRITING_TIMEOUT,
        check=False,
    )
    if writing.returncode:
        *_, last = ["no error message", *writing.stderr.strip().splitlines()]
        raise EngineError(f"writing its graphs failed with exit code {writing.returncode}: {last}")


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
