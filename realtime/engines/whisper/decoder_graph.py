"""Whisper's decoder as ONNX graphs, built from the weights of a model.

`python -m realtime.engines.whisper.decoder_graph MODEL DIRECTORY` writes them: a process of its own does, because onnx
takes 7 MB.

Three graphs: one projects a decoder memory to the keys and values of cross-attention, once for a request; one takes the
next tokens of each request of a batch, with the keys and values of those before, and returns the decoder's last states;
one projects these to logits.

Matrices are multiplied in 8 bits, as CTranslate2 does it: each row of weights and each vector of activations has a
scale of its own, so that what a request gets does not depend on the others in its batch.

Source: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), for the architecture; the
lists of operators of ONNX and onnxruntime.
"""

import json
import sys
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

from realtime.engines.whisper.stored_weights import StoredWeights
from realtime.engines.whisper.token_times import ATTENTION
from realtime.errors import EngineError

LIMIT: Final = 127
"""Largest 8-bit weight or activation."""

MAX_ALIGNMENT_HEADS: Final = 32
"""Heads whose attention is returned at most; of models that name more, no attention is. OpenAI's models have up to 23.
Others may name all heads of their last layers: of the size of `whisper-large-v3` 320, a megabyte for a few tokens."""

ROWS_AT_ONCE: Final = 1024
"""Rows of a matrix that are brought to 8 bits at once, so that it is never in memory with 32."""


class _Graph:
    """A graph in the making; its methods return the names of values.

    Matrices go to a file of their own at once, so that no more than one of them is in memory.
    """

    def __init__(self, weights: StoredWeights, file: Path, rows: str) -> None:
        """Begin the graph; all matrices are multiplied by as many rows as the input `rows` has."""
        self._weights = weights
        self._heads, self._head = weights.decoder_heads
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._file = file
        self._matrices = file.with_suffix(".data")
        self._matrices.touch()
        shape, zero_point = self.add("Shape", rows, start=0, end=1), numpy_helper.from_array(np.array([128], np.uint8))
        self._zero_points = "zero_points"
        self._nodes.append(helper.make_node("ConstantOfShape", [shape], [self._zero_points], value=zero_point))

    def constant(self, values: ArrayLike, name: str = "") -> str:
        """Add a constant, unless there is one of this name."""
        name = name or f"constant{len(self._constants)}"
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.asarray(values), name)
        return name

    def matrix(self, values: NDArray[np.int8]) -> str:
        """Add a matrix as a constant."""
        name = f"matrix{len(self._constants)}"
        tensor = TensorProto(name=name, data_type=TensorProto.INT8, dims=values.shape)
        tensor.data_location = TensorProto.EXTERNAL
        with self._matrices.open("ab") as file:
            where = {"location": self._matrices.name, "offset": file.tell(), "length": values.nbytes}
            file.write(values.data)
        for key, value in where.items():
            tensor.external_data.add(key=key, value=str(value))
        self._constants[name] = tensor
        return name

    def add(
        self, operator: str, *inputs: str, output: str = "", domain: str | None = None, **attributes: float | list[int]
    ) -> str:
        """Add an operator of one output."""
        output = output or f"value{len(self._nodes)}"
        node = helper.make_node(operator, list(inputs), [output], domain=domain)
        node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
        self._nodes.append(node)
        return output

    def norm(self, value: str, name: str, output: str = "") -> str:
        """Normalize a layer's input."""
        gamma, beta = (self.constant(self._weights.float32(f"{name}/{each}")) for each in ("gamma", "beta"))
        return self.add("LayerNormalization", value, gamma, beta, output=output, axis=-1, epsilon=1e-5)

    def linear(self, value: str, name: str) -> str:
        """Multiply by a matrix in 8 bits, and add its bias; see `product`."""
        return self.add("Add", self.product(value, name), self.constant(self._weights.float32(f"{name}/bias")))

    def attention_input(self, value: str, name: str) -> str:
        """Return the queries for attention, scaled, with keys and values behind them if the layer has them.

        The scale is a part of the weights: onnxruntime would fuse it with the product of queries and keys, and its
        kernels for a single row are for products without a factor.
        """
        bias = self._weights.float32(f"{name}/bias")
        factors = np.ones_like(bias)
        factors[: self._heads * self._head] = self._head**-0.5
        return self.add("Add", self.product(value, name, factors), self.constant(factors * bias))

    def product(self, value: str, name: str, factors: ArrayLike = 1, output: str = "") -> str:
        """Multiply (rows, dimension) by a matrix in 8 bits, and each column of the product by its factor."""
        rounded, scales = _in_8_bits(self._weights, f"{name}/weight")
        largest = self.add("ReduceMax", self.add("Abs", value), self.constant([-1], "last_axis"), keepdims=0)
        scale = self.add("Mul", largest, self.constant(np.float32(1 / LIMIT), "one_by_limit"))
        scale = self.add("Max", scale, self.constant(np.float32(1e-12), "tiny"))
        # The kernels are made for unsigned activations: 128 stands for zero.
        product = self.add(
            "MatMulIntegerToFloat",
            self.add("QuantizeLinear", value, scale, self._zero_points, axis=0),
            self.matrix(rounded),
            self.constant(np.float32(1), "one"),
            self.constant(scales * np.asarray(factors, np.float32)),
            self.constant(np.uint8(128), "zero_point"),
            self.constant(np.int8(0), "weight_zero_point"),
            domain="com.microsoft",
        )
        return self.add("Mul", product, self.add("Unsqueeze", scale, self.constant([-1], "last_axis")), output=output)

    def padded(self, value: str) -> str:
        """Give each request of a batch a row of tokens of its own: (tokens, ...) becomes (batch, length, ...)."""
        return self.add("Gather", value, "places", axis=0)

    def heads(self, value: str, parts: int) -> list[str]:
        """Split the last axis of (batch, length, ...) into `parts`, each (batch, heads, length, head dimension)."""
        shape = self.constant([0, 0, parts, self._heads, self._head], f"heads_{parts}")
        split = self.add("Transpose", self.add("Reshape", value, shape), perm=[2, 0, 3, 1, 4])
        return [
            self.add("Gather", split, self.constant(np.int64(part), f"part_{part}"), axis=0) for part in range(parts)
        ]

    def self_attention(self, query: str, keys: str, values: str) -> str:
        """Attend to the tokens so far; `keys` and `values` are (batch, heads, slots, head dimension)."""
        scores = self.add("MatMul", query, self.add("Transpose", keys, perm=[0, 1, 3, 2]))
        return self._packed(self.add("MatMul", self._weights_of(scores, "mask"), values))

    def cross_attention(self, query: str, layer: int) -> str:
        """Attend to the memory, of which all requests share the tail."""
        parts = ("memory", "tail")
        scores = [self.add("MatMul", query, f"{part}_keys_{layer}") for part in parts]
        weights = self._weights_of(self.add("Concat", *scores, axis=-1), "memory_mask")
        outputs = [f"weights_{part}_{layer}" for part in parts]
        self._nodes.append(helper.make_node("Split", [weights, "memory_parts"], outputs, axis=-1))
        found = [self.add("MatMul", name, f"{part}_values_{layer}") for name, part in zip(outputs, parts, strict=True)]
        return self._packed(self.add("Add", *found))

    def _weights_of(self, scores: str, mask: str) -> str:
        """Return the weights of attention by its scores, to which a mask is added."""
        return self.add("Softmax", self.add("Add", scores, mask), axis=-1)

    def _packed(self, value: str) -> str:
        """Merge the heads, and leave out the padding: (batch, heads, length, head dimension) becomes (tokens, ...)."""
        merged = self.add("Transpose", value, perm=[0, 2, 1, 3])
        flat = self.add("Reshape", merged, self.constant([-1, self._heads * self._head], "flat"))
        return self.add("Gather", flat, "unpadded", axis=0)

    def write(self, inputs: Sequence[tuple[str, int, list[str | int]]], outputs: Sequence[str]) -> None:
        """Write the graph to its file, for inputs of these names, types and shapes."""
        graph = helper.make_graph(
            self._nodes,
            "whisper",
            [helper.make_tensor_value_info(*each) for each in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            list(self._constants.values()),
        )
        operators = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
        self._file.write_bytes(helper.make_model(graph, opset_imports=operators, ir_version=10).SerializeToString())


def _in_8_bits(weights: StoredWeights, name: str) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a matrix, transposed and in 8 bits, with the scale of each of its columns."""
    shape = weights.shape(name)
    rounded, scales = np.empty(shape[::-1], np.int8), np.empty(shape[0], np.float32)
    for start in range(0, shape[0], ROWS_AT_ONCE):
        part = slice(start, min(start + ROWS_AT_ONCE, shape[0]))
        rows = weights.rows(name, part.start, part.stop)
        scales[part] = np.maximum(np.abs(rows).max(axis=1), np.finfo(np.float32).tiny) / LIMIT
        rows /= scales[part, None]
        rounded[:, part] = np.rint(rows, out=rows).T
    return rounded, scales


def write_memory_graph(weights: StoredWeights, file: Path) -> None:
    """Write the graph from `memory`, (frames, model dimension), to `memory_keys_N` and `memory_values_N`.

    Those are (1, heads, head dimension, frames) and (1, heads, frames, head dimension).
    """
    graph, outputs = _Graph(weights, file, "memory"), list[str]()
    for layer in range(weights.decoder_layers):
        projected = graph.linear("memory", f"decoder/layer_{layer}/attention/linear_1")
        keys, values = graph.heads(graph.add("Unsqueeze", projected, graph.constant([0], "first_axis")), 2)
        outputs += [
            graph.add("Transpose", keys, output=f"memory_keys_{layer}", perm=[0, 1, 3, 2]),
            graph.add("Identity", values, output=f"memory_values_{layer}"),
        ]
    graph.write([("memory", TensorProto.FLOAT, ["frames", "dimension"])], outputs)


def write_decoder_graph(weights: StoredWeights, file: Path, alignment_heads: Sequence[tuple[int, int]]) -> None:
    """Write the graph from the next tokens of each request to the last states of the decoder.

    `alignment_heads` are the layers and heads whose cross-attention shows when tokens are said.

    Inputs: `tokens`, the embeddings of those of all requests with those of their positions, (tokens, model dimension);
    `places`, the row of `tokens` for each request and place, (batch, length), and any row for padding, which only
    attention needs; `unpadded`, the indices of the others in the flattened `places`, (tokens,); `mask`, added to the
    scores of self-attention, (batch, 1, length, all slots); for each layer `keys_N` and `values_N` of the slots
    before, (batch, heads, slots, head dimension), and what the graph of the memory returns; `tail_keys_N` and
    `tail_values_N`, the same for a batch of one, which all requests share as the end of their memory; `memory_mask`,
    the mask for all of the memory, (batch, 1, 1, frames); `memory_parts`, how many frames are own and shared; `wanted`,
    some of the tokens. Outputs: `states` of the wanted tokens, (wanted, model dimension); `all_keys_N` and
    `all_values_N` with the new slots behind those before; and `attention` of the alignment heads to the own memory,
    (batch, alignment heads, length, frames), if there are such heads.
    """
    graph, outputs = _Graph(weights, file, "tokens"), ["states"]
    inputs: list[tuple[str, int, list[str | int]]] = [
        ("tokens", TensorProto.FLOAT, ["tokens", "dimension"]),
        ("places", TensorProto.INT64, ["batch", "length"]),
        ("unpadded", TensorProto.INT64, ["tokens"]),
        ("mask", TensorProto.FLOAT, ["batch", 1, "length", "slots"]),
        ("memory_mask", TensorProto.FLOAT, ["batch", 1, 1, "all frames"]),
        ("memory_parts", TensorProto.INT64, [2]),
        ("wanted", TensorProto.INT64, ["wanted"]),
    ]
    value = "tokens"
    for layer in range(weights.decoder_layers):
        name = f"decoder/layer_{layer}"
        normed = graph.norm(value, f"{name}/self_attention/layer_norm")
        projected = graph.attention_input(normed, f"{name}/self_attention/linear_0")
        query, keys, values = graph.heads(graph.padded(projected), 3)
        keys = graph.add("Concat", f"keys_{layer}", keys, output=f"all_keys_{layer}", axis=2)
        values = graph.add("Concat", f"values_{layer}", values, output=f"all_values_{layer}", axis=2)
        attended = graph.self_attention(query, keys, values)
        value = graph.add("Add", value, graph.linear(attended, f"{name}/self_attention/linear_1"))
        normed = graph.norm(value, f"{name}/attention/layer_norm")
        (query,) = graph.heads(graph.padded(graph.attention_input(normed, f"{name}/attention/linear_0")), 1)
        attended = graph.cross_attention(query, layer)
        value = graph.add("Add", value, graph.linear(attended, f"{name}/attention/linear_2"))
        normed = graph.norm(value, f"{name}/ffn/layer_norm")
        hidden = graph.add("Gelu", graph.linear(normed, f"{name}/ffn/linear_0"))
        value = graph.add("Add", value, graph.linear(hidden, f"{name}/ffn/linear_1"))
        inputs += [
            (f"keys_{layer}", TensorProto.FLOAT, ["batch", "heads", "before", "head"]),
            (f"values_{layer}", TensorProto.FLOAT, ["batch", "heads", "before", "head"]),
            (f"memory_keys_{layer}", TensorProto.FLOAT, ["batch", "heads", "head", "frames"]),
            (f"memory_values_{layer}", TensorProto.FLOAT, ["batch", "heads", "frames", "head"]),
            (f"tail_keys_{layer}", TensorProto.FLOAT, [1, "heads", "head", "tail"]),
            (f"tail_values_{layer}", TensorProto.FLOAT, [1, "heads", "tail", "head"]),
        ]
        outputs += [keys, values]
    graph.norm(graph.add("Gather", value, "wanted", axis=0), "decoder/layer_norm", output="states")
    if alignment_heads:
        layers = groupby(sorted(alignment_heads), key=itemgetter(0))
        shown = [
            graph.add("Gather", f"weights_memory_{layer}", graph.constant([head for _, head in heads]), axis=1)
            for layer, heads in layers
        ]
        outputs.append(graph.add("Concat", *shown, output=ATTENTION, axis=1))
    graph.write(inputs, outputs)


def write_projection_graph(weights: StoredWeights, file: Path) -> None:
    """Write the graph from `states`, (places, model dimension), to `logits`, (places, vocabulary)."""
    graph = _Graph(weights, file, "states")
    graph.product("states", "decoder/projection", output="logits")
    graph.write([("states", TensorProto.FLOAT, ["places", "dimension"])], ["logits"])


def main() -> None:
    """Write the graphs of a model in CTranslate2's format as `NAME.onnx`; say on standard error why that failed."""
    model, directory = map(Path, sys.argv[1:])
    try:
        weights = StoredWeights(model / "model.bin")
        write_memory_graph(weights, directory / "memory.onnx")
        heads = json.loads((model / "config.json").read_bytes()).get("alignment_heads") or ()
        write_decoder_graph(weights, directory / "decoder.onnx", heads if len(heads) <= MAX_ALIGNMENT_HEADS else ())
        write_projection_graph(weights, directory / "projection.onnx")
    except EngineError as exc:
        sys.exit(exc.message)


if __name__ == "__main__":
    main()
