"""Bazarr: the provider that asks a Whisper server for subtitles, as its repository has it.

What the file imports of the rest of Bazarr is replaced by the few values that it reads.
"""

import asyncio
import os
import re
import sys
import wave
from types import ModuleType
from typing import Any

import imageio_ffmpeg
from babelfish import Language
from reporting import ADDRESS, RATE, RECORDINGS, SENTENCE, recording, report, words


class Video:
    """A film as Bazarr knows it: its file, and the languages that its audio tracks name."""

    def __init__(self, *audio_languages: str) -> None:
        self.original_path = self.original_name = str(film())
        self.audio_languages = set(audio_languages)


class Subtitle:
    """A subtitle that Bazarr may download."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.content: bytes | None = None


def film() -> os.PathLike[str]:
    path = RECORDINGS / "film.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(recording("turn"))
    return path


def load_provider() -> Any:
    """Load the provider beside stand-ins for the modules of Bazarr."""
    modules: dict[str, dict[str, Any]] = {
        "subliminal": {"__short_version__": "2.1"},
        "subliminal.exceptions": {"ConfigurationError": ValueError},
        "subliminal.video": {"Episode": type("Episode", (), {}), "Movie": Video},
        "subliminal_patch": {},
        "subliminal_patch.providers": {"Provider": object},
        "subliminal_patch.subtitle": {"Subtitle": Subtitle},
        "subzero": {},
        "subzero.language": {"Language": Language},
    }
    for name, values in modules.items():
        module = ModuleType(name)
        module.__dict__.update(values)
        sys.modules[name] = module
    import whisperai

    return whisperai.WhisperAIProvider(
        endpoint=f"http://{ADDRESS}", response=5, timeout=60, ffmpeg_path=imageio_ffmpeg.get_ffmpeg_exe(),
        pass_video_name=True, loglevel="INFO",
    )  # fmt: skip


def subtitles(language: str, *audio_languages: str) -> tuple[str, str] | None:
    """Return the task and the subtitles for a language, or None if the provider has none."""
    provider = load_provider()
    provider.initialize()
    found = provider.list_subtitles(Video(*audio_languages), {Language(language)})
    if not found:
        return None
    (subtitle,) = found
    provider.download_subtitle(subtitle)
    provider.terminate()
    return subtitle.task, subtitle.content.decode()


def assert_subtitles(srt: str) -> None:
    assert srt.startswith("1\n00:00:0"), srt
    assert words(re.sub(r"\S*-->.*", "", srt)) == SENTENCE, srt


async def transcription() -> None:
    found = await asyncio.to_thread(subtitles, "eng", "eng")
    assert found is not None
    assert found[0] == "transcribe", found
    assert_subtitles(found[1])


async def detection() -> None:
    found = await asyncio.to_thread(subtitles, "eng")
    assert found is not None
    assert found[0] == "transcribe", found
    assert_subtitles(found[1])
    assert await asyncio.to_thread(subtitles, "deu") is None  # what is English is not translated into German


async def translation() -> None:
    found = await asyncio.to_thread(subtitles, "eng", "deu")
    assert found is not None
    assert found[0] == "translate", found
    assert "-->" in found[1], found


if __name__ == "__main__":
    asyncio.run(report({"transcription": transcription, "detection": detection, "translation": translation}))
