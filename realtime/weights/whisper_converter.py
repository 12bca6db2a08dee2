"""Convert a Whisper checkpoint of transformers to CTranslate2's format: `python -m ... CHECKPOINT OUTPUT`.

A process of its own, because it needs torch and several times the memory of the model: both are gone when it ends. The
tokenizer is what `tokenizer.json` says; transformers would make one of its own of whatever else lies there.
"""

import os
import sys
from pathlib import Path
from typing import Final

from ctranslate2.converters import TransformersConverter
from transformers import PreTrainedTokenizerFast

NICENESS: Final = 10
"""Whoever is being listened to comes first."""


class WhisperConverter(TransformersConverter):
    """CTranslate2's converter, with one tokenizer for everything."""

    def load_tokenizer(self, _: type, model_name_or_path: str, **__: object) -> PreTrainedTokenizerFast:
        file = str(Path(model_name_or_path) / "tokenizer.json")
        return PreTrainedTokenizerFast(tokenizer_file=file)  # type: ignore[no-untyped-call]


def main() -> None:
    """Convert what the command line names."""
    checkpoint, output = sys.argv[1:]
    os.nice(NICENESS)
    WhisperConverter(checkpoint, load_as_float16=True).convert(output, quantization="float16", force=True)


if __name__ == "__main__":
    main()
