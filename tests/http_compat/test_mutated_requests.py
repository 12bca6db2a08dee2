"""Requests of real programs, changed in one place: each kind of change has one right answer.

A request is taken from a program, and a change from `CHANGES`; both are drawn with a fixed seed. Where OpenAI's API
refuses what has only one meaning (blanks, case, a number written as text), the request is answered.
"""

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import pytest
from starlette.testclient import TestClient

from realtime.settings import Settings
from tests.support.http_service import scripted_application
from tests.support.recordings import silence, tone, wav_file
from tests.support.scripted_models import ScriptedModels
from tests.support.uploads import TRANSCRIPTIONS, TRANSLATIONS

SPEECH: Final = "/v1/audio/speech"
WAV: Final = wav_file(tone(0.3, 440))
REQUESTS: Final = 230

Values: TypeAlias = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Call:
    """A request: fields in the order in which they are sent, in a form or as JSON."""

    program: str
    path: str
    fields: Values
    as_json: bool = False
    query: Values = ()
    files: Values = ()
    """Fields that are sent as files."""
    changes: Callable[[bytes], bytes] = field(default=lambda body: body)
    headers: Values = ()
    method: str = "POST"

    def without(self, name: str) -> "Call":
        return replace(self, fields=tuple(each for each in self.fields if each[0] != name))

    def having(self, name: str, *values: Any) -> "Call":
        """Replace the values of a field."""
        return replace(self, fields=(*self.without(name).fields, *((name, value) for value in values)))

    def value(self, name: str) -> Any:
        return dict(self.fields)[name]

    def send(self, client: TestClient) -> Any:
        if self.as_json:
            members = {name: _in_json(value) for name, value in self.fields}
            body, content_type = json.dumps(members).encode(), "application/json"
        else:
            parts = [(name, _part(name, value)) for name, value in (*self.fields, *self.files)]
            request = client.build_request("POST", self.path, files=parts)
            body, content_type = request.read(), request.headers["content-type"]
        headers = {"content-type": content_type, **dict(self.headers)}
        parameters = dict(self.query)
        return client.request(self.method, self.path, params=parameters, content=self.changes(body), headers=headers)


def _in_json(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _part(name: str, value: Any) -> tuple[str | None, Any]:
    return ("upload", value) if isinstance(value, bytes) else (None, str(value))


PROGRAMS: Final = (
    Call("openai-python", TRANSCRIPTIONS, (
        ("model", "gpt-4o-transcribe"), ("language", "en"), ("prompt", "Vivavoce"), ("response_format", "verbose_json"),
        ("temperature", "0.2"), ("timestamp_granularities[]", "word"), ("stream", "false"), ("file", WAV),
    )),
    Call("openai-node", TRANSCRIPTIONS, (("file", WAV), ("model", "whisper-1"), ("response_format", "json"))),
    Call("Open WebUI", TRANSCRIPTIONS, (("file", WAV), ("model", "whisper-1"), ("language", "de"))),
    Call("Xinference", TRANSCRIPTIONS, (
        ("model", "whisper-base"), ("response_format", "json"), ("temperature", "0"), ("kwargs", "{}"), ("file", WAV),
    )),
    Call("Subtitle Edit", TRANSLATIONS, (
        ("model", "whisper-1"), ("response_format", "srt"), ("timestamp_granularities[]", "segment"),
        ("temperature", "0.0"), ("language", "fr"), ("beam_size", "5"), ("file", WAV),
    )),
    Call("Dify", TRANSCRIPTIONS, (("model", "whisper-1"), ("language", "en"), ("file", WAV)), as_json=True),
    Call("openai-python", SPEECH, (
        ("model", "gpt-4o-mini-tts"), ("input", "One."), ("voice", "alloy"), ("instructions", "Calmly."),
        ("response_format", "wav"), ("speed", 1.0),
    ), as_json=True),
    Call("Open WebUI", SPEECH, (("model", "tts-1"), ("input", "One."), ("voice", "alloy")), as_json=True),
    Call("SillyTavern", SPEECH, (
        ("input", "One."), ("voice", "nova"), ("response_format", "mp3"), ("model", "tts-1-hd"), ("speed", 2),
    ), as_json=True),
    Call("Kokoro's page", SPEECH, (
        ("model", "kokoro"), ("input", "One."), ("voice", "af_bella"), ("response_format", "pcm"), ("speed", 1),
        ("stream", True),
    ), as_json=True),
    Call("Xinference", SPEECH, (
        ("model", "hibari-tts"), ("input", "One."), ("voice", ""), ("response_format", "flac"), ("speed", "1.0"),
        ("stream", "False"), ("kwargs", "{}"),
    )),
)  # fmt: skip

REQUIRED: Final = frozenset({"file", "model", "input"})
NAMES: Final = frozenset({"model", "voice", "language", "response_format"})
"""Fields in which case and blanks do not matter."""
NUMBERS: Final = {
    "temperature": ("0.5", "-1", "2", "nan"),
    "speed": ("1.5", "0.1", "9", "nan"),
    "beam_size": ("3", "0", "99", "2.5"),
}
"""A valid value, and invalid ones."""
FLAGS: Final = frozenset({"stream"})
OTHER_VALUES: Final = {
    "model": ("tts-1", "hibari-tts", "whisper-1", "whisper-base"), "language": ("de", "en"), "temperature": ("0", "1"),
    "response_format": ("wav", "mp3", "json", "text"), "voice": ("birch", "amber"), "speed": ("1", "2"),
    "prompt": ("one", "two"), "stream": ("true", "false"), "input": ("One.", "Two."), "beam_size": ("1", "2"),
}  # fmt: skip
"""Two values of a field that contradict each other."""


@dataclass(frozen=True)
class Change:
    """One kind of change: where it can be made, how, and the right answer.

    Attributes:
        applies: Whether it can be made to this field of this request.
        make: Makes it.
        status: Status of the answer.
        param: Field that an error names; `{field}` is the one that was changed. None for no field.
        substituted: Field for whose name a default answers.
    """

    applies: Callable[[Call, str], bool]
    make: Callable[[Call, str, random.Random], Call]
    status: int = 200
    param: str | None = None
    substituted: str | None = None


def _text(call: Call, name: str) -> bool:
    return name != "file"


def _form(call: Call, name: str) -> bool:
    return not call.as_json


def _optional(call: Call, name: str) -> bool:
    return name not in REQUIRED


def _pick(*values: Any) -> Callable[[Call, str, random.Random], Call]:
    return lambda call, name, rng: call.having(name, rng.choice(values))


def _renamed(call: Call, name: str, rng: random.Random) -> Call:
    new = rng.choice([name.upper(), f"{name}_", f"my_{name}", f"x-{name}", name[:-1]])
    return replace(call.without(name), fields=(*call.without(name).fields, (new, call.value(name))))


def _blanks(call: Call, name: str, rng: random.Random) -> Call:
    return call.having(name, rng.choice([f" {call.value(name)}", f"{call.value(name)} ", f"\t{call.value(name)}\n"]))


def _in_query(call: Call, name: str, rng: random.Random) -> Call:
    return replace(call.without(name), query=((name, call.value(name)),))


def _truncated(call: Call, name: str, rng: random.Random) -> Call:
    share = rng.uniform(0.1, 0.95)
    return replace(call, changes=lambda body: body[: int(len(body) * share)])


def _own(call: Call) -> bool:
    """Return whether all names of the request mean something to this server."""
    return call.program != "Kokoro's page"


CHANGES: Final[dict[str, Change]] = {
    "a required field is left out": Change(
        lambda call, name: name in REQUIRED, lambda call, name, _: call.without(name), 400, "{field}"
    ),
    "a required field is renamed": Change(lambda call, name: name in REQUIRED, _renamed, 400, "{field}"),
    "an optional field is left out": Change(_optional, lambda call, name, _: call.without(name)),
    "an optional field is renamed": Change(_optional, _renamed),
    "a field is sent twice with the same value": Change(
        lambda call, name: _form(call, name) and _text(call, name),
        lambda call, name, _: call.having(name, call.value(name), call.value(name)),
    ),
    "a field is sent twice with different values": Change(
        lambda call, name: _form(call, name) and name in OTHER_VALUES,
        lambda call, name, _: call.having(name, *OTHER_VALUES[name][:2]), 400, "{field}",
    ),
    "a field is sent in the query": Change(_text, _in_query),
    "blanks surround a name or number": Change(
        lambda call, name: name in NAMES or name in NUMBERS, _blanks
    ),
    "a name is in capitals": Change(
        lambda call, name: name in NAMES, lambda call, name, _: call.having(name, call.value(name).upper())
    ),
    "a flag is in another spelling": Change(lambda call, name: name in FLAGS, _pick("True", "FALSE", "1", "0")),
    "a number is written as text": Change(
        lambda call, name: name in NUMBERS, lambda call, name, _: call.having(name, NUMBERS[name][0])
    ),
    "a number is out of range": Change(
        lambda call, name: name in NUMBERS,
        lambda call, name, rng: call.having(name, rng.choice(NUMBERS[name][1:])), 400, "{field}",
    ),
    "a number is a word": Change(
        lambda call, name: name in NUMBERS, _pick("fast", "1,5", "1.0.0", "--1"), 400, "{field}"
    ),
    "an optional field stands for nothing": Change(_optional, _pick("", " ", "null", "None", "undefined")),
    "the model stands for nothing": Change(
        lambda call, name: name == "model", _pick("", "  ", "null", "undefined"), 400, "model"
    ),
    "an optional field is null": Change(lambda call, name: call.as_json and _optional(call, name), _pick(None)),
    "a required field is null": Change(
        lambda call, name: call.as_json and name in REQUIRED, _pick(None), 400, "{field}"
    ),
    "a text is a number": Change(
        lambda call, name: call.path == SPEECH and call.as_json and name in {"input", "model", "voice", "instructions"},
        _pick(7, 1.5, True, []), 400, "{field}",
    ),
    "a field is a file": Change(
        lambda call, name: _form(call, name) and name in {"model", "language", "response_format", "temperature"},
        lambda call, name, _: replace(call.without(name), files=((name, b"whisper-1"),)), 400, "{field}",
    ),
    "an unknown field is added": Change(
        lambda call, name: name == "model",
        lambda call, name, rng: call.having(rng.choice(["user", "seed", "task", "lang_code", "volume"]), "7"),
    ),
    "a recognizer is unknown": Change(
        lambda call, name: name == "model" and call.path != SPEECH,
        _pick("my-asr", "gpt-9", "default", "nova-3"), substituted="model",
    ),
    "a recognizer is a certain one that is not available": Change(
        lambda call, name: name == "model" and call.path != SPEECH,
        _pick("large-v1", "openai/whisper-large-v1", "someone/whisper-french", "whisper-huge"), 404, "model",
    ),
    "a recognizer is of another task": Change(
        lambda call, name: name == "model" and call.path != SPEECH,
        _pick("tts-1", "hibari-tts", "gpt-4o-mini-tts"), 400, "model",
    ),
    "a voice model is unknown": Change(
        lambda call, name: name == "model" and call.path == SPEECH and _own(call),
        _pick("kokoro", "alloy", "hexgrad/Kokoro-82M", "my-tts"), substituted="model",
    ),
    "a voice model is of another task": Change(
        lambda call, name: name == "model" and call.path == SPEECH,
        _pick("whisper-1", "base", "gpt-transcribe"), 400, "model",
    ),
    "a voice is unknown": Change(
        lambda call, name: name == "voice" and _own(call),
        _pick("af_bella(2)+af_sky(1)", "de-DE-KatjaNeural", "hibari-tts", "21m00Tcm4TlvDq8ikWAM"), substituted="voice",
    ),
    "a language has one meaning": Change(
        lambda call, name: name == "language", _pick("deu", "nb", "iw", "en-US", "Deutsch", "zh_Hans_CN", "auto", "und")
    ),
    "a language has none or several": Change(
        lambda call, name: name == "language", _pick("klingon", "xx", "en,de", "q1"), 400, "language"
    ),
    "a format is unknown": Change(
        lambda call, name: name == "response_format", _pick("xml", "mp4", "diarized_json", "json, text"), 400, "{field}"
    ),
    "the file is sent twice": Change(
        lambda call, name: name == "file" and _form(call, name),
        lambda call, name, _: call.having(name, WAV, WAV), 400, "file",
    ),
    "the file is empty": Change(lambda call, name: name == "file", _pick(b""), 400, "file"),
    "the file is no recording": Change(
        lambda call, name: name == "file", _pick(b"Dear Sir or Madam", b"\0" * 999, b"<html>", b"RIFF"), 400, "file"
    ),
    "the file is too short": Change(lambda call, name: name == "file", _pick(wav_file(silence(0.05))), 400, "file"),
    "the file is a path": Change(
        lambda call, name: name == "file", _pick("a.wav", "/tmp/a.wav", "https://pages.example/a.wav"), 400, "file"
    ),
    "the text has nothing to speak": Change(
        lambda call, name: name == "input", _pick("", " ", "?!", "🙂"), 400, "input"
    ),
    "the text is too long": Change(lambda call, name: name == "input", _pick("One. " * 30), 400, "input"),
    "the text has half a character": Change(
        lambda call, name: name == "input" and call.as_json, _pick("\ud83d One."), 400, "input"
    ),
    "kwargs are no object": Change(lambda call, name: name == "kwargs", _pick("[]", "no", "{"), 400, "kwargs"),
    "the body ends early": Change(lambda call, name: name == "model", _truncated, 400),
    "the body has a byte order mark": Change(
        lambda call, name: name == "model" and call.as_json,
        lambda call, _, __: replace(call, changes=lambda body: b"\xef\xbb\xbf" + body),
    ),
    "the body has a preamble": Change(
        lambda call, name: name == "model" and not call.as_json,
        lambda call, _, __: replace(call, changes=lambda body: b"This is a form.\r\n" + body),
    ),
    "the body is a list": Change(
        lambda call, name: name == "model" and call.as_json,
        lambda call, _, __: replace(call, changes=lambda body: b"[" + body + b"]"), 400,
    ),
    "the media type is another": Change(
        lambda call, name: name == "model",
        lambda call, _, rng: replace(
            call, headers=(("content-type", rng.choice(["text/plain", "", "application/x-www-form-urlencoded"])),)
        ), 415,
    ),
    "the boundary is missing": Change(
        lambda call, name: name == "model" and not call.as_json,
        lambda call, _, rng: replace(
            call, headers=(("content-type", f"multipart/form-data{rng.choice(['', '; boundary=other'])}"),)
        ), 400,
    ),
    "the path ends in a slash": Change(
        lambda call, name: name == "model", lambda call, _, __: replace(call, path=call.path + "/")
    ),
    "the method is another": Change(
        lambda call, name: name == "model", lambda call, _, rng: replace(call, method=rng.choice(["GET", "PUT"])), 405
    ),
}  # fmt: skip


def _requests() -> Iterator[Any]:
    """Draw requests; every kind of change comes up as often as any other."""
    rng = random.Random(2026)
    for number in range(REQUESTS):
        kind = [*CHANGES][number % len(CHANGES)]
        change = CHANGES[kind]
        call, name = rng.choice(
            [(call, name) for call in PROGRAMS for name in dict(call.fields) if change.applies(call, name)]
        )
        changed = change.make(call, name, rng)
        yield pytest.param(changed, change, name, id=f"{number} {call.program}: {kind} ({name})")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = scripted_application(ScriptedModels(), Settings(max_input_characters=100))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(("call", "change", "name"), list(_requests()))
def test_a_changed_request_has_the_right_answer(client: TestClient, call: Call, change: Change, name: str) -> None:
    answer = call.send(client)
    assert answer.status_code == change.status, answer.text[:300]
    assert answer.headers["x-request-id"]
    if change.status == 200:
        assert answer.headers["x-vivavoce-model"] in {"whisper-base", "hibari-tts"}
        if _own(call):
            assert answer.headers.get("x-vivavoce-substituted") == change.substituted
        return
    body = answer.json()
    param = change.param and change.param.format(field=name)
    assert body["error"]["param"] == param
    assert body["detail"] == body["error"]["message"]
    assert body["error"]["code"]
    assert param in {None, "file", "model"} or f"`{param}`" in body["detail"]
