"""Makes lstm.safetensors: torch.nn.LSTM's outputs and gradients on sequences of three lengths,
and the loss and gradients of a classifier on top of it.

Needs torch and safetensors. Run: python3 crates/planet-train/tests/golden/make_lstm.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

FEATURES, HIDDEN, CLASSES, LENGTHS = 5, 3, 7, [6, 2, 4]


def main() -> None:
    torch.manual_seed(1)
    lstm = torch.nn.LSTM(FEATURES, HIDDEN, bidirectional=True).double()
    inputs = torch.randn(max(LENGTHS), len(LENGTHS), FEATURES, dtype=torch.float64)
    weight = torch.randn(max(LENGTHS), len(LENGTHS), 2 * HIDDEN, dtype=torch.float64)
    packed = torch.nn.utils.rnn.pack_padded_sequence(inputs, LENGTHS, enforce_sorted=False)
    answer, (hidden, cell) = lstm(packed)
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(answer)
    # Padded outputs are zero there, so that the loss sees real steps only.
    (outputs * weight).sum().backward()
    present = torch.zeros(max(LENGTHS), len(LENGTHS))
    for album, length in enumerate(LENGTHS):
        present[:length, album] = 1
    tensors = {"inputs": inputs, "weight": weight, "present": present, "outputs": outputs,
               "hidden": hidden, "cell": cell}
    for name, parameter in lstm.named_parameters():
        tensors[name] = parameter
        tensors[name + ".gradient"] = parameter.grad.clone()
    tensors |= classifier(lstm, inputs, present)
    path = Path(__file__).with_name("lstm.safetensors")
    save_file({name: t.detach().float().contiguous() for name, t in tensors.items()}, path)


def classifier(lstm: torch.nn.LSTM, inputs: torch.Tensor, present: torch.Tensor) -> dict:
    """A weighted cross entropy over the steps that are present, one of them not asked for."""
    lstm.zero_grad()
    linear = torch.nn.Linear(2 * HIDDEN, CLASSES).double()
    targets = torch.randint(CLASSES, present.shape)
    weights = present.double() * torch.rand(present.shape, dtype=torch.float64)
    weights[1, 0] = 0
    packed = torch.nn.utils.rnn.pack_padded_sequence(inputs, LENGTHS, enforce_sorted=False)
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(lstm(packed)[0])
    logits = linear(outputs)
    losses = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), reduction="none")
    loss = (losses * weights.flatten()).sum() / weights.sum()
    loss.backward()
    tensors = {"targets": targets, "weights": weights, "loss": loss.reshape(1), "logits": logits,
               "linear.weight": linear.weight, "linear.bias": linear.bias,
               "linear.weight.gradient": linear.weight.grad,
               "linear.bias.gradient": linear.bias.grad}
    for name, parameter in lstm.named_parameters():
        tensors[name + ".gradient_of_loss"] = parameter.grad.clone()
    return tensors


if __name__ == "__main__":
    main()
