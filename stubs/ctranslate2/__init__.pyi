"""The part of CTranslate2 that this project uses; the package has no types of its own."""

from typing import Any

import numpy as np
from ctranslate2 import models as models
from numpy.typing import NDArray

class StorageView:
    @staticmethod
    def from_array(array: NDArray[np.float32]) -> StorageView: ...
    @property
    def __array_interface__(self) -> dict[str, Any]: ...

def get_cuda_device_count() -> int: ...
def get_supported_compute_types(device: str, device_index: int = ...) -> set[str]: ...
