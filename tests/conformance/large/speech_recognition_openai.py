"""SpeechRecognition: `recognize_openai`, which takes the address from the environment, as its documentation says."""

import asyncio
import os

import speech_recognition
from reporting import ADDRESS, RATE, SENTENCE, recording, report, words


async def recognition() -> None:
    os.environ |= {"OPENAI_BASE_URL": f"http://{ADDRESS}/v1", "OPENAI_API_KEY": "none"}
    audio = speech_recognition.AudioData(recording("turn"), RATE, 2)
    recognizer = speech_recognition.Recognizer()
    for model in ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"):
        text = await asyncio.to_thread(recognizer.recognize_openai, audio, model=model)
        assert words(text) == SENTENCE, text


if __name__ == "__main__":
    asyncio.run(report({"recognition": recognition}))
