r"""Penalties on weights, added to the loss while training so that weights or neurons vanish."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import torch
from torch import Tensor

from explorer.compress.methods.setting import dial
from explorer.compress.records.record import as_matrix
from explorer.train.settings import check_positive


def strength_dial(words: str) -> Any:
    """Make the field of a penalty's factor."""
    return dial(1e-4, "number", "Strength λ", words, low=1e-6, high=1e-1)


@dataclass(frozen=True)
class Penalty(ABC):
    """A term of the loss that grows with the weights.

    `strength`: the factor lambda, finite and at least 0. `pattern`: fnmatch pattern over torch's
    qualified layer names: the layers it is for. `name`: short, as the lecture has it. `latex`: the
    formula in symbols.
    """

    strength: float = strength_dial(
        "Weight λ of the penalty: loss = loss on the data + λ · penalty. Higher pulls weights "
        "harder to zero and costs accuracy."
    )
    pattern: str = "*"

    name: ClassVar[str]
    latex: ClassVar[str]

    def __post_init__(self) -> None:
        check_positive(type(self).__name__, "strength", self.strength, or_zero=True)

    def value(self, layers: Mapping[str, Tensor]) -> Tensor:
        """Return the penalty of a network's weights.

        `layers`: weight tensors by layer name, in the network's order, as `compressible` gives
        them. Biases are left out. Returns: shape (); differentiable; the gradient is finite where
        weights are zero.
        """
        terms = [
            self.term(weight, before)
            for name, weight, before in with_previous(layers)
            if fnmatchcase(name, self.pattern)
        ]
        if not terms:
            raise ValueError(
                f"{type(self).__name__}: pattern {self.pattern!r} matches no layer; "
                f"the layers are: {', '.join(layers)}"
            )
        return self.strength * torch.stack(terms).sum()

    @abstractmethod
    def term(self, weight: Tensor, before: Tensor | None) -> Tensor:
        """Return one layer's part, without the factor; `before` is the layer ahead of it."""

    def describe(self) -> str:
        """Say the penalty in a few words."""
        return f"{self.name} penalty, λ = {self.strength:.3g}"


@dataclass(frozen=True)
class L1(Penalty):
    """Sum of magnitudes: pushes every weight toward zero by the same amount.

    References
    ----------
    Tibshirani. "Regression shrinkage and selection via the lasso". Journal of the Royal
    Statistical Society B, 1996.

    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural
    networks". NeurIPS 2015. arXiv:1506.02626.

    Examples
    --------
    >>> L1(strength=0.5).value({"fc": torch.tensor([[1.0, -3.0]])})
    tensor(2.)
    """

    strength: float = strength_dial(
        "Adds λ · Σ |w| to the loss, which pulls every weight to zero equally hard. Higher: more "
        "weights near zero that pruning can take, less accuracy."
    )

    name: ClassVar[str] = "L1"
    latex: ClassVar[str] = r"\lambda \sum_i |w_i|"

    def term(self, weight: Tensor, before: Tensor | None) -> Tensor:
        """Return the sum of magnitudes."""
        return weight.abs().sum()


@dataclass(frozen=True)
class L2(Penalty):
    """Sum of squares: weight decay; shrinks large weights, seldom to zero.

    References
    ----------
    Krogh, Hertz. "A simple weight decay can improve generalization". NeurIPS 1991.

    Examples
    --------
    >>> L2(strength=0.5).value({"fc": torch.tensor([[1.0, -3.0]])})
    tensor(5.)
    """

    strength: float = strength_dial(
        "Adds λ · Σ w² to the loss, which pulls large weights hardest. Higher: smaller weights, "
        "few of them at zero; less accuracy."
    )

    name: ClassVar[str] = "L2"
    latex: ClassVar[str] = r"\lambda \sum_i |w_i|^2"

    def term(self, weight: Tensor, before: Tensor | None) -> Tensor:
        """Return the sum of squares."""
        return weight.square().sum()


@dataclass(frozen=True)
class IncomingNorm(Penalty):
    """Sum over neurons of the length of their incoming weights: whole rows vanish.

    A neuron is a row of the matrix (out, in * kh * kw): a unit of a dense layer, or a
    filter of a convolution.

    References
    ----------
    Pan, Dong, Guo. "DropNeuron: simplifying the structure of deep neural networks".
    2016. arXiv:1606.07326.

    Examples
    --------
    >>> IncomingNorm(strength=1.0).value({"fc": torch.tensor([[3.0, 4.0], [0.0, 0.0]])})
    tensor(5.)
    """

    strength: float = strength_dial(
        "Adds λ · Σⱼ ‖weights into neuron j‖₂ to the loss: they shrink together, so that whole "
        "neurons vanish. Higher: more neurons that can be taken out, less accuracy."
    )

    name: ClassVar[str] = "li"
    latex: ClassVar[str] = r"\lambda_{\ell_i} \sum_{\ell} \sum_{j} \| \mathbf{W}^{\ell}_{:,j} \|_2"

    def term(self, weight: Tensor, before: Tensor | None) -> Tensor:
        """Return the sum of the rows' lengths."""
        return torch.linalg.vector_norm(as_matrix(weight), dim=1).sum()


@dataclass(frozen=True)
class OutgoingNorm(Penalty):
    """Sum over neurons of the length of their outgoing weights: whole columns vanish.

    What goes out of a neuron is, in the next layer's matrix (out, in * kh * kw), all
    columns of its channel. A dense layer that follows a convolution in the network's
    order reads flattened feature maps, several columns for each filter, where its columns
    are a multiple of the filters.

    References
    ----------
    Pan, Dong, Guo. "DropNeuron: simplifying the structure of deep neural networks".
    2016. arXiv:1606.07326.

    Examples
    --------
    >>> OutgoingNorm(strength=1.0).value({"fc": torch.tensor([[3.0, 0.0], [4.0, 0.0]])})
    tensor(5.)
    """

    strength: float = strength_dial(
        "Adds λ · Σᵢ ‖weights out of neuron i‖₂ to the loss: nothing listens to a neuron whose "
        "weights are zero. Higher: more neurons that can be taken out, less accuracy."
    )

    name: ClassVar[str] = "lo"
    latex: ClassVar[str] = r"\lambda_{\ell_o} \sum_{\ell} \sum_{i} \| \mathbf{W}^{\ell}_{i,:} \|_2"

    def term(self, weight: Tensor, before: Tensor | None) -> Tensor:
        """Return the sum of the lengths of the channels' columns."""
        matrix = as_matrix(weight)
        columns = matrix.reshape(len(matrix), input_channels(weight, before), -1)
        return torch.linalg.vector_norm(columns, dim=(0, 2)).sum()


def input_channels(weight: Tensor, before: Tensor | None) -> int:
    """Return how many neurons a layer's columns belong to.

    `weight`: of the layer. `before`: weight of the layer ahead of it.
    """
    if weight.ndim < 2:
        return weight.numel()
    n_columns = weight.shape[1]
    flattened = weight.ndim == 2 and before is not None and before.ndim > 2
    if flattened and before is not None and n_columns % before.shape[0] == 0:
        return before.shape[0]
    return n_columns


def with_previous(layers: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """Yield each layer's name and weight with the weight ahead of it, None for the first."""
    before = None
    for name, weight in layers.items():
        yield name, weight, before
        before = weight


def check_penalties(penalties: Iterable[Penalty]) -> tuple[Penalty, ...]:
    """Return the penalties as a tuple; raise TypeError where one is something else."""
    found = (penalties,) if isinstance(penalties, Penalty) else tuple(penalties)
    for penalty in found:
        if not isinstance(penalty, Penalty):
            raise TypeError(
                f"penalties: expected penalties such as L1(strength=1e-4); got {penalty!r:.80}"
            )
    return found
