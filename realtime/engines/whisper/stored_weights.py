"""The weights of a model in CTranslate2's format, read from its file.

Source: CTranslate2's `model_spec.py`, which writes the file: a version, the name of the architecture and its revision,
then each variable with its name, shape, type and bytes, and at the end names that stand for other variables.
"""

import os
import struct
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from realtime.errors import EngineError

VERSION: Final = 6
"""Version of the file's layout that is understood."""

TYPES: Final = (np.float32, np.int8, np.int16, np.int32, np.float16)
"""Types of variables by their number in the file; the sixth, bfloat16, is none of NumPy's."""


@dataclass(frozen=True, slots=True)
class _Variable:
    """Where the numbers of a variable begin in the file, and what they are."""

    start: int
    shape: tuple[int, ...]
    type: np.dtype[Any]


class StoredWeights:
    """The variables of a `model.bin`; only what is asked for is read.

    The file is read rather than mapped: its pages would count as memory of the service.
    """

    def __init__(self, file: Path) -> None:
        """Read the table of variables. Raises `EngineError` for a layout that is not understood, and `OSError`."""
        self._variables: dict[str, _Variable] = {}
        with ExitStack() as failed:
            self._file = failed.enter_context(file.open("rb"))
            self._read_table()
            failed.pop_all()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read_table(self) -> None:
        if self._number("<I") != VERSION:
            raise EngineError("The model is stored in a way that is not known.")
        self._name()  # the architecture
        self._number("<I")  # its revision
        for _ in range(self._number("<I")):
            name = self._name()
            shape = tuple(self._number("<I") for _ in range(self._number("<B")))
            kind, size = self._number("<B"), self._number("<I")
            if kind < len(TYPES):
                self._variables[name] = _Variable(self._file.tell(), shape, np.dtype(TYPES[kind]))
            self._file.seek(size, os.SEEK_CUR)
        for _ in range(self._number("<I")):
            alias, name = self._name(), self._name()
            for suffix in ("", "_scale"):  # the scale of an integer variable has no alias of its own
                if name + suffix in self._variables:
                    self._variables[alias + suffix] = self._variables[name + suffix]

    @property
    def decoder_heads(self) -> tuple[int, int]:
        """Number of attention heads of the decoder, and the dimensions of each."""
        heads = self.number("decoder/num_heads")
        return heads, self.shape("decoder/embeddings/weight")[1] // heads

    @property
    def decoder_layers(self) -> int:
        """Number of layers of the decoder."""
        count = 0
        while f"decoder/layer_{count}/ffn/linear_0/weight" in self:
            count += 1
        return count

    def __contains__(self, name: str) -> bool:
        return name in self._variables

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a variable. Raises `EngineError` if there is none of this name."""
        return self._variable(name).shape

    def number(self, name: str) -> int:
        """Return a variable that is a single integer. Raises `EngineError` if there is none of this name."""
        return int(self._read(self._variable(name), 0, 1)[0])

    def float32(self, name: str) -> NDArray[np.float32]:
        """Return a variable as 32-bit numbers. Raises `EngineError` if there is none of this name."""
        return self.rows(name, 0, self._variable(name).shape[0])

    def rows(self, name: str, start: int, end: int) -> NDArray[np.float32]:
        """Return rows of a variable as 32-bit numbers; 8-bit integers are divided by the scales stored with them.

        Raises `EngineError` for integers of another size.
        """
        variable = self._variable(name)
        numbers = prod(variable.shape[1:])
        stored = self._read(variable, start * numbers, end * numbers).reshape(end - start, *variable.shape[1:])
        if variable.type in {np.dtype(np.int16), np.dtype(np.int32)}:
            raise EngineError("The weights are stored in 16 or 32 bits without a point.")
        values: NDArray[np.float32] = stored.astype(np.float32)
        if variable.type == np.int8:
            values /= self.rows(f"{name}_scale", start, end).reshape(-1, *[1] * (values.ndim - 1))
        return values

    def _variable(self, name: str) -> _Variable:
        try:
            return self._variables[name]
        except KeyError:
            raise EngineError(f"The model has no weights '{name}'.") from None

    def _read(self, variable: _Variable, start: int, end: int) -> NDArray[Any]:
        """Return numbers of a variable."""
        size = variable.type.itemsize
        stored = os.pread(self._file.fileno(), (end - start) * size, variable.start + start * size)
        if len(stored) < (end - start) * size:
            raise EngineError("The file of the model ends too early.")
        return np.frombuffer(stored, variable.type)

    def _number(self, code: str) -> int:
        size = struct.calcsize(code)
        (number,) = struct.unpack(code, self._exactly(size))
        return int(number)

    def _name(self) -> str:
        return self._exactly(self._number("<H"))[:-1].decode()

    def _exactly(self, size: int) -> bytes:
        read = self._file.read(size)
        if len(read) < size:
            raise EngineError("The file of the model ends too early.")
        return read
