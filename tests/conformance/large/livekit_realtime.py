"""livekit-agents: an `AgentSession` over `openai.realtime.RealtimeModel`, with a microphone and a loudspeaker."""

import asyncio
import time

from livekit import rtc
from livekit.agents import Agent, AgentSession, function_tool
from livekit.agents.voice import io
from livekit.plugins import openai
from reporting import ADDRESS, RATE, SENTENCE, assert_cut, assert_whole, report, speak, until, words


class Microphone(io.AudioInput):
    """Frames as they are spoken."""

    def __init__(self) -> None:
        super().__init__(label="microphone")
        self._frames: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.get()

    async def send(self, pcm: bytes) -> None:
        self._frames.put_nowait(rtc.AudioFrame(pcm, RATE, 1, len(pcm) // 2))


class Loudspeaker(io.AudioOutput):
    """Plays nothing, but takes as long as playing would."""

    def __init__(self) -> None:
        super().__init__(label="loudspeaker", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=RATE)
        self.heard_seconds = 0.0
        self._began = 0.0
        self._queued_seconds = 0.0
        self._playing: asyncio.Task[None] | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._queued_seconds:
            self._began = time.monotonic()
            self.on_playback_started(created_at=time.time())
        self._queued_seconds += frame.duration

    def flush(self) -> None:
        super().flush()
        if self._queued_seconds and self._playing is None:
            self._playing = asyncio.create_task(self._play_to_the_end())

    def clear_buffer(self) -> None:
        if self._playing is not None:
            self._playing.cancel()
        if self._queued_seconds:
            self._finish(min(time.monotonic() - self._began, self._queued_seconds), interrupted=True)

    async def _play_to_the_end(self) -> None:
        await asyncio.sleep(self._began + self._queued_seconds - time.monotonic())
        self._finish(self._queued_seconds, interrupted=False)

    def _finish(self, played: float, *, interrupted: bool) -> None:
        self._queued_seconds, self._playing = 0.0, None
        self.heard_seconds += played
        self.on_playback_finished(playback_position=played, interrupted=interrupted)

    @property
    def sounding(self) -> bool:
        return self._queued_seconds > 0


class Assistant(Agent):
    """An agent with one tool."""

    def __init__(self) -> None:
        super().__init__(instructions="Be brief.")
        self.calls: list[str] = []

    @function_tool
    async def get_weather(self, city: str) -> str:
        """Get the weather of a city."""
        self.calls.append(city)
        return "Sunny and warm."


class Conversation:
    """One session and what it has reported so far."""

    def __init__(self) -> None:
        self.microphone, self.loudspeaker = Microphone(), Loudspeaker()
        self.agent = Assistant()
        model = openai.realtime.RealtimeModel(base_url=f"http://{ADDRESS}/v1", api_key="none")
        self.session: AgentSession = AgentSession(llm=model)
        self.session.input.audio = self.microphone
        self.session.output.audio = self.loudspeaker
        self.errors: list[str] = []
        self.interims: list[str] = []
        self.session.on("error", lambda event: self.errors.append(str(event.error)))
        self.session.on("user_input_transcribed", lambda event: self.interims.append(event.transcript))

    async def say(self, name: str, speed: float = 4.0) -> None:
        await speak(name, self.microphone.send, speed)

    def texts(self, role: str) -> list[str]:
        return [
            item.text_content or ""
            for item in self.session.history.items
            if item.type == "message" and item.role == role
        ]

    async def answered(self, count: int) -> str:
        """Wait until that many answers are in the history and the last has been played."""
        await until(lambda: len(self.texts("assistant")) >= count, f"answer {count}", 30)
        await until(lambda: not self.loudspeaker.sounding, "end of the playback")
        return self.texts("assistant")[-1]

    async def connect(self) -> None:
        await self.session.start(self.agent, record=False)

    async def greeting(self) -> None:
        """Ask for a reply before the user has said anything; no prompt may be read aloud."""
        self.session.generate_reply(instructions="Greet the user.")
        text = await self.answered(1)
        assert words(text) == "you said", text  # the scripted backend repeats that the user has said nothing

    async def turn(self) -> None:
        heard = self.loudspeaker.heard_seconds
        await self.say("turn")
        text = await self.answered(2)
        assert words(text) == f"you said {SENTENCE}", text
        assert "yellow flowers" in self.texts("user")[-1], self.texts("user")
        assert self.loudspeaker.heard_seconds > heard + 1
        assert self.interims

    async def second_turn(self) -> None:
        await self.say("second")
        text = await self.answered(3)
        assert f"before that you said {SENTENCE}" in words(text), text

    async def tool(self) -> None:
        await self.say("tool")
        text = await self.answered(4)
        assert self.agent.calls == ["sample"], self.agent.calls
        assert "Sunny and warm." in text, text

    async def false_alarm(self) -> None:
        await self.say("turn")
        await until(lambda: self.loudspeaker.sounding, "audio of the answer")
        await self.say("noise", 1)
        text = await self.answered(5)
        assert words(text) == f"you said {SENTENCE} before that you said please get weather for paris", text

    async def nod(self) -> None:
        await self.say("turn")
        await until(lambda: self.loudspeaker.sounding, "audio of the answer")
        await asyncio.sleep(1)
        await self.say("nod", 1)
        await self.answered(7)
        assert_whole(self.texts("assistant")[5:])

    async def barge_in(self) -> None:
        await self.say("long")
        await until(lambda: self.loudspeaker.sounding, "audio of the answer")
        await asyncio.sleep(1.5)
        await self.say("interruption", 1)
        text = await self.answered(9)
        assert "Stop now" in text, text
        assert_cut(self.texts("assistant")[7])

    async def no_errors(self) -> None:
        assert not self.errors, self.errors


async def main() -> None:
    conversation = Conversation()
    await report(
        {
            "connect": conversation.connect,
            "greeting": conversation.greeting,
            "turn": conversation.turn,
            "second turn": conversation.second_turn,
            "tool": conversation.tool,
            "false alarm": conversation.false_alarm,
            "nod": conversation.nod,
            "barge-in": conversation.barge_in,
            "errors": conversation.no_errors,
        }
    )
    await conversation.session.aclose()


asyncio.run(main())
