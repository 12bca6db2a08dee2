import json
from pathlib import Path

import pytest

from realtime.errors import EngineError
from realtime.weights.alignment_heads import (
    ALIGNMENT_HEADS,
    DecoderShape,
    alignment_heads,
    decoder_shape,
    with_valid_alignment_heads,
)

LARGE = DecoderShape(32, 20, 51865)


@pytest.mark.parametrize(
    ("shape", "own", "expected"),
    [
        (LARGE, None, ALIGNMENT_HEADS[LARGE]),
        (LARGE, [[31, 19]], [[31, 19]]),
        (LARGE, [[32, 0]], ALIGNMENT_HEADS[LARGE]),
        (DecoderShape(2, 2, 51865), [[10, 12], [13, 17]], [[1, 0], [1, 1]]),
        (DecoderShape(4, 2, 51865), None, [[2, 0], [2, 1], [3, 0], [3, 1]]),
    ],
)
def test_a_model_gets_heads_that_exist(shape: DecoderShape, own: list[list[int]] | None, expected: object) -> None:
    assert alignment_heads(shape, own) == [[*pair] for pair in expected]  # type: ignore[attr-defined]


def test_the_known_heads_are_heads_of_their_models() -> None:
    for (layers, heads, _), pairs in ALIGNMENT_HEADS.items():
        assert all(layer < layers and head < heads for layer, head in pairs)


@pytest.mark.parametrize("content", [b"", b"weights " * 100, b"\x06\0\0\0\x05\0Wh"])
def test_weights_of_another_layout_have_no_shape(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    assert decoder_shape(tmp_path / "model.bin") is None


def test_a_model_of_unknown_shape_is_left_unchanged(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "config.json").write_text(json.dumps({"alignment_heads": [[99, 99]]}))
    assert with_valid_alignment_heads(tmp_path, tmp_path / "cache") == tmp_path


def test_a_configuration_that_is_not_json_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("<html>")
    with pytest.raises(EngineError, match="cannot be read"):
        with_valid_alignment_heads(tmp_path, tmp_path / "cache")
