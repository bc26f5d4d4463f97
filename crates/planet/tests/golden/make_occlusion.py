"""Makes occlusion.json: Captum's Occlusion on one small network.

    pip install torch captum
    python make_occlusion.py

The network is a 3x3 convolution (stride 2, no padding), ReLU, the mean over the picture, and a
linear layer to three classes; the explained value is the probability of class 1. The photo is 24 by
24, values (byte / 255 - 0.5) / 0.5; squares of 6 every 3 pixels, baseline 0, which is grey 127.5.
Captum gives the mean difference over the squares that cover a pixel.
"""

import json
from pathlib import Path

import torch
from captum.attr import Occlusion

torch.manual_seed(1)
conv = torch.nn.Conv2d(3, 4, 3, stride=2)
linear = torch.nn.Linear(4, 3)
with torch.no_grad():
    conv.weight *= 2
    linear.weight *= 4
photo = torch.randint(0, 256, (24, 24, 3), dtype=torch.uint8)
pixels = ((photo.float() / 255 - 0.5) / 0.5).permute(2, 0, 1)[None]


def forward(x):
    return linear(conv(x).relu().mean((2, 3))).softmax(1)


with torch.no_grad():
    drop = Occlusion(forward).attribute(
        pixels, target=1, sliding_window_shapes=(3, 6, 6), strides=(3, 3, 3), baselines=0.0
    )
    probability = forward(pixels)[0, 1].item()
golden = {
    "conv_weight": conv.weight.flatten().tolist(),
    "conv_bias": conv.bias.tolist(),
    "linear_weight": linear.weight.flatten().tolist(),
    "linear_bias": linear.bias.tolist(),
    "photo": photo.flatten().tolist(),
    "probability": probability,
    "drop": [round(x, 9) for x in drop[0, 0].flatten().tolist()],
}
Path(__file__).with_name("occlusion.json").write_text(json.dumps(golden) + "\n")
