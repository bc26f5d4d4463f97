"""Makes codes.safetensors beside this script: PyTorch's loss for codes of near-duplicates (InfoNCE,
the entropy regulariser of SSCD, a penalty on outputs far from -1 and 1) of raw outputs and its
gradient, in f64, for three pairs of views and a photo without a second view.

Needs: pip install torch safetensors numpy
Run: python3 crates/planet-train/tests/golden/make_codes.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional

WIDTH, TEMPERATURE, ENTROPY, BINARY = 6, 0.05, 7.0, 3.0
UNITS = torch.tensor([0, 0, 1, 1, 2, 3, 3])


def main() -> None:
    torch.manual_seed(5)
    raw = (1.5 * torch.randn(len(UNITS), WIDTH, dtype=torch.float64)).requires_grad_()
    soft = torch.tanh(raw)
    rows = functional.normalize(soft)
    same = UNITS[:, None] == UNITS
    similarity = rows @ rows.T / TEMPERATURE
    losses = []
    for photo, unit in enumerate(UNITS):
        loss = BINARY * (1 - soft[photo].abs()).mean()
        others = [at for at in range(len(UNITS)) if not same[photo, at]]
        positive = [at for at in range(len(UNITS)) if same[photo, at] and at != photo]
        if positive:
            logits = similarity[photo, positive + others]
            loss = loss + functional.cross_entropy(logits[None], torch.tensor([0]))
        nearest = torch.cdist(rows[photo][None], rows[others]).min()
        losses.append(loss - ENTROPY * nearest.log())
    losses = torch.stack(losses)
    losses.mean().backward()
    arrays = {"raw": raw, "losses": losses, "gradient": raw.grad}
    arrays = {name: array.detach().float() for name, array in arrays.items()}
    save_file(arrays, Path(__file__).with_name("codes.safetensors"))


if __name__ == "__main__":
    main()
