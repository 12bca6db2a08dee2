"""The processor's widest vectors for CTranslate2, which by itself goes no further than AVX2.

It takes AVX-512 only where the variable `CT2_FORCE_CPU_ISA` names it, and fails where the processor lacks it. It is
named here where the processor has VNNI too: those that came before it slow down under wide vectors.

Source: CTranslate2's documentation of its environment variables.
"""

import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "CT2_FORCE_CPU_ISA"

AVX512: Final = frozenset({"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw", "avx512_vnni"})
"""What Linux calls the features that CTranslate2 asks for, and VNNI."""


def enable_avx512(processor: Path = Path("/proc/cpuinfo")) -> None:
    """Name AVX-512 where the processor has it and nobody chose otherwise. To be called before the first model."""
    try:
        features = processor.read_text().split()
    except OSError:  # not Linux
        return
    if AVX512.issubset(features):
        os.environ.setdefault(VARIABLE, "AVX512")
