#!/usr/bin/env python3
"""Makes the golden files beside this script from PyTorch's own layers.

For each architecture: batch norm's running statistics after one pass in training over eight
synthetic photos, the factor that gives logits a standard deviation of 1 between photos, and
the outputs for three photos in evaluation. All other weights follow a formula that `formula.rs`
repeats, so that the files stay small. `parameters.txt` lists every parameter and the counts.

Needs: pip install torch torchvision safetensors numpy
Usage: make_forward.py    (two minutes on two cores)
"""

from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

FOLDER = Path(__file__).resolve().parent
CLASSES = 10
PHOTOS = 3
FNV_OFFSET, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


def fnv1a(text):
    value = FNV_OFFSET
    for byte in text.encode():
        value = ((value ^ byte) * FNV_PRIME) % 2**64
    return value


def uniform(name, count):
    """Values in [-1, 1), multiples of 2^-23: splitmix64 of the name's hash and the place."""
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(fnv1a(name)) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    return ((z >> numpy.uint64(40)).astype(numpy.float32) - numpy.float32(2**23)) / numpy.float32(2**23)


def value_of(name, shape):
    drawn = torch.from_numpy(uniform(name, int(numpy.prod(shape)))).reshape(shape)
    if name.endswith((".bn.bias", ".1.bias", "_bn0.bias", "_bn1.bias", "_bn2.bias")):
        # Most units stay awake, so that a deep random network does not magnify rounding.
        return drawn * numpy.float32(0.1) + 1.0
    if name.endswith("bias") or "bias_" in name:
        return drawn * numpy.float32(0.1)
    if len(shape) == 4:
        fan_in = shape[1] * shape[2] * shape[3]
        return drawn * numpy.float32((6.0 / fan_in) ** 0.5)
    if len(shape) == 2:
        return drawn * numpy.float32((3.0 / shape[1]) ** 0.5)
    return drawn * numpy.float32(0.2) + 1.0


def photos(count, side):
    """Waves whose direction, length and phase differ by photo and channel, [count, 3, side, side]."""
    pixels = torch.empty(count, 3, side, side)
    at = torch.arange(side, dtype=torch.float64) / side
    for photo in range(count):
        for channel in range(3):
            draw = uniform(f"photo {photo} {channel}", 3).astype(numpy.float64)
            wave = draw[0] * at[None, :] + draw[1] * at[:, None] + draw[2]
            pixels[photo, channel] = torch.sin(2 * torch.pi * wave).float()
    return pixels


class Basic(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__()
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = tuple(side // 2 for side in kernel)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x):
        return functional.relu(self.bn(self.conv(x)))


class Branches(nn.Module):
    """Named branches side by side, each a chain of layers."""

    def forward(self, x):
        return torch.cat([branch(self, x) for branch in self.plan], 1)


def chain(*names):
    def run(module, x):
        for name in names:
            x = getattr(module, name)(x)
        return x
    return run


def mean_then(name):
    return lambda module, x: getattr(module, name)(functional.avg_pool2d(x, 3, 1, 1))


def greatest(module, x):
    return functional.max_pool2d(x, 3, 2, 1)


class MiniA(Branches):
    plan = [chain("branch1x1"), chain("branch5x5_1", "branch5x5_2"),
            chain("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"), mean_then("branch_pool")]

    def __init__(self, n, one, five, double, pool):
        super().__init__()
        self.branch1x1 = Basic(n, one, 1)
        self.branch5x5_1, self.branch5x5_2 = Basic(n, five[0], 1), Basic(five[0], five[1], 5)
        self.branch3x3dbl_1 = Basic(n, double[0], 1)
        self.branch3x3dbl_2 = Basic(double[0], double[1], 3)
        self.branch3x3dbl_3 = Basic(double[1], double[2], 3)
        self.branch_pool = Basic(n, pool, 1)


class MiniB(Branches):
    plan = [chain("branch3x3"), chain("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"), greatest]

    def __init__(self, n, three, double):
        super().__init__()
        self.branch3x3 = Basic(n, three, 3, 2)
        self.branch3x3dbl_1 = Basic(n, double[0], 1)
        self.branch3x3dbl_2 = Basic(double[0], double[1], 3)
        self.branch3x3dbl_3 = Basic(double[1], double[2], 3, 2)


class MiniC(Branches):
    plan = [chain("branch1x1"), chain("branch7x7_1", "branch7x7_2", "branch7x7_3"),
            chain(*[f"branch7x7dbl_{i}" for i in range(1, 6)]), mean_then("branch_pool")]

    def __init__(self, n, inner, each):
        super().__init__()
        self.branch1x1 = Basic(n, each, 1)
        self.branch7x7_1, self.branch7x7_2 = Basic(n, inner, 1), Basic(inner, inner, (1, 7))
        self.branch7x7_3 = Basic(inner, each, (7, 1))
        self.branch7x7dbl_1, self.branch7x7dbl_2 = Basic(n, inner, 1), Basic(inner, inner, (7, 1))
        self.branch7x7dbl_3, self.branch7x7dbl_4 = Basic(inner, inner, (1, 7)), Basic(inner, inner, (7, 1))
        self.branch7x7dbl_5 = Basic(inner, each, (1, 7))
        self.branch_pool = Basic(n, each, 1)


class MiniD(Branches):
    plan = [chain("branch3x3_1", "branch3x3_2"), chain(*[f"branch7x7x3_{i}" for i in range(1, 5)]), greatest]

    def __init__(self, n, reduce, three, seven):
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = Basic(n, reduce, 1), Basic(reduce, three, 3, 2)
        self.branch7x7x3_1, self.branch7x7x3_2 = Basic(n, reduce, 1), Basic(reduce, reduce, (1, 7))
        self.branch7x7x3_3, self.branch7x7x3_4 = Basic(reduce, reduce, (7, 1)), Basic(reduce, seven, 3, 2)


class MiniE(nn.Module):
    def forward(self, x):
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        blurred = functional.avg_pool2d(x, 3, 1, 1)
        return torch.cat([
            self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three),
            self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(blurred),
        ], 1)

    def __init__(self, n, one, three, double, pool):
        super().__init__()
        self.branch1x1 = Basic(n, one, 1)
        self.branch3x3_1 = Basic(n, three, 1)
        self.branch3x3_2a, self.branch3x3_2b = Basic(three, three, (1, 3)), Basic(three, three, (3, 1))
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Basic(n, double[0], 1), Basic(double[0], double[1], 3)
        self.branch3x3dbl_3a = Basic(double[1], double[1], (1, 3))
        self.branch3x3dbl_3b = Basic(double[1], double[1], (3, 1))
        self.branch_pool = Basic(n, pool, 1)


class Sequence(nn.Module):
    """Layers by name, the mean over the grid, a classifier `fc`."""

    def __init__(self, features, layers):
        super().__init__()
        self.order = [name for name, _ in layers]
        for name, layer in layers:
            setattr(self, name, layer)
        self.fc = nn.Linear(features, CLASSES)

    def forward(self, x):
        for name in self.order:
            x = getattr(self, name)(x)
        return self.fc(x.mean((2, 3)))


def inception_mini():
    return Sequence(512, [
        ("Conv2d_1a_3x3", Basic(3, 16, 3, 2)),
        ("Conv2d_2a_3x3", Basic(16, 24, 3, 2)),
        ("Conv2d_2b_3x3", Basic(24, 40, 3)),
        ("maxpool1", nn.MaxPool2d(3, 2, 1)),
        ("Mixed_5b", MiniA(40, 24, [16, 24], [24, 32, 32], 16)),
        ("Mixed_5c", MiniA(96, 40, [16, 32], [24, 40, 40], 24)),
        ("Mixed_6a", MiniB(136, 88, [32, 48, 64])),
        ("Mixed_6b", MiniC(288, 48, 72)),
        ("Mixed_6c", MiniC(288, 48, 72)),
        ("Mixed_7a", MiniD(288, 64, 96, 64)),
        ("Mixed_7b", MiniE(448, 96, 80, [80, 80], 96)),
    ])


class Bn(Branches):
    """A block of the 2015 network; without the 1×1 it halves the grid."""

    def __init__(self, n, one, three, double, pool, last=False):
        super().__init__()
        halving = one is None
        stride = 2 if halving else 1
        self.branch2 = nn.Sequential(Basic(n, three[0], 1), Basic(three[0], three[1], 3, stride))
        self.branch3 = nn.Sequential(
            Basic(n, double[0], 1), Basic(double[0], double[1], 3), Basic(double[1], double[1], 3, stride))
        self.plan = [chain("branch2"), chain("branch3"), chain("branch4")]
        if halving:
            self.branch4 = nn.MaxPool2d(3, 2, 1)
        else:
            self.branch1 = Basic(n, one, 1)
            self.plan = [chain("branch1"), *self.plan]
            window = nn.MaxPool2d(3, 1, 1) if last else nn.AvgPool2d(3, 1, 1)
            self.branch4 = nn.Sequential(window, Basic(n, pool, 1))


def inception_bn():
    return Sequence(1024, [
        ("conv1", Basic(3, 64, 7, 2)),
        ("maxpool1", nn.MaxPool2d(3, 2, 1)),
        ("conv2", Basic(64, 64, 1)),
        ("conv3", Basic(64, 192, 3)),
        ("maxpool2", nn.MaxPool2d(3, 2, 1)),
        ("inception3a", Bn(192, 64, [64, 64], [64, 96], 32)),
        ("inception3b", Bn(256, 64, [64, 96], [64, 96], 64)),
        ("inception3c", Bn(320, None, [128, 160], [64, 96], None)),
        ("inception4a", Bn(576, 224, [64, 96], [96, 128], 128)),
        ("inception4b", Bn(576, 192, [96, 128], [96, 128], 128)),
        ("inception4c", Bn(576, 160, [128, 160], [128, 160], 128)),
        ("inception4d", Bn(608, 96, [128, 192], [160, 192], 128)),
        ("inception4e", Bn(608, None, [128, 192], [192, 256], None)),
        ("inception5a", Bn(1056, 352, [192, 320], [160, 224], 128)),
        ("inception5b", Bn(1024, 352, [192, 320], [192, 224], 128, last=True)),
    ])


def multiply_adds(model, pixels):
    total = 0

    def count(module, _, output):
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel()

    hooks = [module.register_forward_hook(count) for module in model.modules()]
    model(pixels[:1])
    for hook in hooks:
        hook.remove()
    return total


def fill(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(value_of(name, tuple(parameter.shape)))


def settle(model, pixels, statistics):
    """Batch norm's running statistics, of one pass in training, as numbers of the given type."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    model.train()
    model(pixels)
    model.eval()
    for norm in norms:
        for values in (norm.running_mean, norm.running_var):
            values.copy_(values.to(statistics).float())


@torch.no_grad()
def network(name, model, side, head, blocks, statistics=torch.float32):
    """Writes one architecture's golden file and returns its lines of parameters.txt.

    Running statistics are rounded to the given type, and written in it.
    """
    fill(model)
    many = photos(8, side)
    settle(model, many, statistics)
    for parent, child in head:
        layer = getattr(parent, child)
        embedding = {}
        hook = layer.register_forward_hook(lambda _, inputs, out: embedding.update(out=out, x=inputs[0]))
        model(many)
        if not embedding:  # the auxiliary head, which evaluation leaves out
            model.AuxLogits(model.grid)
        hook.remove()
        factor = 1.0 / float(embedding["out"].std(0).mean())
        layer.weight.mul_(factor)
        layer.factor = factor

    # The outputs in f64, so that a test sees its own rounding only.
    model.double()
    few = photos(PHOTOS, side).double()
    golden, seen = {}, {}
    hooks = [module.register_forward_hook(lambda _, __, out, key=key: seen.update({key: out}))
             for key, module in model.named_modules() if key in blocks]
    parent, child = head[0]
    hooks.append(getattr(parent, child).register_forward_hook(lambda _, inputs, __: seen.update(embedding=inputs[0])))
    golden["logits"] = model(few)
    for hook in hooks:
        hook.remove()
    golden["embedding"] = seen.pop("embedding")
    golden["factor"] = torch.tensor([head[0][0].__getattr__(head[0][1]).factor])
    if len(head) > 1:
        golden["auxiliary"] = model.AuxLogits(model.grid)
        golden["auxiliary_factor"] = torch.tensor([model.AuxLogits.fc.factor])
    for key, value in seen.items():
        flat = value.flatten()
        golden[f"block {key}"] = flat[:: max(1, len(flat) // 64)][:64].clone()
    state = model.state_dict()
    golden = {key: value.float().contiguous() for key, value in golden.items()}
    golden.update({key: value.to(statistics) for key, value in state.items() if "running_" in key})
    save_file(golden, FOLDER / f"{name}.safetensors")
    print(name, "logits vary by", float(golden["logits"].std(0).mean()))

    parameters = sum(parameter.numel() for parameter in model.parameters())
    lines = [f"{name} counts {parameters} {multiply_adds(model, few)}"]
    for key, value in state.items():
        if not key.endswith("num_batches_tracked"):
            lines.append(f"{name} {key} {','.join(map(str, value.shape))}")
    return lines


@torch.no_grad()
def lstm():
    """A sequence of seven steps through one layer each way, and a classifier."""
    golden = {}
    for way in ["forward", "both"]:
        layer = nn.LSTM(6, 5, batch_first=True, bidirectional=way == "both")
        head = nn.Linear(10 if way == "both" else 5, 4)
        model = nn.ModuleDict({"lstm": layer, "fc": head})
        fill(model)
        x = torch.from_numpy(uniform("album", 42)).reshape(1, 7, 6)
        golden[way] = head(layer(x)[0]).contiguous()
    save_file(golden, FOLDER / "lstm.safetensors")


def main():
    import torchvision

    torch.set_num_threads(2)
    v3 = torchvision.models.inception_v3(num_classes=CLASSES, aux_logits=True, init_weights=False)
    v3.Mixed_6e.register_forward_hook(lambda _, __, out: setattr(v3, "grid", out))
    mobile = torchvision.models.mobilenet_v3_large(num_classes=CLASSES)
    mini, bn = inception_mini(), inception_bn()
    mixed = [f"Mixed_{block}" for block in "5b 5c 5d 6a 6b 6c 6d 6e 7a 7b 7c".split()]
    lines = ["# Made by make_forward.py: counts (parameters, multiply-adds), then names and shapes"]
    lines += network("inception-v3", v3, 299, [(v3, "fc"), (v3.AuxLogits, "fc")], mixed)
    lines += network("inception-bn", bn, 224, [(bn, "fc")], [n for n in bn.order if "inception" in n])
    lines += network("inception-mini", mini, 96, [(mini, "fc")], [n for n in mini.order if "Mixed" in n])
    lines += network("mobilenet-v3-large", mobile, 224, [(mobile.classifier, "3")],
                     [f"features.{row}" for row in (1, 4, 10, 15)])
    (FOLDER / "parameters.txt").write_text("\n".join(lines) + "\n")
    lstm()


if __name__ == "__main__":
    main()
