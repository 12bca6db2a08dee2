"""pipecat-ai: the services of OpenAI and Deepgram that only listen or only speak, with their default models."""

import asyncio
import sys

from loguru import logger
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.deepgram.tts import DeepgramTTSService
from pipecat.services.openai.stt import OpenAIRealtimeSTTService, OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.workers.runner import WorkerRunner
from reporting import ADDRESS, PIPER, RATE, SENTENCE, report, speak, until, words


class Sink(FrameProcessor):
    """Keeps what arrives at the end of the pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        self.frames.append(frame)
        await self.push_frame(frame, direction)

    def of(self, kind: type[Frame]) -> list[Frame]:
        return [frame for frame in self.frames if type(frame) is kind]


class Running:
    """A pipeline of one service."""

    def __init__(self, service: FrameProcessor) -> None:
        self.sink = Sink()
        self.errors: list[str] = []
        self.worker = PipelineWorker(
            Pipeline([service, self.sink]),
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
            enable_rtvi=False,
        )
        self.started = asyncio.Event()
        self.worker.event_handler("on_pipeline_started")(self._on_started)
        self.worker.event_handler("on_pipeline_error")(self._on_error)

    async def _on_started(self, *_: object) -> None:
        self.started.set()

    async def _on_error(self, _: object, frame: ErrorFrame) -> None:
        self.errors.append(str(frame.error))

    async def __aenter__(self) -> "Running":
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self.worker)
        self._running = asyncio.create_task(runner.run())
        await asyncio.wait_for(self.started.wait(), 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.worker.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def say(self, name: str) -> None:
        async def send(pcm: bytes) -> None:
            await self.worker.queue_frame(InputAudioRawFrame(pcm, RATE, 1))

        await speak(name, send, 1)


async def transcribed(service: FrameProcessor, *, local_vad: bool) -> Sink:
    async with Running(service) as running:
        if local_vad:
            await running.worker.queue_frame(VADUserStartedSpeakingFrame())
        await running.say("turn")
        if local_vad:
            await running.worker.queue_frame(VADUserStoppedSpeakingFrame())
        await until(lambda: running.sink.of(TranscriptionFrame) or running.errors, "transcript")
        assert not running.errors, running.errors
        assert words(running.sink.of(TranscriptionFrame)[0].text) == SENTENCE, running.sink.of(TranscriptionFrame)
        return running.sink


async def upload() -> None:
    await transcribed(OpenAISTTService(api_key="none", base_url=f"http://{ADDRESS}/v1"), local_vad=True)


async def realtime() -> None:
    service = OpenAIRealtimeSTTService(api_key="none", base_url=f"ws://{ADDRESS}/v1/realtime")
    await transcribed(service, local_vad=True)


async def realtime_with_server_vad() -> None:
    service = OpenAIRealtimeSTTService(
        api_key="none",
        base_url=f"ws://{ADDRESS}/v1/realtime",
        turn_detection={"type": "server_vad"},
        settings=OpenAIRealtimeSTTService.Settings(model="gpt-transcribe"),
    )
    sink = await transcribed(service, local_vad=False)
    assert sink.of(InterimTranscriptionFrame)


async def speech() -> None:
    for settings in (OpenAITTSService.Settings(), OpenAITTSService.Settings(model=PIPER)):
        await spoken(OpenAITTSService(api_key="none", base_url=f"http://{ADDRESS}/v1", settings=settings))


async def deepgram_live() -> None:
    sink = await transcribed(DeepgramSTTService(api_key="none", base_url=f"ws://{ADDRESS}"), local_vad=True)
    assert sink.of(InterimTranscriptionFrame)


async def deepgram_speech() -> None:
    await spoken(DeepgramTTSService(api_key="none", base_url=f"ws://{ADDRESS}"))


async def spoken(service: FrameProcessor) -> None:
    async with Running(service) as running:
        await running.worker.queue_frame(TTSSpeakFrame(SENTENCE))

        def seconds() -> float:
            return sum(len(frame.audio) / 2 / frame.sample_rate for frame in running.sink.of(TTSAudioRawFrame))

        await until(lambda: seconds() > 2.5 or running.errors, "audio")
        assert not running.errors, running.errors


async def main() -> None:
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    await report(
        {
            "upload": upload,
            "realtime": realtime,
            "realtime with server VAD": realtime_with_server_vad,
            "speech": speech,
            "Deepgram live": deepgram_live,
            "Deepgram speech": deepgram_speech,
        }
    )


asyncio.run(main())
