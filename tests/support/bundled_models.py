"""Tests of real models run where the packages of the extra `bundled` are installed."""

from importlib.util import find_spec

import pytest


def require_packages(*names: str) -> None:
    """Skip the test if one of these packages is not installed."""
    if absent := [name for name in names if find_spec(name) is None]:
        pytest.skip(f"the bundled models are not installed ({', '.join(absent)}): pip install '.[bundled]'")
