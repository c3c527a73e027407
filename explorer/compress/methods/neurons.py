"""Pruning of whole neurons: the rows of a weight tensor of smallest norm become zero."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.compress.methods.setting import Setting, check_choice, check_fraction, dial
from explorer.compress.records.coded import Sparse
from explorer.compress.records.record import as_matrix


@dataclass(frozen=True)
class PruneNeurons(Setting):
    """Remove the neurons whose incoming weights have the smallest norm.

    A neuron is a unit of a dense layer or a filter of a convolution: a row of the
    weight matrix. Called on a tensor, the step zeroes those rows; applied to a
    network, `remove_neurons` takes them out, with all that belongs to them in the
    other layers.

    Parameters
    ----------
    fraction : float
        Fraction of the neurons to remove in each layer, in [0, 1), not a percentage.
        ``round(fraction * n)`` of n neurons go, but never all of them. 0 removes
        only dead neurons: those that nothing comes in to, or nothing goes out of.
    norm : {"l1", "l2"}
        Sum of magnitudes, or root of the sum of squares.

    References
    ----------
    Li, Kadav, Durdanovic, Samet, Graf. "Pruning filters for efficient convnets".
    ICLR 2017. arXiv:1608.08710.

    Pan, Dong, Guo. "DropNeuron: simplifying the structure of deep neural networks".
    2016. arXiv:1606.07326.

    Examples
    --------
    >>> import torch
    >>> PruneNeurons(fraction=0.5)(torch.tensor([[0.3, -0.1], [0.2, 0.9]])).restore()
    tensor([[0.0000, 0.0000],
            [0.2000, 0.9000]])
    """

    fraction: float = dial(
        0.0,
        "fraction",
        "Neurons removed",
        "Share f of each layer's n neurons (of a convolution: filters) that are taken out, the "
        "weakest first: min(round(f · n), n − 1) go. Higher: smaller layers, less accuracy.",
        high=0.99,
    )
    norm: str = dial(
        "l1",
        "choice",
        "Norm",
        "How strong a neuron is, told from its incoming weights: L1 is Σ |w|, L2 is √(Σ w²). "
        "The weakest neurons go first.",
        options=("l1", "l2"),
    )

    help = "Take whole neurons out, those with the weakest incoming weights."
    role = "removes"
    records = (Sparse,)

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_fraction("PruneNeurons", "fraction", self.fraction)
        if self.fraction == 1:
            raise ValueError(
                f"PruneNeurons: fraction must be less than 1; got {self.fraction!r}: "
                "a layer keeps at least one neuron"
            )
        check_choice("PruneNeurons", "norm", self.norm, ("l1", "l2"))

    def describe(self) -> str:
        """Say the step in a few words."""
        if self.fraction == 0:
            return "Remove dead neurons"
        return f"Remove {100 * self.fraction:.4g}% of neurons by {self.norm}"

    def count(self, n_neurons: int) -> int:
        """How many of `n_neurons` go for their small norm."""
        return min(round(self.fraction * n_neurons), n_neurons - 1)

    def norms(self, rows: Tensor) -> Tensor:
        """Return the norm of each row.

        Parameters
        ----------
        rows : Tensor, shape (n, m)

        Returns
        -------
        Tensor, shape (n,), float32, or float64 for such rows
        """
        dtype = torch.float64 if rows.dtype == torch.float64 else torch.float32
        order = 1 if self.norm == "l1" else 2
        return torch.linalg.vector_norm(rows.detach(), ord=order, dim=1, dtype=dtype)

    def encode(self, values: Tensor, mask: Tensor | None) -> Sparse:
        """Zero the rows of smallest norm; what was zero stays zero."""
        matrix = as_matrix(values)
        rows = torch.ones(len(matrix), dtype=torch.bool, device=values.device)
        rows[smallest(self.norms(matrix), self.count(len(matrix)))] = False
        kept = (values != 0) & rows.reshape(-1, *[1] * (values.ndim - 1))
        return Sparse.of(values, kept if mask is None else kept & mask)


def smallest(scores: Tensor, count: int) -> Tensor:
    """Return the indices of the `count` smallest scores; of equal ones the first go.

    `scores`: shape (n,). Returns: shape (count,), int64; in increasing order.
    """
    return torch.argsort(scores, stable=True)[:count].sort().values
