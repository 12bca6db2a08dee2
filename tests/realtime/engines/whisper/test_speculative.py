"""Greedy generation that verifies expected text: a random model, against CTranslate2 and against itself."""

import errno
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from realtime.engines.whisper import speculative
from realtime.engines.whisper.cpu import enable_avx512, has_vnni
from realtime.engines.whisper.encoder import storage
from realtime.engines.whisper.silence_tail import KEPT
from realtime.engines.whisper.speculative import MAX_MISSES, Excerpt, Generated, SpeculativeDecoder
from realtime.engines.whisper.speculative_loading import load as load_decoder
from realtime.engines.whisper.stored_weights import StoredWeights
from realtime.engines.whisper.windows import FULL_WINDOW_FRAMES, with_silence
from realtime.errors import EngineError
from tests.support.tiny_whisper import NUMBERS, TEXT, WIDTH, write_tiny_whisper

START, END = NUMBERS["<|startoftranscript|>"], NUMBERS["<|endoftext|>"]
TASK = [START, NUMBERS["<|en|>"], NUMBERS["<|transcribe|>"]]
PLAIN = [*TASK, NUMBERS["<|notimestamps|>"]]
CONTEXT = [NUMBERS["<|startofprev|>"], 7, 8, 9]
PROMPTS = [PLAIN, TASK, [*CONTEXT, *PLAIN], [*CONTEXT, *TASK]]
PROMPT_NAMES = ["plain", "timestamps", "context", "context and timestamps"]
MOST = 40
SAMPLES = 12
TAIL = 20
SILENCE = np.random.default_rng(99).normal(size=(FULL_WINDOW_FRAMES, WIDTH)).astype(np.float32)
CLOSE = 0.02  # activations are rounded to 8 bits


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("tiny")
    write_tiny_whisper(path)
    return path


@pytest.fixture(scope="module")
def decoder(directory: Path) -> Iterator[SpeculativeDecoder]:
    with closing(load(directory)) as loaded:
        yield loaded


def load(directory: Path) -> SpeculativeDecoder:
    return load_decoder(directory, Tokenizer(WordLevel(dict(NUMBERS), unk_token="t0")), SILENCE, 1)


def encoding(seed: int, frames: int = 30) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(frames, WIDTH)).astype(np.float32)


def excerpt(seed: int, prompt: Sequence[int], expected: Sequence[int] = (), *, frames: int = 30) -> Excerpt:
    return Excerpt(
        encoding(seed, frames), min(frames + TAIL, FULL_WINDOW_FRAMES), prompt, expected, MOST, FULL_WINDOW_FRAMES
    )


def generate(decoder: SpeculativeDecoder, *excerpts: Excerpt) -> list[Generated]:
    return decoder.generate(excerpts)


@pytest.mark.skipif(not has_vnni(), reason="without VNNI, products of 8-bit numbers saturate")
@pytest.mark.parametrize("quantization", [None, "float16", "int8"])
@pytest.mark.parametrize("prompt", PROMPTS, ids=PROMPT_NAMES)
def test_the_text_begins_like_that_of_ctranslate2(tmp_path: Path, quantization: str | None, prompt: list[int]) -> None:
    write_tiny_whisper(tmp_path, quantization)
    enable_avx512()  # before the first model of the process
    model = ctranslate2.models.Whisper(str(tmp_path), compute_type="float32", intra_threads=1)
    alike = 0
    with closing(load(tmp_path)) as decoder:
        for seed in range(SAMPLES):
            (ours,) = generate(decoder, excerpt(seed, prompt))
            (theirs,) = model.generate(
                storage([with_silence(encoding(seed), SILENCE, 30 + TAIL)]),
                [prompt],
                beam_size=1,
                max_length=2 * MOST,
                return_no_speech_prob=True,
            )
            assert np.log(ours.no_speech_probability) == pytest.approx(np.log(theirs.no_speech_prob), abs=0.5)
            alike += ours.tokens[:2] == theirs.sequences_ids[0][:2]
    # Others have two tokens that are as likely but for the rounding to 8 bits.
    assert alike >= SAMPLES * 2 // 3


def plain_text(decoder: SpeculativeDecoder, seed: int, prompt: Sequence[int]) -> list[int]:
    (generated,) = generate(decoder, excerpt(seed, prompt))
    return generated.tokens


GUESSES: dict[str, Callable[[list[int]], list[int]]] = {
    "right": lambda text: text,
    "its beginning": lambda text: text[: len(text) // 2],
    "more than it": lambda text: [*text, 1, 2, 4],
    "wrong": lambda text: [11, 12, 13, 14, 15],
    "one token differs": lambda text: [*text[:3], *((each + 1) % TEXT for each in text[3:4]), *text[4:]],
    "one token more": lambda text: [*text[:3], 17, *text[3:]],
    "one token less": lambda text: [*text[:3], *text[4:]],
    "a suppressed token": lambda text: [*text[:2], 3, *text[2:]],
    "the end": lambda text: [*text[:2], END, *text[2:]],
    "without timestamps": lambda text: [token for token in text if token < END],
}


@pytest.mark.parametrize("guess", GUESSES.values(), ids=GUESSES)
@pytest.mark.parametrize("prompt", PROMPTS, ids=PROMPT_NAMES)
def test_what_is_expected_does_not_change_the_text(
    decoder: SpeculativeDecoder, prompt: list[int], guess: Callable[[list[int]], list[int]]
) -> None:
    for seed in range(SAMPLES):
        (plain,) = generate(decoder, excerpt(seed, prompt))
        (guessed,) = generate(decoder, excerpt(seed, prompt, guess(plain.tokens)[: MOST - 1]))
        assert guessed.tokens == plain.tokens
        assert guessed.probabilities == pytest.approx(plain.probabilities, abs=CLOSE)
        assert guessed.no_speech_probability == pytest.approx(plain.no_speech_probability, rel=CLOSE)


@pytest.fixture
def fed(decoder: SpeculativeDecoder, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens of the first row were fed in each pass."""
    lengths: list[int] = []
    step = decoder._step

    def counted(batch: Any, rows: Any) -> None:
        lengths.append(len(rows[0].fed))
        step(batch, rows)

    monkeypatch.setattr(decoder, "_step", counted)
    return lengths


@pytest.mark.parametrize("prompt", PROMPTS, ids=PROMPT_NAMES)
def test_expected_text_takes_one_pass(decoder: SpeculativeDecoder, prompt: list[int], fed: list[int]) -> None:
    seed, text = next((seed, text) for seed in range(SAMPLES) if len(text := plain_text(decoder, seed, prompt)) > 3)
    fed.clear()
    (generated,) = generate(decoder, excerpt(seed, prompt, text))
    assert generated.tokens == text
    assert len(fed) == 1


def test_a_text_that_is_all_wrong_is_given_up_after_a_few_tokens(decoder: SpeculativeDecoder, fed: list[int]) -> None:
    text = plain_text(decoder, 0, TASK)
    fed.clear()
    (generated,) = generate(decoder, excerpt(0, TASK, [11, 12] * 15))
    assert generated.tokens == text
    assert len([length for length in fed[1:] if length > 1]) <= MAX_MISSES


def test_another_first_timestamp_costs_one_more_pass(decoder: SpeculativeDecoder, fed: list[int]) -> None:
    text = plain_text(decoder, 0, TASK)
    assert text[1] < END
    fed.clear()
    (generated,) = generate(decoder, excerpt(0, TASK, [text[0] + 1, *text[1:]]))
    assert generated.tokens == text
    assert len(fed) == 2


def test_threads_share_a_decoder(decoder: SpeculativeDecoder) -> None:
    texts = {seed: plain_text(decoder, seed, TASK) for seed in range(SAMPLES)}
    with ThreadPoolExecutor(4) as pool:
        answers = {seed: pool.submit(plain_text, decoder, seed, TASK) for seed in [*range(SAMPLES)] * 3}
        assert {seed: answer.result() for seed, answer in answers.items()} == texts


FIRST = NUMBERS["<|0|>"]


@pytest.mark.parametrize(
    ("before", "likely", "chosen"),
    [
        ([], {7: 9.0, FIRST + 3: 1.0}, FIRST + 3),  # the text begins with a timestamp,
        ([], {FIRST + 51: 9.0, FIRST + 50: 1.0}, FIRST + 50),  # of the first second
        ([FIRST], {FIRST + 9: 9.0, 7: 1.0}, 7),  # one timestamp begins a sentence
        ([FIRST, 7], {FIRST + 9: 5.0, FIRST + 10: 5.0, 8: 5.5}, FIRST + 9),  # all timestamps together are likelier
        (
            [FIRST + 9, 7],
            {FIRST + 9: 9.0, FIRST + 10: 5.0, 8: 4.0},
            FIRST + 10,
        ),  # no time comes twice in it
        ([FIRST + 9, 7], {FIRST + 2: 9.0, 8: 4.0}, 8),  # nor do they go back
        ([FIRST, 7, FIRST + 9], {7: 9.0, FIRST + 9: 4.0}, FIRST + 9),  # after a sentence comes a time,
        ([FIRST, 7, FIRST + 9], {7: 9.0, FIRST + 8: 8.0, END: 4.0}, END),  # or the end
        ([FIRST, 7, FIRST + 9, FIRST + 9], {FIRST + 9: 9.0, 8: 4.0}, 8),  # but no third timestamp
        ([FIRST, 7], {END: 6.0, 8: 4.0}, END),
    ],
)
def test_timestamps_are_chosen_by_the_rules_of_openai(
    decoder: SpeculativeDecoder, before: list[int], likely: dict[int, float], chosen: int
) -> None:
    logits = np.full(len(NUMBERS), -20.0, np.float32)
    logits[[*likely]] = [*likely.values()]
    token, log_probability = decoder._choice.choose(logits, before, TASK)
    assert token == chosen
    assert -1.1 < log_probability <= 0


def test_members_of_a_batch_do_not_change_each_other(decoder: SpeculativeDecoder) -> None:
    kinds = zip(PROMPTS * 2, (0, 3, 8, 5, 1, 0, 30, 2), range(20, 60, 5), strict=True)
    excerpts = [
        excerpt(seed, prompt, plain_text(decoder, seed, prompt)[:length], frames=frames)
        for seed, (prompt, length, frames) in enumerate(kinds)
    ]
    together = generate(decoder, *excerpts)
    for each, alone in zip(together, (generate(decoder, each)[0] for each in excerpts), strict=True):
        assert each.tokens == alone.tokens
        assert each.probabilities == pytest.approx(alone.probabilities, abs=CLOSE)


@pytest.fixture
def computed(decoder: SpeculativeDecoder, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many frames of each memory were projected to keys and values."""
    lengths: list[int] = []
    memory = decoder._memory

    class Counted:
        def get_outputs(self) -> Any:
            return memory.get_outputs()

        def run(self, names: list[str], inputs: dict[str, NDArray[np.float32]]) -> Any:
            lengths.append(len(inputs["memory"]))
            return memory.run(names, inputs)

    monkeypatch.setattr(decoder, "_memory", Counted())
    return lengths


def test_silence_is_computed_only_as_far_as_it_is_not_kept(decoder: SpeculativeDecoder, computed: list[int]) -> None:
    lengths = {20: 20, KEPT - TAIL: KEPT - TAIL, KEPT: KEPT + TAIL, 1490: 1490, 1500: 1500}
    generate(decoder, *(excerpt(seed, TASK, frames=frames) for seed, frames in enumerate(lengths)))
    assert computed == [*lengths.values()]


def test_silence_that_is_kept_makes_no_difference(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    excerpts = [excerpt(seed, TASK, frames=frames) for seed, frames in enumerate((20, 35, 60, 90, 1490, 1500))]
    texts = []
    for kept in (0, 60, KEPT):
        monkeypatch.setattr("realtime.engines.whisper.silence_tail.KEPT", kept)
        with closing(load(directory)) as decoder:
            texts.append([*generate(decoder, *excerpts), *(generate(decoder, each)[0] for each in excerpts)])
    for each, *others in zip(*texts, strict=True):
        for other in others:
            assert other.tokens == each.tokens
            assert other.probabilities == pytest.approx(each.probabilities, abs=CLOSE)


def test_a_timestamp_behind_the_audio_and_behind_text_ends_the_text(decoder: SpeculativeDecoder) -> None:
    texts = {seed: plain_text(decoder, seed, TASK) for seed in range(SAMPLES)}
    seed, text = next((seed, text) for seed, text in texts.items() if any(each >= FIRST for each in text[1:-1]))
    second = next(place for place, token in enumerate(text) if place and token >= FIRST)
    for expected in ([], text):
        for frames, whole in (
            (0, text[: second + 1]),
            (text[second] - FIRST, text[: second + 1]),
            (FULL_WINDOW_FRAMES, text),
        ):
            (cut,) = decoder.generate([replace(excerpt(seed, TASK, expected), audio_frames=frames)])
            assert cut.tokens == whole


def test_generation_stops_at_the_most_tokens(decoder: SpeculativeDecoder) -> None:
    whole = plain_text(decoder, 0, PLAIN)
    for expected in ([], whole[:2], whole):
        (cut,) = decoder.generate([replace(excerpt(0, PLAIN, expected), max_tokens=3)])
        assert cut.tokens == whole[:3]
        assert len(cut.probabilities) == 3


def timed(seed: int, prompt: Sequence[int], expected: Sequence[int] = (), **changes: Any) -> Excerpt:
    return replace(excerpt(seed, prompt, expected), timed=True, **changes)


@pytest.mark.parametrize("prompt", [PLAIN, [*CONTEXT, *PLAIN]], ids=["plain", "context"])
def test_tokens_have_the_same_times_whatever_is_expected(decoder: SpeculativeDecoder, prompt: list[int]) -> None:
    same, texts = 0, {seed: plain_text(decoder, seed, prompt) for seed in range(SAMPLES)}
    ended = {seed: text for seed, text in texts.items() if 0 < len(text) < MOST}
    assert len(ended) > SAMPLES / 2
    for seed, text in ended.items():
        asked = [timed(seed, prompt, expected) for expected in ([], text, [*text[:2], 9, 9, 9])]
        found = [each.boundaries for each in generate(decoder, *asked)]
        found += [generate(decoder, each)[0].boundaries for each in asked]
        assert [len(each) for each in found] == [len(text) + 1] * len(found)
        same += len(set(map(tuple, found))) == 1
    assert same >= 0.8 * len(ended)  # others have paths that are as cheap but for the rounding


def test_all_alignment_heads_count(tmp_path: Path) -> None:
    heads = [(0, 0), (0, 1), (1, 0), (1, 1)]
    attended = {}
    for chosen in (*([each] for each in heads), heads[::-1]):
        write_tiny_whisper(tmp_path)
        config = json.loads((tmp_path / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps(config | {"alignment_heads": chosen}))
        with closing(load(tmp_path)) as decoder, pytest.MonkeyPatch.context() as patch:
            seen: list[NDArray[np.float32]] = []
            patch.setattr(speculative, "token_boundaries", lambda attention, _, seen=seen: seen.append(attention) or [])
            generate(decoder, timed(0, PLAIN, audio_frames=20, max_tokens=MOST))
        (attended[len(chosen), chosen[0]],) = seen
    assert all(each.shape[2] == 20 for each in attended.values())
    together = attended[len(heads), heads[-1]]
    alone = np.concatenate([attended[1, each] for each in heads])
    assert together == pytest.approx(alone)


def test_there_are_no_times_where_none_are_wanted_or_the_text_does_not_end(decoder: SpeculativeDecoder) -> None:
    seed = next(seed for seed in range(SAMPLES) if 3 < len(plain_text(decoder, seed, PLAIN)) < MOST)
    (whole,) = generate(decoder, timed(seed, PLAIN))
    assert whole.boundaries
    others = excerpt(seed, PLAIN), timed(seed, PLAIN, max_tokens=3), timed(seed, PLAIN, audio_frames=0)
    assert [generate(decoder, each)[0].boundaries for each in others] == [[], [], []]
    together = generate(decoder, others[0], timed(seed, PLAIN), *others[1:])
    assert [len(each.boundaries) for each in together] == [0, len(whole.boundaries), 0, 0]


@pytest.mark.parametrize("heads", [None, [(1, 0)] * 33])
def test_a_model_that_names_no_alignment_heads_or_too_many_gives_no_times(
    tmp_path: Path, heads: list[tuple[int, int]] | None
) -> None:
    write_tiny_whisper(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"alignment_heads": heads}))
    with closing(load(tmp_path)) as decoder:
        assert all(generate(decoder, timed(seed, PLAIN))[0].boundaries == [] for seed in range(SAMPLES))


def test_weights_are_those_that_were_stored(directory: Path) -> None:
    with closing(StoredWeights(directory / "model.bin")) as weights:
        embeddings = weights.float32("decoder/embeddings/weight")
        assert embeddings.shape == weights.shape("decoder/embeddings/weight") == (len(NUMBERS), WIDTH)
        assert np.array_equal(weights.rows("decoder/projection/weight", 5, 8), embeddings[5:8])
        assert weights.number("decoder/num_heads") == 2
        assert "decoder/layer_1/ffn/linear_0/weight" in weights
        assert "decoder/layer_2/ffn/linear_0/weight" not in weights
        with pytest.raises(EngineError, match="no weights 'decoder/nothing'"):
            weights.float32("decoder/nothing")


def test_weights_in_8_bits_are_about_those_before(directory: Path, tmp_path: Path) -> None:
    write_tiny_whisper(tmp_path, "int8")
    name = "decoder/layer_0/ffn/linear_0/weight"
    with (
        closing(StoredWeights(directory / "model.bin")) as one,
        closing(StoredWeights(tmp_path / "model.bin")) as other,
    ):
        before, after = one.float32(name), other.float32(name)
    assert 0 < np.abs(before - after).max() <= np.abs(before).max() / 127


@pytest.mark.parametrize(
    "damage", [lambda stored: b"", lambda stored: b"\x63" + stored[1:], lambda stored: stored[:-900]]
)
def test_a_damaged_model_is_not_understood(directory: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    for file in directory.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    model = tmp_path / "model.bin"
    model.write_bytes(damage(model.read_bytes()))
    with pytest.raises(EngineError):
        load(tmp_path)


def test_weights_in_16_bits_are_not_taken_for_others(tmp_path: Path) -> None:
    write_tiny_whisper(tmp_path, "int16")
    with pytest.raises(EngineError, match="16"):
        load(tmp_path)


@pytest.mark.parametrize("suppressed", [None, [10**6]])
@pytest.mark.parametrize("name", ["suppress_ids", "suppress_ids_begin"])
def test_suppressed_tokens_that_the_model_does_not_have_are_an_error(
    directory: Path, tmp_path: Path, name: str, suppressed: list[int] | None
) -> None:
    write_tiny_whisper(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {name: suppressed}))
    with pytest.raises(EngineError):
        load(tmp_path)


@pytest.mark.parametrize("broken", ["run", "get_outputs"])
def test_a_failure_of_onnxruntime_is_an_error(directory: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeException("out of memory")

    monkeypatch.setattr(f"onnxruntime.InferenceSession.{broken}", fail)
    with pytest.raises(EngineError, match="out of memory"):
        load(directory)


def test_a_graph_that_onnxruntime_cannot_load_is_an_error(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeException("out of memory")

    monkeypatch.setattr("realtime.engines.onnx.onnxruntime.InferenceSession", fail)
    with pytest.raises(EngineError):
        load(directory)


def test_graphs_that_are_not_written_in_time_are_an_error(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.engines.whisper.speculative_loading.WRITING_TIMEOUT", 0.01)
    with pytest.raises(EngineError, match=r"0\.01 seconds"):
        load(directory)


def test_a_full_disk_is_an_error(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("realtime.engines.whisper.speculative_loading.TemporaryDirectory", full)
    with pytest.raises(EngineError, match="No space left"):
        load(directory)
