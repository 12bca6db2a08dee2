"""ONNX models, and what onnxruntime raises."""

from pathlib import Path
from typing import Final

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NoSuchFile,
    NotImplemented,  # noqa: A004
    RuntimeException,
)

from realtime.errors import EngineError

UNUSABLE_MODEL: Final = (
    Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile, NotImplemented, RuntimeException,
)  # fmt: skip
"""Exceptions for a model that is damaged, empty or missing, has operators that the device lacks, or is too large."""

FAILED_RUN: Final = (Fail, InvalidArgument, RuntimeException)
"""Exceptions for a model that could not compute its output."""


def load_model(
    path: Path, name: str, threads: int = 1, gpu: int | None = None, *, arena: bool = True
) -> onnxruntime.InferenceSession:
    """Load a model, which is called `name` in the error, on CPU threads or the CUDA device `gpu`.

    An `arena` keeps as much memory as a run needed at the most, for the next one.

    Raises `EngineError` if the model is damaged or missing, or cannot be run.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = arena
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    on_cpu = ("CPUExecutionProvider", dict[str, str]())
    providers = [on_cpu] if gpu is None else [("CUDAExecutionProvider", {"device_id": str(gpu)}), on_cpu]
    try:
        return onnxruntime.InferenceSession(path, options, providers=providers)
    except UNUSABLE_MODEL as exc:
        raise EngineError(f"{name} could not be loaded.") from exc
