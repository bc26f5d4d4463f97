"""Makes class_loss.safetensors beside this script: PyTorch's losses of scores, and their gradients in
f64, with targets by distance and with the loss over the ancestors of S2 cells.

The classes are those of the tests of class_loss.rs, in the same order.

Needs: pip install torch safetensors
Run: python3 crates/planet-train/tests/golden/make_class_loss.py
"""

from math import asin, cos, radians, sin, sqrt
from pathlib import Path

import torch
from safetensors.torch import save_file

EARTH_RADIUS_KM, TAU_KM, WEIGHT = 6371.0, 75.0, 0.7
# Ids of cells, and the latitude and longitude of the class's point, in degrees.
CLASSES = [
    ([0x47E6700000000000], (48.75, 2.25)),  # level 8
    ([0x47E6940000000000], (48.5, 2.5)),  # level 9
    ([0x47E5000000000000], (49.25, 3.0)),  # level 6
    ([0x4790000000000000], (47.0, 10.0)),  # level 4
    ([0x47E3000000000000, 0x47EB000000000000], (51.0, 4.0)),  # level 6, one beside the first three, one farther
    ([0x6019000000000000, 0x4713000000000000], (35.0, 139.0)),  # on two faces: without ancestors
    ([], (40.0, -74.0)),  # a point without ground
    ([], None),  # other
]
# Latitude, longitude, class.
PHOTOS = [
    (48.75, 2.5, 0), (48.5, 2.5, 1), (49.0, 2.5, 2), (47.5, 9.0, 3), (51.5, 4.5, 4), (36.0, 140.0, 5), (40.5, -74.5, 6),
]


def lowest(cell: int) -> int:
    return cell & -cell


def leaves(cell: int) -> tuple[int, int]:
    return cell - lowest(cell) + 1, cell + lowest(cell) - 1


def contains(cell: int, other: int) -> bool:
    first, last = leaves(cell)
    return first <= other <= last


def parent(cell: int) -> int | None:
    bit = lowest(cell) << 2
    return None if bit > 1 << 60 else cell & -bit | bit


def ground(cells: list[int]) -> int | None:
    """The smallest cell that contains all."""
    cell = cells[0] if cells else None
    while cell is not None and not all(contains(cell, other) for other in cells):
        cell = parent(cell)
    return cell


def ancestors(of: int) -> list[list[int]]:
    """The classes inside each ancestor with more than one."""
    grounds = [ground(cells) for cells, _ in CLASSES]
    cell, found = grounds[of], []
    while cell is not None and (cell := parent(cell)) is not None:
        inside = [at for at, it in enumerate(grounds) if it is not None and contains(cell, it)]
        if len(inside) > 1:
            found.append(inside)
    return found


def km(a: tuple[float, float], b: tuple[float, float]) -> float:
    half_lat, half_lng = (sin(radians(there - here) / 2) for here, there in zip(a, b))
    h = half_lat**2 + cos(radians(a[0])) * cos(radians(b[0])) * half_lng**2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(h))


def targets(kind: str) -> torch.Tensor:
    rows = []
    for lat, lng, of in PHOTOS:
        far = float("inf")
        distances = [far if point is None else km((lat, lng), point) for _, point in CLASSES]
        distances = torch.tensor(distances, dtype=torch.float64)
        first = distances[of] if kind == "haversine" else distances.min()
        row = torch.exp(-(distances - first) / TAU_KM)
        rows.append(row / row.sum() if kind == "haversine-normalised" else row)
    return torch.stack(rows)


def soft(scores: torch.Tensor, kind: str) -> torch.Tensor:
    # PyTorch takes targets that sum to more than one as they are.
    return torch.nn.functional.cross_entropy(scores, targets(kind), reduction="none")


def of_ancestors(scores: torch.Tensor) -> torch.Tensor:
    logarithms = torch.log_softmax(scores, 1)
    losses = []
    for row, (_, _, of) in zip(logarithms, PHOTOS):
        terms = [-torch.logsumexp(row[inside], 0) for inside in ancestors(of)]
        losses.append(torch.stack(terms).mean() if terms else row.new_zeros(()))
    return torch.stack(losses)


def main() -> None:
    torch.manual_seed(4)
    scores = 2.0 * torch.randn(len(PHOTOS), len(CLASSES), dtype=torch.float64)
    # A photo whose right cell and its ancestors have next to no probability.
    scores[1] = torch.tensor([-30.0, -30.0, -32.0, -31.0, -33.0, 5.0, 20.0, 1.0])
    scores = scores.float().double()
    classes = torch.tensor([of for _, _, of in PHOTOS])
    counts = [len(ancestors(of)) for of in range(len(CLASSES))]
    assert counts == [7, 7, 6, 4, 4, 0, 0, 0], counts
    losses = {kind: lambda it, kind=kind: soft(it, kind)
              for kind in ("haversine", "haversine-nearest", "haversine-normalised")}
    losses["hierarchy"] = lambda it: torch.nn.functional.cross_entropy(
        it, classes, reduction="none", label_smoothing=0.1) + WEIGHT * of_ancestors(it)
    losses["both"] = lambda it: soft(it, "haversine-nearest") + WEIGHT * of_ancestors(it)
    arrays = {"scores": scores}
    for name, loss in losses.items():
        leaf = scores.clone().requires_grad_()
        values = loss(leaf)
        values.mean().backward()
        arrays |= {f"{name}.losses": values.detach(), f"{name}.gradient": leaf.grad}
    save_file({name: array.float() for name, array in arrays.items()}, Path(__file__).with_name("class_loss.safetensors"))


if __name__ == "__main__":
    main()
