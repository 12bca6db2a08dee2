"""The real `xinference_client` package, sync and async, against a real server on this machine."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import numpy as np
import pytest
from real_server import KEY, running
from recordings import duration, silence, tone, wav_file
from scripted_models import ScriptedModels
from starlette.applications import Starlette
from xinference_client import AsyncRESTfulClient, RESTfulClient

from realtime.settings import Settings

RECORDING = wav_file(np.concatenate([silence(1), tone(1, 440), silence(1)]))


@pytest.fixture
def address(application: Callable[[Settings], Starlette]) -> Iterator[str]:
    with running(application(Settings())) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[Any]:
    client = RESTfulClient(address)
    yield client
    client.close()


def asynchronously(address: str, scene: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    """Play a scene with an asynchronous client, which has to be made within a loop."""

    async def play() -> None:
        client = AsyncRESTfulClient(address)
        try:
            await scene(client)
        finally:
            await client.close()

    asyncio.run(play())


def test_a_recording_is_transcribed(client: Any) -> None:
    model = client.get_model("whisper-base")
    assert type(model).__name__ == "RESTfulAudioModelHandle"
    assert model.transcriptions(RECORDING)["text"] == "440."
    verbose = model.transcriptions(
        RECORDING, response_format="verbose_json", timestamp_granularities=["word", "segment"], hotword="440"
    )
    assert (len(verbose["words"]), len(verbose["segments"])) == (1, 1)


def test_a_text_is_spoken(client: Any) -> None:
    assert duration(client.get_model("hibari-tts").speech("Ten chars.")) == pytest.approx(1.0, abs=0.07)


def test_a_text_is_spoken_in_pieces_that_are_one_file(client: Any) -> None:
    pieces = client.get_model("hibari-tts").speech("Many words. " * 10, stream=True)
    assert inspect.isgenerator(pieces)
    received: list[Any] = list(pieces)
    assert len(received) > 5
    assert all(received)
    assert duration(b"".join(received)) == pytest.approx(12, abs=0.3)


def test_a_voice_to_clone_is_refused_in_words(client: Any) -> None:
    with pytest.raises(RuntimeError, match="hibari-tts does not clone voices"):
        client.get_model("hibari-tts").speech("Ten chars.", prompt_speech=RECORDING)


def test_a_model_is_launched_named_used_and_terminated(client: Any, models: ScriptedModels) -> None:
    assert client.launch_model("whisper-tiny", model_type="audio", model_uid="mine") == "mine"
    assert models.is_loaded("whisper-tiny")
    assert client.list_models()["mine"]["model_type"] == "audio"
    assert client.get_model("mine").transcriptions(RECORDING)["text"] == "440."
    assert client.terminate_model("mine") is None
    assert not models.is_loaded("whisper-tiny")
    with pytest.raises(RuntimeError, match="The model 'mine' does not exist"):
        client.describe_model("mine")


def test_an_unknown_model_is_not_launched(client: Any) -> None:
    with pytest.raises(RuntimeError, match="nobody"):
        client.launch_model("nobody", model_type="audio")


def test_a_launch_that_is_not_waited_for_is_still_named(client: Any) -> None:
    assert client.launch_model("whisper-tiny", model_type="audio", wait_ready=False) == "whisper-tiny"


@pytest.mark.filterwarnings("ignore:unclosed")  # the client leaves its first request to the garbage collector
def test_the_asynchronous_client_does_the_same(address: str, models: ScriptedModels) -> None:
    async def scene(client: Any) -> None:
        assert await client.launch_model("whisper-tiny", model_type="audio", model_uid="mine") == "mine"
        assert "mine" in await client.list_models()
        recognizer, voice = await client.get_model("mine"), await client.get_model("hibari-tts")
        assert (await recognizer.transcriptions(RECORDING))["text"] == "440."
        assert duration(await voice.speech("Ten chars.")) == pytest.approx(1.0, abs=0.07)
        pieces = [piece async for piece in await voice.speech("Many words. " * 10, stream=True)]
        assert duration(b"".join(pieces)) == pytest.approx(12, abs=0.3)
        with pytest.raises(RuntimeError, match="does not clone voices"):
            await voice.speech("Ten chars.", prompt_speech=RECORDING)
        await client.terminate_model("mine")
        assert not models.is_loaded("whisper-tiny")
        await recognizer.close()
        await voice.close()

    asynchronously(address, scene)


def test_a_key_is_sent_where_one_is_needed(application: Callable[[Settings], Starlette]) -> None:
    with running(application(Settings(api_keys=(KEY,)))) as address:
        client: Any = RESTfulClient(address, api_key=KEY)
        assert "whisper-base" in client.list_models()
        client.close()
        stranger: Any = RESTfulClient(address)
        with pytest.raises(RuntimeError, match="Incorrect API key provided"):
            stranger.list_models()
        stranger.login("anybody", KEY)
        assert "whisper-base" in stranger.list_models()
        stranger.close()
