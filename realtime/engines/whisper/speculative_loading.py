"""Load the second decoder of a model; separate, because it imports onnx, which takes memory."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from onnxruntime import InferenceSession
from tokenizers import Tokenizer

from realtime.engines.onnx import FAILED_RUN, load_model
from realtime.engines.whisper.decoder_graph import (
    heads_of,
    layers,
    write_decoder_graph,
    write_memory_graph,
    write_projection_graph,
)
from realtime.engines.whisper.speculative import SpecialTokens, SpeculativeDecoder
from realtime.engines.whisper.stored_weights import StoredWeights
from realtime.engines.whisper.windows import Encoding
from realtime.errors import EngineError


def load(directory: Path, vocabulary: Tokenizer, silence: Encoding, threads: int) -> SpeculativeDecoder:
    """Load the decoder of a model in CTranslate2's format, with so many threads for all calls together.

    `silence` is an encoded window of silence.

    Raises `EngineError`.
    """
    try:
        with ExitStack() as failed:
            weights = StoredWeights(directory / "model.bin")
            failed.callback(weights.close)
            decoder = _decoder(weights, _special_tokens(directory, vocabulary), silence, max(1, threads))
            failed.pop_all()
            return decoder
    except (OSError, ValueError, LookupError, TypeError, MemoryError, *FAILED_RUN) as exc:
        raise EngineError(f"the weights could not be used: {exc!r}") from exc


def _decoder(weights: StoredWeights, special: SpecialTokens, silence: Encoding, threads: int) -> SpeculativeDecoder:
    with TemporaryDirectory() as written:

        def loaded(write: Callable[[StoredWeights, Path], None]) -> InferenceSession:
            file = Path(written, f"{write.__name__}.onnx")
            write(weights, file)
            # An arena would keep as much memory as the largest batch took.
            return load_model(file, "The decoder", threads, arena=False)

        return SpeculativeDecoder(
            loaded(write_memory_graph),
            loaded(write_decoder_graph),
            loaded(write_projection_graph),
            (2 * layers(weights), *heads_of(weights)),
            weights,
            special,
            silence,
        )


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
