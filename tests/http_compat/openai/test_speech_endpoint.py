"""`POST /v1/audio/speech` with a scripted voice, which speaks a tenth of a second per character."""

import asyncio
import io
import json
import wave
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import Message

from realtime.audio.formats import Samples
from realtime.catalogue.names import lookup
from realtime.catalogue.table import ModelEntry
from realtime.catalogue.voices import AnyVoice
from realtime.errors import EngineError
from realtime.settings import Settings
from realtime.speech.style import PLAIN, SpeechStyle
from tests.support.asgi_requests import post
from tests.support.recordings import duration, tone, wav_file
from tests.support.scenarios import until
from tests.support.scripted_models import ScriptedModels, ScriptedSynthesizer, Serve
from tests.support.uploads import error

URL = "/v1/audio/speech"


def speak(client: TestClient, **fields: Any) -> Any:
    return client.post(URL, json={"model": "tts-1", "input": "Ten chars.", **fields})


@pytest.mark.parametrize(
    ("response_format", "media_type"),
    [
        ("mp3", "audio/mpeg"),
        ("opus", "audio/ogg"),
        ("aac", "audio/aac"),
        ("flac", "audio/flac"),
        ("wav", "audio/wav"),
    ],
)
def test_text_becomes_a_file_of_its_format(client: TestClient, response_format: str, media_type: str) -> None:
    answer = speak(client, response_format=response_format, stream=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert duration(answer.content) == pytest.approx(1.0, abs=0.07)


def test_the_default_format_is_mp3(client: TestClient) -> None:
    assert speak(client).headers["content-type"] == "audio/mpeg"


def test_pcm_is_bare_samples_at_24_khz(client: TestClient) -> None:
    answer = speak(client, response_format="pcm")
    assert answer.headers["content-type"] == "audio/pcm"
    assert len(answer.content) == pytest.approx(48_000, abs=8)


def test_a_whole_wav_has_exact_sizes(client: TestClient) -> None:
    with wave.open(io.BytesIO(speak(client, response_format="wav").content)) as reader:
        assert reader.getnframes() == pytest.approx(24_000, abs=4)


@pytest.mark.parametrize("response_format", ["mp3", "opus", "aac", "flac", "wav"])
def test_a_stream_is_one_file(client: TestClient, response_format: str) -> None:
    answer = speak(client, input="Many words, to be spoken. " * 4, response_format=response_format, stream=True)
    assert "content-length" not in answer.headers
    assert answer.headers["x-request-id"]
    assert duration(answer.content) == pytest.approx(10.3, abs=0.3)


def test_text_is_spoken_phrase_by_phrase(client: TestClient, synthesizer: ScriptedSynthesizer) -> None:
    assert speak(client, input="This is one sentence. This is another one.").status_code == 200
    assert [text.strip() for text, _, _ in synthesizer.spoken] == ["This is one sentence.", "This is another one."]


def test_text_is_an_alias_of_input(client: TestClient, synthesizer: ScriptedSynthesizer) -> None:
    assert client.post(URL, json={"model": "tts-1", "text": "Hello."}).status_code == 200
    assert synthesizer.spoken[0][0] == "Hello."


@pytest.mark.parametrize(
    ("voice", "spoken"),
    [(None, "amber"), ("", "amber"), ("birch", "birch"), ({"id": "birch"}, "birch"), ("alloy", "amber")],
)
def test_a_voice_is_a_name_an_object_or_the_default(
    client: TestClient, synthesizer: ScriptedSynthesizer, voice: object, spoken: str
) -> None:
    assert speak(client, voice=voice).status_code == 200
    assert synthesizer.spoken[0][1] == spoken


@pytest.mark.parametrize(
    ("voice", "header"),
    [("小明", "%E5%B0%8F%E6%98%8E"), ("a\r\nset-cookie: b", "a%0D%0Aset-cookie: b"), ("a+b(2)", "a+b(2)")],
)
def test_a_voice_whose_name_a_client_has_invented_is_encoded_in_the_header(
    client: TestClient, synthesizer: ScriptedSynthesizer, voice: str, header: str
) -> None:
    synthesizer.voices = AnyVoice(synthesizer.voices)
    answer = speak(client, voice=voice)
    assert (answer.status_code, answer.headers["x-vivavoce-voice"]) == (200, header)
    assert "set-cookie" not in answer.headers
    assert synthesizer.spoken[0][1] == voice


def test_the_speed_reaches_the_voice(client: TestClient, synthesizer: ScriptedSynthesizer) -> None:
    speak(client, speed=2)
    assert synthesizer.spoken[0][2] == 2.0


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"input": None}, "missing_required_parameter", "input"),
        ({"input": ""}, "invalid_value", "input"),
        ({"input": " \n"}, "invalid_value", "input"),
        ({"input": "?! 🙂"}, "invalid_value", "input"),
        ({"input": 7}, "invalid_type", "input"),
        ({"input": "x" * 101}, "string_above_max_length", "input"),
        ({"text": "x" * 101}, "string_above_max_length", "text"),
        ({"model": None}, "missing_required_parameter", "model"),
        ({"voice": 3}, "invalid_voice", "voice"),
        ({"voice": {}}, "invalid_voice", "voice"),
        ({"speed": 5}, "invalid_value", "speed"),
        ({"speed": True}, "invalid_type", "speed"),
        ({"speed": "fast"}, "invalid_type", "speed"),
        ({"response_format": "mp4"}, "unsupported_value", "response_format"),
        ({"stream": "yes"}, "invalid_type", "stream"),
        ({"stream_format": "text"}, "invalid_value", "stream_format"),
        ({"instructions": "x" * 4097}, "invalid_value", "instructions"),
        ({"instructions": 7}, "invalid_type", "instructions"),
        ({"kwargs": "no object"}, "invalid_value", "kwargs"),
        ({"kwargs": "[]"}, "invalid_value", "kwargs"),
        ({"kwargs": []}, "invalid_type", "kwargs"),
        ({"kwargs": {"prompt_text": "What I say in it."}}, "unsupported_value", "kwargs"),
        ({"kwargs": '{"prompt_text": "What I say in it."}'}, "unsupported_value", "kwargs"),
        ({"prompt_speech": "UklGRg=="}, "unsupported_value", "prompt_speech"),
    ],
)
def test_a_bad_field_is_400_and_named(serve: Serve, fields: dict[str, Any], code: str, param: str) -> None:
    answer = speak(serve(max_input_characters=100), **fields)
    assert error(answer) == (400, code, param)
    assert param in answer.json()["detail"] or "prompt_text" in answer.json()["detail"]


def test_a_missing_model_is_400(client: TestClient) -> None:
    assert error(client.post(URL, json={"input": "Hello."})) == (400, "missing_required_parameter", "model")


def test_names_that_mean_nothing_are_refused_where_the_settings_say_so(serve: Serve) -> None:
    client = serve(unknown_names="refuse")
    assert error(speak(client, model="kokoro")) == (404, "model_not_found", "model")
    assert error(speak(client, voice="af_bella")) == (400, "invalid_voice", "voice")


@pytest.mark.parametrize("stream", [False, True])
def test_a_response_names_its_model_and_voice(client: TestClient, stream: bool) -> None:
    headers = speak(client, model="tts-1-1106", voice="BIRCH ", stream=stream).headers
    assert (headers["x-vivavoce-model"], headers["x-vivavoce-voice"]) == ("hibari-tts", "birch")
    assert "x-vivavoce-substituted" not in headers


@pytest.mark.parametrize(
    ("fields", "substituted"),
    [
        ({"model": "kokoro"}, "model"),
        ({"voice": "af_bella(2)+af_sky(1)"}, "voice"),
        ({"model": "hexgrad/Kokoro-82M", "voice": "af_heart", "stream_format": "sse"}, "model, voice"),
    ],
)
def test_a_response_says_for_which_names_a_default_answered(
    client: TestClient, fields: dict[str, Any], substituted: str
) -> None:
    answer = speak(client, **fields)
    assert (answer.status_code, answer.headers["x-vivavoce-substituted"]) == (200, substituted)
    assert (answer.headers["x-vivavoce-model"], answer.headers["x-vivavoce-voice"]) == ("hibari-tts", "amber")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ({"speed": "2.0"}, ("Ten chars.", "amber", 2.0)),
        ({"speed": None, "voice": "undefined", "stream": "", "kwargs": "null"}, ("Ten chars.", "amber", 1.0)),
        ({"kwargs": {"seed": 7}, "response_format": " WAV", "stream_format": "Audio"}, ("Ten chars.", "amber", 1.0)),
        ({"input": "null"}, ("null", "amber", 1.0)),
    ],
)
def test_values_may_be_written_as_texts_and_texts_for_nothing_are_none(
    client: TestClient, synthesizer: ScriptedSynthesizer, written: dict[str, Any], spoken: tuple[str, str, float]
) -> None:
    assert speak(client, **written).status_code == 200
    assert synthesizer.spoken == [spoken]


@pytest.mark.parametrize(("stream", "streamed"), [("true", True), ("True", True), ("false", False), (0, False)])
def test_a_flag_may_be_written_as_text(client: TestClient, stream: object, streamed: bool) -> None:
    assert ("content-length" not in speak(client, stream=stream).headers) is streamed


@pytest.mark.parametrize(
    ("fields", "streamed"),
    [
        ({"response_format": "pcm"}, True),
        ({"response_format": "pcm", "stream": False}, False),
        ({"stream_format": "audio"}, True),
        ({"stream_format": "audio", "stream": False}, False),
        ({"response_format": "wav"}, False),
        ({"response_format": "flac"}, False),
        ({"response_format": "mp3"}, True),
        ({"response_format": "mp3", "stream": False}, False),
        ({"response_format": "opus"}, True),
        ({"response_format": "aac"}, True),
        ({}, True),
    ],
)
def test_voice_pipelines_which_never_ask_for_a_stream_get_one(
    client: TestClient, fields: dict[str, Any], streamed: bool
) -> None:
    assert ("content-length" not in speak(client, **fields).headers) is streamed


def test_the_query_has_what_the_body_lacks(client: TestClient, synthesizer: ScriptedSynthesizer) -> None:
    answer = client.post(f"{URL}?voice=birch&speed=2&model=tts-1", json={"input": "Hello.", "speed": 1})
    assert answer.status_code == 200
    assert synthesizer.spoken == [("Hello.", "birch", 1.0)]


def test_a_field_of_a_form_repeated_with_different_values_is_refused(client: TestClient) -> None:
    form = [("model", (None, "tts-1")), ("input", (None, "Hello."))]
    assert client.post(URL, files=[*form, ("voice", (None, "birch")), ("voice", (None, "birch"))]).status_code == 200
    repeated = client.post(URL, files=[*form, ("voice", (None, "birch")), ("voice", (None, "amber"))])
    assert error(repeated) == (400, "invalid_voice", "voice")


@pytest.mark.parametrize("model", ["whisper-base", "whisper-1"])
def test_a_model_for_another_task_is_400(client: TestClient, model: str) -> None:
    assert error(speak(client, model=model)) == (400, "unsupported_model", "model")


def test_instructions_are_accepted(client: TestClient) -> None:
    assert speak(client, instructions="Cheerfully.").status_code == 200


def test_a_form_is_equivalent_to_json(client: TestClient, synthesizer: ScriptedSynthesizer) -> None:
    fields = {
        "model": "hibari-tts", "input": "Ten chars.", "voice": "", "response_format": "wav", "speed": "2.0",
        "stream": "False", "kwargs": '{"seed": 7}',
    }  # fmt: skip
    answer = client.post(URL, files={name: (None, value) for name, value in fields.items()})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert synthesizer.spoken == [("Ten chars.", "amber", 2.0)]


def test_a_form_accepts_python_s_spelling_of_true(client: TestClient) -> None:
    fields = {"model": "tts-1", "text": "Ten chars.", "stream": "True"}
    answer = client.post(URL, files={name: (None, value) for name, value in fields.items()})
    assert answer.status_code == 200
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    ("field", "part", "code"),
    [
        ("prompt_speech", ("voice.wav", b"RIFF"), "unsupported_value"),
        ("prompt_latent", ("latent", b"1234"), "unsupported_value"),
        ("speed", (None, "nan"), "invalid_value"),
        ("speed", (None, "fast"), "invalid_type"),
        ("stream", (None, "perhaps"), "invalid_type"),
        ("instructions", ("a-file", b"Cheerfully."), "invalid_type"),
    ],
)
def test_a_bad_field_of_a_form_is_400_and_named(
    client: TestClient, field: str, part: tuple[str | None, str | bytes], code: str
) -> None:
    answer = client.post(URL, files={"model": (None, "tts-1"), "input": (None, "Ten chars."), field: part})
    assert error(answer) == (400, code, field)
    assert field in answer.json()["detail"]


def clone(client: TestClient, recording: bytes, **fields: str) -> Any:
    form = {"model": "ChatTTS", "input": "Ten chars.", **fields}
    files: dict[str, Any] = {name: (None, value) for name, value in form.items()}
    return client.post(URL, files=files | {"prompt_speech": ("prompt_speech", recording, "application/octet-stream")})


@pytest.mark.parametrize("fields", [{"prompt_text": "What I say."}, {"kwargs": '{"prompt_text": "What I say."}'}])
def test_a_recording_of_a_voice_reaches_the_model_with_its_words(
    client: TestClient, models: ScriptedModels, fields: dict[str, str]
) -> None:
    assert clone(client, wav_file(tone(2.0)), **fields).status_code == 200
    (style,) = models.synthesizers["ChatTTS"].styles
    assert style.clip is not None
    assert len(style.clip.samples) == 32_000
    assert style.clip.transcript == "What I say."


@pytest.mark.parametrize(
    ("recording", "code"),
    [
        (b"RIFF", "invalid_file_format"),
        (wav_file(tone(0.5)), "audio_too_short"),
        (wav_file(tone(31.0)), "audio_too_long"),
        (wav_file(tone(2.0))[:60], "audio_too_short"),
    ],
    ids=["broken", "short", "long", "truncated"],
)
def test_a_recording_that_cannot_be_cloned_is_refused(client: TestClient, recording: bytes, code: str) -> None:
    answer = clone(client, recording)
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == (code, "prompt_speech")


def test_a_recording_in_json_and_words_without_a_recording_are_refused(client: TestClient) -> None:
    assert error(speak(client, model="ChatTTS", prompt_speech="UklGRg=="))[::2] == (400, "prompt_speech")
    assert error(speak(client, model="ChatTTS", prompt_text="What I say."))[::2] == (400, "prompt_speech")


@pytest.mark.parametrize("fields", [{"instructions": "Slowly."}, {"kwargs": {"instruct_text": "Slowly."}}])
@pytest.mark.parametrize("response_format", ["mp3", "wav"])
def test_instructions_and_whether_it_is_streamed_reach_the_model(
    client: TestClient, models: ScriptedModels, fields: dict[str, Any], response_format: str
) -> None:
    assert speak(client, model="ChatTTS", response_format=response_format, **fields).status_code == 200
    (style,) = models.synthesizers["ChatTTS"].styles
    assert (style.instructions, style.streamed) == ("Slowly.", response_format == "mp3")


def test_a_form_without_a_boundary_is_400(client: TestClient) -> None:
    answer = client.post(URL, content=b"--b\r\n", headers={"content-type": "multipart/form-data"})
    assert error(answer) == (400, "invalid_multipart", None)


def test_a_truncated_form_is_400(client: TestClient) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ntts-1'
    answer = client.post(URL, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert error(answer) == (400, "invalid_multipart", None)


@pytest.mark.parametrize("stream", [False, True])
def test_text_that_the_model_cannot_speak_is_400(
    client: TestClient, synthesizer: ScriptedSynthesizer, stream: bool
) -> None:
    synthesizer.mute = True
    assert error(speak(client, stream=stream, response_format="wav")) == (400, "unsupported_language", "input")


def test_a_voice_that_fails_midway_ends_the_events_with_an_error(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = speak(client, input="It breaks 💥 here.", response_format="pcm", stream_format="sse")
    assert answer.status_code == 200
    *deltas, last = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n") if line]
    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    assert last["error"]["code"] == "engine_failed"
    assert answer.headers["x-request-id"] in caplog.text


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
def test_a_voice_that_fails_at_once_starts_no_stream(client: TestClient, stream_format: str) -> None:
    answer = speak(client, input="💥 is where it breaks.", stream=True, stream_format=stream_format)
    assert error(answer) == (500, "engine_failed", None)


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"[]", b'{"model":', b'{"model": "\xff"}', b'["\\ud800"]', b'{"x": ' + b"[" * 99_999],
)
def test_a_body_that_is_no_json_object_is_400(client: TestClient, body: bytes) -> None:
    answer = client.post(URL, content=body, headers={"content-type": "application/json"})
    assert error(answer) == (400, "invalid_json", None)


def test_an_unpaired_surrogate_is_400_and_its_field_is_named(client: TestClient) -> None:
    body = b'{"model": "tts-1", "input": "Half a \\ud83d face."}'
    answer = client.post(URL, content=body, headers={"content-type": "application/json"})
    assert error(answer) == (400, "invalid_value", "input")


def test_an_unsupported_media_type_is_415(client: TestClient) -> None:
    answer = client.post(URL, data={"model": "tts-1", "input": "Hello."})
    assert error(answer) == (415, "unsupported_media_type", None)
    assert answer.json()["error"]["message"].endswith(", or a multipart form.")


def test_a_body_without_a_type_is_415(client: TestClient) -> None:
    answer = client.post(URL, content=b'{"model": "tts-1", "input": "Hello."}')
    assert error(answer) == (415, "unsupported_media_type", None)


def test_one_request_too_many_is_429_with_retry_after(serve: Serve) -> None:
    answer = speak(serve(max_sessions=0))
    assert error(answer) == (429, "queue_full", None)
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_finished_request_releases_its_slot(serve: Serve, stream: bool) -> None:
    client = serve(max_sessions=1)
    assert speak(client, input="💥", stream=stream).status_code == 400
    assert speak(client, input="💥 is where it breaks.", stream=stream).status_code == 500
    assert [speak(client, stream=stream).status_code for _ in range(2)] == [200, 200]


def test_a_stream_occupies_its_slot_until_it_ends(application: Callable[[Settings], Starlette]) -> None:
    app = application(Settings(max_sessions=1))
    body = b'{"model": "tts-1", "input": "Ten chars.", "stream": true}'
    statuses: list[int] = []

    async def note(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def note_and_ask_again(message: Message) -> None:
        await note(message)
        if message["type"] == "http.response.start":
            await post(app, URL, "application/json", body, note)

    async def scene() -> None:
        await post(app, URL, "application/json", body, note_and_ask_again)
        await post(app, URL, "application/json", body, note)

    asyncio.run(scene())
    assert statuses == [200, 429, 200]


def test_a_client_that_reads_slowly_holds_no_engine(
    application: Callable[[Settings], Starlette], synthesizer: ScriptedSynthesizer
) -> None:
    app = application(Settings())
    text = " ".join(["This is a sentence of five seconds, more or less."] * 9)
    body = json.dumps({"model": "tts-1", "input": text, "response_format": "pcm"}).encode()
    spoken: list[int] = []

    async def read_slowly(message: Message) -> None:
        if message["type"] == "http.response.body" and not spoken:
            await until(lambda: len(synthesizer.spoken) >= 4)
            for _ in range(20):
                await asyncio.sleep(0)
            spoken.append(len(synthesizer.spoken))

    asyncio.run(post(app, URL, "application/json", body, read_slowly))
    assert spoken == [4]  # 15 s, of which the client has taken none
    assert len(synthesizer.spoken) == 10


def test_a_phrase_is_wanted_the_later_the_more_has_been_spoken(
    client: TestClient, synthesizer: ScriptedSynthesizer
) -> None:
    speak(client, input="This has twenty-nine letters. So has this one, or about. The end.")
    ahead = [style.seconds_ahead for style in synthesizer.styles]
    assert ahead == pytest.approx([0.0, 3.0, 5.8], abs=0.5)


@pytest.mark.parametrize("stream", [False, True])
def test_no_phrase_of_a_long_text_is_put_off_for_longer_than_ten_seconds(
    client: TestClient, synthesizer: ScriptedSynthesizer, stream: bool
) -> None:
    text = " ".join(["This is a sentence of five seconds, more or less."] * 9)
    speak(client, input=text, stream=stream)
    ahead = [style.seconds_ahead for style in synthesizer.styles]
    assert len(ahead) == 10
    assert (ahead[0], max(ahead)) == (0, 10)


def test_a_body_without_end_is_413(serve: Serve) -> None:
    assert error(speak(serve(max_input_characters=10), instructions="x" * 100_000)) == (413, "too_large", None)


@pytest.mark.parametrize("stream", [False, True])
def test_a_voice_that_fails_at_once_is_a_json_error(client: TestClient, stream: bool) -> None:
    answer = speak(client, input="💥 is where it breaks.", stream=stream, response_format="pcm")
    assert error(answer) == (500, "engine_failed", None)
    assert answer.headers["x-should-retry"] == "false"


def test_a_voice_that_fails_midway_is_a_json_error_unless_streamed(client: TestClient) -> None:
    assert error(speak(client, input="It breaks 💥 here.", stream=False)) == (500, "engine_failed", None)


@pytest.mark.parametrize("stream", [False, True])
def test_a_text_in_a_language_that_the_voice_does_not_speak_is_noticed(
    client: TestClient, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    answer = speak(client, input="Das Wetter ist heute schön.", stream=stream)
    assert (answer.status_code, answer.headers["x-vivavoce-text-language"]) == (200, "de")
    [line] = [each for each in caplog.messages if "hibari-tts does not speak" in each]
    assert answer.headers["x-request-id"] in line
    assert "Wetter" not in caplog.text


@pytest.mark.parametrize("stream", [False, True])
def test_the_language_of_a_text_is_looked_at_while_the_voice_speaks(
    client: TestClient, models: ScriptedModels, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = asyncio.Event()

    class Voice(ScriptedSynthesizer):
        async def synthesize(
            self, text: str, voice: str, speed: float, style: SpeechStyle = PLAIN
        ) -> AsyncGenerator[Samples, None]:
            async with asyncio.timeout(5):
                await looked.wait()
            async for chunk in super().synthesize(text, voice, speed, style):
                yield chunk

    async def look(text: str, entry: ModelEntry) -> None:
        looked.set()

    models.synthesizers["hibari-tts"] = Voice("hibari-tts")
    monkeypatch.setattr(models, "unspoken_language", look)
    assert speak(client, stream=stream).status_code == 200


def test_speech_of_which_the_language_cannot_be_told_is_stopped(
    client: TestClient, models: ScriptedModels, synthesizer: ScriptedSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(text: str, entry: ModelEntry) -> None:
        await until(lambda: len(synthesizer.spoken) == 1)
        raise EngineError("It is broken.")

    monkeypatch.setattr(models, "unspoken_language", fail)
    assert error(speak(client)) == (500, "engine_failed", None)
    assert synthesizer.closed.is_set()


def test_a_text_in_a_language_with_a_voice_of_its_own_is_spoken_by_that(
    client: TestClient, models: ScriptedModels, synthesizer: ScriptedSynthesizer
) -> None:
    models.voices_by_language["de"] = lookup("piper-de_DE-thorsten-medium")
    german = models.synthesizers["piper-de_DE-thorsten-medium"] = ScriptedSynthesizer("piper-de_DE-thorsten-medium")
    german.voices = ("thorsten", "eva")
    headers = speak(client, input="Das Wetter ist heute schön.", voice="birch").headers
    assert (headers["x-vivavoce-model"], headers["x-vivavoce-voice"]) == ("piper-de_DE-thorsten-medium", "thorsten")
    assert not {"x-vivavoce-text-language", "x-vivavoce-substituted"} & set(headers)
    assert (len(german.spoken), len(synthesizer.spoken)) == (1, 0)


@pytest.mark.parametrize(("voice", "speaker"), [("", "bf_one"), ("birch", "bf_one"), ("ff_two", "ff_two")])
def test_a_model_of_a_language_speaks_with_its_voice_of_that_language_unless_another_is_named(
    client: TestClient, models: ScriptedModels, voice: str, speaker: str
) -> None:
    models.voices_by_language["de"] = lookup("piper-de_DE-thorsten-medium")
    german = models.synthesizers["piper-de_DE-thorsten-medium"] = ScriptedSynthesizer("piper-de_DE-thorsten-medium")
    german.voices, german.languages = ("ff_two", "bf_one"), ("en", "fr")
    models.language_of_voice = "en"
    assert speak(client, input="Das Wetter ist heute schön.", voice=voice).headers["x-vivavoce-voice"] == speaker


def test_a_voice_that_only_the_model_of_a_language_has_is_spoken_by_that(
    client: TestClient, models: ScriptedModels
) -> None:
    models.owners["thorsten"] = lookup("piper-de_DE-thorsten-medium")
    german = models.synthesizers["piper-de_DE-thorsten-medium"] = ScriptedSynthesizer("piper-de_DE-thorsten-medium")
    german.voices = ("thorsten", "eva")
    headers = speak(client, input="Licht!", voice="thorsten").headers
    assert (headers["x-vivavoce-model"], headers["x-vivavoce-voice"]) == ("piper-de_DE-thorsten-medium", "thorsten")
    assert "x-vivavoce-substituted" not in headers


def test_a_voice_that_neither_the_default_nor_the_model_of_the_language_has_is_refused_if_names_are(
    serve: Serve, models: ScriptedModels
) -> None:
    models.voices_by_language["de"] = lookup("piper-de_DE-thorsten-medium")
    with serve(unknown_names="refuse") as client:
        answer = speak(client, input="Das Wetter ist heute schön.", voice="zoe")
    assert error(answer) == (400, "invalid_voice", "voice")


def test_a_text_in_a_language_that_the_voice_does_not_speak_can_be_refused(
    client: TestClient, models: ScriptedModels
) -> None:
    models.refuses_languages = True
    answer = speak(client, input="Das Wetter ist heute schön.")
    assert error(answer) == (400, "unsupported_language", None)
    assert "The text is in German" in answer.json()["error"]["message"]


def test_a_text_in_a_language_that_the_voice_speaks_is_not_noticed(client: TestClient) -> None:
    assert "x-vivavoce-text-language" not in speak(client, input="This is English.").headers


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("speed", "fast", "`speed` must be a number."),
        ("speed", 5, "`speed` must be a number of at most 4.0."),
        ("speed", 0.1, "`speed` must be a number of at least 0.25."),
        ("stream", "yes", "`stream` must be true or false."),
        ("input", ["Hello."], "`input` must be text."),
        ("instructions", "x" * 5000, "`instructions` must be text of at most 4096 characters."),
        ("stream_format", "mp3", "`stream_format` must be one of audio, sse."),
    ],
)
def test_an_error_says_what_a_field_must_be(client: TestClient, field: str, value: Any, message: str) -> None:
    assert speak(client, **{field: value}).json()["error"]["message"] == message
