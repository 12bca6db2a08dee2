"""A Whisper model of random weights in CTranslate2's format, small enough to be made by a test."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from ctranslate2.specs import whisper_spec

TEXT: Final = 60
"""Text tokens; the end token follows them."""

SPECIAL: Final = (
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>", "<|startofprev|>",
    "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip
"""Special tokens in Whisper's order; the timestamps follow them."""

TIMESTAMPS: Final = 1501

VOCABULARY: Final = (*(f"t{number}" for number in range(TEXT)), *SPECIAL, *(f"<|{n}|>" for n in range(TIMESTAMPS)))

NUMBERS: Final = {token: number for number, token in enumerate(VOCABULARY)}

WIDTH: Final = 32
"""Dimensions of the model."""

ENDING: Final = 4.0
"""How much of the end token's embedding is common to the positions of long texts, which so come to an end."""


def write_tiny_whisper(directory: Path, quantization: str | None = None, seed: int = 0) -> None:
    """Write the files of a model with two layers of two heads."""
    dice = np.random.default_rng(seed)
    spec = whisper_spec.WhisperSpec(2, 2, 2, 2)

    def fill(part: Any, name: str, *shape: int, scale: float = 1.0, around: float = 0.0) -> None:
        setattr(part, name, (around + scale * dice.normal(size=shape)).astype(np.float32))

    def linear(part: Any, out: int, into: int) -> None:
        fill(part, "weight", out, into, scale=1.5 / into**0.5)
        fill(part, "bias", out, scale=0.1)

    def norm(part: Any) -> None:
        fill(part, "gamma", WIDTH, scale=0.1, around=1.0)
        fill(part, "beta", WIDTH, scale=0.1)

    def layer(part: Any, *, attends: bool) -> None:
        norm(part.self_attention.layer_norm)
        linear(part.self_attention.linear[0], 3 * WIDTH, WIDTH)
        linear(part.self_attention.linear[1], WIDTH, WIDTH)
        if attends:
            norm(part.attention.layer_norm)
            for each, out in zip(part.attention.linear, (WIDTH, 2 * WIDTH, WIDTH), strict=True):
                linear(each, out, WIDTH)
        norm(part.ffn.layer_norm)
        linear(part.ffn.linear_0, 4 * WIDTH, WIDTH)
        linear(part.ffn.linear_1, WIDTH, 4 * WIDTH)

    for conv, channels in ((spec.encoder.conv1, 80), (spec.encoder.conv2, WIDTH)):
        fill(conv, "weight", WIDTH, channels, 3, scale=0.1)
        fill(conv, "bias", WIDTH, scale=0.1)
    fill(spec.encoder.position_encodings, "encodings", 1500, WIDTH, scale=0.1)
    norm(spec.encoder.layer_norm)
    for each in spec.encoder.layer:
        layer(each, attends=False)
    fill(spec.decoder.embeddings, "weight", len(VOCABULARY), WIDTH)
    fill(spec.decoder.position_encodings, "encodings", 448, WIDTH, scale=0.5)
    embeddings = spec.decoder.embeddings.weight
    spec.decoder.position_encodings.encodings[20:] += ENDING * embeddings[NUMBERS["<|endoftext|>"]]
    norm(spec.decoder.layer_norm)
    for each in spec.decoder.layer:
        layer(each, attends=True)
    spec.decoder.projection.weight = embeddings
    spec.register_vocabulary(list(VOCABULARY))
    spec.config.suppress_ids = [3, *(NUMBERS[each] for each in SPECIAL[1:])]
    spec.config.suppress_ids_begin = [5, NUMBERS["<|endoftext|>"]]
    spec.config.lang_ids = [NUMBERS["<|en|>"]]
    spec.config.alignment_heads = [(1, 0)]
    spec.validate()
    spec.optimize(quantization=quantization)
    directory.mkdir(parents=True, exist_ok=True)
    spec.save(str(directory))
    (directory / "vocabulary.json").write_text(json.dumps(VOCABULARY))
