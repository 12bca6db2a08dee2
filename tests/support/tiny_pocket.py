"""Make a tiny random model of pocket-tts: `python tiny_pocket.py DIRECTORY`, where the package is installed."""

import json
import sys
from pathlib import Path

import safetensors.torch
import tokenizers
import torch
from pocket_tts import TTSModel
from pocket_tts.models.model_state import export_model_state

CONFIGURATION = {
    "flow_lm": {
        "insert_bos_before_voice": True,
        "dtype": "float32",
        "flow": {"depth": 1, "dim": 16},
        "transformer": {"d_model": 32, "hidden_scale": 2, "max_period": 10000, "num_heads": 2, "num_layers": 1},
        "lookup_table": {"dim": 32, "n_bins": 96, "tokenizer": "tokenizers", "tokenizer_path": "hf://a/b/tokenizer.json"},
    },
    "mimi": {
        "dtype": "float32", "sample_rate": 24000, "inner_dim": 8, "outer_dim": 16, "channels": 1, "frame_rate": 12.5,
        "seanet": {
            "dimension": 16, "channels": 1, "n_filters": 2, "n_residual_layers": 1, "ratios": [6, 5, 4],
            "kernel_size": 7, "residual_kernel_size": 3, "last_kernel_size": 3, "dilation_base": 2,
            "pad_mode": "constant", "compress": 2,
        },
        "transformer": {
            "d_model": 16, "num_heads": 2, "num_layers": 1, "layer_scale": 0.01, "context": 250, "dim_feedforward": 32,
            "input_dimension": 16, "output_dimensions": [16],
        },
        "quantizer": {"dimension": 8, "output_dimension": 16},
    },
}  # fmt: skip


def main(directory: Path) -> None:
    folder = directory / "languages" / "english"
    (folder / "embeddings").mkdir(parents=True)
    signs = {chr(32 + number): number for number in range(95)} | {"?unknown": 95}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(signs, unk_token="?unknown"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(""), "isolated")
    tokenizer.save(str(folder / "tokenizer.json"))
    CONFIGURATION["flow_lm"]["lookup_table"]["tokenizer_path"] = str(folder / "tokenizer.json")  # type: ignore[index]
    configuration = folder / "config.yaml"
    configuration.write_text(json.dumps(CONFIGURATION))
    torch.manual_seed(0)
    model = TTSModel.load_model(config=configuration)
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    safetensors.torch.save_file(model.state_dict(), folder / "model.safetensors")
    buzz = torch.sin(torch.arange(24_000) * 0.05)[None] * 0.2
    for name in ("alba", "anna"):
        export_model_state(model.get_state_for_audio_prompt(buzz), folder / "embeddings" / f"{name}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
