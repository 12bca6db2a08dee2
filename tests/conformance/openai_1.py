"""What openai-python 1.x sees of a server, scene by scene, as JSON: `openai_1.py ADDRESS KEY DIRECTORY`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai


def main(address: str, key: str, recordings: str) -> None:
    client = openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0, timeout=20)
    stranger = openai.OpenAI(base_url=f"{address}/v1", api_key="wrong", max_retries=0, timeout=20)
    transcribe, translate = client.audio.transcriptions.create, client.audio.translations.create
    speak, say = client.audio.speech.create, client.audio.speech.with_streaming_response.create
    two_words = Path(recordings, "two-words.wav")
    six_words = Path(recordings, "six-words.wav")

    def streamed_speech(text: str) -> list[int]:
        with say(
            model="tts-1", voice="alloy", input=text, response_format="pcm", extra_body={"stream": True}
        ) as answer:
            return [len(piece) for piece in answer.iter_bytes()]

    def streamed_events(model: str) -> list[dict[str, Any]]:
        return [event.to_dict() for event in transcribe(model=model, file=six_words, stream=True)]

    scenes: dict[str, Callable[[], Any]] = {
        "json": lambda: transcribe(model="whisper-1", file=two_words.read_bytes()).to_dict(),
        "verbose_json": lambda: transcribe(
            model="whisper-1",
            file=two_words,
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        ).to_dict(),
        "srt": lambda: transcribe(model="whisper-1", file=two_words, response_format="srt"),
        "stream": lambda: streamed_events("whisper-1"),
        "stream that fails": lambda: streamed_events("whisper-small"),
        "translation": lambda: translate(model="whisper-1", file=two_words).to_dict(),
        "verbose translation": lambda: translate(
            model="whisper-1", file=two_words, response_format="verbose_json"
        ).to_dict(),
        "letter": lambda: transcribe(model="whisper-1", file=Path(recordings, "letter.mp3")),
        "large file": lambda: transcribe(model="whisper-1", file=Path(recordings, "large.wav")),
        "unknown model": lambda: transcribe(model="nobody", file=two_words),
        "wrong key": stranger.models.list,
        "speech": lambda: len(speak(model="tts-1", voice="alloy", input="Ten chars.", response_format="pcm").content),
        "streamed speech": lambda: streamed_speech("Ten chars."),
        "speech that fails": lambda: streamed_speech("It breaks 💥 here."),
        "unknown voice": lambda: speak(model="tts-1", voice="nobody", input="Ten chars."),
        "models": lambda: [model.id for model in client.models.list()],
    }
    print(json.dumps({name: seen(scene) for name, scene in scenes.items()}))


def seen(scene: Callable[[], Any]) -> Any:
    try:
        return scene()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code, error.param, bool(error.request_id)]
    except openai.APIError as error:
        return [type(error).__name__, error.code]
    except httpx.HTTPError as error:
        return [type(error).__name__]


main(*sys.argv[1:])
