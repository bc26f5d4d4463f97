"""Makes triplet.safetensors beside this script: PyTorch's triplet loss of raw embeddings and its
gradient, in f64, for three pairs of photos and given negatives.

Needs: pip install torch safetensors numpy
Run: python3 crates/planet-train/tests/golden/make_triplet.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional

OUTPUTS, MARGIN = 5, 0.4
# Anchor, positive, negative; negatives from 6 on are embeddings of earlier photos.
TRIPLETS = [(0, 1, 2), (1, 0, 6), (2, 3, 5), (3, 2, 0), (4, 5, 7), (5, 4, 1)]


def main() -> None:
    torch.manual_seed(3)
    raw = torch.randn(6, OUTPUTS, dtype=torch.float64).requires_grad_()
    kept = functional.normalize(torch.randn(2, OUTPUTS, dtype=torch.float64))
    rows = torch.cat([functional.normalize(raw), kept])
    anchor, positive, negative = (rows[list(places)] for places in zip(*TRIPLETS))
    losses = functional.relu(
        MARGIN + (anchor - positive).square().sum(1) - (anchor - negative).square().sum(1))
    losses.mean().backward()
    assert 0 < (losses > 0).sum() < len(TRIPLETS), "some triplets must cost nothing"
    arrays = {"raw": raw, "kept": kept, "losses": losses, "gradient": raw.grad}
    arrays = {name: array.detach().float() for name, array in arrays.items()}
    save_file(arrays, Path(__file__).with_name("triplet.safetensors"))


if __name__ == "__main__":
    main()
