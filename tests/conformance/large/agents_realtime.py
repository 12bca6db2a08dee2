"""openai-agents: a conversation with `RealtimeRunner`, with a tool, an interruption and a false alarm."""

import asyncio
from typing import Any

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession
from reporting import ADDRESS, SENTENCE, assert_whole, report, speak, until, words

calls: list[str] = []


@function_tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    calls.append(city)
    return "Sunny and warm."


class Conversation:
    """One session and what it has reported so far."""

    def __init__(self, session: RealtimeSession) -> None:
        self.session = session
        self.audio_bytes = 0
        self.interruptions = 0
        self.errors: list[str] = []
        self.responses: list[dict[str, Any]] = []
        self.history: list[Any] = []

    async def listen(self) -> None:
        async for event in self.session:
            match event.type:
                case "audio":
                    self.audio_bytes += len(event.audio.data)
                case "audio_interrupted":
                    self.interruptions += 1
                case "error":
                    self.errors.append(str(event.error))
                case "history_updated":
                    self.history = event.history
                case "history_added":
                    self.history = [*self.history, event.item]
                case "raw_model_event" if event.data.type == "raw_server_event":
                    if event.data.data.get("type") == "response.done":
                        self.responses.append(event.data.data["response"])

    async def say(self, name: str, speed: float = 4.0) -> None:
        await speak(name, self.session.send_audio, speed)

    def history_text(self, role: str) -> str:
        """Return the last message of a role."""
        items = [item for item in self.history if getattr(item, "role", None) == role]
        parts = items[-1].content if items else []
        return "".join(getattr(part, "transcript", None) or getattr(part, "text", None) or "" for part in parts)

    def answer(self, number: int = -1) -> str:
        parts = self.responses[number]["output"][-1].get("content", [])
        return "".join(part.get("transcript") or "" for part in parts)

    async def responded(self, count: int) -> None:
        await until(lambda: len(self.responses) >= count, f"response {count}", 30)

    async def turn(self) -> None:
        await self.say("turn")
        await self.responded(1)
        assert words(self.answer()) == f"you said {SENTENCE}", self.responses
        assert self.audio_bytes > 48_000
        await until(lambda: "yellow flowers" in self.history_text("user"), "transcript in the history")
        await until(lambda: "yellow flowers" in self.history_text("assistant"), "answer in the history")

    async def second_turn(self) -> None:
        await self.say("second")
        await self.responded(2)
        assert f"before that you said {SENTENCE}" in words(self.answer()), self.responses[-1]

    async def tool(self) -> None:
        await self.say("tool")
        await self.responded(4)
        assert calls == ["sample"], calls
        assert "Sunny and warm." in self.answer(), self.responses[-1]

    async def false_alarm(self) -> None:
        audio = self.audio_bytes
        await self.say("turn")
        await until(lambda: self.audio_bytes > audio, "audio of the answer")
        interruptions = self.interruptions
        await self.say("noise", 1)
        await self.responded(5)
        assert (self.responses[-1]["status"], self.interruptions) == ("completed", interruptions)

    async def nod(self) -> None:
        audio = self.audio_bytes
        await self.say("turn")
        await until(lambda: self.audio_bytes > audio, "audio of the answer")
        await asyncio.sleep(1)
        await self.say("nod", 1)
        await self.responded(7)
        assert_whole([self.answer(5), self.answer(6)])

    async def barge_in(self) -> None:
        audio = self.audio_bytes
        await self.say("long")
        await until(lambda: self.audio_bytes > audio + 48_000, "audio of the answer")
        await asyncio.sleep(1.5)
        interruptions = self.interruptions
        await self.say("interruption", 1)
        await self.responded(9)
        assert self.responses[7]["status"] == "cancelled", self.responses[7]
        assert self.interruptions > interruptions
        assert "Stop now" in self.answer(), self.responses[-1]

    async def typed_text(self) -> None:
        await self.session.send_message("Good morning.")
        await self.responded(10)
        assert self.answer().startswith("You said: Good morning."), self.responses[-1]

    async def no_errors(self) -> None:
        assert not self.errors, self.errors


async def main() -> None:
    agent = RealtimeAgent(name="assistant", instructions="Be brief.", tools=[get_weather])
    model = {"url": f"ws://{ADDRESS}/v1/realtime?model=gpt-realtime", "api_key": "none"}
    async with await RealtimeRunner(agent).run(model_config=model) as session:
        conversation = Conversation(session)
        listening = asyncio.create_task(conversation.listen())
        await report(
            {
                "turn": conversation.turn,
                "second turn": conversation.second_turn,
                "tool": conversation.tool,
                "false alarm": conversation.false_alarm,
                "nod": conversation.nod,
                "barge-in": conversation.barge_in,
                "typed text": conversation.typed_text,
                "errors": conversation.no_errors,
            }
        )
        listening.cancel()


asyncio.run(main())
