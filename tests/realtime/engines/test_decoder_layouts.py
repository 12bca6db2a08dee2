from typing import Any

import pytest

from realtime.engines import decoder_layouts
from realtime.engines.decoder_layouts import DecoderLayout, best_layout, possible_layouts, usual_layout
from realtime.settings import Settings

BASE = 145_000_000
MEDIUM = 1_500_000_000
"""Bytes of weights."""


@pytest.mark.parametrize(
    ("cpus", "base", "medium"),
    [
        (1, (1, 1), (1, 1)),
        (2, (2, 1), (2, 1)),
        (4, (4, 1), (2, 2)),
        (8, (8, 1), (2, 4)),
        (16, (8, 2), (4, 4)),
        (96, (8, 4), (8, 4)),
    ],
)
def test_by_rule_workers_and_threads_follow_the_cpus_and_the_model(
    monkeypatch: pytest.MonkeyPatch, cpus: int, base: tuple[int, int], medium: tuple[int, int]
) -> None:
    monkeypatch.setattr(decoder_layouts, "usable_cpus", lambda: cpus)
    assert (usual_layout(Settings(), BASE), usual_layout(Settings(), MEDIUM)) == (base, medium)


@pytest.mark.parametrize(
    ("cpus", "possible"),
    [
        (1, [(1, 1)]),
        (2, [(2, 1)]),
        (3, [(3, 1)]),
        (4, [(4, 1), (2, 2)]),
        (5, [(5, 1)]),
        (6, [(6, 1), (3, 2), (2, 3)]),
        (7, [(7, 1), (3, 2), (2, 3)]),
        (8, [(8, 1), (4, 2), (2, 4)]),
        (12, [(6, 2), (4, 3), (3, 4)]),
        (16, [(8, 2), (5, 3), (4, 4)]),
        (96, [(8, 4)]),
    ],
)
def test_all_possible_layouts_use_about_all_cpus(
    monkeypatch: pytest.MonkeyPatch, cpus: int, possible: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(decoder_layouts, "usable_cpus", lambda: cpus)
    assert list(possible_layouts(Settings())) == possible


@pytest.mark.parametrize("setting", [{"device": "cuda"}, {"decoders_in_processes": True}])
def test_a_gpu_and_processes_get_two_workers_or_as_many_as_are_set(
    monkeypatch: pytest.MonkeyPatch, setting: dict[str, Any]
) -> None:
    monkeypatch.setattr(decoder_layouts, "usable_cpus", lambda: 96)
    assert usual_layout(Settings(**setting), BASE) == (2, 4)
    assert possible_layouts(Settings(**setting)) == ((2, 4),)
    assert usual_layout(Settings(decoder_workers=3, **setting), BASE) == (3, 4)


@pytest.mark.parametrize(
    ("setting", "layout"),
    [({"decoder_workers": 3}, (3, 2)), ({"threads_per_worker": 7}, (2, 7)), ({"threads_per_worker": 2}, (4, 2))],
)
def test_nothing_is_chosen_where_the_settings_say_workers_or_threads(
    monkeypatch: pytest.MonkeyPatch, setting: dict[str, Any], layout: tuple[int, int]
) -> None:
    monkeypatch.setattr(decoder_layouts, "usable_cpus", lambda: 8)
    assert usual_layout(Settings(**setting), BASE) == layout
    assert possible_layouts(Settings(**setting)) == ()


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        pytest.param({(4, 1): 0.09, (2, 2): 0.10}, (4, 1), id="a small model gains little by threads"),
        pytest.param({(8, 1): 0.19, (4, 2): 0.10, (2, 4): 0.06}, (4, 2), id="much sooner and nearly as many"),
        pytest.param({(8, 1): 0.19, (4, 2): 0.09, (2, 4): 0.045}, (2, 4), id="sooner, limited by memory"),
        pytest.param({(8, 1): 2.4, (4, 2): 1.3, (2, 4): 0.8}, (2, 4), id="a large model would answer too late"),
        pytest.param({(8, 2): 0.9, (4, 4): 0.7}, (8, 2), id="a large model on a large machine"),
        pytest.param({(2, 1): 3.0}, (2, 1), id="one that is late, and no other"),
    ],
)
def test_the_best_layout_answers_most_requests_soon_enough(
    seconds: dict[tuple[int, int], float], best: tuple[int, int]
) -> None:
    assert best_layout({DecoderLayout(*layout): each for layout, each in seconds.items()}) == best
