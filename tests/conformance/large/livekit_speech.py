"""livekit-agents: `openai.STT` over HTTP and over the realtime API, `openai.TTS`, `deepgram.STT` and `deepgram.TTS`."""

import asyncio

from livekit import rtc
from livekit.agents import stt
from livekit.agents.utils import http_context
from livekit.plugins import deepgram, openai
from reporting import ADDRESS, PIPER, RATE, SENTENCE, recording, report, speak, until, words

BASE_URL = f"http://{ADDRESS}/v1"


def frame(pcm: bytes) -> rtc.AudioFrame:
    return rtc.AudioFrame(pcm, RATE, 1, len(pcm) // 2)


async def upload() -> None:
    for model in ("gpt-4o-mini-transcribe", "gpt-transcribe"):
        recognizer = openai.STT(base_url=BASE_URL, api_key="none", use_realtime=False, model=model)
        event = await recognizer.recognize(frame(recording("turn")))
        assert words(event.alternatives[0].text) == SENTENCE, (model, event)


async def streamed(recognizer: stt.STT) -> None:
    events: list[stt.SpeechEvent] = []
    stream = recognizer.stream()

    def of(kind: stt.SpeechEventType) -> list[str]:
        return [event.alternatives[0].text for event in events if event.type is kind]

    async def listen() -> None:
        async for event in stream:
            events.append(event)  # noqa: PERF401 (the list is read meanwhile)

    async def send(pcm: bytes) -> None:
        stream.push_frame(frame(pcm))

    listening = asyncio.create_task(listen())
    await speak("turn", send, 1)
    await until(lambda: of(stt.SpeechEventType.FINAL_TRANSCRIPT), "final transcript")
    await stream.aclose()
    await asyncio.gather(listening, return_exceptions=True)
    finals = of(stt.SpeechEventType.FINAL_TRANSCRIPT)
    assert words(finals[0]) == SENTENCE, finals
    assert of(stt.SpeechEventType.INTERIM_TRANSCRIPT)


async def realtime() -> None:
    await streamed(openai.STT(base_url=BASE_URL, api_key="none", use_realtime=True))


async def speech() -> None:
    for model in ("gpt-4o-mini-tts", "tts-1", PIPER):
        voice = openai.TTS(base_url=BASE_URL, api_key="none", model=model)
        samples = []
        async for chunk in voice.synthesize(SENTENCE):
            samples.append(bytes(chunk.frame.data))
            rate = chunk.frame.sample_rate
        heard = rtc.AudioFrame(b"".join(samples), rate, 1, sum(map(len, samples)) // 2)
        assert 2 < heard.duration < 6, (model, heard.duration)
        event = await openai.STT(base_url=BASE_URL, api_key="none", use_realtime=False).recognize(heard)
        missing = set(SENTENCE.split()) - set(words(event.alternatives[0].text).split())
        assert len(missing) <= (model == PIPER), (model, event)  # its speech is never twice the same


def deepgram_recognizer() -> deepgram.STT:
    return deepgram.STT(base_url=f"{BASE_URL}/listen", api_key="none", sample_rate=RATE)


async def deepgram_live() -> None:
    await streamed(deepgram_recognizer())


async def deepgram_upload() -> None:
    event = await deepgram_recognizer().recognize(frame(recording("turn")))
    assert words(event.alternatives[0].text) == SENTENCE, event


async def deepgram_speech() -> None:
    voice = deepgram.TTS(base_url=f"{BASE_URL}/speak", api_key="none")
    heard = 0.0
    async for chunk in voice.synthesize(SENTENCE):
        heard += chunk.frame.duration
    assert 2 < heard < 6, heard
    stream = voice.stream()
    for word in f"{SENTENCE}.".split():
        stream.push_text(f"{word} ")
    stream.end_input()
    heard = 0.0
    async for chunk in stream:
        heard += chunk.frame.duration
    await stream.aclose()
    assert 2 < heard < 6, heard


async def main() -> None:
    async with http_context.open():
        await report(
            {
                "upload": upload,
                "realtime": realtime,
                "speech": speech,
                "Deepgram live": deepgram_live,
                "Deepgram upload": deepgram_upload,
                "Deepgram speech": deepgram_speech,
            }
        )


asyncio.run(main())
