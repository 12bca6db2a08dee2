"""How many objects are unpacked from blocks."""

import pytest

from realtime.session.packed_block import PackedBlock


def unpacked_from_now_on(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each unpacking adds the number of its objects."""
    unpacked: list[int] = []
    unpack = PackedBlock.unpack

    def counted(block: PackedBlock[object]) -> list[object]:
        unpacked.append(len(block))
        return unpack(block)

    monkeypatch.setattr(PackedBlock, "unpack", counted)
    return unpacked
