"""`vivavoce voices`, with the voices that are installed."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from realtime.catalogue.table import PIPER_VOICES, piper_voice
from realtime.cli.main import main
from realtime.cli.voices import SAMPLE_TEXTS

GERMAN = "piper-de_DE-thorsten-medium"


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a voice of Piper's with two speakers, whose network is empty."""
    path = tmp_path / "de_DE-thorsten-medium.onnx"
    path.touch()
    path.with_name(f"{path.name}.json").write_text(json.dumps({"speaker_id_map": {"anna": 0, "otto": 1}}))
    monkeypatch.setenv("VIVAVOCE_MODEL_PATHS", f"{GERMAN}={tmp_path}")
    return path


@pytest.mark.usefixtures("german")
def test_voices_are_listed_with_model_language_and_licence_and_those_at_hand_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["voices"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    at_hand = [(row[0], row[1], row[2]) for row in rows if row[-1] == "yes"]
    assert ("heart", "hibari-tts", "en") in at_hand
    assert [row for row in at_hand if row[1] == GERMAN] == [("anna", GERMAN, "de"), ("otto", GERMAN, "de")]
    assert [row[-1] == "yes" for row in rows[1:]] == sorted((row[-1] == "yes" for row in rows[1:]), reverse=True)


@pytest.fixture
def kokoro(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of Kokoro's with three voices, one of which is Japanese; its network is empty."""
    (tmp_path / "kokoro.onnx").touch()
    np.savez(tmp_path / "voices.npz", af_heart=np.zeros(1), ef_dora=np.zeros(1), jf_alpha=np.zeros(1))
    (tmp_path / "voices.npz").rename(tmp_path / "voices-v1.0.bin")
    monkeypatch.setenv("VIVAVOCE_MODEL_PATHS", f"kokoro={tmp_path}")


@pytest.mark.usefixtures("kokoro")
def test_a_sample_may_be_of_a_mixture_of_voices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["voices", "--sample", "af_heart+ef_dora"]) == 1
    assert "network of Kokoro could not be loaded" in capsys.readouterr().err


@pytest.mark.usefixtures("kokoro")
def test_a_voice_of_kokoros_is_listed_with_its_own_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["voices"]) == 0
    rows = [line.split()[:3] for line in capsys.readouterr().out.splitlines()]
    assert [row for row in rows if row[1] == "kokoro"] == [["af_heart", "kokoro", "en"], ["ef_dora", "kokoro", "es"]]


@pytest.mark.usefixtures("german")
def test_models_that_are_damaged_are_listed_as_unusable_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "de_DE-thorsten-medium.onnx.json").write_text('{"speaker_id_map": 5}')
    assert main(["voices"]) == 0
    printed = capsys.readouterr()
    rows = [line.split() for line in printed.out.splitlines()]
    assert ["heart", "hibari-tts"] in [row[:2] for row in rows if row[-1] == "yes"]
    assert [row[0] for row in rows if row[-1] == "unusable"] == [GERMAN]
    assert printed.err == f"vivavoce voices: {GERMAN}: The description of the voice de_DE-thorsten-medium is damaged.\n"


@pytest.mark.usefixtures("german")
def test_a_model_whose_directory_is_gone_is_listed_as_unusable_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("VIVAVOCE_MODEL_PATHS", f"ChatTTS={tmp_path / 'gone'}")
    for command in ("voices", "models"):
        assert main([command]) == 0
        printed = capsys.readouterr()
        rows = [line.split() for line in printed.out.splitlines()]
        assert [row[0] for row in rows if row[-1] == "unusable"] == ["ChatTTS"]
        assert "hibari-tts" in printed.out
        assert "ChatTTS: The directory configured for ChatTTS does not exist" in printed.err


@pytest.mark.parametrize("model", ["CosyVoice", "CosyVoice2-0.5B"])
def test_a_directory_of_cosyvoice_is_listed_once_under_the_name_that_it_has_in_the_settings(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cosyvoice2.yaml", "llm.pt", "flow.pt", "hift.pt", "campplus.onnx", "speech_tokenizer_v2.onnx"):
        (tmp_path / name).touch()
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("VIVAVOCE_COSYVOICE_HOME", str(tmp_path))
    monkeypatch.setenv("VIVAVOCE_MODEL_PATHS", f"{model}={tmp_path}")
    assert main(["voices"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[1] for row in rows if row[-1] == "yes" and "CosyVoice" in row[1]] == [model]


def test_a_sample_of_a_voice_is_a_wav_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "sample.wav"
    assert main(["voices", "--sample", "heart", "-o", str(output), "--text", "Hello."]) == 0
    assert capsys.readouterr().out == f"{output}\n"
    with wave.open(str(output)) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, 24_000)
        assert file.getnframes() > 0.3 * 24_000


def test_a_sample_of_no_voice_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["voices", "--sample", "nobody"]) == 2
    assert "'nobody'" in capsys.readouterr().err


@pytest.mark.usefixtures("german")
def test_a_damaged_model_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["voices", "--sample", "otto"]) == 1
    assert capsys.readouterr().err.startswith("vivavoce voices: ")


def test_there_is_a_sentence_for_every_voice_of_pipers_in_the_catalogue() -> None:
    languages = {language for name in PIPER_VOICES if (entry := piper_voice(name)) for language in entry.languages}
    assert languages <= SAMPLE_TEXTS.keys()
