"""semantic-kernel: a conversation with `OpenAIRealtimeWebsocket`, whose functions the kernel calls by itself."""

import asyncio
from typing import Any

import numpy as np
from openai import AsyncOpenAI
from reporting import ADDRESS, SENTENCE, assert_whole, report, speak, until, words
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import (
    ListenEvents,
    OpenAIRealtimeExecutionSettings,
    OpenAIRealtimeWebsocket,
)
from semantic_kernel.contents import AudioContent
from semantic_kernel.contents.realtime_events import RealtimeAudioEvent
from semantic_kernel.functions import kernel_function


class Weather:
    """A plugin of the kernel."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    @kernel_function(name="get_weather", description="Get the weather of a city.")
    def get_weather(self, city: str) -> str:
        self.calls.append(city)
        return "Sunny and warm."


class Conversation:
    """One session and what it has reported so far."""

    def __init__(self) -> None:
        self.weather = Weather()
        kernel = Kernel()
        kernel.add_plugin(self.weather, "Please")  # the function is called Please-get_weather, which "tool" says
        client = AsyncOpenAI(base_url=f"http://{ADDRESS}/v1", api_key="none")
        settings = OpenAIRealtimeExecutionSettings(
            instructions="Be brief.",
            voice="alloy",
            turn_detection={"type": "server_vad"},
            input_audio_transcription={"model": "whisper-1"},
            function_choice_behavior=FunctionChoiceBehavior.Auto(),
        )
        self.service = OpenAIRealtimeWebsocket(ai_model_id="gpt-realtime", client=client)
        self.session = self.service(settings=settings, kernel=kernel)
        self.audio_events = 0
        self.interruptions = 0
        self.errors: list[Any] = []
        self.responses: list[Any] = []

    async def listen(self) -> None:
        async for event in self.service.receive():
            match event.service_type:
                case _ if isinstance(event, RealtimeAudioEvent):
                    self.audio_events += 1
                case ListenEvents.INPUT_AUDIO_BUFFER_SPEECH_STARTED:
                    self.interruptions += 1
                case ListenEvents.RESPONSE_DONE:
                    self.responses.append(event.service_event.response)
                case ListenEvents.ERROR:
                    self.errors.append(event.service_event)

    async def say(self, name: str, speed: float = 4.0) -> None:
        async def send(pcm: bytes) -> None:
            audio = AudioContent(data=np.frombuffer(pcm, np.int16), data_format="base64")
            await self.service.send(RealtimeAudioEvent(audio=audio))

        await speak(name, send, speed)

    async def answering(self, name: str) -> None:
        """Say something and wait for the first audio of the answer."""
        audio = self.audio_events
        await self.say(name)
        await until(lambda: self.audio_events > audio, "audio of the answer")

    def answer(self, number: int = -1) -> str:
        return "".join(part.transcript or "" for part in self.responses[number].output[-1].content or ())

    async def responded(self, count: int) -> None:
        await until(lambda: len(self.responses) >= count, f"response {count}", 30)

    async def turn(self) -> None:
        await self.say("turn")
        await self.responded(1)
        assert words(self.answer()) == f"you said {SENTENCE}", self.responses
        assert self.audio_events > 5

    async def second_turn(self) -> None:
        await self.say("second")
        await self.responded(2)
        assert f"before that you said {SENTENCE}" in words(self.answer()), self.responses[-1]

    async def tool(self) -> None:
        await self.say("tool")
        await self.responded(4)
        assert self.weather.calls == ["sample"], self.weather.calls
        assert "Sunny and warm." in self.answer(), self.responses[-1]

    async def false_alarm(self) -> None:
        await self.answering("turn")
        interruptions = self.interruptions
        await self.say("noise", 1)
        await self.responded(5)
        assert (self.responses[-1].status, self.interruptions) == ("completed", interruptions)

    async def nod(self) -> None:
        await self.answering("turn")
        await asyncio.sleep(1)
        await self.say("nod", 1)
        await self.responded(7)
        assert_whole([self.answer(5), self.answer(6)])

    async def barge_in(self) -> None:
        await self.answering("long")
        await asyncio.sleep(1.5)
        interruptions = self.interruptions
        await self.say("interruption", 1)
        await self.responded(9)
        assert self.responses[7].status == "cancelled", self.responses[7]
        assert self.interruptions > interruptions
        assert "Stop now" in self.answer(), self.responses[-1]

    async def no_errors(self) -> None:
        assert not self.errors, self.errors


async def main() -> None:
    conversation = Conversation()
    async with conversation.session:
        listening = asyncio.create_task(conversation.listen())
        await report(
            {
                "turn": conversation.turn,
                "second turn": conversation.second_turn,
                "tool": conversation.tool,
                "false alarm": conversation.false_alarm,
                "nod": conversation.nod,
                "barge-in": conversation.barge_in,
                "errors": conversation.no_errors,
            }
        )
        listening.cancel()


asyncio.run(main())
