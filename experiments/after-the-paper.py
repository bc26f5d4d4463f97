#!/usr/bin/env python3
"""What the options that came after the paper change, on a small synthetic earth of the demo's size (docs/world.md):

    haversine, haversine-nearest, haversine-normalised   planet train --smoothing KIND
    hierarchy                                             planet train --hierarchy WEIGHT
    coarser heads, merged heads                           planet train --heads PARTITION,PARTITION…
    views flip, views crops                               planet evaluate --views VIEWS, of the networks of `base`

All networks (inception-mini, 64 px, about 128 cells) are trained on the same photos, once with each seed; photos of
their own choose the checkpoint and the temperature, and new photos of the same world score them. Printed as a Markdown
table: percent of the new photos within each scale and in the right cell, mean over the seeds; then the difference to
`base` in percentage points. Its 95 % interval is by bootstrap over photos and seeds for the scales; for the right cell
it is the least and the greatest difference of the seeds.

Needs only Python. Usage: experiments/after-the-paper.py PLANET OUT [--photos 16000] [--validation 8000] [--test 5000]
                          [--epochs 8] [--seeds 3] [--tau-km 75] [--hierarchy 1] [--only NAME ...]
    PLANET  the binary
    OUT     a new folder; photos and scores that are there are used again, a run that is there is resumed
A miniature that shows that everything runs, in a few minutes: --photos 800 --validation 200 --test 200 --epochs 1 --seeds 2
"""

from paired import print_table
from small_earth import CONFIG, SmallEarth, argument_parser, classes

TRAINED = {
    "base": [],
    "haversine": ["--smoothing", "haversine"],
    "haversine-nearest": ["--smoothing", "haversine-nearest"],
    "haversine-normalised": ["--smoothing", "haversine-normalised"],
    "hierarchy": ["--hierarchy"],  # and the weight
    "coarser heads": ["--heads"],  # and the partitions: the cells, and two built with a greater --split-above
    "merged heads": ["--heads"],  # and the partitions: five that merge the cells differently into half as many classes
}
VIEWED = {"views flip": ["--views", "flip"], "views crops": ["--views", "crops"]}


def main():
    parser = argument_parser(__doc__, validation=8_000, epochs=8, seeds=3)
    parser.add_argument("--tau-km", type=float, default=75.0, help="of the haversine options")
    parser.add_argument("--hierarchy", type=float, default=1.0, help="weight of the ancestors' loss")
    parser.add_argument("--only", nargs="+", choices=[*list(TRAINED)[1:], *VIEWED], help="these options alone")
    arguments = parser.parse_args()
    earth = SmallEarth(arguments.planet, arguments.out, arguments.photos)
    training = earth.draw("train", arguments.photos, 1)
    earth.draw("validation", arguments.validation, 3)
    earth.draw("test", arguments.test, 2)
    cells = earth.cells(training)

    def heads(name):
        """The partitions of the heads, as --heads takes them."""
        if name == "coarser heads":
            return ",".join(map(str, [*(earth.cells(training, f"cells-{times}", times) for times in (4, 2)), cells]))
        files = [earth.out / f"merged-{seed}.csv" for seed in range(5)]
        for seed, file in enumerate(files):
            if not file.exists():
                earth.planet("partition", "merge", cells, "--classes", classes(cells) // 2, "--seed", seed, "-o", file)
        return ",".join(map(str, files))

    def train(name, seed):
        values = {"--hierarchy": lambda: arguments.hierarchy, "--heads": lambda: heads(name)}
        flags = [it for flag in TRAINED[name] for it in ([flag, values[flag]()] if flag in values else [flag])]
        smoothing = f'[smoothing]\nkind = "{name}"\ntau_km = {arguments.tau_km}\n' if "haversine" in name else ""
        return earth.train(f"{name.replace(' ', '-')}-{seed}", training, cells, arguments.epochs, seed, flags, CONFIG + smoothing)

    def evaluate(name, seed, model, flags):
        return earth.evaluate(f"{name.replace(' ', '-')}-{seed}", model, flags)

    wanted = ["base", *(arguments.only or [*list(TRAINED)[1:], *VIEWED])]
    scores = {}
    for name in wanted:
        own = "base" if name in VIEWED else name
        seeds = range(arguments.seeds)
        scores[name] = [evaluate(name, seed, train(own, seed), VIEWED.get(name, [])) for seed in seeds]
    print_table(scores, "base")


if __name__ == "__main__":
    main()
