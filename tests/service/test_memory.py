"""The memory of the service when it is ready, with `whisper-base` and `hibari-tts`."""

from typing import Final

import pytest

from tests.support.garbage import KEEPS_FREED_MEMORY
from tests.support.running_service import running_service

pytestmark = pytest.mark.models

MAX_MEGABYTES_WHEN_READY: Final = 500
"""It takes 435 MB, 70 of which are for speculative decoding, and 125 more without what `realtime.freed_memory` does."""


@pytest.mark.skipif(not KEEPS_FREED_MEMORY, reason="this C library keeps less")
def test_the_service_takes_little_more_memory_than_its_models_when_it_is_ready() -> None:
    with running_service() as service:
        assert service.memory_mb() < MAX_MEGABYTES_WHEN_READY
