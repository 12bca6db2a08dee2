"""Profiles of Hypothesis: `pytest --hypothesis-profile=hostile` searches long for input that breaks a protocol."""

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.register_profile("hostile", deadline=None, max_examples=20_000)
settings.load_profile("default")
