from pathlib import Path

import pytest

from realtime.catalogue import Task, find
from realtime.engines.registry import InstalledEngines
from realtime.errors import UnusableModel
from realtime.settings import Settings


def test_a_configured_voice_without_an_engine_is_said_to_be_unusable(tmp_path: Path) -> None:
    engines = InstalledEngines(Settings(model_paths=(f"ChatTTS={tmp_path}",)))
    with pytest.raises(UnusableModel, match="ChatTTS is in the catalogue, but this version has no engine for it yet"):
        engines.synthesizer(find("ChatTTS", Task.SPEECH, "hibari-tts"))
