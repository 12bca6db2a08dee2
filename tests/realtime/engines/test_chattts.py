"""ChatTTS: what a phrase asks of it; and the real library with a tiny random model, in an environment of its own."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from realtime.catalogue.names import lookup
from realtime.engines.base import EngineProgram
from realtime.engines.chattts import MAX_TOKENS, manner_of, max_tokens
from realtime.engines.registry import InstalledEngines
from realtime.engines.speech_job import SpeechJob
from realtime.errors import EngineError, UnusableModel
from realtime.settings import Settings
from realtime.workers.process_pool import ProcessPool
from tests.support.cloned_voices import beginning, recorded, talking_with
from tests.support.voice_process import ROOT, VoiceProcess, a_voice

PYTHON = ROOT / ".voices" / "bin" / "python"
TEXT = "Hello."
CHUNK = 12_000

with_chattts = pytest.mark.skipif(
    not (ROOT / ".voices" / "ready").exists(), reason="ChatTTS is not installed: make voices"
)


@pytest.mark.parametrize(
    ("instructions", "marks"),
    [
        ("", ""),
        ("oral_2 laugh_0, break 6", "[oral_2][laugh_0][break_6]"),
        ("[oral_9][laugh_9][break_9]", "[oral_9][laugh_2][break_7]"),
        ("Speak casually, with a laugh.", "[oral_7][laugh_1]"),
        ("Read the news slowly", "[oral_0][break_6]"),
        ("Like a pirate.", ""),
    ],
)
def test_instructions_become_the_marks_of_chattts(instructions: str, marks: str) -> None:
    assert manner_of(instructions) == marks


def test_a_phrase_may_be_as_long_as_its_text_can_take() -> None:
    assert max_tokens(SpeechJob("Hi!", "", 1.0)) == int(4.8 * 46.875)
    assert max_tokens(SpeechJob("Hi!", "", 0.5)) == int(6.6 * 46.875)
    assert max_tokens(SpeechJob("a" * 500, "", 1.0)) == MAX_TOKENS


def program(directory: Path, *, processes: int = 1, python: Path | None = PYTHON) -> EngineProgram:
    settings = Settings(model_paths=(f"ChatTTS={directory}",), engine_processes=processes, chattts_python=python)
    engine = InstalledEngines(settings).synthesizer(lookup("ChatTTS"))
    assert isinstance(engine, EngineProgram)
    return engine


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("chattts") / "model"
    command = [str(PYTHON), str(ROOT / "tests" / "support" / "tiny_chattts.py"), str(directory)]
    made = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert made.returncode == 0, made.stderr
    return directory


@pytest.fixture(scope="module")
def chattts(model: Path) -> Iterator[VoiceProcess]:
    opened = VoiceProcess(program(model, processes=2))
    yield opened
    opened.close()


@with_chattts
@pytest.mark.models
def test_streamed_speech_comes_in_chunks_of_half_a_second(chattts: VoiceProcess) -> None:
    assert chattts.pool.description["sample_rate"] == 24_000
    chunks = chattts.spoken(TEXT)
    assert {len(chunk) for chunk in chunks[:-1]} == {CHUNK}
    assert len(chunks) > 3
    assert all(np.abs(chunk).max() <= 1 for chunk in chunks)


@with_chattts
@pytest.mark.models
def test_no_step_between_chunks_is_larger_than_those_inside(chattts: VoiceProcess) -> None:
    chunks = chattts.spoken(TEXT, first=8)
    inside = max(np.abs(np.diff(chunk)).max() for chunk in chunks)
    assert max(abs(after[0] - before[-1]) for before, after in pairwise(chunks)) <= inside


@with_chattts
@pytest.mark.models
def test_any_name_is_a_voice_and_always_the_same(chattts: VoiceProcess) -> None:
    bob, again, eve = (chattts.spoken(TEXT, voice, first=2)[1] for voice in ("Bob", "Bob", "Eve 🎵"))
    np.testing.assert_array_equal(bob, again)
    assert not np.array_equal(bob, eve)


@with_chattts
@pytest.mark.models
def test_a_phrase_that_is_not_streamed_comes_whole_and_refined(chattts: VoiceProcess) -> None:
    (whole,) = chattts.spoken(TEXT, streamed=False)
    assert len(whole) > 3 * CHUNK


@with_chattts
@pytest.mark.models
def test_instructions_and_speed_change_the_speech(chattts: VoiceProcess) -> None:
    plain, instructed, fast = (
        chattts.spoken(TEXT, speed=speed, instructions=instructions, first=1)[0]
        for speed, instructions in ((1.0, ""), (1.0, "casual"), (1.5, ""))
    )
    assert not np.array_equal(plain, instructed)
    assert not np.array_equal(plain, fast)


@with_chattts
@pytest.mark.models
def test_a_reference_clip_replaces_the_voice(chattts: VoiceProcess) -> None:
    clip = a_voice()
    cloned, again, named = (
        chattts.spoken(TEXT, voice, first=1, clip=given, transcript="hi")[0]
        for voice, given in (("Bob", clip), ("Bob", clip), ("Bob", clip[:0]))
    )
    np.testing.assert_array_equal(cloned, again)
    assert not np.array_equal(cloned, named)


@with_chattts
@pytest.mark.models
def test_an_error_of_the_library_fails_the_phrase_and_the_next_is_spoken(chattts: VoiceProcess) -> None:
    with pytest.raises(EngineError, match="ChatTTS failed: "):
        chattts.spoken(TEXT, clip=a_voice(0.001))
    assert chattts.spoken(TEXT, first=1)


@with_chattts
@pytest.mark.models
def test_twenty_cancelled_phrases_begin_alike_and_leave_nothing_behind(chattts: VoiceProcess) -> None:
    async def scenario() -> None:
        process = chattts.children()[0]
        for count in range(22):
            if count == 2:
                before, memory = (process.num_threads(), process.num_fds()), process.memory_info().rss
            (chunk,) = await chattts.speak(TEXT, first=1)
            assert len(chunk) == CHUNK
            await chattts.idle()
        assert (process.num_threads(), process.num_fds()) == before
        assert process.memory_info().rss < memory + (32 << 20)

    chattts.run(scenario())


@with_chattts
@pytest.mark.models
def test_two_phrases_at_once_are_spoken_by_two_processes_and_one_that_is_killed_is_replaced(
    chattts: VoiceProcess,
) -> None:
    async def scenario() -> None:
        alone = await chattts.speak(TEXT)
        both = await asyncio.gather(chattts.speak(TEXT), chattts.speak(TEXT))
        for chunks in both:
            np.testing.assert_array_equal(np.concatenate(chunks), np.concatenate(alone))
        assert len(chattts.children()) == 2
        speaking = [asyncio.create_task(chattts.speak("a long text " * 9, streamed=False)) for _ in range(2)]
        await asyncio.sleep(0.1)
        os.kill(chattts.children()[1].pid, signal.SIGKILL)
        outcomes = await asyncio.gather(*speaking, return_exceptions=True)
        assert sorted(isinstance(outcome, EngineError) for outcome in outcomes) == [False, True]
        assert len(await chattts.speak(TEXT)) == len(alone)

    chattts.run(scenario())


@with_chattts
@pytest.mark.models
def test_a_recording_that_a_client_sends_over_the_websocket_is_cloned(model: Path) -> None:
    sent = recorded(a_voice())
    with talking_with("ChatTTS", program(model)) as client:
        plain, cloned, with_words, again = (
            beginning(client, TEXT, **output)
            for output in ({}, {"x_prompt_speech": sent}, {"x_prompt_speech": sent, "x_prompt_text": "hi"}, {})
        )
        assert plain == again
        assert len({plain, cloned, with_words}) == 3
        client.send("session.update", session={"audio": {"output": {"x_prompt_speech": sent}}})
        client.wait_for("session.updated")
        assert beginning(client, TEXT) == cloned


@with_chattts
@pytest.mark.models
def test_a_model_with_a_changed_file_is_refused(model: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    changed.mkdir()
    (changed / "asset").symlink_to(model / "asset")
    digests = json.loads((model / "sha256_map.json").read_text())
    (changed / "sha256_map.json").write_text(json.dumps(dict.fromkeys(digests, "0" * 64)))
    with pytest.raises(EngineError, match="not the published one"):
        ProcessPool(program(changed), lambda _: None, max_waiting=1)


def test_without_the_library_the_model_is_unusable(tmp_path: Path) -> None:
    for name in ("Decoder", "DVAE", "Embed", "Vocos", "gpt/model"):
        file = tmp_path / "asset" / f"{name}.safetensors"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    for name in ("gpt/config", "tokenizer/special_tokens_map", "tokenizer/tokenizer_config", "tokenizer/tokenizer"):
        file = tmp_path / "asset" / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    with pytest.raises(UnusableModel, match="extra `chattts`"):
        ProcessPool(program(tmp_path, python=None), lambda _: None, max_waiting=1)
