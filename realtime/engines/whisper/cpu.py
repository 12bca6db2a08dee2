"""Enable AVX-512 in CTranslate2 on CPUs with VNNI.

By itself CTranslate2 goes no further than AVX2. It uses AVX-512 only if the environment variable `CT2_FORCE_CPU_ISA`
says so, and fails if the CPU lacks it. CPUs with AVX-512 but without VNNI lower their clock for wide vectors, which
costs more than they gain.

Source: CTranslate2's documentation of its environment variables.
"""

import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "CT2_FORCE_CPU_ISA"
"""The environment variable that CTranslate2 reads when its first model is loaded."""

AVX512: Final = frozenset({"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw", "avx512_vnni"})
"""The CPU flags that CTranslate2 requires for AVX-512, and VNNI, by their names in Linux."""


def enable_avx512(processor: Path = Path("/proc/cpuinfo")) -> None:
    """Set `VARIABLE` if the CPU has `AVX512` and the variable is unset; call it before the first model is loaded."""
    try:
        features = processor.read_text().split()
    except OSError:  # not Linux
        return
    if AVX512.issubset(features):
        os.environ.setdefault(VARIABLE, "AVX512")
