"""Voice models in processes: their voices, those of the folder, and clones of a recording."""

import logging
from pathlib import Path

import numpy as np
import pytest

from realtime.catalogue.names import lookup
from realtime.catalogue.voices import find_voice
from realtime.models.models import Models
from realtime.models.voice_clips import voice_clips
from realtime.settings import Settings
from realtime.speech.pauses import SENTENCE_PAUSE, WORD_PAUSE
from realtime.speech.style import ReferenceClip, SpeechStyle
from realtime.weights.progress import Stage, Step
from tests.support.process_engine import obedient_voice
from tests.support.recordings import tone, wav_file
from tests.support.scenarios import run
from tests.support.scripted_engines import ScriptedEngines

CHATTTS = lookup("ChatTTS")


class Engines(ScriptedEngines):
    """Engines with ChatTTS in a process."""

    def __init__(self, **load: str) -> None:
        super().__init__()
        self.steps_seen: list[Step] = []
        self._load = load

    def synthesizer(self, entry):  # type: ignore[no-untyped-def]
        return obedient_voice(**self._load) if entry is CHATTTS else super().synthesizer(entry)

    def advance(self, step: Step) -> None:
        self.steps_seen.append(step)


async def said(models: Models, voice: str, style: SpeechStyle) -> list[int]:
    """Return the lengths of the chunks; the last is the pause."""
    async with models.lease_synthesizer(CHATTTS) as synthesizer:
        return [len(chunk) async for chunk in synthesizer.synthesize("Hi!", voice, 1.0, style)]


def folder(directory: Path) -> Path:
    (directory / "ann.wav").write_bytes(wav_file(np.full(32_000, 0.25, np.float32)))
    (directory / "ann.txt").write_text(" What Ann says.\n", encoding="utf-8")
    (directory / "broken.mp3").write_bytes(b"no sound")
    (directory / "short.wav").write_bytes(wav_file(tone(0.2)))
    (directory / "notes.md").write_text("no recording")
    return directory


def test_the_folder_is_read_and_what_cannot_be_used_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        clips = voice_clips(folder(tmp_path))
    assert {name: (len(clip.samples), clip.transcript) for name, clip in clips.items()} == {
        "ann": (32_000, "What Ann says.")
    }
    assert [record.args[0] for record in caplog.records if record.args] == ["broken.mp3", "short.wav"]  # type: ignore[index]


def test_the_speech_of_a_process_is_stretched_where_it_has_no_such_speed() -> None:
    async def scenario() -> None:
        models = Models(Settings(), Engines())
        await models.open()
        async with models.lease_synthesizer(CHATTTS) as synthesizer:
            lengths = [
                sum([len(chunk) async for chunk in synthesizer.synthesize("a" * 48, "amber", speed)])
                for speed in (0.5, 1.0, 4.0)
            ]
        await models.unload(CHATTTS)
        await models.close()
        assert lengths == pytest.approx([24_000 * (1 + WORD_PAUSE) / speed for speed in (0.5, 1.0, 4.0)], rel=0.03)

    run(scenario())


def test_without_a_folder_there_are_no_such_voices(tmp_path: Path) -> None:
    assert voice_clips(None) == voice_clips(tmp_path / "absent") == {}


def test_a_model_in_a_process_speaks_with_its_voice_a_recording_or_one_of_the_folder(tmp_path: Path) -> None:
    async def scenario() -> None:
        engines = Engines()
        models = Models(Settings(voices_dir=folder(tmp_path)), engines)
        await models.open()
        clip, pause = ReferenceClip(np.full(16_000, 0.75, np.float32)), round(SENTENCE_PAUSE * 24_000)
        assert await said(models, "amber", SpeechStyle()) == [500, 500, 500, pause]
        assert await said(models, "ann", SpeechStyle()) == [250, 250, 250, pause]
        assert await said(models, "ann", SpeechStyle(clip=clip)) == [750, 750, 750, pause]
        async with models.lease_synthesizer(CHATTTS) as synthesizer:
            assert synthesizer.voices == ("amber", "ann")
            assert find_voice("Bob", synthesizer.voices) is None
        assert engines.steps_seen[0].stage is Stage.STARTING
        await models.unload(CHATTTS)
        await models.close()

    run(scenario())


def test_where_any_name_is_a_voice_it_is_kept_as_it_is() -> None:
    async def scenario() -> None:
        models = Models(Settings(), Engines(any_voice="yes"))
        await models.open()
        async with models.lease_synthesizer(CHATTTS) as synthesizer:
            names = ("", "default", "AMBER", "alloy", " Bob ", "af_heart")
            found = [find_voice(name, synthesizer.voices) for name in names]
        assert found == ["amber", "amber", "amber", "alloy", "Bob", "af_heart"]
        await models.close()

    run(scenario())
