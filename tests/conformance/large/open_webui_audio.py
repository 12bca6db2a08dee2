"""Open WebUI: the functions of its wheel that call a speech service, with a browser that is one object.

Its audio package is loaded as it is. What that imports of the rest of Open WebUI (database, users, configuration) is
replaced by the few values that it reads.
"""

import ast
import asyncio
import importlib.util
import json
import sys
import tempfile
import wave
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from reporting import ADDRESS, RATE, RECORDINGS, SENTENCE, recording, report, until, words

PACKAGE = Path(importlib.util.find_spec("open_webui").submodule_search_locations[0])  # type: ignore[union-attr, index]
USER = SimpleNamespace(id="user", role="admin", name="User", email="user@example.com")
MODEL = SimpleNamespace(meta=SimpleNamespace(voice_avatar=None, model_dump=dict))
CONFIGURED: dict[str, Any] = {
    "audio.realtime.enabled": True,
    "audio.realtime.openai.api_base_url": f"http://{ADDRESS}/v1",
    "audio.realtime.openai.api_key": "none",
    "audio.realtime.provider": "openai",
    "audio.realtime.auth_type": "api_key",
    "audio.realtime.model": "gpt-realtime",
    "audio.realtime.voice": "alloy",
    "audio.realtime.transcription_model": "gpt-4o-mini-transcribe",
    "audio.tts.engine": "openai",
    "audio.tts.model": "tts-1",
    "audio.tts.voice": "alloy",
    "audio.tts.openai.api_base_url": f"http://{ADDRESS}/v1",
    "audio.tts.openai.api_key": "none",
    "audio.stt.engine": "openai",
    "audio.stt.model": "whisper-1",
    "audio.stt.openai.api_base_url": f"http://{ADDRESS}/v1",
    "audio.stt.openai.api_key": "none",
    "audio.stt.openai.api_request_format": "multipart",
}


class Config:
    """Stands for the table of settings."""

    @staticmethod
    async def get(name: str) -> Any:
        return CONFIGURED.get(name)

    @staticmethod
    async def get_many(*names: str) -> dict[str, Any]:
        return {name: CONFIGURED.get(name) for name in names}


class ModelVoice:
    """Stands for the voice of a chat model, which has none of its own."""

    voice = None

    @classmethod
    def model_validate(cls, _: object) -> "ModelVoice":
        return cls()


def returning(value: Any) -> Callable[..., Any]:
    async def function(*_: object, **__: object) -> Any:
        return value

    return function


def prompts() -> dict[str, str]:
    """Return the default prompts of the wheel's configuration module."""
    tree = ast.parse((PACKAGE / "config.py").read_text())
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.startswith("DEFAULT_REALTIME_")
    }


def load_audio() -> Any:
    """Load `open_webui.routers.audio` of the wheel beside stand-ins for its other modules."""
    import aiohttp

    session: aiohttp.ClientSession | None = None

    async def get_session() -> aiohttp.ClientSession:
        nonlocal session
        session = session or aiohttp.ClientSession()
        return session

    codec = SimpleNamespace(loads=json.loads, dumps=json.dumps)
    environment = {"AIOHTTP_CLIENT_SESSION_SSL": False, "AIOHTTP_FILE_STREAM_CHUNK_SIZE": 65_536}
    environment |= {"BYPASS_PYDUB_PREPROCESSING": True, "USE_SLIM": True}
    configuration = {**prompts(), "CACHE_DIR": Path(tempfile.mkdtemp())}
    events = SimpleNamespace(AUDIO_SPEECH_REQUESTED="speech", AUDIO_TRANSCRIPTION_COMPLETED="transcription")
    modules: dict[str, dict[str, Any]] = {
        "": {},
        ".routers": {},
        ".models": {},
        ".utils": {},
        ".config": configuration,
        ".constants": {},
        ".env": environment,
        ".events": {"EVENTS": events, "publish_event": returning(None)},
        ".models.chats": {},
        ".models.config": {"Config": Config},
        ".models.models": {"Models": SimpleNamespace(get_model_by_id=returning(MODEL)), "ModelVoice": ModelVoice},
        ".utils.access_control": {"has_permission": returning(True)},
        ".utils.auth": {
            "get_admin_user": returning(USER),
            "get_verified_user": returning(USER),
            "get_verified_user_by_token": returning(USER),
        },
        ".utils.headers": {},
        ".utils.json_codec": {"JSONCodec": codec},
        ".utils.misc": {},
        ".utils.models": {"check_model_access": returning(None)},
        ".utils.session_pool": {"get_session": get_session},
        ".utils.voice_avatar": {"avatar_animation_tools": lambda gestures: []},
    }
    for name, values in modules.items():
        module = ModuleType(f"open_webui{name}")
        module.__path__ = []
        module.__dict__.update(values, __getattr__=lambda name: None)
        sys.modules[module.__name__] = module
    folder = PACKAGE / "routers/audio"
    spec = importlib.util.spec_from_file_location(
        "open_webui.routers.audio", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    audio = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = audio
    spec.loader.exec_module(audio)
    return audio


AUDIO = load_audio()
REQUEST = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace()))


async def spoken(text: str) -> bytes:
    """Return what Open WebUI would play for a text."""
    body = json.dumps({"input": text, "voice": "alloy"}).encode()
    answer = await AUDIO.speech(SimpleNamespace(**vars(REQUEST), body=returning(body)), USER)
    return await asyncio.to_thread(Path(answer.path).read_bytes)


async def heard(name: str) -> str:
    """Return what Open WebUI would show for an upload."""
    path = Path(tempfile.mkdtemp()) / "upload.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(recording(name))
    answer: dict[str, str] = await AUDIO.transcribe(REQUEST, str(path), {}, USER)
    return answer["text"]


async def speech() -> None:
    assert len(await spoken("Good morning.")) > 3_000


async def speech_over_realtime() -> None:
    CONFIGURED["audio.tts.engine"] = "openai-realtime"
    wav = await spoken(SENTENCE)
    seconds = len(wav) / 2 / RATE
    assert 2 < seconds < 6, f"{seconds:.1f} s of audio: something else was read"
    (RECORDINGS / "open-webui-said.pcm").write_bytes(wav[44:])
    text = await heard("open-webui-said")
    assert words(text) == SENTENCE, text


async def lists() -> None:
    CONFIGURED["audio.tts.engine"] = "openai"
    assert {"id", "name"} <= (await AUDIO.get_voices(REQUEST, USER))["voices"][0].keys()
    assert "id" in (await AUDIO.get_models(REQUEST, USER))["models"][0]


async def upload() -> None:
    assert "yellow flowers" in await heard("turn")


async def upload_as_json() -> None:
    CONFIGURED["audio.stt.openai.api_request_format"] = "json"
    assert "yellow flowers" in await heard("turn")


class Browser:
    """The page of a call: what `realtime_call` takes for its websocket."""

    def __init__(self) -> None:
        self.app = SimpleNamespace(state=SimpleNamespace(redis=None, MODELS={"chat": {"id": "chat"}}))
        self._sent: asyncio.Queue[str] = asyncio.Queue()
        self.events: list[dict[str, Any]] = []
        self.closed = False
        self.response_id = ""
        self.send({"type": "auth", "token": "token", "model_id": "chat"})

    def send(self, event: dict[str, Any]) -> None:
        self._sent.put_nowait(json.dumps(event))

    async def accept(self) -> None:
        pass

    async def receive_text(self) -> str:
        return await self._sent.get()

    async def send_json(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        match event["type"]:
            case "response.created":
                self.response_id = event["response"]["id"]
            case "response.done":
                self.response_id = ""
            case "conversation.item.input_audio_transcription.completed" if event["transcript"].strip():
                if self.response_id:
                    self.stop_speaking()
                self.send({"type": "bridge.respond", "item_id": event["item_id"]})

    def stop_speaking(self) -> None:
        """Cancel the answer, of which 1.2 s have been played."""
        self.send({"type": "response.cancel", "response_id": self.response_id})
        (*_, delta) = self.of("response.output_audio.delta")
        position = {"item_id": delta["item_id"], "content_index": 0, "audio_end_ms": 1_200}
        self.send({"type": "conversation.item.truncate", **position})

    async def close(self) -> None:
        self.closed = True

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def answer(self) -> str:
        """Return what the newest finished response has said."""
        parts = self.of("response.done")[-1]["response"]["output"][-1].get("content", [])
        return "".join(part.get("transcript") or "" for part in parts)

    async def finished(self, count: int) -> None:
        await until(lambda: self.closed or len(self.of("response.done")) >= count, f"response {count}", 25)
        assert not self.closed, self.of("bridge.error")


class Call:
    """One call and its checks."""

    def __init__(self) -> None:
        self.browser = Browser()
        self.running = asyncio.create_task(AUDIO.realtime.realtime_call(self.browser))

    async def say(self, name: str, speed: float = 4.0) -> None:
        from base64 import b64encode

        from reporting import speak

        async def send(pcm: bytes) -> None:
            self.browser.send({"type": "input_audio_buffer.append", "audio": b64encode(pcm).decode()})

        await speak(name, send, speed)

    async def connect(self) -> None:
        await until(lambda: self.browser.events, "first event")
        assert self.browser.events[0]["type"] == "bridge.ready", self.browser.events
        history = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Good morning."}]
        self.browser.send({"type": "bridge.context", "messages": history})

    async def turn(self) -> None:
        await self.say("turn")
        await self.browser.finished(1)
        assert words(self.browser.answer()) == f"you said {SENTENCE}", self.browser.answer()

    async def second_turn(self) -> None:
        await self.say("second")
        await self.browser.finished(2)
        assert f"before that you said {SENTENCE}" in words(self.browser.answer()), self.browser.answer()

    async def tool(self) -> None:
        """Ask for the chat model, which is a function of the call; its answer is spoken, a status meanwhile."""
        await self.say("completion")
        await self.browser.finished(3)
        item = self.browser.of("response.done")[-1]["response"]["output"][-1]
        assert item["name"] == "generate_chat_completion", item
        call_id = item["call_id"]
        self.browser.send({"type": "bridge.status", "status": "working"})
        result = {"type": "bridge.result", "call_id": call_id, "status": "completed", "answer": "Sunny and warm."}
        self.browser.send(result)
        self.browser.send({"type": "bridge.respond", "call_id": call_id})
        await self.browser.finished(5)
        said = [
            part.get("transcript")
            for event in self.browser.of("response.done")[3:]
            for item in event["response"]["output"]
            for part in item.get("content", [])
        ]
        assert any("Sunny and warm." in text for text in said), said

    async def false_alarm(self) -> None:
        audio = len(self.browser.of("response.output_audio.delta"))
        await self.say("turn")
        await until(lambda: len(self.browser.of("response.output_audio.delta")) > audio, "audio of the answer")
        await self.say("noise", 1)
        await self.browser.finished(6)
        assert self.browser.of("response.done")[-1]["response"]["status"] == "completed"

    async def barge_in(self) -> None:
        audio = len(self.browser.of("response.output_audio.delta"))
        await self.say("long")
        await until(lambda: len(self.browser.of("response.output_audio.delta")) > audio, "audio of the answer")
        await asyncio.sleep(1.5)
        await self.say("interruption", 1)
        await self.browser.finished(8)
        assert self.browser.of("response.done")[6]["response"]["status"] == "cancelled"
        assert "Stop now" in self.browser.answer(), self.browser.answer()

    async def no_errors(self) -> None:
        assert not self.browser.closed
        self.running.cancel()


async def main() -> None:
    checks = {
        "speech": speech,
        "lists": lists,
        "speech over realtime": speech_over_realtime,
        "upload": upload,
        "upload as JSON": upload_as_json,
    }
    await report(checks)
    call = Call()
    await report(
        {
            "connect": call.connect,
            "turn": call.turn,
            "second turn": call.second_turn,
            "tool": call.tool,
            "false alarm": call.false_alarm,
            "barge-in": call.barge_in,
            "errors": call.no_errors,
        }
    )


asyncio.run(main())
