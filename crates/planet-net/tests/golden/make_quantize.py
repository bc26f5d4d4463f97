#!/usr/bin/env python3
"""Makes quantize.json: weights, biases and ranges in 8 bits as ONNX's reference implementation rounds.

The steps follow the rule of crates/planet-net/src/onnx/quantize/numbers.rs; the rounding is that of
the operator QuantizeLinear in onnx.reference.

Needs: pip install onnx numpy
Usage: make_quantize.py
"""

import json
from pathlib import Path

import numpy
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

F = numpy.float32


def quantize_linear(x, scale, zero_point, axis):
    value = lambda name, array: helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
    node = helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["y"], axis=axis)
    output = helper.make_tensor_value_info("y", helper.np_dtype_to_tensor_dtype(zero_point.dtype), x.shape)
    graph = helper.make_graph([node], "q", [value("x", x), value("scale", scale), value("zero", zero_point)], [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return ReferenceEvaluator(model).run(None, {"x": x, "scale": scale, "zero": zero_point})[0]


def step(row):
    high = numpy.sort(numpy.append(row[row > 0], [F(0), F(0)]))[-2:]
    low = numpy.sort(numpy.append(row[row < 0], [F(0), F(0)]))[:2]
    return max(F(high[0] + high[1]), F(-low[0] - low[1])) / F(127)


def main():
    draw = numpy.random.default_rng(5)
    weights = draw.normal(0, 0.2, (6, 40)).astype(F)
    weights[1, 3] = 2.5
    weights[2] = numpy.round(weights[2] * 16) / 16  # many values halfway between two steps
    weights[2, :2] = [63.5 / 8, 63.5 / 8]  # whose step is 1/8
    scales = numpy.array([step(row) for row in weights], F)
    quantized = quantize_linear(weights, scales, numpy.zeros(6, numpy.int8), 0)
    bias = draw.normal(0, 1, 6).astype(F)
    input_scale = F(0.0173)
    # QuantizeLinear has no 32 bits: the same rounding, to the nearest, halves to even.
    quantized_bias = numpy.rint(bias / (scales * input_scale)).astype(numpy.int64)
    ranges = numpy.array([[0, 6], [-1, 1], [-0.3, 2.7], [-4, 0], [0, 1e-3], [-12.5, 0.01]], F)
    range_scales = ((ranges[:, 1] - ranges[:, 0]) / F(255)).astype(F)
    zero_points = [int(numpy.clip(numpy.rint(-low / scale), 0, 255)) for (low, _), scale in zip(ranges, range_scales)]
    listed = lambda array: [float(value) for value in numpy.asarray(array).ravel()]
    text = json.dumps({
        "weights": listed(weights), "scales": listed(scales), "quantized_weights": [int(it) for it in quantized.ravel()],
        "bias": listed(bias), "input_scale": [float(input_scale)], "quantized_bias": [int(it) for it in quantized_bias],
        "ranges": listed(ranges), "range_scales": listed(range_scales), "range_zero_points": zero_points,
    })
    (Path(__file__).resolve().parent / "quantize.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
