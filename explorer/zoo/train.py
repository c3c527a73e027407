"""Train bundled networks again: ``python -m explorer.zoo.train``.

The two students are made by ``compression-explorer reproduce hinton-mnist`` instead, for they
learn side by side, one of them from another network.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from explorer.codec.atomic import whole
from explorer.zoo.architectures import BUNDLED
from explorer.zoo.mnist import is_in_sample, normalize, read_mnist
from explorer.zoo.tensor_files import to_half


@dataclass(frozen=True)
class Schedule:
    """How a network is trained: stochastic gradient descent, cosine learning rate.

    `learning_rate`, `momentum`, `weight_decay`: `learning_rate` is the first one; it falls to 0
    along half a cosine. `max_shift`: each image is moved by up to so many pixels along both axes,
    at random. `seed`: for the first weights, the order of the images and the shifts.
    """

    n_epochs: int
    batch_size: int = 128
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    max_shift: int = 2
    seed: int = 0


SCHEDULES = {
    "lenet-300-100": Schedule(n_epochs=60),
    "lenet-5": Schedule(n_epochs=16),
    "mnist-teacher": Schedule(n_epochs=14),
}
IN_HALF_PRECISION = ("mnist-teacher",)


def train(
    net: nn.Module, pixels: Tensor, labels: Tensor, schedule: Schedule
) -> Iterator[tuple[int, float]]:
    """Train a classifier of 28x28 images in place.

    `net`: takes (n, 1, 28, 28), gives logits. `pixels`: shape (n, 28, 28), uint8. `labels`: shape
    (n,), int64. Yields: after each epoch: its number from 1, and its mean cross-entropy in nats.
    """
    generator = torch.Generator().manual_seed(schedule.seed)
    n_batches = len(labels) // schedule.batch_size
    optimizer = torch.optim.SGD(
        net.parameters(),
        lr=schedule.learning_rate,
        momentum=schedule.momentum,
        weight_decay=schedule.weight_decay,
        nesterov=True,
    )
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, schedule.n_epochs * n_batches)
    padded = nn.functional.pad(pixels, [schedule.max_shift] * 4)
    net.train()
    for epoch in range(1, schedule.n_epochs + 1):
        order = torch.randperm(len(labels), generator=generator)
        total = 0.0
        for chosen in order[: n_batches * schedule.batch_size].split(schedule.batch_size):
            images = normalize(shifted(padded, chosen, schedule.max_shift, generator))
            loss = nn.functional.cross_entropy(net(images), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            cosine.step()
            total += loss.item()
        yield epoch, total / n_batches
    net.eval()


def shifted(padded: Tensor, chosen: Tensor, max_shift: int, generator: torch.Generator) -> Tensor:
    """Cut images out of padded ones, each at its own random place.

    `padded`: shape (n, 28 + 2 * max_shift, 28 + 2 * max_shift). `chosen`: shape (n_chosen,), int64;
    which images to take. `max_shift`: pixels of padding on each side. Returns: shape (n_chosen, 28,
    28); the middle cut is the unmoved image.
    """
    size = padded.shape[-1] - 2 * max_shift
    corners = torch.randint(0, 2 * max_shift + 1, (2, len(chosen), 1), generator=generator)
    rows, columns = corners + torch.arange(size)
    return padded[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]


def main() -> None:
    """Train one bundled network, or all that learn from labels here, and write their weights."""
    parser = argparse.ArgumentParser(prog="python -m explorer.zoo.train", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(SCHEDULES), help="default: all of them")
    parser.add_argument("--data", type=Path, help="folder holding MNIST/raw; default: download")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "weights")
    arguments = parser.parse_args()
    pixels, labels = read_mnist(train=True, root=arguments.data)
    kept = ~is_in_sample(labels)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in [arguments.name] if arguments.name else SCHEDULES:
        schedule = SCHEDULES[name]
        torch.manual_seed(schedule.seed)
        net = BUNDLED[name]()
        epochs = train(net, pixels[kept], labels[kept], schedule)
        progress = tqdm(epochs, desc=name, total=schedule.n_epochs, unit="epoch")
        for _, loss in progress:
            progress.set_postfix(loss=f"{loss:.4f}")
        tensors = net.state_dict()
        tensors = to_half(tensors) if name in IN_HALF_PRECISION else tensors
        with whole(arguments.out / f"{name}.safetensors") as scratch:
            save_file(tensors, scratch)


if __name__ == "__main__":
    main()
