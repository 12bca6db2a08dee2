"""Freed memory is used by other threads, and goes back to the operating system."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from realtime.freed_memory import return_freed_memory
from tests.support.garbage import GARBAGE_MEGABYTES, KEEPS_FREED_MEMORY, leave_garbage, resident_megabytes

pytestmark = pytest.mark.skipif(not KEEPS_FREED_MEMORY, reason="this C library keeps less")

TWO_THREADS: Final = """
from concurrent.futures import ThreadPoolExecutor
from realtime.freed_memory import limit_arenas
from tests.support.garbage import leave_garbage, resident_megabytes
limit_arenas(1)
with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as another:
    kept = one.submit(leave_garbage).result()
    before = resident_megabytes()
    kept += another.submit(leave_garbage).result()
    print(resident_megabytes() - before)
"""
"""Program that prints how many megabytes a thread takes that allocates as much as another one has freed."""


def megabytes_of_another_thread(**environment: str) -> float:
    command = [sys.executable, "-c", TWO_THREADS]
    return float(subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True).stdout)


def test_what_a_thread_has_freed_is_used_by_another() -> None:
    assert megabytes_of_another_thread() < GARBAGE_MEGABYTES / 4


def test_the_number_of_arenas_that_the_operator_sets_holds() -> None:
    assert megabytes_of_another_thread(MALLOC_ARENA_MAX="8") > GARBAGE_MEGABYTES / 2


def test_what_another_thread_has_freed_is_returned() -> None:
    with ThreadPoolExecutor(1) as thread:
        kept = thread.submit(leave_garbage).result()
        before = resident_megabytes()
        return_freed_memory()
        assert before - resident_megabytes() > 0.8 * GARBAGE_MEGABYTES
        del kept
