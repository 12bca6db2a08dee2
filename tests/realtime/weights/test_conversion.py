"""Checkpoints of transformers, tiny and random but with the true vocabularies and shapes, become models that decode.

All of it is real but the size: transformers writes them, the hub's own library downloads them, CTranslate2 converts
them, faster-whisper loads them.
"""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.catalogue.names import lookup
from realtime.engines.whisper.engine import Whisper
from realtime.errors import EngineError, UnusableModel
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.weights import bundled, conversion, storage
from realtime.weights.alignment_heads import ALIGNMENT_HEADS, DecoderShape, decoder_shape
from realtime.weights.conversion import files_among
from realtime.weights.locate import locate
from tests.support.local_hub import Hub, Located, locate_in_a_fresh_process, locate_in_fresh_processes, running_hub
from tests.support.recognizing import transcribe

transformers = pytest.importorskip("transformers", reason="the extra `convert` is not installed")
CACHE = Settings().cache_dir.expanduser()
V2, V3 = 51865, 51866
"""Sizes of the vocabularies."""

OUT_OF_RANGE = [[10, 12], [13, 17]]
"""Alignment heads of a model with 32 decoder layers."""


def tokenizer(vocabulary: int) -> bytes:
    """Return the true tokenizer of large-v2, or that of large-v3: one more language shifts the ids after it."""
    base = bundled.find("whisper-base", CACHE)
    if base is None:
        pytest.skip("whisper-base, whose tokenizer is that of large-v2, has not been prepared")
    content = json.loads((base / "tokenizer.json").read_text())
    if vocabulary == V3:
        ids = {token["content"]: token["id"] for token in content["added_tokens"]}
        for token in content["added_tokens"]:
            token["id"] += token["id"] >= ids["<|translate|>"]
        content["added_tokens"].append(
            {**content["added_tokens"][-1], "content": "<|yue|>", "id": ids["<|translate|>"]}
        )
        content["added_tokens"].sort(key=lambda token: token["id"])
    return json.dumps(content).encode()


def checkpoint(vocabulary: int, mels: int, decoder_layers: int, heads: int = 2, **generation: Any) -> dict[str, bytes]:
    """Return the files of a repository without a tokenizer."""
    transformers.set_seed(0)
    config = transformers.WhisperConfig(
        vocab_size=vocabulary,
        num_mel_bins=mels,
        d_model=8 * heads,
        encoder_layers=2,
        decoder_layers=decoder_layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        bos_token_id=50257,
        eos_token_id=50257,
        pad_token_id=50257,
        decoder_start_token_id=50258,
    )
    model = transformers.WhisperForConditionalGeneration(config)
    weights = io.BytesIO()
    import torch

    torch.save(model.state_dict(), weights)
    files = {"config.json": config.to_json_string(use_diff=False).encode(), "pytorch_model.bin": weights.getvalue()}
    if generation:
        files["generation_config.json"] = json.dumps({"bos_token_id": 50257, **generation}).encode()
    return files


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    repositories = {
        # As Belle publishes its models: no tokenizer.json, no alignment heads.
        "BELLE-2/Belle-whisper-large-v3-zh": checkpoint(V3, 128, decoder_layers=4, heads=20),
        # A distilled model with the heads of its teacher and the tokenizer of another generation.
        "BELLE-2/Belle-distilwhisper-large-v2-zh": {
            **checkpoint(V2, 80, decoder_layers=2, alignment_heads=OUT_OF_RANGE, suppress_tokens=[]),
            "tokenizer.json": tokenizer(V3),
        },
        "openai/whisper-large-v2": {"tokenizer.json": tokenizer(V2)},
        "openai/whisper-large-v3": {"tokenizer.json": tokenizer(V3)},
    }
    with running_hub(repositories) as hub:
        yield hub


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: tmp_path_factory.mktemp(name) for name in ("v3", "v2")}


@pytest.fixture(scope="module")
def large_v3(hub: Hub, homes: dict[str, Path]) -> Located:
    return locate_in_a_fresh_process("Belle-whisper-large-v3-zh", homes["v3"], HF_ENDPOINT=hub.url)


@pytest.fixture(scope="module")
def two_at_once(hub: Hub, homes: dict[str, Path]) -> list[Located]:
    return locate_in_fresh_processes(2, "Belle-distilwhisper-large-v2-zh", homes["v2"], HF_ENDPOINT=hub.url)


@pytest.fixture(scope="module")
def distilled_v2(two_at_once: list[Located]) -> Located:
    return two_at_once[0]


def read(located: Located, name: str) -> Any:
    return json.loads((Path(located.directory) / name).read_text())


def decode(located: Located, language: str | None) -> str:
    """Transcribe noise with word times, and return the language of the hypothesis."""
    whisper = Whisper(
        Path(located.directory), device="cpu", compute_type="int8", languages=(language,) if language else ()
    )
    noise = np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32)
    request = TranscriptionRequest(noise, final=True, word_times=True)
    hypothesis = transcribe(whisper, request)
    whisper.close()
    assert hypothesis.tokens
    return hypothesis.language


@pytest.mark.models
def test_a_belle_model_of_128_mels_is_converted_and_decodes(large_v3: Located) -> None:
    assert decode(large_v3, "zh") == "zh"
    assert read(large_v3, "preprocessor_config.json")["feature_size"] == 128


@pytest.mark.models
def test_a_distilled_belle_model_of_80_mels_is_converted_and_decodes(distilled_v2: Located) -> None:
    assert decode(distilled_v2, "zh") == "zh"
    assert read(distilled_v2, "preprocessor_config.json")["feature_size"] == 80


@pytest.mark.models
def test_a_converted_model_detects_languages(large_v3: Located) -> None:
    assert read(large_v3, "config.json")["lang_ids"] == [*range(50259, 50359)]
    assert decode(large_v3, None)


@pytest.mark.models
@pytest.mark.parametrize(("fixture", "vocabulary"), [("large_v3", V3), ("distilled_v2", V2)])
def test_the_vocabulary_is_that_of_the_right_tokenizer(
    fixture: str, vocabulary: int, request: pytest.FixtureRequest
) -> None:
    located: Located = request.getfixturevalue(fixture)
    tokens = read(located, "vocabulary.json")
    assert len(tokens) == vocabulary
    assert tokens[vocabulary - 1502 : vocabulary - 1500] == ["<|notimestamps|>", "<|0.00|>"]
    assert (Path(located.directory) / "tokenizer.json").read_bytes() == tokenizer(vocabulary)


@pytest.mark.models
def test_alignment_heads_are_those_of_the_size_or_of_the_upper_half(large_v3: Located, distilled_v2: Located) -> None:
    turbo = [[*pair] for pair in ALIGNMENT_HEADS[4, 20, V3]]
    assert read(large_v3, "config.json")["alignment_heads"] == turbo
    assert read(distilled_v2, "config.json")["alignment_heads"] == [[1, 0], [1, 1]]


@pytest.mark.models
def test_the_shape_of_a_decoder_is_read_from_its_weights(large_v3: Located, distilled_v2: Located) -> None:
    assert decoder_shape(Path(large_v3.directory) / "model.bin") == DecoderShape(4, 20, V3)
    assert decoder_shape(Path(distilled_v2.directory) / "model.bin") == DecoderShape(2, 2, V2)


@pytest.mark.models
def test_a_published_conversion_with_the_heads_of_its_teacher_is_corrected_and_aligns(
    distilled_v2: Located, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    shutil.copytree(distilled_v2.directory, theirs)
    config = read(distilled_v2, "config.json") | {"alignment_heads": OUT_OF_RANGE}
    (theirs / "config.json").write_text(json.dumps(config))
    settings = Settings(model_paths=(f"whisper-small={theirs}",), cache_dir=tmp_path / "cache")
    entry = lookup("whisper-small")
    corrected = Located(str(locate(entry, settings)))
    assert read(corrected, "config.json")["alignment_heads"] == [[1, 0], [1, 1]]
    assert decode(corrected, "en") == "en"
    assert str(locate(entry, settings)) == corrected.directory
    assert json.loads((theirs / "config.json").read_text()) == config


@pytest.mark.models
def test_progress_covers_the_download_and_the_conversion(large_v3: Located) -> None:
    assert [*dict.fromkeys(stage for stage, *_ in large_v3.steps)] == ["downloading", "converting"]
    assert large_v3.steps[-1][2] == large_v3.steps[-1][3]


@pytest.mark.models
def test_of_two_processes_that_want_a_model_one_converts_it(two_at_once: list[Located]) -> None:
    assert two_at_once[0].directory == two_at_once[1].directory
    converted = ["converting" in [stage for stage, *_ in located.steps] for located in two_at_once]
    assert sorted(converted) == [False, True]


@pytest.mark.models
def test_a_converted_model_is_found_again_offline(large_v3: Located, homes: dict[str, Path]) -> None:
    again = locate_in_a_fresh_process("Belle-whisper-large-v3-zh", homes["v3"], VIVAVOCE_OFFLINE="1")
    assert (again.directory, again.steps) == (large_v3.directory, [])
    assert sorted(path.name for path in Path(again.directory).parent.iterdir()) == [
        "BELLE-2--Belle-whisper-large-v3-zh",
        "BELLE-2--Belle-whisper-large-v3-zh.lock",
    ]


@pytest.mark.models
def test_a_checkpoint_that_cannot_be_read_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "checkpoint"
    source.mkdir()
    for name, content in checkpoint(V2, 80, decoder_layers=2).items():
        (source / name).write_bytes(content)
    (source / "pytorch_model.bin").write_bytes(b"\x80\x02cos\nsystem\n")
    (source / "tokenizer.json").write_bytes(tokenizer(V2))
    with pytest.raises(EngineError, match="The conversion failed"):
        conversion.convert("mine", source, tmp_path / "out" / "mine", official, nothing)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.lock"]


def nothing(done: int, total: int) -> None:
    pass


def official(source: str) -> Path:
    raise AssertionError(f"{source} is not needed")


def a_checkpoint(directory: Path, **config: object) -> Path:
    """Write a checkpoint whose weights are never read."""
    directory.mkdir()
    facts = {"model_type": "whisper", "vocab_size": V2, "num_mel_bins": 80} | config
    (directory / "config.json").write_text(json.dumps(facts))
    (directory / "model.safetensors").write_bytes(b"weights")
    return directory


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "wav2vec2"}, "a model of type 'wav2vec2', not a Whisper model"),
        ({"vocab_size": 40_000}, "40000 tokens is not that of a Whisper model"),
        ({"vocab_size": None}, "vocabulary of None"),
    ],
)
def test_a_model_that_is_not_whisper_is_refused_before_anything_is_written(
    tmp_path: Path, config: dict[str, object], message: str
) -> None:
    source = a_checkpoint(tmp_path / "checkpoint", **config)
    with pytest.raises(EngineError, match=message):
        conversion.convert("theirs", source, tmp_path / "out" / "theirs", official, nothing)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["theirs.lock"]


def test_a_full_disk_is_reported_before_the_converter_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "RESERVED_BYTES", 2**60)
    source = a_checkpoint(tmp_path / "checkpoint")
    (source / "tokenizer.json").write_bytes(tokenizer(V2))
    with pytest.raises(EngineError, match="only 0 are free"):
        conversion.convert("mine", source, tmp_path / "out" / "mine", official, nothing)


def test_stopping_a_conversion_ends_its_process(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stopped

    source = a_checkpoint(tmp_path / "checkpoint")
    (source / "tokenizer.json").write_bytes(tokenizer(V2))
    with pytest.raises(Stopped):
        conversion.convert("mine", source, tmp_path / "out" / "mine", official, stop)
    with storage.locked(tmp_path / "out" / "mine"):  # which the child held too
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.lock"]


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnusableModel, match=r"pip install -e '\.\[convert\]'"):
        conversion.require_converter("Belle-whisper-large-v3-zh")


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["config.json", "model.safetensors", "pytorch_model.bin"], ("config.json", "model.safetensors")),
        (
            ["config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors", "README.md"],
            ("config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json"),
        ),
        (
            ["config.json", "model.fp32-00001-of-00002.safetensors", "pytorch_model.bin"],
            ("config.json", "pytorch_model.bin"),
        ),
        (["model.safetensors"], ()),
        (["config.json", "tokenizer.json"], ()),
    ],
)
def test_only_one_layout_of_the_weights_is_downloaded(names: list[str], wanted: tuple[str, ...]) -> None:
    assert files_among(names) == wanted
