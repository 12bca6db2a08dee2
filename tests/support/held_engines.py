"""Scripted engines that stand still."""

import threading
from typing import Final

from tests.support.scripted_engines import ScriptedEngines, Work

TIMEOUT: Final = 10.0
"""Seconds after which a test that does not open the gate fails."""


class HeldDecoding(ScriptedEngines):
    """Engines whose decoding stands still until `gate` is open; `entered` is set when one has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.gate = threading.Event()

    def work(self, work: Work, audio_seconds: float) -> None:
        if work is Work.DECODING:
            self.entered.set()
            assert self.gate.wait(TIMEOUT)
