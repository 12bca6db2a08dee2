"""Conversations in OpenAI's dialect with the scripted chat backend, message by message, as `tests/data` has them.

Whoever changes what is sent writes the files anew: run this module.
"""

import base64
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from realtime.backends.scripted import scripted_answer
from realtime.session.generation import ChatDelta, ChatFinished, ChatFinishReason, ChatRequest, ChatTextDelta
from realtime.wire.openai.codec import OpenAICodec
from tests.support.dialect_client import DialectClient
from tests.support.scripted_conversation import Microphone

RECORDED: Final = Path(__file__).parents[3] / "data" / "conversations"
AUDIO: Final = "response.output_audio.delta"
WEATHER: Final = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Paris"]}}},
}


class Caller:
    """A client that speaks and hears, and writes down every message with its time in seconds."""

    def __init__(self, **session: Any) -> None:
        self.lines: list[dict[str, Any]] = []
        self._client = DialectClient(OpenAICodec.open, chat=True, resume_false_interruptions=True)
        self._client.conversation.chat = answers
        self._microphone = Microphone()
        self._written = 0
        self._milliseconds = 0
        """Milliseconds of audio in the last line, if that is about audio."""
        self._write()
        audio = {"input": {"format": {"type": "audio/pcm", "rate": 16_000}, "transcription": {"model": "whisper-1"}}}
        self.send({"type": "session.update", "session": {"type": "realtime", "audio": audio, **session}})

    def send(self, message: dict[str, Any]) -> None:
        self._note("client", message)
        self._client.send(message)
        self._write()

    def say(self, text: str, seconds: float = 1.0) -> None:
        """Speak, and stay silent for as long as ends the turn; `text` is what the recognizer hears."""
        self._append(self._microphone.speech(seconds), f"<{seconds:g} s of speech: {text}>")
        self._append(self._microphone.silence(0.6), "<0.6 s of silence>")
        self._client.transcribe(text)
        self._write()

    def listen(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self._client.wait(0.1)
            self._write()

    def _append(self, audio: bytes, shown: str) -> None:
        self._note("client", {"type": "input_audio_buffer.append", "audio": shown})
        for start in range(0, len(audio), 640):
            self._client.wait(0.02)
            data = base64.b64encode(audio[start : start + 640]).decode()
            self._client.send({"type": "input_audio_buffer.append", "audio": data})
            self._write()

    def _write(self) -> None:
        """Write down what has come; of audio only how much, and messages of audio that follow each other as one."""
        for message in self._client.received(self._written):
            if message["type"] == AUDIO:
                milliseconds = len(base64.b64decode(message["delta"])) // 48
                last = self.lines[-1].get("server", {})
                if last.get("type") == AUDIO:
                    self._milliseconds += milliseconds
                    last["delta"] = f"<{self._milliseconds} ms of speech>"
                    continue
                self._milliseconds, message["delta"] = milliseconds, f"<{milliseconds} ms of speech>"
            self._note("server", message)
        self._written = len(self._client.frames)

    def _note(self, side: str, message: dict[str, Any]) -> None:
        self.lines.append({"t": round(self._client.conversation.now, 2), side: message})


def answers(request: ChatRequest) -> list[ChatDelta]:
    """Answer by the rules of the scripted chat backend, at once."""
    answer = scripted_answer(request)
    reason = ChatFinishReason.TOOL_CALLS if answer.calls else ChatFinishReason.STOP
    return [*map(ChatTextDelta, answer.words), *answer.calls, ChatFinished(reason)]


SPOKEN: Final[dict[str, list[tuple[str, float, float]]]] = {
    "turn": [("What is a barometer?", 1.0, 6)],
    "barge_in": [("Tell me a long story.", 1.0, 2), ("No, a short one.", 1.0, 9)],
    "false_alarm": [("Tell me a long story.", 1.0, 2), ("Mhm.", 0.5, 2)],
    "second_turn": [("What is a barometer?", 1.0, 6), ("And a thermometer?", 1.0, 9)],
}
"""What the user says, for how many seconds, and the seconds in which they listen after it."""


def spoken(turns: list[tuple[str, float, float]]) -> Caller:
    caller = Caller()
    for text, seconds, listening in turns:
        caller.say(text, seconds)
        caller.listen(listening)
    return caller


def tool_call() -> Caller:
    caller = Caller(tools=[WEATHER])
    caller.say("Please get weather for me.")
    call = next(
        line["server"]["item"]
        for line in caller.lines
        if line.get("server", {}).get("type") == "response.output_item.done"
    )
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "Sunny."}
    caller.send({"type": "conversation.item.create", "item": output})
    caller.send({"type": "response.create"})
    caller.listen(4)
    return caller


CONVERSATIONS: Final[dict[str, Callable[[], Caller]]] = {
    **{name: partial(spoken, turns) for name, turns in SPOKEN.items()},
    "tool_call": tool_call,
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_as_recorded(name: str) -> None:
    recorded = (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8")
    assert CONVERSATIONS[name]().lines == [json.loads(line) for line in recorded.splitlines()]


if __name__ == "__main__":
    for name, play in CONVERSATIONS.items():
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in play().lines)
        (RECORDED / f"{name}.jsonl").write_text(text, encoding="utf-8")
