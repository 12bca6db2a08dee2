"""openai-python: the realtime API of its asynchronous client, and what the synchronous one has beside conversations."""

import asyncio
import base64
from typing import Any

from openai import AsyncOpenAI, OpenAI
from reporting import (
    ADDRESS,
    FRAME_BYTES,
    SENTENCE,
    Check,
    assert_cut,
    assert_whole,
    recording,
    report,
    speak,
    until,
    words,
)

BASE_URL = f"http://{ADDRESS}/v1"
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TRANSCRIPTION = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
            "turn_detection": {"type": "server_vad"},
        }
    },
}
COMPLETED = "conversation.item.input_audio_transcription.completed"


def encoded(pcm: bytes) -> str:
    return base64.b64encode(pcm).decode()


class Conversation:
    """One connection of the asynchronous client and the events that it has received."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self.client = client
        self.events: list[Any] = []

    async def listen(self) -> None:
        async for event in self.connection:
            self.events.append(event)

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.type == kind]

    async def say(self, name: str, speed: float = 4.0) -> None:
        async def send(pcm: bytes) -> None:
            await self.connection.input_audio_buffer.append(audio=encoded(pcm))

        await speak(name, send, speed)

    async def finished(self, count: int) -> Any:
        """Wait for that many responses and return the last."""
        await until(lambda: len(self.of("response.done")) >= count, f"response {count}", 30)
        return self.of("response.done")[count - 1].response

    @property
    def checks(self) -> dict[str, Check]:
        return {
            "connect": self.connect,
            "turn": self.turn,
            "second turn": self.second_turn,
            "tool": self.tool,
            "text modality": self.text,
            "response beside another": self.beside,
            "false alarm": self.false_alarm,
            "nod": self.nod,
            "barge-in": self.barge_in,
            "errors": self.no_errors,
        }

    async def connect(self) -> None:
        self.connection = await self.client.realtime.connect(model="gpt-realtime").enter()
        self.listening = asyncio.create_task(self.listen())
        session = {
            "type": "realtime",
            "instructions": "Be brief.",
            "tools": [WEATHER],
            "audio": {"input": {"transcription": {"model": "whisper-1"}, "turn_detection": {"type": "server_vad"}}},
        }
        await self.connection.session.update(session=session)
        await until(lambda: self.of("session.updated"), "session.updated")
        shown = self.of("session.updated")[0].session
        assert shown.audio.input.turn_detection.create_response is True

    async def turn(self) -> None:
        await self.say("turn")
        response = await self.finished(1)
        assert words(response.output[0].content[0].transcript) == f"you said {SENTENCE}", response
        assert sum(len(event.delta) for event in self.of("response.output_audio.delta")) > 64_000
        assert words(self.of(COMPLETED)[0].transcript) == SENTENCE
        assert response.usage.total_tokens > 0

    async def second_turn(self) -> None:
        await self.say("second")
        response = await self.finished(2)
        assert f"before that you said {SENTENCE}" in words(response.output[0].content[0].transcript)

    async def tool(self) -> None:
        await self.say("tool")
        (call,) = (await self.finished(3)).output
        assert (call.type, call.name, call.arguments) == ("function_call", "get_weather", '{"city": "sample"}'), call
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny and warm."}
        await self.connection.conversation.item.create(item=result)
        await self.connection.response.create()
        response = await self.finished(4)
        assert "Sunny and warm." in response.output[0].content[0].transcript, response

    async def text(self) -> None:
        message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Good morning."}]}
        await self.connection.conversation.item.create(item=message)
        await self.connection.response.create(response={"output_modalities": ["text"]})
        response = await self.finished(5)
        said = "".join(event.delta for event in self.of("response.output_text.delta"))
        assert said == response.output[0].content[0].text == self.of("response.output_text.done")[0].text
        assert said.startswith("You said: Good morning."), said

    async def beside(self) -> None:
        """Ask for a response outside of the conversation while one is in progress."""
        await self.connection.response.create()
        outside = {
            "conversation": "none",
            "output_modalities": ["text"],
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Beside."}]}],
            "metadata": {"topic": "beside"},
        }
        await self.connection.response.create(response=outside)
        await self.finished(7)
        responses = [event.response for event in self.of("response.done")[5:]]
        (beside,) = [each for each in responses if each.metadata == {"topic": "beside"}]
        assert beside.output[0].content[0].text == "You said: Beside.", beside

    async def false_alarm(self) -> None:
        deltas = len(self.of("response.output_audio.delta"))
        await self.say("turn")
        await until(lambda: len(self.of("response.output_audio.delta")) > deltas, "audio of the answer")
        await self.say("noise", 1)
        response = await self.finished(8)
        assert response.status == "completed", response

    async def nod(self) -> None:
        deltas = len(self.of("response.output_audio.delta"))
        await self.say("turn")
        await until(lambda: len(self.of("response.output_audio.delta")) > deltas, "audio of the answer")
        await asyncio.sleep(1)
        await self.say("nod", 1)
        await self.finished(10)
        parts = [event.response.output[0].content[0].transcript for event in self.of("response.done")[8:]]
        assert_whole(parts)

    async def barge_in(self) -> None:
        deltas = len(self.of("response.output_audio.delta"))
        await self.say("long")
        await until(lambda: len(self.of("response.output_audio.delta")) > deltas, "audio of the answer")
        await asyncio.sleep(1.5)
        item_id = self.of("response.output_audio.delta")[-1].item_id
        await self.say("interruption", 1)
        response = await self.finished(12)
        assert self.of("response.done")[10].response.status == "cancelled"
        assert "Stop now" in response.output[0].content[0].transcript, response
        await self.connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=1_500)
        await self.connection.conversation.item.retrieve(item_id=item_id)
        await until(lambda: self.of("conversation.item.retrieved"), "retrieved item")
        kept = self.of("conversation.item.retrieved")[0].item.content[0].transcript
        assert_cut(kept, sentences=1)

    async def no_errors(self) -> None:
        assert not self.of("error"), self.of("error")
        await self.connection.close()
        await self.listening


def transcribed() -> str:
    """Return the transcript of a recording that the synchronous client sends."""
    with OpenAI(base_url=BASE_URL, api_key="none").realtime.connect(model="gpt-realtime") as connection:
        connection.session.update(session=TRANSCRIPTION)  # type: ignore[arg-type]
        pcm = recording("turn")
        for at in range(0, len(pcm), FRAME_BYTES):
            connection.input_audio_buffer.append(audio=encoded(pcm[at : at + FRAME_BYTES]))
        for event in connection:
            assert event.type != "error", event
            if event.type == COMPLETED:
                return event.transcript
    return ""


async def transcription() -> None:
    text = await asyncio.wait_for(asyncio.to_thread(transcribed), 20)
    assert words(text) == SENTENCE, text


async def streamed_speech() -> None:
    """Read speech over HTTP chunk by chunk."""
    client = AsyncOpenAI(base_url=BASE_URL, api_key="none")
    text = " ".join([f"{SENTENCE}."] * 12)
    request = client.audio.speech.with_streaming_response.create(model="gpt-4o-mini-tts", voice="alloy", input=text)
    async with request as answer:
        chunks = [len(chunk) async for chunk in answer.iter_bytes()]
    assert len(chunks) > 3, f"{len(chunks)} chunks"


async def newest_names() -> None:
    client = AsyncOpenAI(base_url=BASE_URL, api_key="none")
    for model in ("gpt-transcribe", "gpt-live-transcribe", "gpt-4o-mini-transcribe-2025-12-15", "whisper-1"):
        answer = await client.audio.transcriptions.create(model=model, file=("turn.wav", wav(recording("turn"))))
        assert words(answer.text) == SENTENCE, (model, answer)


async def client_secret() -> None:
    """Open a connection with a key that expires, as a web page does."""
    client = AsyncOpenAI(base_url=BASE_URL, api_key="none")
    secret = await client.realtime.client_secrets.create(session={"type": "realtime", "instructions": "Be brief."})
    assert secret.value.startswith("ek_"), secret
    page = AsyncOpenAI(base_url=BASE_URL, api_key=secret.value)
    async with page.realtime.connect(model="gpt-realtime") as connection:
        created = await connection.recv()
    assert created.session.instructions == "Be brief.", created


async def translation() -> None:
    client = AsyncOpenAI(base_url=BASE_URL, api_key="none")
    if not hasattr(client.realtime, "translations"):  # which came with version 3
        return
    transcript, audio = "", 0
    async with client.realtime.translations.connect(model="gpt-realtime-translate") as connection:
        await connection.session.update(session={"audio": {"output": {"language": "en"}}})
        await connection.session.input_audio_buffer.append(audio=encoded(recording("turn")))
        await connection.session.close()
        async for event in connection:
            assert event.type != "error", event
            if event.type == "session.output_transcript.delta":
                transcript += event.delta
            elif event.type == "session.output_audio.delta":
                audio += len(event.delta)
            elif event.type == "session.closed":
                break
    assert words(transcript) == SENTENCE, transcript
    assert audio > 64_000, audio


def wav(pcm: bytes) -> bytes:
    import io
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, 24_000, 0, "NONE", ""))
        written.writeframes(pcm)
    return file.getvalue()


async def main() -> None:
    async with AsyncOpenAI(base_url=BASE_URL, api_key="none") as client:
        await report(
            {
                **Conversation(client).checks,
                "transcription": transcription,
                "client secret": client_secret,
                "translation": translation,
                "streamed speech": streamed_speech,
                "newest names": newest_names,
            }
        )


if __name__ == "__main__":
    asyncio.run(main())
