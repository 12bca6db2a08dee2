"""deepgram-sdk: live transcription, streamed speech, a recording and a whole text."""

import asyncio
import io
import json
import threading
import wave
from typing import Any

from deepgram import DeepgramClient
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment
from deepgram.speak.v1.types import SpeakV1Text
from reporting import ADDRESS, FRAME_BYTES, RATE, SENTENCE, recording, report, speak, until, words

HERE = DeepgramClientEnvironment(
    base=f"http://{ADDRESS}", production=f"ws://{ADDRESS}", agent=f"ws://{ADDRESS}", agent_rest=f"http://{ADDRESS}"
)
CLIENT = DeepgramClient(api_key="none", environment=HERE)
SECOND = RATE * 2
"""Bytes of a second of PCM16."""


async def live() -> None:
    messages: list[Any] = []
    options = {"encoding": "linear16", "sample_rate": str(RATE), "interim_results": "true", "punctuate": "true"}

    def finals() -> list[Any]:
        return [each for each in messages if each.type == "Results" and each.is_final]

    with CLIENT.listen.v1.connect(model="nova-3", language="en-US", vad_events="true", **options) as connection:
        connection.on(EventType.MESSAGE, messages.append)
        listening = threading.Thread(target=connection.start_listening)
        listening.start()

        async def send(pcm: bytes) -> None:
            connection.send_media(pcm)

        await speak("turn", send, 1)
        await until(finals, "final result")
        connection.send_finalize()
        await until(lambda: any(each.from_finalize for each in finals()), "answer to Finalize")
        connection.send_close_stream()
        await asyncio.to_thread(listening.join, 10)
    assert not listening.is_alive(), "the connection did not end"
    (first, *_) = finals()
    (alternative,) = first.channel.alternatives
    assert words(alternative.transcript) == SENTENCE, alternative
    assert first.speech_final
    assert [words(each.punctuated_word) for each in alternative.words] == SENTENCE.split()
    assert sum(bool(each.from_finalize) for each in finals()) == 1
    kinds = [each.type for each in messages]
    assert kinds[0] == "SpeechStarted", kinds
    assert kinds[-1] == "Metadata", kinds
    interims = [each for each in messages if each.type == "Results" and not each.is_final]
    assert interims, kinds
    assert all(each.channel.alternatives[0].words for each in interims), interims


async def channels() -> None:
    """Two speakers, one after the other, each on a channel."""
    pcm = recording("turn")
    samples, silence = [pcm[at : at + 2] for at in range(0, len(pcm), 2)], b"\0\0"
    stereo = b"".join([*(each + silence for each in samples), *(silence + each for each in samples)])
    options = {"encoding": "linear16", "sample_rate": str(RATE), "channels": "2", "multichannel": "true"}
    with CLIENT.listen.v1.connect(model="nova-3", language="en-US", **options) as connection:
        for at in range(0, len(stereo), FRAME_BYTES * 10):
            connection.send_media(stereo[at : at + FRAME_BYTES * 10])
        connection.send_close_stream()
        *results, metadata = list(connection)
    heard = [(each.channel_index, words(each.channel.alternatives[0].transcript)) for each in results]
    assert heard == [([0, 2], SENTENCE), ([1, 2], SENTENCE)], heard
    assert metadata.channels == 2, metadata


async def streamed_speech() -> None:
    heard, kinds = 0, []
    with CLIENT.speak.v1.connect(model="aura-2-thalia-en", encoding="linear16", sample_rate=str(RATE)) as connection:
        for word in f"{SENTENCE}.".split():
            connection.send_text(SpeakV1Text(text=f"{word} "))
        connection.send_flush()
        for message in connection:
            if isinstance(message, bytes):
                heard += len(message)
                continue
            kinds.append(message.type)
            if message.type == "Flushed":
                assert 2 * SECOND < heard < 6 * SECOND, heard
                connection.send_text(SpeakV1Text(text="This is never heard, because it is cleared."))
                connection.send_clear()
            if message.type == "Cleared":
                connection.send_close()
    assert kinds == ["Metadata", "Flushed", "Cleared"], kinds


async def upload() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(recording("turn"))
    answer = CLIENT.listen.v1.media.transcribe_file(
        request=file.getvalue(), model="nova-3", smart_format=True, utterances=True, detect_language=True
    )
    (channel,) = answer.results.channels
    assert words(channel.alternatives[0].transcript) == SENTENCE, channel
    assert words(answer.results.utterances[0].transcript) == SENTENCE, answer.results
    assert channel.detected_language == "en", channel
    json.loads(answer.json())


async def whole_speech() -> None:
    chunks = CLIENT.speak.v1.audio.generate(text=SENTENCE, encoding="linear16", container="none", sample_rate=RATE)
    heard = sum(len(chunk) for chunk in chunks)
    assert 2 * SECOND < heard < 6 * SECOND, heard


async def main() -> None:
    await report(
        {
            "live": live,
            "channels": channels,
            "streamed speech": streamed_speech,
            "upload": upload,
            "whole speech": whole_speech,
        }
    )


asyncio.run(main())
