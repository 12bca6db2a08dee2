"""What hostile clients send, and how much of it state machines try."""

import json
from collections.abc import Collection
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

_STEPS: Final = 25
"""Steps of a run."""

_RUNS: Final = 40
"""Runs by default: 1,000 steps. The profile `hostile` has so many that there are 20,000."""

HOSTILE: Final = settings(
    max_examples=max(_RUNS, settings().max_examples // _STEPS),
    stateful_step_count=_STEPS,
    suppress_health_check=list(HealthCheck),
)
"""Settings of state machines."""

_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def hostile_texts(types: Collection[str]) -> st.SearchStrategy[str]:
    """Return texts that are none of the messages with these types: broken, deep or large JSON, and wrong values."""
    objects = st.dictionaries(st.text(max_size=8), _JSON, max_size=3)
    typed = st.builds(lambda fields, kind: {**fields, "type": kind}, objects, _JSON)
    return st.one_of(
        st.text(max_size=40).filter(lambda text: not _is_object(text)),
        (objects.filter(lambda fields: "type" not in fields) | typed).map(json.dumps).filter(
            lambda text: json.loads(text).get("type") not in types
        ),
        st.sampled_from(["[" * 5000, '{"type":' * 5000, "9" * 5000, '"' + "x" * 100_000, "\ud800", "{}", "null", ""]),
    )  # fmt: skip


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
