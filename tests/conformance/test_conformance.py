"""Clients as they are in the field, each in its own environment and its own process, against a real server.

What the newest Python packages see is tested where the endpoints are, in `tests/http_compat`.
"""

import asyncio
import base64
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import openai
import pytest
from real_server import KEY, running, scripted_application
from recordings import wav_file
from scripted_models import ScriptedModels, ScriptedRecognizer, ScriptedSynthesizer
from uploads import LONG, TWO_WORDS

from realtime.settings import Settings

Seen = dict[str, Any]

SIX_WORDS: Final = "440. 660. 880. 1100. 1320. 1540."
SRT: Final = "1\n00:00:00,980 --> 00:00:02,004\n440.\n\n2\n00:00:02,996 --> 00:00:04,020\n880.\n\n"
BYTES_OF_A_SECOND: Final = 48_000


def assert_both_granularities(answer: Seen) -> None:
    assert (answer["text"], answer["language"], answer["duration"]) == ("440. 880.", "french", 5)
    assert [segment["text"] for segment in answer["segments"]] == [" 440.", " 880."]
    assert [word["word"] for word in answer["words"]] == ["440.", "880."]


def assert_streamed(events: list[Seen]) -> None:
    *deltas, done = events
    assert {delta["type"] for delta in deltas} == {"transcript.text.delta"}
    assert done["type"] == "transcript.text.done"
    assert "".join(delta["delta"] for delta in deltas) == done["text"] == SIX_WORDS


# openai-python 1.x


def test_openai_1_transcribes(openai_1: Seen) -> None:
    assert openai_1["json"] == {"text": "440. 880.", "usage": {"type": "duration", "seconds": 5.0}}
    assert_both_granularities(openai_1["verbose_json"])
    assert openai_1["srt"] == SRT


def test_openai_1_reads_a_stream_of_events(openai_1: Seen) -> None:
    assert_streamed(openai_1["stream"])


def test_openai_1_translates(openai_1: Seen) -> None:
    assert openai_1["translation"]["text"] == "440. 880."
    verbose = openai_1["verbose translation"]
    assert (verbose["task"], verbose["language"]) == ("translate", "english")


@pytest.mark.parametrize(
    ("scene", "raised"),
    [
        ("letter", ["BadRequestError", 400, "invalid_file_format", "file", True]),
        ("large file", ["APIStatusError", 413, "file_too_large", "file", True]),
        ("unknown model", ["NotFoundError", 404, "model_not_found", "model", True]),
        ("unknown voice", ["BadRequestError", 400, "invalid_voice", "voice", True]),
        ("wrong key", ["AuthenticationError", 401, "invalid_api_key", None, True]),
        ("stream that fails", ["APIError", "engine_failed"]),
        ("speech that fails", ["RemoteProtocolError"]),
    ],
)
def test_openai_1_raises_what_went_wrong(openai_1: Seen, scene: str, raised: list[Any]) -> None:
    assert openai_1[scene] == raised


def test_openai_1_speaks(openai_1: Seen) -> None:
    assert openai_1["speech"] == BYTES_OF_A_SECOND
    assert len(openai_1["streamed speech"]) > 5
    assert sum(openai_1["streamed speech"]) == BYTES_OF_A_SECOND


def test_openai_1_lists_the_models(openai_1: Seen) -> None:
    assert {"whisper-base", "hibari-tts"} <= set(openai_1["models"])


# xinference-client 1.x


def test_xinference_1_transcribes(xinference_1: Seen) -> None:
    assert xinference_1["handle"] == "RESTfulAudioModelHandle"
    assert xinference_1["json"]["text"] == "440. 880."
    assert_both_granularities(xinference_1["verbose_json"])


def test_xinference_1_translates(xinference_1: Seen) -> None:
    assert xinference_1["translation"]["text"] == "440. 880."


def test_xinference_1_speaks(xinference_1: Seen) -> None:
    assert xinference_1["speech"] == BYTES_OF_A_SECOND
    assert all(xinference_1["streamed speech"])
    assert sum(xinference_1["streamed speech"]) == BYTES_OF_A_SECOND


def test_xinference_1_launches_and_terminates(xinference_1: Seen) -> None:
    assert xinference_1["launched"] == "mine"
    assert xinference_1["listed"]["model_name"] == "whisper-tiny.en"
    assert xinference_1["terminated"] is None


@pytest.mark.parametrize(
    ("scene", "detail"),
    [
        ("letter", "Failed to transcribe the audio, detail: Invalid file format."),
        ("voice to clone", "Failed to speech the text, detail: The model hibari-tts does not clone voices"),
        ("translation by an English model", "Failed to translate the audio, detail: Model whisper-tiny.en is not"),
        ("described", "Failed to get the model description, detail: The model 'mine' does not exist."),
        ("without a key", "Failed to list model, detail: Incorrect API key provided."),
    ],
)
def test_xinference_1_raises_what_went_wrong(xinference_1: Seen, scene: str, detail: str) -> None:
    assert xinference_1[scene].startswith(f"RuntimeError: {detail}")


# openai-node


def test_openai_node_transcribes_a_file_while_it_reads_it(openai_node: Seen) -> None:
    assert openai_node["json"]["text"] == "440. 880."
    assert_both_granularities(openai_node["verbose_json"])
    assert openai_node["text"] == "440. 880.\n"


def test_openai_node_reads_a_stream_of_events(openai_node: Seen) -> None:
    assert_streamed(openai_node["stream"])


@pytest.mark.parametrize(
    ("scene", "thrown"),
    [
        ("letter", ["BadRequestError", 400, "invalid_file_format", "file", True]),
        ("large file", ["APIError", 413, "file_too_large", "file", True]),
        ("unknown model", ["NotFoundError", 404, "model_not_found", "model", True]),
        ("wrong key", ["AuthenticationError", 401, "invalid_api_key", None, True]),
        ("stream that fails", ["InternalServerError", 500, "engine_failed", None, True]),
        ("speech that fails", ["TypeError"]),  # which is how fetch says that the connection broke off
    ],
)
def test_openai_node_throws_what_went_wrong(openai_node: Seen, scene: str, thrown: list[Any]) -> None:
    assert openai_node[scene] == thrown


def test_openai_node_speaks(openai_node: Seen) -> None:
    assert openai_node["speech"] == BYTES_OF_A_SECOND
    assert len(openai_node["streamed speech"]) > 5
    assert sum(openai_node["streamed speech"]) == BYTES_OF_A_SECOND


# curl

Curl = Callable[..., tuple[int, dict[str, str], str]]


@pytest.fixture
def curl(address: str) -> Curl:
    """Send curl's arguments to the transcriptions; status, headers and body of what comes back."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("there is no curl")

    def run(*arguments: str, body: bytes = b"") -> tuple[int, dict[str, str], str]:
        line = [
            program, "--silent", "--show-error", "--include", "--max-time", "20", "--noproxy", "*",
            "--header", f"Authorization: Bearer {KEY}", *arguments, f"{address}/v1/audio/transcriptions",
        ]  # fmt: skip
        said = subprocess.run(line, input=body, capture_output=True, timeout=30, check=True).stdout.decode()
        head, _, answer = said.partition("\r\n\r\n")
        status, *headers = head.split("\r\n")
        return int(status.split()[1]), {name.lower(): value for name, value in _pairs(headers)}, answer

    return run


def _pairs(headers: list[str]) -> Iterator[tuple[str, str]]:
    for header in headers:
        name, _, value = header.partition(": ")
        yield name, value


def error_code(answer: str) -> str:
    body = json.loads(answer)
    assert body["detail"] == body["error"]["message"]
    code: str = body["error"]["code"]
    return code


def test_curl_gets_plain_text(curl: Curl, recordings: Path) -> None:
    fields = ("-F", f"file=@{recordings}/two-words.wav", "-F", "model=whisper-1", "-F", "response_format=text")
    status, headers, answer = curl(*fields)
    assert (status, headers["content-type"], answer) == (200, "text/plain; charset=utf-8", "440. 880.\n")


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=b"], ids=["no boundary", "truncated"]
)
def test_a_form_that_curl_got_wrong_is_400(curl: Curl, content_type: str) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + wav_file(TWO_WORDS)
    status, _, answer = curl("-H", f"Content-Type: {content_type}", "--data-binary", "@-", body=form)
    assert (status, error_code(answer)) == (400, "invalid_multipart")


JSON: Final = ("-H", "Content-Type: application/json", "--data-binary", "@-")


def test_curl_may_send_the_file_within_json(curl: Curl) -> None:
    file = base64.b64encode(wav_file(TWO_WORDS)).decode()
    status, _, answer = curl(*JSON, body=json.dumps({"model": "whisper-1", "file": file}).encode())
    assert (status, json.loads(answer)["text"]) == (200, "440. 880.")


def test_what_stands_for_a_file_in_an_example_is_400(curl: Curl) -> None:
    status, _, answer = curl(*JSON, body=b'{"model": "whisper-1", "file": "<audio bytes>"}')
    assert status == 400
    assert error_code(answer)


def test_curl_is_told_of_the_right_method(curl: Curl) -> None:
    status, headers, answer = curl("-X", "PUT")
    assert (status, headers["allow"], error_code(answer)) == (405, "POST", "method_not_allowed")


# A full queue, and clients that leave


@contextmanager
def server_of_one(models: ScriptedModels) -> Iterator[str]:
    """One upload and one speech at a time."""
    with running(scripted_application(models, Settings(max_queued_uploads=1, max_sessions=1))) as address:
        yield f"{address}/v1"


class _Gate(asyncio.Event):
    """Says when somebody stands before it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()

    async def wait(self) -> Any:
        self.reached.set()
        return await super().wait()


def test_a_client_that_is_told_to_come_back_does_so_by_itself() -> None:
    recognizer = ScriptedRecognizer("whisper-base")
    recognizer.free = 1
    gate = recognizer.gate = asyncio.Event()
    models = ScriptedModels()
    models.recognizers[recognizer.name] = recognizer
    answers: list[int] = []

    def make_room_after_a_refusal(answer: Any) -> None:
        answers.append(answer.status_code)
        if answer.status_code == 429:
            assert recognizer.loop is not None
            recognizer.loop.call_soon_threadsafe(gate.set)

    hooks = {"response": [make_room_after_a_refusal]}
    with (
        server_of_one(models) as address,
        openai.OpenAI(base_url=address, api_key="any", max_retries=0) as first,
        openai.OpenAI(
            base_url=address, api_key="any", http_client=openai.DefaultHttpxClient(event_hooks=hooks)
        ) as second,
        first.audio.transcriptions.create(model="whisper-1", file=wav_file(LONG), stream=True) as stream,
    ):
        next(stream)
        assert second.audio.transcriptions.create(model="whisper-1", file=wav_file(TWO_WORDS)).text == "440. 880."
    assert answers == [429, 200]


def test_a_client_that_leaves_gives_its_upload_s_place_back_within_a_second() -> None:
    recognizer = ScriptedRecognizer("whisper-base")
    gate = recognizer.gate = _Gate()
    models = ScriptedModels()
    models.recognizers[recognizer.name] = recognizer

    async def leave_while_it_is_transcribed(address: str) -> None:
        async with openai.AsyncOpenAI(base_url=address, api_key="any", max_retries=0) as client:
            asked = asyncio.create_task(client.audio.transcriptions.create(model="whisper-1", file=wav_file(LONG)))
            assert await asyncio.to_thread(gate.reached.wait, 10)
            asked.cancel()

    with server_of_one(models) as address, openai.OpenAI(base_url=address, api_key="any", max_retries=0) as client:
        asyncio.run(leave_while_it_is_transcribed(address))
        assert recognizer.given_up.wait(1)
        recognizer.gate = None
        within_a_second(lambda: client.audio.transcriptions.create(model="whisper-1", file=wav_file(TWO_WORDS)))


def test_a_listener_who_leaves_gives_his_place_back_within_a_second() -> None:
    synthesizer = ScriptedSynthesizer("hibari-tts")
    synthesizer.gate = asyncio.Event()
    models = ScriptedModels()
    models.synthesizers[synthesizer.name] = synthesizer
    with server_of_one(models) as address, openai.OpenAI(base_url=address, api_key="any", max_retries=0) as client:
        with client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input="Ten chars.", response_format="pcm", extra_body={"stream": True}
        ) as answer:
            next(answer.iter_bytes())
        synthesizer.gate = None
        within_a_second(lambda: client.audio.speech.create(model="tts-1", voice="alloy", input="Hello."))


def within_a_second(attempt: Callable[[], object]) -> None:
    """Attempt it until there is room."""
    deadline = time.monotonic() + 1
    while True:
        try:
            attempt()
        except openai.RateLimitError:
            assert time.monotonic() < deadline
        else:
            return
