"""Write a ChatTTS model with random weights and few dimensions: `python tiny_chattts.py DIRECTORY`.

It runs in the Python that has ChatTTS, and has the files, the architecture and the sample rates of the published model.
The sizes, which ChatTTS keeps in its code, and the digests of the files go where the adapter looks for them.
"""

import dataclasses
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

HIDDEN, HALF, TEXT_TOKENS = 32, 16, 300

BLOCK = {"idim": HALF, "odim": HALF, "hidden": HALF, "n_layer": 1, "bn_dim": 8}
SIZES: dict[str, Any] = {
    "gpt": {
        "hidden_size": HIDDEN, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 1,
        "num_text_tokens": TEXT_TOKENS,
    },
    "embed": {"hidden_size": HIDDEN, "num_text_tokens": TEXT_TOKENS},
    "decoder": BLOCK,
    "dvae": {
        "encoder": BLOCK | {"odim": HIDDEN}, "decoder": BLOCK,
        "vq": {"dim": HIDDEN, "levels": [5, 5, 5, 5], "G": 2, "R": 2},
    },
    "vocos": {
        "backbone": {"init_args": {"dim": HALF, "intermediate_dim": HIDDEN, "num_layers": 1}},
        "head": {"init_args": {"dim": HALF}},
    },
}  # fmt: skip

PLAIN_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SPECIALS = [
    *(f"[{part}{kind}]" for kind in ("asr", "tts", "break") for part in "SPE"),
    *(f"[break_{number}]" for number in range(8)),  # refined text is what comes before these
    *(f"[oral_{number}]" for number in range(10)),
    *(f"[laugh_{number}]" for number in range(3)),
    *(f"[speed_{number}]" for number in range(10)),
    *("[uv_break]", "[v_break]", "[lbreak]", "[llbreak]", "[laugh]", "[music]", "[pure]"),
    *("[spk_emb]", "[empty_spk]", "[undefine]"),
]


def resized(value: Any, changes: Any) -> Any:
    """Return a copy of a dataclass of ChatTTS with these sizes."""
    if not dataclasses.is_dataclass(value):
        return tuple(changes) if isinstance(changes, list) else changes
    names = [each.name for each in dataclasses.fields(value)]
    return type(value)(
        **{name: resized(getattr(value, name), changes[name]) if name in changes else getattr(value, name)
           for name in names}
    )  # fmt: skip


def write_networks(assets: Path) -> None:
    import torch
    from ChatTTS.config import Config
    from ChatTTS.model import DVAE, Embed
    from safetensors.torch import save_file
    from transformers import LlamaConfig, LlamaModel
    from vocos import Vocos
    from vocos.pretrained import instantiate_class

    torch.manual_seed(0)
    config = resized(Config(), SIZES)
    decoder, dvae, embed, vocos = config.decoder, config.dvae, config.embed, config.vocos
    networks: dict[str, Any] = {"Decoder": DVAE(decoder_config=dataclasses.asdict(decoder), dim=HALF)}
    networks["DVAE"] = DVAE(
        decoder_config=dataclasses.asdict(dvae.decoder), encoder_config=dataclasses.asdict(dvae.encoder),
        vq_config=dataclasses.asdict(dvae.vq), dim=HALF, coef=str(networks["Decoder"]),
    )  # fmt: skip
    networks["Embed"] = Embed(embed.hidden_size, embed.num_audio_tokens, embed.num_text_tokens, embed.num_vq)
    parts = (vocos.feature_extractor, vocos.backbone, vocos.head)
    networks["Vocos"] = Vocos(*(instantiate_class(args=(), init=dataclasses.asdict(part)) for part in parts))
    for head in networks["Embed"].head_code:  # random weights would end at random: the last token ends the speech
        with torch.no_grad():
            head.parametrizations.weight.original0[-1] = 0
    for name, network in networks.items():
        tensors = {key: tensor.contiguous().clone() for key, tensor in network.state_dict().items()}
        save_file(tensors, assets / f"{name}.safetensors")
    gpt = config.gpt
    LlamaModel(
        LlamaConfig(
            hidden_size=HIDDEN, intermediate_size=gpt.intermediate_size, num_attention_heads=gpt.num_attention_heads,
            num_hidden_layers=gpt.num_hidden_layers, vocab_size=32, use_cache=False,
        )
    ).save_pretrained(assets / "gpt")  # fmt: skip


def write_tokenizer(directory: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    parts = [*PLAIN_SPECIALS, *letters, *(f"##{letter}" for letter in letters if letter.isalnum()), *"你好世界"]
    vocabulary = {token: number for number, token in enumerate([*parts, *SPECIALS])}
    vocabulary |= {f"[unused{number}]": number for number in range(len(vocabulary), TEXT_TOKENS)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([*PLAIN_SPECIALS, *SPECIALS])
    directory.mkdir()
    tokenizer.save(str(directory / "tokenizer.json"))
    roles = {f"{name.strip('[]').lower()}_token": name for name in PLAIN_SPECIALS}
    (directory / "special_tokens_map.json").write_text(json.dumps(roles | {"additional_special_tokens": SPECIALS}))
    (directory / "tokenizer_config.json").write_text(json.dumps(roles | {"tokenizer_class": "BertTokenizer"}))


def write_configuration(directory: Path) -> None:
    """Write the sizes, the statistics of the speakers (deviations of 1 around 0) and the digests."""
    import numpy as np
    import pybase16384

    statistics = np.repeat(np.array([1, 0], np.float16), HIDDEN)
    sizes = SIZES | {"spk_stat": pybase16384.encode_to_string(statistics.tobytes())}
    (directory / "chattts_config.json").write_text(json.dumps(sizes), encoding="utf-8")
    files = [path for path in (directory / "asset").rglob("*") if path.is_file()]
    names = {path: "_".join(path.relative_to(directory).parts).replace(".", "_") for path in files}
    digests = {f"sha256_{names[path]}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (directory / "sha256_map.json").write_text(json.dumps(digests))


def main(directory: Path) -> None:
    assets = directory / "asset"
    assets.mkdir(parents=True)
    write_networks(assets)
    write_tokenizer(assets / "tokenizer")
    write_configuration(directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
