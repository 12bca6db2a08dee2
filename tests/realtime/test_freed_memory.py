"""Freed memory goes back to the operating system."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from realtime.freed_memory import return_freed_memory
from tests.support.garbage import GARBAGE_MEGABYTES, KEEPS_FREED_MEMORY, leave_garbage, resident_megabytes


@pytest.mark.skipif(not KEEPS_FREED_MEMORY, reason="this C library keeps less")
def test_what_another_thread_has_freed_is_returned() -> None:
    with ThreadPoolExecutor(1) as thread:
        kept = thread.submit(leave_garbage).result()
        before = resident_megabytes()
        return_freed_memory()
        assert before - resident_megabytes() > 0.8 * GARBAGE_MEGABYTES
        del kept
