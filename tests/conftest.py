"""Profiles of Hypothesis: `pytest --hypothesis-profile=hostile` searches long for input that breaks a protocol.

Ctrl-C and SIGHUP reach the programs that tests start, also where the tests run in the background of a shell or under
nohup, which ignore them.
"""

import signal

from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile("default", deadline=None)
settings.register_profile("hostile", deadline=None, max_examples=20_000)
settings.load_profile("default")
