"""pipecat-ai: a pipeline around `OpenAIRealtimeLLMService`, with a microphone and a loudspeaker."""

import asyncio
import sys

from loguru import logger
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMRunFrame,
    OutputAudioRawFrame,
    StartFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.workers.runner import WorkerRunner
from reporting import ADDRESS, RATE, SENTENCE, assert_cut, assert_whole, report, speak, until, words

WEATHER = FunctionSchema(
    name="get_weather",
    description="Get the weather of a city.",
    properties={"city": {"type": "string"}},
    required=["city"],
)


class Loudspeaker(BaseOutputTransport):
    """Plays nothing, but takes as long as playing would."""

    def __init__(self) -> None:
        super().__init__(TransportParams(audio_out_enabled=True, audio_out_sample_rate=RATE))
        self.heard_seconds = 0.0
        self.interruptions = 0

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        self.interruptions += isinstance(frame, InterruptionFrame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        seconds = len(frame.audio) / 2 / frame.sample_rate
        self.heard_seconds += seconds
        await asyncio.sleep(seconds)
        return True


class Conversation:
    """One pipeline and what it has reported so far."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self.errors: list[str] = []
        self.context = LLMContext(tools=ToolsSchema(standard_tools=[WEATHER]))
        self.llm = OpenAIRealtimeLLMService(
            api_key="none",
            base_url=f"ws://{ADDRESS}/v1/realtime",
            settings=OpenAIRealtimeLLMService.Settings(
                system_instruction="Be brief.",
                session_properties=events.SessionProperties(
                    audio=events.AudioConfiguration(
                        input=events.AudioInput(transcription=events.InputAudioTranscription())
                    )
                ),
            ),
        )
        self.llm.register_function("get_weather", self.get_weather)
        self.loudspeaker = Loudspeaker()
        aggregators = LLMContextAggregatorPair(self.context)
        pipeline = Pipeline([aggregators.user(), self.llm, self.loudspeaker, aggregators.assistant()])
        self.worker = PipelineWorker(
            pipeline, params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE), enable_rtvi=False
        )
        self.started = asyncio.Event()
        self.worker.event_handler("on_pipeline_started")(self.on_started)
        self.worker.event_handler("on_pipeline_error")(self.on_error)

    async def on_started(self, *_: object) -> None:
        self.started.set()

    async def on_error(self, _: object, frame: ErrorFrame) -> None:
        self.errors.append(str(frame.error))

    async def get_weather(self, call: FunctionCallParams) -> None:
        self.calls.append(dict(call.arguments))
        await call.result_callback("Sunny and warm.")

    async def send(self, pcm: bytes) -> None:
        await self.worker.queue_frame(InputAudioRawFrame(pcm, RATE, 1))

    async def say(self, name: str, speed: float = 4.0) -> None:
        await speak(name, self.send, speed)

    def texts(self, role: str) -> list[str]:
        return [
            str(message["content"])
            for message in self.context.get_messages()
            if isinstance(message, dict) and message.get("role") == role and isinstance(message.get("content"), str)
        ]

    async def answered(self, said: str, seconds: float = 25) -> None:
        """Wait until the newest answer in the context has these words."""
        await until(lambda: said in words(" ".join(self.texts("assistant")[-1:])), f'"{said}" in the context', seconds)

    async def connect(self) -> None:
        await asyncio.wait_for(self.started.wait(), 10)
        await self.worker.queue_frame(LLMRunFrame())

    async def turn(self) -> None:
        await self.say("turn")
        await self.answered(f"you said {SENTENCE}")
        assert self.loudspeaker.heard_seconds > 1
        await until(lambda: "yellow flowers" in " ".join(self.texts("user")), "transcript in the context")

    async def second_turn(self) -> None:
        await self.say("second")
        await self.answered(f"before that you said {SENTENCE}")

    async def tool(self) -> None:
        await self.say("tool")
        await self.answered("sunny and warm")
        assert self.calls == [{"city": "sample"}], self.calls

    async def false_alarm(self) -> None:
        heard = self.loudspeaker.heard_seconds
        await self.say("turn")
        await until(lambda: self.loudspeaker.heard_seconds > heard, "audio of the answer")
        interruptions = self.loudspeaker.interruptions
        await self.say("noise", 1)
        await self.answered("flowers before that you said please get weather for paris")
        assert self.loudspeaker.interruptions == interruptions

    async def nod(self) -> None:
        heard = self.loudspeaker.heard_seconds
        answers = len(self.texts("assistant"))
        await self.say("turn")
        await until(lambda: self.loudspeaker.heard_seconds > heard + 1, "audio of the answer")
        await self.say("nod", 1)
        await self.answered("before that you said")
        assert_whole(self.texts("assistant")[answers:])

    async def barge_in(self) -> None:
        heard = self.loudspeaker.heard_seconds
        await self.say("long")
        await until(lambda: self.loudspeaker.heard_seconds > heard + 1, "audio of the answer")
        interruptions = self.loudspeaker.interruptions
        await self.say("interruption", 1)
        await self.answered("stop now")
        assert self.loudspeaker.interruptions > interruptions
        assert_cut(self.texts("assistant")[-2])

    async def no_errors(self) -> None:
        assert not self.errors, self.errors


async def main() -> None:
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    conversation = Conversation()
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(conversation.worker)
    running = asyncio.create_task(runner.run())
    await report(
        {
            "connect": conversation.connect,
            "turn": conversation.turn,
            "second turn": conversation.second_turn,
            "tool": conversation.tool,
            "false alarm": conversation.false_alarm,
            "nod": conversation.nod,
            "barge-in": conversation.barge_in,
            "errors": conversation.no_errors,
        }
    )
    await conversation.worker.queue_frame(EndFrame())
    await asyncio.wait_for(running, 10)


asyncio.run(main())
