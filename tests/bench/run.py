"""`make bench`: measure the service on this machine; print tables and write `bench-results.json`."""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from tests.bench import accuracy, compare, conversations, many_streams, speaking
from tests.bench.cost import cost_by_age, cost_by_length
from tests.bench.one_user import measure_one_user
from tests.bench.plan import FULL, QUICK, Plan
from tests.bench.speech_clips import Speech, load_speech
from tests.bench.tables import (
    admission_line,
    age_table,
    capacity_line,
    length_table,
    load_table,
    one_user_table,
    whole_files_line,
)
from tests.bench.under_load import LoadFigures, admission_run, capacity, load_run, search_beside, search_capacity
from tests.bench.whole_files import WholeFiles
from tests.support.running_service import running_service

RESULTS: Final = Path("bench-results.json")
MODELS: Final = ("whisper-base", "whisper-tiny.en")
PARTS: Final = ("captions", "speech", "conversations", "load", "capacity", "admission", "accuracy", "cost", "streams")
CONSOLE: Final = Console(width=150)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few minutes: at most four streams, short ones")
    parser.add_argument(
        "--only",
        action="append",
        choices=PARTS,
        help="one part, or several of them:"
        " captions: one user, and the voice; speech: one and eight voices, texts by token;"
        " conversations: answers, interruptions, frames, idle sessions;"
        " load: many streams; capacity: how many are held;"
        " admission: how many are admitted, beside how many are held;"
        " accuracy: word errors of 3,000 words;"
        " cost: against the length of utterances and the age of a session;"
        " streams: many with scripted engines, and how late the event loop is",
    )
    parser.add_argument("--before", metavar="COMMIT", help="measure an earlier version beside this one, by turns")
    parser.add_argument("--row", action="append", choices=compare.ROWS, help="with --before: only this row")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="draw lag over time and against streams as SVG there")
    arguments = parser.parse_args()
    if arguments.before is None and arguments.row:
        parser.error("--row needs --before")
    if arguments.before is not None and (arguments.quick or arguments.only or arguments.plot):
        parser.error("--before has rows of its own, which --row names")
    try:
        before = None if arguments.before is None else compare.resolved(arguments.before)
    except ValueError as error:
        parser.error(str(error))
    if not Path("/proc/self/stat").is_file():
        print("the benchmark reads /proc and needs Linux", file=sys.stderr)
        return 1
    subprocess.run([sys.executable, "-m", "realtime.cli.main", "models", "pull", *MODELS, "hibari-tts"], check=True)
    with running_service(log_level="warning") as service:
        speech = load_speech(service)
    if before is not None:
        compare.compare(before, speech, arguments.row or [], machine())
        return 0
    plan = QUICK if arguments.quick else FULL
    report = measure([part for part in PARTS if part in (arguments.only or PARTS)], speech, plan)
    if arguments.plot is not None:
        from tests.bench.plots import draw  # here, because nothing else needs the library

        for file in draw(report, arguments.plot):
            print(file)
    return 0


def measure(parts: Sequence[str], speech: Speech, plan: Plan) -> dict[str, Any]:
    """Measure part after part and return the figures; each part is written and shown at once, as it takes a while."""
    report: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "python": platform.python_version(),
        "speech": speech.kind,
        "clips": len(speech.clips),
    }
    CONSOLE.print(f"{report['machine']}; {speech.kind}. Measure again where others used more than 0.1 cores.")
    load: dict[str, list[LoadFigures]] = {model: [] for model in MODELS}
    for part in parts:
        match part:
            case "captions":
                report["results"] = measure_captions(speech, plan)
            case "speech":
                with running_service(log_level="warning") as service:
                    report["voices"] = speaking.measure(service.address, plan.turns)
            case "conversations":
                rows = conversations.measure(plan.turns)
                report["conversations"] = [{"figure": name, "value": value} for name, value in rows]
            case "load":
                report["whole_files"] = []
                for model in MODELS:
                    whole = WholeFiles(model)
                    whole.read(speech.clips)
                    load[model] = [load_run(model, speech.clips, streams, plan, whole) for streams in plan.counts]
                    CONSOLE.print(load_table(load[model], f"N streams at the pace of speech, {model}, seconds"))
                    CONSOLE.print(whole_files_line(whole))
                    report["whole_files"].append({"model": model, "cpu_seconds_per_audio_second": whole.cost})
                report["load"] = [asdict(run) for run in chain.from_iterable(load.values())]
            case "capacity":
                report["capacity"] = [measure_capacity(model, speech, plan, load[model]) for model in MODELS]
            case "admission":
                report["admission"] = measure_admission(MODELS[0], speech, plan)
            case "accuracy":
                accuracies = [*accuracy.measure(speech.clips, plan.accuracy_seconds)]
                CONSOLE.print(accuracy.table(accuracies))
                report["accuracy"] = [asdict(each) for each in accuracies]
            case "cost":
                report["cost"] = measure_cost(MODELS[0], speech, plan)
            case "streams":
                streams = [many_streams.measure(plan.scripted_streams, plan.load_seconds)]
                CONSOLE.print(many_streams.table(streams))
                report["streams"] = [asdict(row) for row in streams]
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    return report


def measure_captions(speech: Speech, plan: Plan) -> list[dict[str, Any]]:
    print("one user ...", file=sys.stderr, flush=True)
    rows = list(measure_one_user(speech, plan))
    CONSOLE.print(one_user_table(rows, f"one user, {len(speech.sentences)} clips of {speech.kind}"))
    return [{**row._asdict(), "value": round(row.value, 4)} for row in rows]


def measure_capacity(model: str, speech: Speech, plan: Plan, known: Sequence[LoadFigures]) -> dict[str, Any]:
    runs = list(search_capacity(model, speech.clips, plan, known))
    if runs:
        CONSOLE.print(load_table(runs, f"the search for the capacity of {model}, seconds"))
    CONSOLE.print(capacity_line(model, [*known, *runs], plan.max_streams))
    held = {run.streams: run.held for run in [*known, *runs]}
    return {"model": model, "streams": capacity(held), "runs": [asdict(run) for run in runs]}


def measure_admission(model: str, speech: Speech, plan: Plan) -> dict[str, Any]:
    """Offer more streams than the machine sustains, then search without a limit, from the number admitted on."""
    admitting = admission_run(model, speech.clips, plan)
    runs = list(search_beside(model, speech.clips, plan, admitting.streams - admitting.refused))
    CONSOLE.print(load_table([admitting, *runs], f"default admission, then without a limit, {model}, seconds"))
    CONSOLE.print(admission_line(model, admitting, runs))
    return {"model": model, "admitting": asdict(admitting), "runs": [asdict(run) for run in runs]}


def measure_cost(model: str, speech: Speech, plan: Plan) -> dict[str, Any]:
    lengths = list(cost_by_length(model, speech.reading, plan))
    CONSOLE.print(length_table(lengths, f"cost against the length of utterances, {model}, N = 1, seconds"))
    ages = cost_by_age(model, speech.reading, plan)
    CONSOLE.print(age_table(ages, f"cost against the age of a session, {model}, N = 1, seconds"))
    return {"utterances": [asdict(row) for row in lengths], "session": [asdict(row) for row in ages]}


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return f"{os.cpu_count()} CPUs, {model}"


if __name__ == "__main__":
    sys.exit(main())
