"""How much of a network the steps apply to, and what is left alone."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from explorer.compress.networks.weights import compressible


@dataclass(frozen=True)
class Coverage:
    """What of a network can be compressed.

    `n_compressed`, `n_parameters`: parameters under the steps, and all of the network's.
    `fraction`: the first over the second; 0 for a network without parameters. `left_alone`: module,
    its number of parameters, and the reason; the largest first.
    """

    n_compressed: int
    n_parameters: int
    fraction: float
    left_alone: tuple[tuple[str, int, str], ...] = ()

    def __str__(self) -> str:
        words = f"{self.fraction:.1%} of the parameters are under the dials"
        named = ", ".join(f"{name or 'net'} ({why}, {n:,})" for name, n, why in self.left_alone[:4])
        more = f" and {len(self.left_alone) - 4} more" if len(self.left_alone) > 4 else ""
        return f"{words}; left alone: {named}{more}" if named else words


BIASES = "biases and scales"


def left_alone_notes(net: nn.Module) -> dict[str, str]:
    """Return which modules no step applies to, in words, but for biases and the like."""
    return {
        name: f"left alone: {why}, {n:,} parameters"
        for name, n, why in coverage(net).left_alone
        if name != BIASES
    }


def coverage(net: nn.Module) -> Coverage:
    """Return what of a network can be compressed; biases of its layers are listed as one."""
    weights = list(compressible(net).values())
    under = {id(weight) for weight in weights}
    left: dict[str, tuple[int, str]] = {}
    seen: set[int] = set()
    for name, module in net.named_modules():
        rest: list[Tensor] = []
        for own in module.parameters(recurse=False):
            if id(own) not in under | seen:
                rest.append(own)
            seen.add(id(own))
        count = sum(own.numel() for own in rest)
        if all(own.ndim < 2 for own in rest):
            left[BIASES] = (left.get(BIASES, (0, ""))[0] + count, "small")
        else:
            left[name] = (count, type(module).__name__)
    n = sum(weight.numel() for weight in weights)
    rows = sorted(((name, c, why) for name, (c, why) in left.items() if c), key=lambda r: -r[1])
    total = n + sum(c for _, c, _ in rows)
    return Coverage(n, total, n / total if total else 0.0, tuple(rows))
