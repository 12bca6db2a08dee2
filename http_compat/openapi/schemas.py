"""The words of the OpenAPI document: JSON schemas, what all answers share, and the objects that are told of."""

from typing import Any, Final, TypeAlias

from http_compat.openai.models import TASK_NAMES
from realtime.catalogue.names import ALIASES
from realtime.catalogue.table import ENTRIES, Task
from realtime.catalogue.voices import OPENAI_VOICES
from realtime.speech.suppression import Suppression
from realtime.weights.progress import Stage

Schema: TypeAlias = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
TRUTH: Final[Schema] = {"type": "boolean"}
NUMBER: Final[Schema] = {"type": "number"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
BYTES: Final[Schema] = {"type": "string", "format": "binary"}


def record(optional: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """An object that has all of the properties but perhaps the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def nullable(schema: Schema) -> Schema:
    """This or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*names: str, description: str) -> Schema:
    """A text for which these are the known values, but not the only ones."""
    return {"anyOf": [{"enum": [*names]}, TEXT], "description": description}


def between(least: float, most: float, kind: str = "number") -> Schema:
    """A number of this kind from `least` to `most`."""
    return {"type": kind, "minimum": least, "maximum": most}


def array(items: Schema) -> Schema:
    """Any number of these."""
    return {"type": "array", "items": items}


def reference(name: str) -> Schema:
    """One of the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def answer(description: str, schema: Schema) -> dict[str, Any]:
    """A response of this JSON."""
    return {"description": description, "headers": HEADERS, "content": {"application/json": {"schema": schema}}}


def faults(*statuses: int) -> dict[str, Any]:
    """Responses of the one error body."""
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def query(name: str, schema: Schema) -> dict[str, Any]:
    """A parameter that may be left out."""
    return {"name": name, "in": "query", "required": False, "schema": schema}


_NAMES: Final = "A name of the catalogue, of OpenAI's or of a launch"

RECOGNIZER: Final = one_of(
    *(entry.name for entry in ENTRIES if entry.task is Task.TRANSCRIPTION),
    *(name for name, task in ALIASES.items() if task is Task.TRANSCRIPTION),
    description=_NAMES,
)

VOICE_MODEL: Final = one_of(
    *(entry.name for entry in ENTRIES if entry.task is Task.SPEECH),
    *(name for name, task in ALIASES.items() if task is Task.SPEECH),
    description=_NAMES,
)

VOICE_NAME: Final = one_of(
    *OPENAI_VOICES, description="One of `/v1/audio/voices`, or an OpenAI name; empty for the default"
)

PROGRESS: Final = record(
    ("done_bytes", "total_bytes"),
    model=TEXT,
    stage={"enum": ["not_loaded", "loaded", *Stage]},
    progress={"type": "number", "minimum": 0, "maximum": 1},
    done_bytes=COUNT,
    total_bytes=COUNT,
)

ID: Final = {
    "name": "id", "in": "path", "required": True,
    "schema": one_of(*(entry.name for entry in ENTRIES), *ALIASES, description=_NAMES),
    "description": "A slash in it need not be escaped",
}  # fmt: skip

HEADERS: Final = {"x-request-id": {"required": True, "schema": TEXT}}

FAULTS: Final = {
    400: "A field is missing or has a value that cannot be served; `param` names it",
    401: "The server has keys, and none of them was sent",
    403: "The page that sent the request is of an origin that may not",
    404: "There is no such model",
    408: "The body stopped coming",
    409: "The model is in use",
    413: "The body is larger than the server's limits",
    415: "The body is of a type that is not read here",
    429: "As many requests as possible are being served; `Retry-After` says when to come back",
    500: "The model or the server failed; the same request would fail again",
    503: "The server is at its limit, still loading or being stopped; `Retry-After` says when to come back",
}

ERROR: Final = record(
    error=record(message=TEXT, type=TEXT, param=nullable(TEXT), code=TEXT),
    detail={"type": "string", "description": "The message again, for Xinference's clients"},
)

MODEL: Final = record(
    id=TEXT, object={"const": "model"}, created=COUNT, owned_by=TEXT, model_type={"const": "audio"}, model_name=TEXT,
    model_family=TEXT, model_engine=TEXT, model_revision=nullable(TEXT), model_ability=array(TEXT), replica=COUNT,
    task={"enum": [*TASK_NAMES.values()]}, language=array(TEXT),
    multilingual=TRUTH, licence=TEXT, source=TEXT, loaded=TRUTH,
)  # fmt: skip

VOICE: Final = record(id=TEXT, name=TEXT, object={"const": "audio.voice"}, model=TEXT)

WORD: Final = record(word=TEXT, start=NUMBER, end=NUMBER)

LOGPROB: Final = record(token=TEXT, logprob=NUMBER, bytes=array(COUNT))

SEGMENT: Final = record(
    id=COUNT, seek=COUNT, start=NUMBER, end=NUMBER, text=TEXT, tokens=array(COUNT), temperature=NUMBER,
    avg_logprob=NUMBER, compression_ratio=NUMBER, no_speech_prob=NUMBER,
)  # fmt: skip

SUPPRESSED: Final = {
    **record(start=NUMBER, end=NUMBER, reason={"enum": [*Suppression]}),
    "description": "A stretch whose text was withheld, because nothing speaks for it",
}

TRANSCRIPT: Final = record(
    ("task", "language", "language_code", "duration", "segments", "words", "suppressed", "logprobs"),
    text=TEXT,
    usage=record(type={"const": "duration"}, seconds=NUMBER),
    task=TEXT,
    language=TEXT,
    language_code=TEXT,
    duration=NUMBER,
    segments=nullable(array(SEGMENT)),
    words=nullable(array(WORD)),
    suppressed=array(SUPPRESSED),
    logprobs=array(LOGPROB),
)
"""The optional ones come with `verbose_json`, the last with `include[]`."""
