"""Convert a Whisper checkpoint of transformers to CTranslate2's format: `python -m ... CHECKPOINT OUTPUT`.

It is a process of its own, so that torch, and several times the memory of the model, are gone when it ends. The
tokenizer is the one in `tokenizer.json`; transformers would build one from other files.
"""

import os
import sys
from pathlib import Path
from typing import Final

from ctranslate2.converters import TransformersConverter
from transformers import PreTrainedTokenizerFast

NICENESS: Final = 10
"""Scheduling priority of the process, lower than that of the server and its live sessions."""


class WhisperConverter(TransformersConverter):
    """CTranslate2's converter, with the tokenizer of `tokenizer.json` for every kind of checkpoint."""

    def load_tokenizer(self, _: type, model_name_or_path: str, **__: object) -> PreTrainedTokenizerFast:
        file = str(Path(model_name_or_path) / "tokenizer.json")
        return PreTrainedTokenizerFast(tokenizer_file=file)  # type: ignore[no-untyped-call]


def main() -> None:
    """Convert the checkpoint named on the command line."""
    checkpoint, output = sys.argv[1:]
    os.nice(NICENESS)
    WhisperConverter(checkpoint, load_as_float16=True).convert(output, quantization="float16", force=True)


if __name__ == "__main__":
    main()
