"""Second derivatives of the loss, and the saliency of weights by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import (
    Inputs,
    call,
    failure_told,
    moved,
    own_copy,
    rows,
    scores_of,
    tensors_of,
)
from explorer.compress.networks.plain import copied
from explorer.compress.networks.sample_gradients import Call, sum_of_squares
from explorer.compress.networks.weights import LAYER_TYPES, compressible

MAX_CLASSES = 16
SEED = 0
CHECK_TOLERANCE = 1e-3


class Curvature:
    """Diagonal of the Gauss-Newton matrix of the mean cross-entropy, batch by batch.

    `net`: classifier; a copy that shares its parameters is run, in eval mode. `n_draws`: up to 16
    classes the sum over classes is exact. Beyond, so many labels are drawn for each sample from the
    network's own probabilities, with a fixed seed; the estimate is unbiased. `n_samples`: samples
    seen so far.
    """

    def __init__(self, net: nn.Module, n_draws: int = 1) -> None:
        if n_draws < 1:
            raise ValueError(f"n_draws must be at least 1; got {n_draws}")
        self.n_samples = 0
        self._n_draws = n_draws
        self._generator = torch.Generator().manual_seed(SEED)
        self._net = _sharing_copy(net)
        self._weights = compressible(self._net)
        self._sums = {
            name: torch.zeros_like(weight, dtype=torch.float32, requires_grad=False)
            for name, weight in self._weights.items()
        }
        self._names = {id(weight): name for name, weight in self._weights.items()}
        self._traces: dict[str, list[tuple[nn.Module, Tensor, Tensor]]] = {}
        self._checked = 0
        self._one_by_one: list[str] = []
        for module in self._net.modules():
            if isinstance(module, LAYER_TYPES):
                module.register_forward_hook(self._trace)

    def diagonal(self) -> dict[str, Tensor]:
        """Return h of every weight so far, by layer, float32.

        Raises ValueError if no sample was seen.
        """
        if not self.n_samples:
            raise ValueError("batches hold no sample; the curvature needs at least one")
        return {name: total / self.n_samples for name, total in self._sums.items()}

    def add(self, inputs: Inputs) -> None:
        """Take a batch of inputs, shape (n, ...) or a tuple or dict of such, into account.

        Raises ValueError if the logits are not finite or not of shape (n, classes).
        """
        first = tensors_of(inputs)[0]
        devices = [first.device] if first.is_cuda else []
        with (
            torch.random.fork_rng(devices),
            torch.inference_mode(False),
            torch.enable_grad(),
        ):
            if len(first):
                self._add(moved(inputs, next(iter(self._weights.values())).device))
        self._traces = {}

    def _add(self, inputs: Inputs) -> None:
        n = len(tensors_of(inputs)[0])
        logits = self._logits(inputs)
        if n > self._checked:
            self._check(logits)
        for direction in self._directions(logits):
            for name, calls in self._calls(logits, direction).items():
                self._sums[name] += sum_of_squares(calls, n)
        for i in range(n if self._one_by_one else 0):
            logits = self._logits(rows(inputs, slice(i, i + 1)))
            for direction in self._directions(logits):
                for name, slope in self._slopes(logits, direction, self._one_by_one).items():
                    self._sums[name] += slope.float().square_()
        self.n_samples += n

    def _logits(self, inputs: Inputs) -> Tensor:
        self._traces = {name: [] for name in self._weights}
        n = len(tensors_of(inputs)[0])
        with failure_told(inputs):
            output = call(self._net, own_copy(inputs))
        try:
            logits = scores_of(output)
        except TypeError:
            logits = torch.empty(0)
        if logits.shape[:1] != (n,) or logits.ndim != 2:
            what = tuple(logits.shape) if logits.numel() else type(output).__name__
            raise ValueError(
                f"net must return logits of shape ({n}, classes) for {n} "
                f"inputs; got {what}. The saliency of a weight is known for classifiers only"
            )
        if not bool(torch.isfinite(logits).all()):
            raise ValueError(
                f"net returns NaN or infinite logits within samples {self.n_samples} to "
                f"{self.n_samples + n - 1}; repair the weights or the inputs first"
            )
        return logits

    def _trace(self, module: Any, args: tuple[Any, ...], output: Any) -> Any:
        """Remember a layer's input and output; what follows may overwrite a copy of the latter."""
        name = self._names.get(id(module.weight))
        if name is None or not args or not isinstance(output, Tensor):
            return None
        self._traces[name].append((module, args[0].detach(), output))
        return output.clone()

    def _directions(self, logits: Tensor) -> Iterator[Tensor]:
        """Yield gradients of the logits whose squared slopes add up to h, shape of `logits`."""
        p = logits.detach().softmax(1)
        if p.shape[1] <= MAX_CLASSES:
            for c, unit in enumerate(torch.eye(p.shape[1]).to(p)):
                yield p[:, c : c + 1].sqrt() * (unit - p)
            return
        labels = torch.multinomial(
            p.float().cpu(), self._n_draws, replacement=True, generator=self._generator
        )
        for drawn in labels.T.to(p.device):
            unit = nn.functional.one_hot(drawn, p.shape[1])
            yield (unit - p) / self._n_draws**0.5

    def _calls(self, logits: Tensor, direction: Tensor) -> dict[str, list[Call]]:
        """Run backward to every layer's output, but for the layers taken one sample at a time."""
        names = [name for name in self._traces if name not in self._one_by_one]
        traces = [(name, *trace) for name in names for trace in self._traces[name]]
        outputs = [output for *_, output in traces]
        if not outputs:
            return {}
        slopes = torch.autograd.grad(
            logits, outputs, direction, retain_graph=True, allow_unused=True
        )
        calls: dict[str, list[Call]] = {}
        for (name, module, inputs, _), slope in zip(traces, slopes, strict=True):
            if slope is not None:
                calls.setdefault(name, []).append(Call(module, inputs, slope))
        return calls

    def _slopes(self, logits: Tensor, direction: Tensor, names: list[str]) -> dict[str, Tensor]:
        """Run backward to weights themselves, for all samples together."""
        weights = [self._weights[name] for name in names]
        slopes = torch.autograd.grad(
            logits, weights, direction, retain_graph=True, allow_unused=True
        )
        found = zip(names, slopes, strict=True)
        return {name: slope for name, slope in found if slope is not None}

    def _check(self, logits: Tensor) -> None:
        """Find the layers whose last sample's gradient is not what its rows tell.

        A weight may be used outside its layer, and rows may be other things than
        samples: windows, or time steps that come before the samples.
        """
        n, n_classes = logits.shape
        direction = torch.zeros_like(logits)
        direction[-1] = torch.arange(1, n_classes + 1).cos().to(logits)
        calls = self._calls(logits, direction)
        for name, slope in self._slopes(logits, direction, list(self._weights)).items():
            own = calls.get(name, [])
            if not own or not all(call.fits(n) for call in own):
                self._one_by_one.append(name)
                continue
            told = sum(call.of_samples(n, n - 1, n).gradients(1)[0] for call in own)
            tolerance = max(CHECK_TOLERANCE, 8 * torch.finfo(slope.dtype).eps)
            if float((told - slope).norm()) > tolerance * float(slope.norm()):
                self._one_by_one.append(name)
        self._one_by_one = list(dict.fromkeys(self._one_by_one))
        self._checked = n


def _sharing_copy(net: nn.Module) -> nn.Module:
    """Copy a network in eval mode; parameters share memory, and gradients flow to all of them."""
    shared: dict[int, Any] = {
        id(p): nn.Parameter(p.clone() if p.is_inference() else p.detach(), p.is_floating_point())
        for p in net.parameters()
    }
    return copied(net, shared).eval()


def saliencies(
    net: nn.Module,
    batches: Iterable[tuple[Tensor, Any]],
    should_stop: Callable[[], bool] | None = None,
    progress: Callable[[int], None] | None = None,
    n_draws: int = 1,
) -> dict[str, Tensor] | None:
    """Estimate what removing each single weight adds to the mean loss.

    `net`: classifier that returns logits of shape (n, classes); left unchanged. It is run in eval
    mode. `batches`: inputs of shape (n, ...); the labels are not looked at. `should_stop`: asked
    before each batch; once it is true, nothing is returned. `progress`: told the number of samples
    done after each batch. `n_draws`: see `Curvature`. Returns: for each compressible layer ``h w **
    2 / 2``, float32, shape of its weight. Raises ValueError if there is no sample, or the logits
    are not finite or not of shape (n, classes).

    References
    ----------
    LeCun, Denker, Solla. "Optimal brain damage". NeurIPS 1989, published 1990.
    """
    curvature = Curvature(net, n_draws)
    for inputs, _ in batches:
        if should_stop is not None and should_stop():
            return None
        curvature.add(inputs)
        if progress is not None:
            progress(curvature.n_samples)
    weights = compressible(net)
    return {
        name: diagonal.mul_(weights[name].detach().float().square()).mul_(0.5)
        for name, diagonal in curvature.diagonal().items()
    }
