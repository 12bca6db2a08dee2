"""The part of onnxruntime that this project uses; the package has no types of its own."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from numpy.typing import NDArray

class SessionOptions:
    intra_op_num_threads: int
    inter_op_num_threads: int
    enable_cpu_mem_arena: bool
    def add_session_config_entry(self, key: str, value: str) -> None: ...

class RunOptions:
    terminate: bool

class NodeArg:
    name: str

def get_available_providers() -> list[str]: ...

class InferenceSession:
    def __init__(
        self,
        path_or_bytes: str | PathLike[str] | bytes,
        sess_options: SessionOptions | None = ...,
        providers: Sequence[str | tuple[str, Mapping[str, str]]] | None = ...,
    ) -> None: ...
    def get_inputs(self) -> list[NodeArg]: ...
    def get_outputs(self) -> list[NodeArg]: ...
    def run(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, NDArray[Any]],
        run_options: RunOptions | None = ...,
    ) -> list[NDArray[Any]]: ...
