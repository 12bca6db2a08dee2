"""Tables of names in the documents say what the code says."""

import json
import re
import tomllib
from dataclasses import fields

import pytest
from hibari.voices import VOICES
from prometheus_client.parser import text_string_to_metric_families

import realtime.app  # noqa: F401 - all errors are defined in what it imports
from http_compat.openapi.document import document
from realtime.catalogue.table import ENTRIES
from realtime.catalogue.voices import OPENAI_VOICES, AnyVoice, find_voice
from realtime.edge.metrics import Metrics
from realtime.environment import RENAMED
from realtime.errors import BadMessage, SessionIdle, VoiceError
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.scheduling.load import Load
from realtime.scheduling.priority import Priority
from realtime.scheduling.queue import Stage
from realtime.settings import DIALECTS, PREFIX, Settings
from tests.support.markdown import ROOT, table_rows

DOCS = ROOT / "docs"
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
WEBSOCKET_ONLY = (
    "realtime.edge.outbox",
    "realtime.edge.resumable_sessions",
    "realtime.edge.sessions",
    "realtime.edge.websocket",
    "realtime.media.live_decoder",
    "realtime.session",
    "realtime.wire",
)
"""Modules whose errors no HTTP endpoint raises."""


def shown(name: str, value: object) -> str:
    """Format a default as in the table."""
    match value:
        case () | None:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case int() if name.endswith("_bytes"):
            return f"{value // 1024**2} MiB"
        case int() | float() if name.endswith("_seconds"):
            return f"{value:g} s"
        case tuple():
            return f"`{','.join(value)}`"
        case _:
            return f"`{value}`"


def test_the_table_of_settings_has_every_setting_with_its_default() -> None:
    defaults = Settings()
    expected = {
        f"`{PREFIX}{each.name.upper()}`": shown(each.name, getattr(defaults, each.name)) for each in fields(Settings)
    }
    rows = [row for row in table_rows(DOCS / "settings.md") if row[0].startswith(f"`{PREFIX}")]
    assert {row[0]: row[1] for row in rows} == expected


def test_the_table_of_protocols_has_every_one_that_can_be_named() -> None:
    rows = [row for row in table_rows(DOCS / "settings.md") if not row[0].startswith(f"`{PREFIX}")]
    assert {name for row in rows for name in re.findall(r"`(.+?)`", row[0])} == set(DIALECTS)


def test_the_page_of_settings_has_every_former_name() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert [name for name in RENAMED if f"`{PREFIX}{name.upper()}`" not in text] == []


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    dashboard = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    shown = {name.removesuffix("_bucket") for each in expressions for name in re.findall(r"vivavoce_\w+", each)}
    documented = {row[0].strip("`").partition("{")[0] for row in table_rows(DOCS / "metrics.md")}
    assert shown == {name for name in documented if name.startswith("vivavoce_")}


def test_the_table_of_metrics_has_every_metric_with_its_type_and_labels() -> None:
    scheduler = Scheduler(Load(1, 0.1))
    scheduler.engine_seconds[Priority.FINAL, Stage.ENCODE] = 1.0
    metrics = Metrics(lambda: {"whisper-base": scheduler}, lambda: {"whisper-base": 0})
    metrics.count_refusal("server_overloaded")
    found: dict[str, str] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        labels = dict.fromkeys(name for sample in family.samples for name in sample.labels if name != "le")
        suffix = "_total" if family.type == "counter" else ""
        if not family.name.endswith("_created"):
            found[f"`{family.name}{suffix}{'{' + ','.join(labels) + '}' if labels else ''}`"] = family.type
    assert {row[0]: row[1] for row in table_rows(DOCS / "metrics.md")} == found


def test_the_table_of_endpoints_has_every_path() -> None:
    paths = document(Settings())["paths"]
    expected = {
        (method.upper(), path) for path, methods in paths.items() for method in methods if method != "parameters"
    }
    cells = [row[0] for row in table_rows(DOCS / "http.md") if "/" in row[0]]
    assert set(re.findall(r"(GET|POST|DELETE) (/[\w/{}.-]*)", " ".join(cells))) == expected


@pytest.mark.parametrize("name", [entry.name for entry in ENTRIES])
def test_the_first_page_or_the_guide_tells_of_every_model(name: str) -> None:
    text = "".join((ROOT / each).read_text(encoding="utf-8") for each in ("README.md", "docs/guide.md"))
    families = ("whisper-", "distil-whisper-", "Belle-")
    assert name in text or name.startswith(families)


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/audio/speech"])
def test_the_tables_of_fields_have_every_field(path: str) -> None:
    body = document(Settings())["paths"][path]["post"]["requestBody"]["content"]
    fields = set(body["multipart/form-data"]["schema"]["properties"])
    mentioned = {name for row in table_rows(DOCS / "http.md") for name in re.findall(r"`([\w\[\]]+)`", row[0])}
    assert fields - mentioned == set()


def test_the_table_of_errors_has_every_code_of_the_http_endpoints_with_its_status() -> None:
    expected = {
        (error.http_status, error.code)
        for error in errors()
        if not error.__module__.startswith(WEBSOCKET_ONLY) and error not in {BadMessage, SessionIdle}
    }
    found = set()
    for statuses, codes, _ in (row for row in table_rows(DOCS / "http.md") if row[0][:1].isdigit()):
        groups = codes.split(";")
        for status, group in zip(statuses.split(", "), groups, strict=len(groups) > 1):
            found |= {(int(status), code) for code in re.findall(r"`(\w+)`", group)}
    assert found == expected


def test_the_table_of_close_codes_has_every_code_of_an_error() -> None:
    closing = {error.close_code for error in errors()}
    found = {int(row[0]) for row in table_rows(DOCS / "protocol.md") if row[0].isdigit()}
    assert closing - found == set()


def test_the_table_of_packages_has_the_layers_of_the_import_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(each for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers")["layers"]
    rows = [re.findall(r"`(\w+)`", row[0]) for row in table_rows(ARCHITECTURE) if re.fullmatch(r"(`\w+`,? ?)+", row[0])]
    assert rows == [layer.split(" | ") for layer in layers]


def test_every_file_and_folder_that_the_architecture_names_exists() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    named = {*re.findall(r"[\w/]+\.py\b", text), *re.findall(r"`([a-z_]+/[\w/.]*)`", text)}
    whisper = ROOT / "realtime/engines/whisper"  # its section names the modules without their package
    homes = [ROOT, ROOT / "realtime", ROOT / "http_compat", whisper]
    assert {name for name in named if not any((home / name).exists() for home in homes)} == set()


def errors(base: type[VoiceError] = VoiceError) -> list[type[VoiceError]]:
    """Return an error and all that are derived from it."""
    return [base, *(error for child in base.__subclasses__() for error in errors(child))]


def test_the_table_of_openais_voices_says_which_voice_of_each_engine_speaks() -> None:
    rows = {row[0].strip("`"): [cell.strip("`") for cell in row[1:]] for row in table_rows(DOCS / "voices.md")}
    kokoro = ("af_heart", "af_alloy", "af_kore", "af_nova", "am_echo", "am_fenrir", "am_onyx", "bf_emma", "bm_fable")
    places = tuple(map(str, range(1, len(OPENAI_VOICES) + 1)))
    engines = (tuple(VOICES), kokoro, places, AnyVoice(("default",)))
    expected = {name: [find_voice(name, voices) for voices in engines] for name in OPENAI_VOICES}
    assert {name: rows[name] for name in OPENAI_VOICES} == expected
