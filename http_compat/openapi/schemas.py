"""Building blocks of the OpenAPI document: JSON schemas, shared responses, and the components."""

from typing import Any, Final, TypeAlias

from http_compat.answer_headers import MODEL_HEADER, SUBSTITUTED_HEADER, SUPPRESSED_HEADER
from http_compat.openai.models import TASK_NAMES
from realtime.catalogue.table import ENTRIES, Task
from realtime.catalogue.voices import OPENAI_VOICES
from realtime.speech.suppression import REPORTED
from realtime.weights.progress import Stage

Schema: TypeAlias = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
BOOLEAN: Final[Schema] = {"type": "boolean"}
NUMBER: Final[Schema] = {"type": "number"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
BYTES: Final[Schema] = {"type": "string", "format": "binary"}


def record(optional: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """Describe an object with these properties, required unless listed as `optional`."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def nullable(schema: Schema) -> Schema:
    """Allow null besides the schema."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*names: str, description: str) -> Schema:
    """Describe a string with known values that are not the only ones."""
    return {"anyOf": [{"enum": [*names]}, TEXT], "description": description}


def between(least: float, most: float, kind: str = "number") -> Schema:
    """Describe a number of this kind from `least` to `most`."""
    return {"type": kind, "minimum": least, "maximum": most}


def array(items: Schema) -> Schema:
    """Describe a list of these items."""
    return {"type": "array", "items": items}


def reference(name: str) -> Schema:
    """Refer to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def response(description: str, schema: Schema) -> dict[str, Any]:
    """Describe a JSON response."""
    return {"description": description, "headers": HEADERS, "content": {"application/json": {"schema": schema}}}


def errors(*statuses: int) -> dict[str, Any]:
    """Describe the error responses with these statuses."""
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def query(name: str, schema: Schema) -> dict[str, Any]:
    """Describe an optional query parameter."""
    return {"name": name, "in": "query", "required": False, "schema": schema}


_NAMES: Final = "Name from the catalogue, OpenAI model name, size of Whisper, or name given at launch"

_OPENAI_NAMES: Final = {
    Task.TRANSCRIPTION: ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe"),
    Task.SPEECH: ("tts-1", "tts-1-hd", "gpt-4o-mini-tts"),
}
"""Examples of OpenAI's names."""

RECOGNIZER: Final = one_of(
    *(entry.name for entry in ENTRIES if entry.task is Task.TRANSCRIPTION),
    *_OPENAI_NAMES[Task.TRANSCRIPTION],
    description=_NAMES,
)

VOICE_MODEL: Final = one_of(
    *(entry.name for entry in ENTRIES if entry.task is Task.SPEECH),
    *_OPENAI_NAMES[Task.SPEECH],
    description=_NAMES,
)

VOICE_NAME: Final = one_of(
    *OPENAI_VOICES, description="Voice from `/v1/audio/voices`, or OpenAI voice name; empty for the default"
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
    "schema": one_of(
        *(entry.name for entry in ENTRIES), *(name for names in _OPENAI_NAMES.values() for name in names),
        description=_NAMES,
    ),
    "description": "Name of a model; slashes need not be escaped",
}  # fmt: skip

HEADERS: Final = {"x-request-id": {"required": True, "schema": TEXT}}

ANSWER_HEADERS: Final = {
    **HEADERS,
    MODEL_HEADER: {"required": True, "schema": TEXT, "description": "The model that answered"},
    SUBSTITUTED_HEADER: {"schema": TEXT, "description": "Fields with unknown names, for which a default answered"},
}
"""Headers of what a model answered."""

TRANSCRIPT_HEADERS: Final = {
    **ANSWER_HEADERS,
    SUPPRESSED_HEADER: {"schema": TEXT, "description": "Why text was suppressed, if any was"},
}
"""Headers of a transcript."""

ERRORS: Final = {
    400: "Invalid request: a field is missing or invalid; `param` names it",
    401: "Missing or incorrect API key",
    403: "Requests from the origin of this web page are not allowed",
    404: "The model does not exist",
    408: "The request body was not received in time",
    409: "The model is in use",
    413: "The request body, file or audio exceeds a limit",
    415: "Unsupported media type of the request body",
    429: "Too many requests are in progress; retry after `Retry-After` seconds",
    500: "The model or the server failed; retrying will not help",
    503: "The server is overloaded, loading models or shutting down; retry after `Retry-After` seconds",
}

ERROR: Final = record(
    error=record(message=TEXT, type=TEXT, param=nullable(TEXT), code=TEXT),
    detail={"type": "string", "description": "The message, for Xinference's clients"},
)

CAPABILITIES: Final = record(
    translation={**BOOLEAN, "description": "Can translate speech into English"},
    word_times={**BOOLEAN, "description": "Returns the time of every word"},
    streaming_text={**BOOLEAN, "description": "Can start to speak before the text is complete"},
    speed={**BOOLEAN, "description": "Speaks faster and slower itself; the speech of other models is stretched"},
    instructions={**BOOLEAN, "description": "Follows `instructions`; without it, they have no effect"},
    cloning={**BOOLEAN, "description": "Can speak with the voice of a recording; without it, recordings are refused"},
)

MODEL: Final = record(
    id=TEXT, object={"const": "model"}, created=COUNT, owned_by=TEXT, model_type={"const": "audio"}, model_name=TEXT,
    model_family=TEXT, model_engine=TEXT, model_revision=nullable(TEXT), model_ability=array(TEXT), replica=COUNT,
    task={"enum": [*TASK_NAMES.values()]}, language=array(TEXT),
    multilingual=BOOLEAN, capabilities=CAPABILITIES, licence=TEXT, source=TEXT, loaded=BOOLEAN,
)  # fmt: skip

VOICE: Final = record(
    id=TEXT, name=TEXT, object={"const": "audio.voice"}, model=TEXT, languages=array(TEXT), licence=TEXT
)

CHANNEL: Final = {**COUNT, "description": "Index of the channel, if each is a speaker"}

WORD: Final = record(("channel",), word=TEXT, start=NUMBER, end=NUMBER, channel=CHANNEL)

LOGPROB: Final = record(token=TEXT, logprob=NUMBER, bytes=array(COUNT))

SEGMENT: Final = record(
    ("channel",), id=COUNT, seek=COUNT, start=NUMBER, end=NUMBER, text=TEXT, tokens=array(COUNT), temperature=NUMBER,
    avg_logprob=NUMBER, compression_ratio=NUMBER, no_speech_prob=NUMBER, language=TEXT, channel=CHANNEL,
)  # fmt: skip

SUPPRESSED_SEGMENT: Final = {
    **record(("channel",), start=NUMBER, end=NUMBER, reason={"enum": [*REPORTED]}, channel=CHANNEL),
    "description": "A segment whose text was suppressed because it is probably a hallucination",
}

TRANSCRIPT: Final = record(
    (
        "task",
        "language",
        "language_code",
        "duration",
        "segments",
        "words",
        "suppressed",
        "track",
        "channels",
        "logprobs",
    ),
    text=TEXT,
    usage=record(type={"const": "duration"}, seconds=NUMBER),
    task=TEXT,
    language=TEXT,
    language_code=TEXT,
    duration=NUMBER,
    segments=nullable(array(SEGMENT)),
    words=nullable(array(WORD)),
    suppressed=array(reference("SuppressedSegment")),
    track={
        **record(index=COUNT, language=TEXT, title=TEXT),
        "description": "The audio track transcribed, if the recording has several",
    },
    channels={**COUNT, "description": "Number of channels, if each is a speaker"},
    logprobs=array(LOGPROB),
)
"""The body of `json` and `verbose_json`.

`logprobs` are for `include[]`, `suppressed` and `track` for both formats, other optional fields for `verbose_json`.
"""

COMPONENTS: Final = {
    "Error": ERROR,
    "Model": MODEL,
    "Progress": PROGRESS,
    "SuppressedSegment": SUPPRESSED_SEGMENT,
    "Transcript": TRANSCRIPT,
    "Voice": VOICE,
}
"""Schemas that the document refers to by name."""
