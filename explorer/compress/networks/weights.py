"""Which tensors of a network are compressed, and how they are seen as matrices."""

from __future__ import annotations

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
