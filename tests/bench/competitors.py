"""Processes that take a part of the machine from the service."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

SHORT_PERIOD: Final = 0.02
"""Seconds of one cycle of work and sleep of a process that is always there."""

LONG_PERIOD: Final = 8.0
"""The same for one that comes and goes."""

PROGRAM: Final = """
import os, sys, time
share, period = map(float, sys.argv[1:])
parent = os.getppid()
while os.getppid() == parent:
    end = time.monotonic() + share * period
    while time.monotonic() < end:
        pass
    time.sleep((1 - share) * period)
"""


@contextmanager
def competitors(share: float, *periods: float) -> Iterator[None]:
    """Use this share of a processor in a process for each of `periods`, in cycles of so many seconds."""
    command = [sys.executable, "-c", PROGRAM, str(share)]
    with ExitStack() as running:
        for period in periods:
            process = running.enter_context(subprocess.Popen([*command, str(period)]))
            running.callback(process.kill)
        yield
