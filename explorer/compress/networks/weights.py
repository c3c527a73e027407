"""Which tensors of a network are compressible, and what share of it they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

LAYER_TYPES = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)


def compressible(net: nn.Module) -> dict[str, Tensor]:
    """Return the weight tensors of the dense and convolutional layers, by layer name.

    Biases, normalization, embeddings and weights without an entry are left alone. A tensor
    that several layers share is listed once, under its first name.

    Returns: in the network's order. Raises TypeError if `net` is not a Module. Raises ValueError if
    it has no such layer.
    """
    check_module(net)
    found: dict[str, Tensor] = {}
    for name, module in net.named_modules():
        # A weight that is computed is another tensor at each access: it is asked for once and
        # held, so that no two have one id.
        weight = module.weight if isinstance(module, LAYER_TYPES) else None
        if weight is not None and weight.numel() and id(weight) not in map(id, found.values()):
            found[name] = weight
    if not found:
        raise ValueError(
            f"net ({type(net).__name__}) has no dense or convolutional layer to compress"
        )
    return found


def check_module(net: Any, name: str = "net") -> None:
    """Raise TypeError unless an argument is a Module, ValueError where a layer has no size yet."""
    if not isinstance(net, nn.Module):
        cure = f"; explorer.load({net!r:.80}).net gives one" if isinstance(net, str) else ""
        raise TypeError(f"{name} must be a torch.nn.Module; got {type(net).__name__}{cure}")
    for path, module in net.named_modules():
        if any(map(nn.parameter.is_lazy, module._parameters.values())):
            raise ValueError(
                f"{name}: layer {path!r} ({type(module).__name__}) has no weights yet; run the "
                "network once on a batch before handing it over, as in net(inputs)"
            )


def held_tensors(net: nn.Module) -> dict[str, Tensor]:
    """Return the entries of a network's state dict that are tensors; extra state is left out."""
    state = net.state_dict(keep_vars=True)
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def parameter_name(layer: str) -> str:
    """Return the state-dict key of a layer's weight."""
    return f"{layer}.weight" if layer else "weight"


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
