#!/usr/bin/env python3
"""Makes timm.txt beside this script: each parameter's name in timm and here, of the architectures that have
other names there.

The names are paired by the order in which both libraries register parameters. That this is right is checked by
the outputs: random weights give the same scores under both names.

Needs: pip install torch torchvision timm efficientnet-lite-pytorch==0.1.0
Usage: make_timm.py    (half a minute)
"""

from pathlib import Path

import timm
import torch
import torchvision
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

FOLDER = Path(__file__).resolve().parent


def state(model):
    return {key: value for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")}


@torch.no_grad()
def lines(architecture, theirs, ours, side):
    """One line a parameter: architecture, name in timm, name here."""
    generator = torch.Generator().manual_seed(1)
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
    pairs = list(zip(state(theirs), state(ours), strict=True))
    values = {own: state(theirs)[other].reshape(state(ours)[own].shape) for other, own in pairs}
    ours.load_state_dict(values, strict=False)
    # timm adds 1e-5 to variances where torchvision adds 1e-3.
    eps = next(module.eps for module in theirs.modules() if isinstance(module, nn.BatchNorm2d))
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = eps
    pixels = torch.randn(2, 3, side, side, generator=generator)
    off = (theirs.eval()(pixels) - ours.eval()(pixels)).abs().max()
    assert off < 1e-4, f"{architecture}: scores differ by {off}"
    return [f"{architecture} {other} {own}" for other, own in pairs]


def main():
    torch.manual_seed(0)
    rows = [f"# Made by make_timm.py with timm {timm.__version__}: architecture, name in timm, name here"]
    for name, side in (("efficientnet-lite0", 224), ("efficientnet-lite1", 240), ("efficientnet-lite2", 260)):
        theirs = timm.create_model("tf_" + name.replace("-", "_"), pretrained=False)
        rows += lines(name, theirs, EfficientNet.from_name(name, drop_connect_rate=0.0), side)
    theirs = timm.create_model("mobilenetv3_large_100", pretrained=False)
    rows += lines("mobilenet-v3-large", theirs, torchvision.models.mobilenet_v3_large(), 224)
    (FOLDER / "timm.txt").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
