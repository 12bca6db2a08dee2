"""CosyVoice: the real library of a clone, with tiny random models of its three versions."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from realtime.catalogue.names import lookup
from realtime.engines.base import EngineProgram
from realtime.engines.registry import InstalledEngines
from realtime.errors import EngineError, UnusableModel
from realtime.settings import Settings
from realtime.workers.process_pool import ProcessPool
from tests.support.cloned_voices import beginning, recorded, talking_with
from tests.support.voice_process import ROOT, VoiceProcess, a_voice

HOME = os.environ.get("VIVAVOCE_COSYVOICE_HOME", "")
PYTHON = os.environ.get("VIVAVOCE_COSYVOICE_PYTHON", sys.executable)
TEXTS = {1: "Hi there, good morning to you all.", 2: "Hi there.", 3: "Hi there."}
"""Ten tokens of text, which the models make 180 or 200 tokens of speech of."""
FIRST_CHUNKS = {1: 38_912, 2: 20_160, 3: 20_160}
"""Samples of 100 or 25 tokens, less what the next chunk is faded into."""

with_cosyvoice = pytest.mark.skipif(not HOME, reason="VIVAVOCE_COSYVOICE_HOME not set")


def program(directory: Path, home: str) -> EngineProgram:
    settings = Settings(
        model_paths=(f"CosyVoice={directory}",), cosyvoice_home=Path(home), cosyvoice_python=Path(PYTHON)
    )
    engine = InstalledEngines(settings).synthesizer(lookup("CosyVoice"))
    assert isinstance(engine, EngineProgram)
    return engine


def version(cosyvoice: VoiceProcess) -> int:
    return int(cosyvoice.pool.description["version"])


def text_for(cosyvoice: VoiceProcess) -> str:
    return TEXTS[version(cosyvoice)]


@pytest.fixture(scope="module", params=[1, 2, 3])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("cosyvoice") / f"version{request.param}"
    script = str(ROOT / "tests" / "support" / "tiny_cosyvoice.py")
    command = [PYTHON, script, HOME, str(directory), str(request.param)]
    made = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert made.returncode == 0, made.stderr
    return directory


@pytest.fixture(scope="module")
def cosyvoice(model: Path) -> Iterator[VoiceProcess]:
    opened = VoiceProcess(program(model, HOME))
    assert model.name == f"version{version(opened)}"
    yield opened
    opened.close()


@with_cosyvoice
@pytest.mark.models
def test_a_phrase_is_streamed_by_the_voices_of_the_model(cosyvoice: VoiceProcess) -> None:
    assert cosyvoice.pool.description["voices"] == ["ann", "ben"]
    ann, ben = (cosyvoice.spoken(text_for(cosyvoice), voice) for voice in ("ann", "ben"))
    assert len(ann[0]) == len(ben[0]) == FIRST_CHUNKS[version(cosyvoice)]
    assert len(ann) > 1
    assert not np.array_equal(ann[0], ben[0])


@with_cosyvoice
@pytest.mark.models
def test_a_phrase_that_is_not_streamed_comes_whole(cosyvoice: VoiceProcess) -> None:
    streamed = cosyvoice.spoken(text_for(cosyvoice))
    (whole,) = cosyvoice.spoken(text_for(cosyvoice), streamed=False)
    assert len(whole) == pytest.approx(sum(map(len, streamed)), rel=0.05)


@with_cosyvoice
@pytest.mark.models
@pytest.mark.parametrize(
    ("transcript", "instructions"),
    [("Hello.", ""), ("", ""), ("", "Slowly.")],
    ids=["zero-shot", "cross-lingual", "instruct"],
)
def test_a_recording_is_cloned(cosyvoice: VoiceProcess, transcript: str, instructions: str) -> None:
    clip = a_voice()
    chunks = cosyvoice.spoken(text_for(cosyvoice), clip=clip, transcript=transcript, instructions=instructions, first=1)
    assert len(chunks[0]) > 0


@with_cosyvoice
@pytest.mark.models
def test_an_error_in_the_library_fails_the_phrase_and_the_next_is_spoken(cosyvoice: VoiceProcess) -> None:
    with pytest.raises(EngineError, match="CosyVoice failed: "):
        cosyvoice.spoken(text_for(cosyvoice), clip=a_voice(0.001))
    assert len(cosyvoice.spoken(text_for(cosyvoice), first=1)[0]) == FIRST_CHUNKS[version(cosyvoice)]


@with_cosyvoice
@pytest.mark.models
def test_twenty_cancelled_phrases_begin_alike_and_leave_nothing_behind(cosyvoice: VoiceProcess) -> None:
    async def scenario() -> None:
        process = cosyvoice.children()[-1]
        for count in range(22):
            (chunk,) = await cosyvoice.speak(text_for(cosyvoice), first=1)
            assert len(chunk) == FIRST_CHUNKS[version(cosyvoice)]
            await cosyvoice.idle()
            if count == 1:
                before, memory = (process.num_threads(), process.num_fds()), process.memory_info().rss
        assert (process.num_threads(), process.num_fds()) == before
        assert process.memory_info().rss < memory + (64 << 20)

    cosyvoice.run(scenario())


@with_cosyvoice
@pytest.mark.models
@pytest.mark.parametrize("words", ["", "Hello."], ids=["cross-lingual", "zero-shot"])
def test_a_recording_that_a_client_sends_over_the_websocket_is_cloned(
    model: Path, cosyvoice: VoiceProcess, words: str
) -> None:
    sent, text = {"x_prompt_speech": recorded(a_voice()), "x_prompt_text": words}, text_for(cosyvoice)
    with talking_with("CosyVoice", program(model, HOME)) as client:
        assert beginning(client, text, **sent) != beginning(client, text)


def directory_of_files(directory: Path) -> Path:
    for name in ("cosyvoice2.yaml", "llm.pt", "flow.pt", "hift.pt", "campplus.onnx", "speech_tokenizer_v2.onnx"):
        (directory / name).touch()
    return directory


def test_without_a_clone_the_model_is_unusable(tmp_path: Path) -> None:
    settings = Settings(model_paths=(f"CosyVoice={directory_of_files(tmp_path)}",))
    with pytest.raises(UnusableModel, match="set VIVAVOCE_COSYVOICE_HOME"):
        InstalledEngines(settings).synthesizer(lookup("CosyVoice"))


@pytest.mark.parametrize(("folders", "lacks"), [([], "cosyvoice/cli"), (["cosyvoice/cli"], "Matcha-TTS.*--recursive")])
def test_a_directory_that_is_no_clone_is_refused_with_what_it_lacks(
    tmp_path: Path, folders: list[str], lacks: str
) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(UnusableModel, match=lacks):
        ProcessPool(program(directory_of_files(tmp_path), str(tmp_path)), lambda _: None, max_waiting=1)
