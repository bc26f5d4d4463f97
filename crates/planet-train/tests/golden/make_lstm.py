"""Makes lstm.safetensors: torch.nn.LSTM's outputs and gradients on sequences of three lengths.

Needs torch and safetensors. Run: python3 crates/planet-train/tests/golden/make_lstm.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

FEATURES, HIDDEN, LENGTHS = 5, 3, [6, 2, 4]


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
        tensors[name + ".gradient"] = parameter.grad
    path = Path(__file__).with_name("lstm.safetensors")
    save_file({name: t.detach().float().contiguous() for name, t in tensors.items()}, path)


if __name__ == "__main__":
    main()
