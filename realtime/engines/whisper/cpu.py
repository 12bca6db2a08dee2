"""What the CPU can do, and AVX-512 in CTranslate2 on CPUs with VNNI.

By itself CTranslate2 goes no further than AVX2. It uses AVX-512 only if the environment variable `CT2_FORCE_CPU_ISA`
says so, and fails if the CPU lacks it. CPUs with AVX-512 but without VNNI lower their clock for wide vectors, which
costs more than they gain.

Source: CTranslate2's documentation of its environment variables.
"""

import os
from pathlib import Path
from typing import Final

PROCESSOR: Final = Path("/proc/cpuinfo")
"""Where Linux describes the CPU."""

VARIABLE: Final = "CT2_FORCE_CPU_ISA"
"""The environment variable that CTranslate2 reads when its first model is loaded."""

AVX512: Final = frozenset({"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw", "avx512_vnni"})
"""The CPU flags that CTranslate2 requires for AVX-512, and VNNI, by their names in Linux."""

VNNI: Final = frozenset({"avx512_vnni", "avx_vnni"})
"""The flags of CPUs that multiply unsigned and signed 8-bit numbers without saturation, on AVX-512 and AVX2."""


def has_vnni(processor: Path = PROCESSOR) -> bool:
    """Return whether the CPU has instructions for products of 8-bit numbers; False where that is not known."""
    return not VNNI.isdisjoint(_flags(processor))


def enable_avx512(processor: Path = PROCESSOR) -> None:
    """Set `VARIABLE` if the CPU has `AVX512` and the variable is unset; call it before the first model is loaded."""
    if AVX512.issubset(_flags(processor)):
        os.environ.setdefault(VARIABLE, "AVX512")


def _flags(processor: Path) -> set[str]:
    try:
        return set(processor.read_text().split())
    except OSError:  # not Linux
        return set()
