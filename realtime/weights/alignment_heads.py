"""The attention heads of a Whisper decoder that follow the audio, from which word times are computed.

A CTranslate2 model names them in `config.json`. Distilled and pruned models are often published with the heads of the
larger model they come from, and CTranslate2 crashes on a layer that does not exist. The shape of the decoder is
therefore read from the weights, and such a model gets heads that it has.
"""

import hashlib
import json
import struct
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from realtime.errors import EngineError
from realtime.weights import storage


class DecoderShape(NamedTuple):
    """The number of layers of a decoder, of attention heads per layer, and of tokens in its vocabulary."""

    layers: int
    heads: int
    vocabulary: int


# fmt: off
ALIGNMENT_HEADS: Final[dict[tuple[int, int, int], tuple[tuple[int, int], ...]]] = {
    (4, 6, 51864): ((1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)),
    (4, 6, 51865): ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)),
    (6, 8, 51864): ((3, 3), (4, 7), (5, 1), (5, 5), (5, 7)),
    (6, 8, 51865): ((3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)),
    (12, 12, 51864): (
        (6, 6), (7, 0), (7, 3), (7, 8), (8, 2), (8, 5), (8, 7), (9, 0), (9, 4), (9, 8), (9, 10), (10, 0), (10, 1),
        (10, 2), (10, 3), (10, 6), (10, 11), (11, 2), (11, 4),
    ),
    (12, 12, 51865): ((5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5)),
    (24, 16, 51864): (
        (11, 4), (14, 1), (14, 12), (14, 14), (15, 4), (16, 0), (16, 4), (16, 9), (17, 12), (17, 14), (18, 7), (18, 10),
        (18, 15), (20, 0), (20, 3), (20, 9), (20, 14), (21, 12),
    ),
    (24, 16, 51865): ((13, 15), (15, 4), (15, 15), (16, 1), (20, 0), (23, 4)),
    (32, 20, 51865): (
        (10, 12), (13, 17), (16, 11), (16, 12), (16, 13), (17, 15), (17, 16), (18, 4), (18, 11), (18, 19), (19, 11),
        (21, 2), (21, 3), (22, 3), (22, 9), (22, 12), (23, 5), (23, 7), (23, 13), (25, 5), (26, 1), (26, 12), (27, 15),
    ),
    (32, 20, 51866): (
        (7, 0), (10, 17), (12, 18), (13, 12), (16, 1), (17, 14), (19, 11), (21, 4), (24, 1), (25, 6),
    ),
    (4, 20, 51866): ((2, 4), (2, 11), (3, 3), (3, 6), (3, 11), (3, 14)),
}
# fmt: on
"""The heads that OpenAI chose for its models, by the shape of the decoder (openai/whisper, `__init__.py`)."""

Heads = Sequence[Sequence[int]]
"""Pairs of a layer and the index of a head in it."""

_VERSIONS: Final = (5, 6)
"""Versions of CTranslate2's file format whose layout `decoder_shape` can read."""

_MAX_VARIABLES: Final = 100_000
"""Variables that are read of a file at most, which bounds the work on a damaged one."""


def alignment_heads(shape: DecoderShape, own: Heads | None) -> list[list[int]]:
    """Return the model's `own` heads if they exist in it, else OpenAI's for its shape, else all of the upper half."""
    if own and _within(shape, own):
        return [[*pair] for pair in own]
    upper = product(range(shape.layers // 2, shape.layers), range(shape.heads))
    return [[*pair] for pair in ALIGNMENT_HEADS.get(shape) or upper]


def with_valid_alignment_heads(directory: Path, cache: Path) -> Path:
    """Return a directory of the same model whose alignment heads exist.

    That is `directory` itself, or a directory of links in `cache` with a corrected `config.json`. Raises `EngineError`
    if the model cannot be read or the links cannot be made.
    """
    try:
        config: dict[str, Any] = json.loads((directory / "config.json").read_bytes())
        shape = decoder_shape(directory / "model.bin")
        own = config.get("alignment_heads")
        if shape is None or not own or _within(shape, own):
            return directory
        corrected = json.dumps(config | {"alignment_heads": alignment_heads(shape, None)})
        copy = cache / "with-valid-alignment-heads" / hashlib.sha256(bytes(directory.resolve())).hexdigest()[:16]
        with storage.locked(copy):
            if not (copy / "config.json").is_file() or (copy / "config.json").read_text(encoding="utf-8") != corrected:
                _link(directory, copy, corrected)
    except (OSError, ValueError, TypeError) as exc:
        raise EngineError(f"The model in {directory} cannot be read: {exc!r}") from exc
    return copy


def _link(directory: Path, copy: Path, config: str) -> None:
    with storage.atomic_directory(copy) as unfinished:
        for path in directory.iterdir():
            if path.name != "config.json":
                (unfinished / path.name).symlink_to(path.resolve())
        (unfinished / "config.json").write_text(config, encoding="utf-8")


def decoder_shape(weights: Path) -> DecoderShape | None:
    """Read the shape of the decoder from a `model.bin`, skipping the weights; None if its layout is unknown."""
    layers: set[str] = set()
    heads = vocabulary = 0
    try:
        with weights.open("rb") as stream:
            if _number(stream, "I") not in _VERSIONS:
                return None
            _string(stream)
            _, variables = _number(stream, "I"), _number(stream, "I")
            for _ in range(min(variables, _MAX_VARIABLES)):
                name = _string(stream)
                dimensions = [_number(stream, "I") for _ in range(_number(stream, "B"))]
                _, size = _number(stream, "B"), _number(stream, "I")
                if name == "decoder/num_heads":
                    heads = int.from_bytes(stream.read(size), "little")
                else:
                    stream.seek(size, 1)
                match name.split("/"):
                    case ["decoder", "embeddings" | "projection", "weight"]:
                        vocabulary = dimensions[0]
                    case ["decoder", layer, *_] if layer.startswith("layer_"):
                        layers.add(layer.removeprefix("layer_"))
    except (struct.error, UnicodeDecodeError):
        return None
    return DecoderShape(len(layers - {"norm"}), heads, vocabulary) if layers and heads else None


def _within(shape: DecoderShape, heads: Heads) -> bool:
    return all(0 <= layer < shape.layers and 0 <= head < shape.heads for layer, head in heads)


def _number(stream: IO[bytes], form: str) -> int:
    (number,) = struct.unpack(f"<{form}", stream.read(struct.calcsize(form)))
    return int(number)


def _string(stream: IO[bytes]) -> str:
    return stream.read(_number(stream, "H"))[:-1].decode()
