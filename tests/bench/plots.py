"""Plots of `bench-results.json`: lag against the number of streams and over the time of each run, and its cost.

    python -m tests.bench.plots bench-results.json DIRECTORY

They are SVG files that follow the reader's light or dark theme and need no script.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pygal
from pygal.style import Style

from tests.bench.under_load import MAX_COMMIT_LAG, STRETCH_SECONDS

sys.meta_path[:] = [each for each in sys.meta_path if hasattr(each, "find_spec")]
"""Without the finder of pygal's maps, because of which Python warns of every module that is not there."""

COLOURS: Final = ("#2a7fb8", "#d1682b", "#3d9a50", "#9a5fb5", "#b8902a", "#5f6f7f")
"""Colours of the lines: with a contrast of 3 to white and to GitHub's dark background."""

DARK: Final = """inline:
@media (prefers-color-scheme: dark) {
  {{ id }} text { fill: #d5d8dc !important; }
  {{ id }} .axis > path.line { stroke: #8a9096 !important; }
}"""

STYLE: Final = Style(
    background="transparent",
    plot_background="transparent",
    foreground="#30353a",
    foreground_strong="#30353a",
    foreground_subtle="#8a9096",
    colors=COLOURS,
    guide_stroke_color="#8a909660",
    major_guide_stroke_color="#8a909660",
    guide_stroke_dasharray="1, 0",
    major_guide_stroke_dasharray="1, 0",
    stroke_width=2.5,
    font_family="sans-serif",
    title_font_size=18,
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=13,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="file that `make bench` has written")
    parser.add_argument("directory", type=Path, help="directory for the plots")
    arguments = parser.parse_args()
    files = draw(json.loads(arguments.results.read_text(encoding="utf-8")), arguments.directory)
    for file in files:
        print(file)
    return 0 if files else 1


def draw(report: Mapping[str, Any], directory: Path) -> list[Path]:
    """Draw all plots for which the report has figures; return their files."""
    searched = [run for each in report.get("capacity", ()) for run in each["runs"]]
    runs = sorted((*report.get("load", ()), *searched), key=lambda run: (run["model"], run["streams"]))
    if not runs:
        print("there are no runs with many streams, so nothing is drawn", file=sys.stderr)
        return []
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, chart in _charts(runs):
        written.append(directory / f"{name}.svg")
        written[-1].write_bytes(chart.render(is_unicode=False))
    return written


def _charts(runs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    models = [(model, list(of_model)) for model, of_model in groupby(runs, key=lambda run: run["model"])]
    most = max(run["streams"] for run in runs)
    highest = max(MAX_COMMIT_LAG, *(run["commit_lag_p95"] or 0.0 for run in runs))
    streams = lag_chart("Commit lag against concurrent streams", "streams", most, highest)
    for model, of_model in models:
        for name, figure in (("median", "commit_lag_p50"), ("p95", "commit_lag_p95")):
            points = [(run["streams"], run[figure]) for run in of_model if run[figure] is not None]
            streams.add(f"{model}, {name}", points, stroke_style={"dasharray": "6, 4"} if name == "median" else {})
    streams.add(f"limit of {MAX_COMMIT_LAG:g} s", [(0, MAX_COMMIT_LAG), (most, MAX_COMMIT_LAG)], show_dots=False)
    yield "lag-against-streams", streams
    for model, of_model in models:
        stretches = [stretch for run in of_model for stretch in run["lag_over_time"]]
        longest = max((end for end, _, _ in stretches), default=STRETCH_SECONDS)
        highest = max((high for _, _, high in stretches), default=MAX_COMMIT_LAG)
        title = f"Commit lag over time, {model}, p95 of each {STRETCH_SECONDS:g} s"
        chart = lag_chart(title, "seconds", longest, highest)
        for run in of_model:
            name = f"{run['streams']} stream{'s' if run['streams'] > 1 else ''}"
            chart.add(name, [(end, high) for end, _, high in run["lag_over_time"]])
        yield f"lag-over-time-{model}", chart
        if costed := [run for run in of_model if "engine_seconds_per_audio_second" in run]:  # older results have none
            yield f"cost-per-stage-{model}", cost_chart(model, costed)


def lag_chart(title: str, across: str, until: float, highest: float) -> Any:
    """Return an empty chart of lags up to `highest`, from 0 to `until` of what is `across`."""
    chart = _chart(pygal.XY, title, across, "seconds of lag", xrange=(0, until), dots_size=3)
    chart.y_labels = range(math.ceil(highest) + 1)
    return chart


def cost_chart(model: str, runs: Sequence[Mapping[str, Any]]) -> Any:
    """Return a chart of what each second of audio costs: the stages of the recognizer, and the rest of the CPU time.

    The stages are timed by the clock, so it is right where the recognizer has one thread and a CPU to itself.
    """
    chart = _chart(pygal.StackedBar, f"Cost of a second of audio, {model}", "streams", "seconds")
    chart.x_labels = [str(run["streams"]) for run in runs]
    spent = [run["engine_seconds_per_audio_second"] for run in runs]
    for work in sorted({work for each in spent for work in each}):
        chart.add(work, [each.get(work, 0.0) for each in spent])
    rest = [
        max(0.0, run["cpu_seconds_per_audio_second"] - sum(each.values()))
        for run, each in zip(runs, spent, strict=True)
    ]
    chart.add("everything else", rest)
    return chart


def _chart(kind: Any, title: str, across: str, up: str, **options: object) -> Any:
    chart = kind(
        pygal.Config(js=[], css=["file://style.css", "file://graph.css", DARK]),
        style=STYLE,
        title=title,
        x_title=across,
        y_title=up,
        include_x_axis=True,
        width=760,
        height=360,
        margin=12,
        legend_box_size=12,
        truncate_legend=-1,
        show_x_guides=False,
        no_prefix=True,
        **options,
    )
    chart.add_xml_filter(_without_scripts)
    return chart


def _without_scripts(root: ElementTree.Element) -> ElementTree.Element:
    for parent in list(root.iter()):
        for script in [child for child in parent if child.tag == "script"]:
            parent.remove(script)
    return root


if __name__ == "__main__":
    sys.exit(main())
