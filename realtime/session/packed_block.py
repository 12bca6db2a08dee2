"""Objects that are seldom needed, kept compressed."""

import pickle
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MAX_COMPRESSED: Final = 2**15
"""Bytes of a block up to which it is compressed, which takes 1 ms; a larger one has few objects for its size."""


@dataclass(frozen=True, slots=True)
class PackedBlock(Generic[T]):
    """A sequence of objects as one string of bytes: a turn of 60 characters takes 80 bytes instead of 400."""

    hashes: "array[int]"
    """Hashes of the names of the objects."""
    data: bytes
    compressed: bool

    @classmethod
    def of(cls, objects: Sequence[T], names: Iterable[str]) -> "PackedBlock[T]":
        """Pack objects that can be pickled, each with its name."""
        data = pickle.dumps(list(objects), pickle.HIGHEST_PROTOCOL)
        compressed = len(data) <= MAX_COMPRESSED
        return cls(array("q", map(hash, names)), zlib.compress(data) if compressed else data, compressed)

    def __len__(self) -> int:
        return len(self.hashes)

    def may_hold(self, name: str) -> bool:
        """Return whether there may be an object of this name: False is certain, and True nearly always right."""
        return hash(name) in self.hashes

    def unpack(self) -> list[T]:
        """Return equal objects."""
        data = zlib.decompress(self.data) if self.compressed else self.data
        objects: list[T] = pickle.loads(data)  # noqa: S301  # it was pickled here
        return objects
