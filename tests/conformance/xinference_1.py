"""What xinference-client 1.x sees of a server, scene by scene, as JSON: `xinference_1.py ADDRESS KEY DIRECTORY`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xinference_client import RESTfulClient


def main(address: str, key: str, recordings: str) -> None:
    client: Any = RESTfulClient(address, api_key=key)
    stranger: Any = RESTfulClient(address)
    recognizer, voice = client.get_model("whisper-base"), client.get_model("hibari-tts")
    two_words = Path(recordings, "two-words.wav").read_bytes()
    letter = Path(recordings, "letter.mp3").read_bytes()

    scenes: dict[str, Callable[[], Any]] = {
        "handle": lambda: type(recognizer).__name__,
        "json": lambda: recognizer.transcriptions(two_words),
        "verbose_json": lambda: recognizer.transcriptions(
            two_words, response_format="verbose_json", timestamp_granularities=["word", "segment"]
        ),
        "translation": lambda: recognizer.translations(two_words),
        "letter": lambda: recognizer.transcriptions(letter),
        "speech": lambda: len(voice.speech("Ten chars.", response_format="pcm")),
        "streamed speech": lambda: [
            len(piece) for piece in voice.speech("Ten chars.", response_format="pcm", stream=True)
        ],
        "voice to clone": lambda: voice.speech("Ten chars.", prompt_speech=two_words),
        "launched": lambda: client.launch_model("whisper-tiny.en", model_type="audio", model_uid="mine"),
        "listed": lambda: client.list_models()["mine"],
        "translation by an English model": lambda: client.get_model("mine").translations(two_words),
        "terminated": lambda: client.terminate_model("mine"),
        "described": lambda: client.describe_model("mine"),
        "without a key": stranger.list_models,
    }
    print(json.dumps({name: seen(scene) for name, scene in scenes.items()}))


def seen(scene: Callable[[], Any]) -> Any:
    try:
        return scene()
    except RuntimeError as error:
        return f"RuntimeError: {error}"


main(*sys.argv[1:])
