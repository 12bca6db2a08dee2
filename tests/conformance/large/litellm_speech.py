"""LiteLLM: `transcription` and `speech`, with the address as `api_base`."""

import asyncio
import io
import wave

from litellm import aspeech, atranscription
from reporting import ADDRESS, RATE, SENTENCE, recording, report, words

SERVICE = {"api_base": f"http://{ADDRESS}/v1", "api_key": "none"}


async def upload() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, RATE, 0, "NONE", ""))
        written.writeframes(recording("turn"))
    for model in ("openai/whisper-1", "openai/gpt-4o-transcribe"):
        answer = await atranscription(model=model, file=("turn.wav", file.getvalue()), **SERVICE)
        assert words(answer.text) == SENTENCE, (model, answer)


async def speech() -> None:
    answer = await aspeech(model="openai/tts-1", voice="alloy", input=SENTENCE, response_format="pcm", **SERVICE)
    seconds = len(answer.content) / 2 / RATE
    assert 2 < seconds < 6, f"{seconds:.1f} s"


asyncio.run(report({"upload": upload, "speech": speech}))
