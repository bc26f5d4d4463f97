"""Makes the training-*.safetensors beside this script: PyTorch's losses, gradients, running
statistics and weights over three AdaGrad steps, in f64, for each architecture.

Of each array the file holds at most 32 evenly spaced values, and how far PyTorch's own f32 lies
from them: a deep network magnifies rounding, and the test asks for no more than PyTorch gives.
Networks, weights and pixels are those of planet-net's golden script, by the same formula.

Needs: pip install torch torchvision safetensors numpy efficientnet-lite-pytorch==0.1.0
Run: python3 crates/planet-train/tests/golden/make_training.py    (three minutes on two cores)
     … make_training.py --efficientnet    for EfficientNet-lite0 alone, without torchvision
"""

import importlib.util
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

HERE = Path(__file__).resolve().parent
FORWARD = HERE.parents[2] / "planet-net" / "tests" / "golden" / "make_forward.py"
PHOTOS, STEPS, AUXILIARY = 6, 3, 0.3


def load_networks():
    spec = importlib.util.spec_from_file_location("make_forward", FORWARD)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sample(array: torch.Tensor) -> torch.Tensor:
    """At most 32 values in steps that the test repeats."""
    flat = array.detach().double().flatten()
    return flat[:: max(1, len(flat) // 32)][:32].clone()


def train(networks, model: nn.Module, side: int, smoothing: float) -> dict[str, torch.Tensor]:
    """What three steps say, in the model's precision."""
    networks.fill(model)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.zero_()
            module.running_var.fill_(1.0)
    model.train()
    pixels = networks.photos(PHOTOS, side).to(next(model.parameters()).dtype)
    targets = torch.arange(PHOTOS) % networks.CLASSES
    optimizer = torch.optim.Adagrad(
        model.parameters(), lr=0.01, initial_accumulator_value=0.1, eps=1e-10)
    seen = {}
    for step in range(STEPS):
        optimizer.zero_grad()
        out = model(pixels)
        main, auxiliary = out if isinstance(out, tuple) else (out, None)
        loss = functional.cross_entropy(main, targets, label_smoothing=smoothing)
        seen[f"loss {step}"] = sample(loss)
        if auxiliary is not None:
            aside = functional.cross_entropy(auxiliary, targets, label_smoothing=smoothing)
            seen[f"auxiliary {step}"] = sample(aside)
            loss = loss + AUXILIARY * aside
        loss.backward()
        if step == 0:
            for key, parameter in model.named_parameters():
                seen[f"gradient {key}"] = sample(parameter.grad)
            for key, value in model.state_dict().items():
                if "running_" in key:
                    seen[f"after 1 {key}"] = sample(value)
        optimizer.step()
    for key, value in model.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            seen[f"after {STEPS} {key}"] = sample(value)
    return seen


def write(networks, name: str, model: nn.Module, side: int, smoothing: float) -> None:
    rough = train(networks, model.float(), side, smoothing)
    exact = train(networks, model.double(), side, smoothing)
    file = {}
    for key, values in exact.items():
        error = (values - rough[key]).abs().max().reshape(1)
        file[key] = torch.cat([error, values]).float().contiguous()
    save_file(file, HERE / f"training-{name}.safetensors")
    print(name, [round(float(exact[f"loss {step}"]), 5) for step in range(STEPS)])


def efficientnet(networks) -> None:
    from efficientnet_lite_pytorch import EfficientNet

    options = {"num_classes": networks.CLASSES, "image_size": 64, "drop_connect_rate": 0.0}
    write(networks, "efficientnet-lite0", EfficientNet.from_name("efficientnet-lite0", **options), 64, 0.0)


def main() -> None:
    networks = load_networks()
    efficientnet(networks)
    if sys.argv[1:] == ["--efficientnet"]:
        return
    import torchvision

    classes = networks.CLASSES
    v3 = torchvision.models.inception_v3(num_classes=classes, aux_logits=True, init_weights=False)
    write(networks, "inception-mini", networks.inception_mini(), 64, 0.0)
    write(networks, "inception-bn", networks.inception_bn(), 128, 0.1)
    write(networks, "inception-v3", v3, 299, 0.1)
    mobile = torchvision.models.mobilenet_v3_large(num_classes=classes)
    write(networks, "mobilenet-v3-large", mobile, 96, 0.0)


if __name__ == "__main__":
    main()
