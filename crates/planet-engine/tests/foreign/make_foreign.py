#!/usr/bin/env python3
"""Makes the small ONNX models beside this script, as other people's tools write them.

Needs: pip install onnx numpy
Usage: make_foreign.py
"""

from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).resolve().parent


def save(name, nodes, inputs, outputs, arrays=()):
    value = lambda pair: helper.make_tensor_value_info(pair[0], TensorProto.FLOAT, pair[1])
    tensors = [numpy_helper.from_array(array.astype(numpy.float32), key) for key, array in arrays]
    graph = helper.make_graph(nodes, name, [value(i) for i in inputs], [value(o) for o in outputs], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, FOLDER / f"{name}.onnx")


def main():
    # Probabilities over three classes, which are the softmax of the channels' means; channels
    # last, two photos at a time, an output with two more axes.
    save(
        "channels_last",
        [
            helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2], keepdims=1),
            helper.make_node("Softmax", ["mean"], ["probabilities"], axis=3),
        ],
        [("image", [2, 4, 5, 3])],
        [("probabilities", [2, 1, 1, 3])],
    )
    node = helper.make_node("Frobnicate", ["pixels"], ["logits"], name="strange")
    save("unknown_operator", [node], [("pixels", ["n", 3, 4, 5])], [("logits", ["n", 3])])
    nodes = [helper.make_node("Flatten", ["pixels"], ["scores"])]
    save("one_output", nodes, [("pixels", ["n", 3, 4, 5])], [("scores", ["n", 60])])
    node = helper.make_node("Add", ["a", "b"], ["logits"])
    save("two_inputs", [node], [("a", [1, 3, 4, 5]), ("b", [1, 3, 4, 5])], [("logits", [1, 3, 4, 5])])
    nodes = [helper.make_node("Relu", ["pixels"], ["first"]), helper.make_node("Neg", ["pixels"], ["second"])]
    save("two_outputs", nodes, [("pixels", ["n", 3, 4, 5])], [("first", ["n", 3, 4, 5]), ("second", ["n", 3, 4, 5])])


if __name__ == "__main__":
    main()
