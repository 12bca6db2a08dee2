"""Kokoro: how it reads each language; and the real network, where `make voices` has installed it."""

import shutil
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.names import lookup
from realtime.engines.base import EngineProgram
from realtime.engines.kokoro import MAX_TOKENS, Kokoro, pieces
from realtime.engines.kokoro_phonemes import VOCABULARY, readable_languages, reader, tokens
from realtime.engines.registry import InstalledEngines
from realtime.engines.speech_job import SpeechJob
from realtime.errors import EngineError
from realtime.settings import Settings
from realtime.workers.messages import NO_SAMPLES
from tests.support.kokoro import PARTS, kokoro_directory

with_kokoro = pytest.mark.skipif(len(PARTS) != 4, reason="Kokoro is not installed: make voices")


@pytest.mark.models
@pytest.mark.parametrize(
    ("language", "text", "phonemes"),
    [
        ("en", "Hello there.", "həlˈO ðˈɛɹ."),
        ("es", "¡Qué aire, señor!", "kˈe ˈIɾe, seɲˈoɾ!"),
        ("fr", "Bonjour, mon garçon.", "bɔ̃ʒˈuʁ, mɔ̃ ɡaʁsˈɔ̃."),
        ("it", "Grazie, amici.", "ɡɾˈaʦje, amˈiʧɪ."),
        ("pt", "Bom dia, mais.", "bˈõn ʤˈiɐ, mˈIs."),
        ("hi", "नमस्ते.", "nəmˈʌsteː."),
    ],
)
def test_each_language_is_read_as_kokoro_was_trained(language: str, text: str, phonemes: str) -> None:
    read = reader(language)(text)
    assert read == unicodedata.normalize("NFD", phonemes)
    assert len(tokens(read)) == len(read)


@pytest.mark.models
def test_english_voices_of_either_country_read_in_their_accent() -> None:
    assert reader("en", british=True)("The garden.") != reader("en")("The garden.")


@pytest.mark.models
def test_letters_that_are_named_are_read_by_their_names() -> None:
    assert reader("en")("A B C") == reader("en")("A.B.C")


@pytest.mark.models
@pytest.mark.parametrize(("language", "text"), [("fr", "Le weekend."), ("it", "In streaming."), ("hi", "YouTube.")])
def test_no_marks_of_a_change_of_language_are_spoken(language: str, text: str) -> None:
    assert not {"(", ")"} & set(reader(language)(text))


@pytest.mark.models
def test_english_words_in_chinese_are_read_as_english() -> None:
    pytest.importorskip("misaki.zh", reason="the extra `kokoro` is not installed")
    read = reader("zh")("我用 computer 工作。")
    assert reader("en")("computer") in read
    assert {"→", "↓"} < set(read)
    assert set(read) <= VOCABULARY.keys()


def test_phonemes_have_the_numbers_of_the_release() -> None:
    assert len(VOCABULARY) == 114
    assert tokens("həlˈO!\n☃") == [50, 83, 54, 156, 31, 5]


@pytest.mark.parametrize(("length", "sizes"), [(0, []), (MAX_TOKENS, [510]), (MAX_TOKENS + 1, [256, 255])])
def test_a_phrase_that_is_too_long_is_cut_into_equal_pieces(length: int, sizes: list[int]) -> None:
    cut = pieces(list(range(length)))
    assert [len(piece) for piece in cut] == sizes
    assert [each for piece in cut for each in piece] == list(range(length))


def test_only_voices_that_can_be_read_are_listed(tmp_path: Path) -> None:
    for folder, name in (("onnx", "model.onnx"), *(("voices", f"{each}.bin") for each in ("af_heart", "zf_xiaoxiao"))):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).touch()
    kokoro = lookup("kokoro")
    listed = InstalledEngines(Settings(model_paths=(f"kokoro={tmp_path}",))).installed_voices([kokoro])
    readable = readable_languages()
    assert listed.voices == {
        "kokoro": tuple(name for name, code in (("af_heart", "en"), ("zf_xiaoxiao", "zh")) if code in readable)
    }


def test_a_damaged_archive_of_voices_is_an_engine_error(tmp_path: Path) -> None:
    (tmp_path / "kokoro.onnx").touch()
    (tmp_path / "voices-v1.0.bin").write_bytes(b"PK\3\4 half of it")
    with pytest.raises(EngineError, match=r"voices-v1\.0\.bin are damaged"):
        loaded(tmp_path)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kokoro_directory(tmp_path_factory.mktemp("kokoro"))


def loaded(directory: Path, kind: type[Kokoro] = Kokoro) -> Kokoro:
    program = InstalledEngines(Settings(model_paths=(f"kokoro={directory}",))).synthesizer(lookup("kokoro"))
    assert isinstance(program, EngineProgram)
    return kind(program.arguments, lambda _: None)


@pytest.fixture(scope="module")
def kokoro(directory: Path) -> Kokoro:
    return loaded(directory)


def chunks(engine: Kokoro, text: str, voice: str = "af_heart", speed: float = 1.0, **options: Any) -> list[Samples]:
    job = SpeechJob(text, voice, speed, **options)
    return [samples for _, samples in engine.run(job.fields(), NO_SAMPLES)]


@with_kokoro
@pytest.mark.models
def test_its_voices_are_those_of_languages_that_are_spoken(kokoro: Kokoro) -> None:
    assert kokoro.description["voices"] == ("af_heart", "am_fenrir", "bf_emma", "ef_dora")
    assert kokoro.description["sample_rate"] == 24_000
    able = Capabilities(**kokoro.description["capabilities"])
    assert (able.languages, able.speed, able.mixing) == (("en", "es"), True, True)


@with_kokoro
@pytest.mark.models
def test_speech_begins_at_once_and_comes_in_short_chunks(kokoro: Kokoro) -> None:
    spoken = chunks(kokoro, "Good morning.")
    assert [len(chunk) for chunk in spoken[:2]] == [960, 2_400]
    samples = np.concatenate(spoken)
    assert samples.dtype == np.float32
    assert 0.1 < np.abs(samples).max() <= 1
    assert np.flatnonzero(np.abs(samples) > 1e-3)[0] <= 720


@with_kokoro
@pytest.mark.models
def test_speed_changes_the_length_of_kokoros_speech(kokoro: Kokoro) -> None:
    slow, fast = (len(np.concatenate(chunks(kokoro, "Hi.", speed=speed))) for speed in (0.8, 1.6))
    assert slow / fast == pytest.approx(2, rel=0.25)


@with_kokoro
@pytest.mark.models
def test_a_mixture_lies_between_its_voices(kokoro: Kokoro) -> None:
    heart, fenrir, mixed = (kokoro.styles(name)[9] for name in ("af_heart", "am_fenrir", "af_heart(3)+am_fenrir"))
    assert mixed == pytest.approx(0.75 * heart + 0.25 * fenrir, abs=1e-5)
    assert len(chunks(kokoro, "Hi!", "af_heart(3)+am_fenrir")) > 5


@with_kokoro
@pytest.mark.models
@pytest.mark.parametrize("text", ["", " \n ", "👍", "กข"])
def test_text_that_kokoro_cannot_pronounce_gives_no_chunks(kokoro: Kokoro, text: str) -> None:
    assert chunks(kokoro, text) == []


class Interrupted(Kokoro):
    """An engine whose phrases are cancelled while the network works."""

    def _spoken(self, numbers: list[int], style: NDArray[np.float32], speed: float) -> Samples:
        self.interrupt()
        return super()._spoken(numbers, style, speed)


@with_kokoro
@pytest.mark.models
def test_a_cancelled_phrase_ends_within_the_call_of_the_network(directory: Path) -> None:
    assert chunks(loaded(directory, Interrupted), "It was a bright cold day in April. " * 5) == []


@with_kokoro
@pytest.mark.models
def test_the_layout_of_the_hub_has_a_file_for_each_voice(directory: Path, tmp_path: Path, kokoro: Kokoro) -> None:
    for folder in ("onnx", "voices"):
        (tmp_path / folder).mkdir()
    (tmp_path / "onnx" / "model_quantized.onnx").symlink_to(directory / "kokoro-v1.0.int8.onnx")
    kokoro.styles("bf_emma").tofile(tmp_path / "voices" / "bf_emma.bin")
    (tmp_path / "voices" / "am_adam.bin").write_bytes(b"damaged")
    engine = loaded(tmp_path)
    assert engine.description["voices"] == ("am_adam", "bf_emma")
    assert np.array_equal(engine.styles("bf_emma"), kokoro.styles("bf_emma"))
    with pytest.raises(EngineError, match="am_adam of Kokoro is damaged"):
        chunks(engine, "Hi!", "am_adam")


@with_kokoro
@pytest.mark.models
def test_a_damaged_network_is_an_engine_error(directory: Path, tmp_path: Path) -> None:
    shutil.copy(directory / "voices-v1.0.bin", tmp_path)
    (tmp_path / "kokoro.onnx").write_bytes(b"{}")
    with pytest.raises(EngineError, match="could not be loaded"):
        loaded(tmp_path)
