"""Write a CosyVoice model with random weights and few dimensions: `python tiny_cosyvoice.py CLONE DIRECTORY VERSION`.

It runs in the Python that has the libraries of CosyVoice. The configuration is that of the clone's recipe for the
version, with smaller sizes; the two networks in ONNX have the inputs and outputs of the published ones.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

HIDDEN, SPEECH_TOKENS = 16, 64
PROMPT_END = 151_646
"""The number that version 3 has in its code for the end of the prompt."""

SIZES = {
    "llm_input_size": HIDDEN, "llm_output_size": HIDDEN, "speech_token_size": SPEECH_TOKENS,
    "vocab_size": SPEECH_TOKENS, "linear_units": 16, "num_blocks": 1, "channels": 16, "attention_head_dim": 8,
    "n_blocks": 1, "num_mid_blocks": 1, "num_heads": 2, "dim": 32, "depth": 1, "heads": 2, "dim_head": 16,
    "base_channels": 16, "cond_channels": 8,
}  # fmt: skip

SIZES_1 = {"text_encoder_input_size": HIDDEN, "attention_heads": 2, "input_size": HIDDEN, "output_size": HIDDEN}
"""Further sizes of version 1, but for those of the spectrogram, which has 80 bands."""

INFERENCE_1 = """
get_tokenizer: !name:whisper.tokenizer.get_tokenizer
    multilingual: True
    num_languages: 100
    language: 'en'
    task: 'transcribe'
allowed_special: 'all'
feat_extractor: !name:matcha.utils.audio.mel_spectrogram
    n_fft: 1024
    num_mels: 80
    sampling_rate: !ref <sample_rate>
    hop_size: 256
    win_size: 1024
    fmin: 0
    fmax: 8000
    center: False
"""

INFERENCE = """
get_tokenizer: !name:cosyvoice.tokenizer.tokenizer.get_qwen_tokenizer
    token_path: !ref <qwen_pretrain_path>
    skip_special_tokens: True
    version: cosyvoice{version}
allowed_special: 'all'
feat_extractor: !name:matcha.utils.audio.mel_spectrogram
    n_fft: 1920
    num_mels: 80
    sampling_rate: !ref <sample_rate>
    hop_size: 480
    win_size: 1920
    fmin: 0
    fmax: 8000
    center: False
"""


def shrunken(recipe: str, version: int) -> str:
    """Return the configuration for inference of a recipe for training, with small sizes."""
    networks = re.sub(r"(?m)^__set_seed.*\n", "", recipe.partition("# gan related module")[0])
    for name, size in (SIZES | SIZES_1 if version == 1 else SIZES).items():
        networks = re.sub(rf"(?m)^( *{name}: )(\[?)(?!80$)\d+(\]?)$", rf"\g<1>\g<2>{size}\g<3>", networks)
    if version == 1:
        return networks.replace("channels: [256, 256]", "channels: [16, 16]") + INFERENCE_1
    return networks + INFERENCE.format(version=version)


def configuration(directory: Path, version: int) -> Path:
    """Return the path of the configuration; the name for version 1 has no number."""
    return directory / f"cosyvoice{version if version > 1 else ''}.yaml"


def write_language_model(directory: Path, version: int) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2TokenizerFast

    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<|endoftext|>"]
    if version == 3:
        tokens += [f"<unused{number}>" for number in range(len(tokens), PROMPT_END)] + ["<|endofprompt|>"]
    tokenizer = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    end = "<|endoftext|>"
    Qwen2TokenizerFast(tokenizer_object=tokenizer, unk_token=None, eos_token=end, pad_token=end).save_pretrained(
        directory
    )
    (directory / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (directory / "merges.txt").write_text("#version: 0.2\n")
    room_for_special_tokens = 512
    sizes = Qwen2Config(
        vocab_size=len(tokens) + room_for_special_tokens, hidden_size=HIDDEN, intermediate_size=2 * HIDDEN,
        num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True,
    )  # fmt: skip
    Qwen2ForCausalLM(sizes).save_pretrained(directory)


def write_networks(directory: Path, version: int) -> None:
    import torch
    from hyperpyyaml import load_hyperpyyaml

    torch.manual_seed(0)
    with configuration(directory, version).open() as file:
        language_model = {} if version == 1 else {"qwen_pretrain_path": str(directory / "CosyVoice-BlankEN")}
        networks = load_hyperpyyaml(file, overrides=language_model)
    never_end(networks["llm"])
    for name in ("llm", "flow", "hift"):
        torch.save(networks[name].state_dict(), directory / f"{name}.pt")
    voices = {name: {"embedding": torch.randn(1, 192)} for name in ("ann", "ben")}
    torch.save(voices, directory / "spk2info.pt")


def never_end(llm: Any) -> None:
    """Have a random model draw none of the tokens that end speech; it ends at the library's limit for its text."""
    import torch

    with torch.no_grad():
        decoder = llm.llm_decoder
        if decoder.bias is not None:
            decoder.bias[SPEECH_TOKENS:] = -1e4
            return
        for embedding in (llm.llm.model.model.embed_tokens, llm.speech_embedding):
            embedding.weight[:, 0] = 8  # a constant, which takes the place of a bias
        decoder.weight[:, 0] = 0
        decoder.weight[SPEECH_TOKENS:, 0] = -100


def write_onnx(directory: Path, version: int) -> None:
    """Write a speaker embedding of the mean of the frames, and a tokenizer of every fourth one."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save

    def model(name: str, nodes: list[Any], inputs: list[Any], output: Any, **constants: Any) -> None:
        values = [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()]
        graph = helper.make_graph(nodes, "tiny", inputs, [output], initializer=values)
        opset = [helper.make_opsetid("", 13)]
        save(helper.make_model(graph, opset_imports=opset, ir_version=8), directory / name)

    node, tensor, real, whole = helper.make_node, helper.make_tensor_value_info, TensorProto.FLOAT, TensorProto.INT32
    weights = np.random.default_rng(0).standard_normal((80, 192)).astype(np.float32)
    model(
        "campplus.onnx",
        [
            node("ReduceMean", ["input"], ["mean"], axes=[1], keepdims=0),
            node("MatMul", ["mean", "weights"], ["output"]),
        ],
        [tensor("input", real, ["batch", "frames", 80])], tensor("output", real, ["batch", 192]), weights=weights,
    )  # fmt: skip
    model(
        f"speech_tokenizer_v{version}.onnx",
        [
            node("ReduceMean", ["feats"], ["mean"], axes=[1], keepdims=0),
            node("Slice", ["mean", "start", "end", "axis", "step"], ["every_fourth"]),
            node("Mul", ["every_fourth", "scale"], ["scaled"]), node("Abs", ["scaled"], ["positive"]),
            node("Cast", ["positive"], ["whole"], to=whole), node("Mod", ["whole", "tokens"], ["token"]),
            node("Mul", ["feats_length", "zero"], ["nothing"]), node("Add", ["token", "nothing"], ["indices"]),
        ],
        [tensor("feats", real, [1, 128, "frames"]), tensor("feats_length", whole, [1])],
        tensor("indices", whole, [1, "tokens"]),
        start=[0], end=[2**31 - 1], axis=[1], step=[4], scale=np.float32(997), tokens=np.int32(SPEECH_TOKENS),
        zero=np.int32(0),
    )  # fmt: skip


def main(clone: Path, directory: Path, version: int) -> None:
    sys.path[:0] = [str(clone), str(clone / "third_party" / "Matcha-TTS")]
    directory.mkdir(parents=True)
    written = configuration(directory, version)
    recipe = clone / "examples" / "libritts" / written.stem / "conf" / written.name
    written.write_text(shrunken(recipe.read_text(), version))
    if version > 1:
        write_language_model(directory / "CosyVoice-BlankEN", version)
    write_networks(directory, version)
    write_onnx(directory, version)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
