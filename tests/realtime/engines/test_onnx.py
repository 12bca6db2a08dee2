from pathlib import Path

import pytest

from realtime.engines.onnx import load_model
from realtime.errors import EngineError


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_a_model_that_is_missing_empty_or_damaged_is_an_engine_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "network.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineError, match="The network could not be loaded"):
        load_model(path, "The network")
