"""One layer under the hand: its original weights, its index, and the plan of its steps."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property

import torch
from torch import Tensor, nn

from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.ordering import Ordering
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantizer import ValueSetting
from explorer.compress.methods.setting import StorageSetting
from explorer.compress.methods.svd import (
    Factors,
    FactorStore,
    NoStore,
    factorize,
    factorize_randomly,
    is_quick,
    needed_scale,
)
from explorer.compress.networks.plain import kept_zeros
from explorer.compress.networks.plan import Plan, Sample, ValuePlan
from explorer.compress.networks.recipe import Steps
from explorer.compress.networks.record_plans import LowRankPlan, RecordPlan, StoredPlan
from explorer.compress.networks.weights import compressible
from explorer.compress.records.record import Dense, Record, as_matrix, check_weight

KEPT_PLANS = 4


class IndexedLayer:
    """A weight tensor with the indexes that answer for any setting at once.

    The index and the factors are made when first needed, once, also when several
    threads ask at the same time.

    `name`: the layer's qualified name. `weight`: never written to. Checked for NaN and infinity.
    `store`: where factors that took long are kept between runs. `keeps_zeros`: whether zeros stay
    zero whatever the steps, as those of a pruning mask do.
    """

    def __init__(
        self,
        name: str,
        weight: Tensor,
        store: FactorStore | None = None,
        *,
        keeps_zeros: bool = False,
    ) -> None:
        try:
            check_weight(weight)
        except (TypeError, ValueError) as error:
            raise type(error)(f"layer {name!r}: {error}") from None
        self.name = name
        self.keeps_zeros = keeps_zeros
        self.shape = weight.shape
        self.dtype = weight.dtype
        self.source = weight.detach().float().cpu().contiguous()
        self.store = store or NoStore()
        self._factors: Factors | None = None
        self._ordering: Ordering | None = None
        self._sorting = threading.Lock()
        self._lock = threading.RLock()
        self._factoring = threading.RLock()
        self._plans: OrderedDict[Steps, Plan] = OrderedDict()

    @property
    def n_weights(self) -> int:
        """Entries of the weight tensor."""
        return self.shape.numel()

    @property
    def original_bits(self) -> int:
        """Bits of the original weights."""
        return self.n_weights * self.dtype.itemsize * 8

    @cached_property
    def matrix(self) -> Tensor:
        """The weights as a matrix (out, in * kh * kw)."""
        return as_matrix(self.source)

    @cached_property
    def sample(self) -> Sample:
        """Part of the matrix small enough to be rewritten and drawn at once."""
        return Sample.of(self.matrix)

    @property
    def has_ordering(self) -> bool:
        """Whether the weights are sorted already."""
        return self._ordering is not None

    @property
    def ordering(self) -> Ordering:
        """The sorted weights; made at the first call."""
        with self._sorting:
            if self._ordering is None:
                self._ordering = Ordering(self.source.numpy())
            return self._ordering

    @property
    def needs_factors(self) -> bool:
        """Whether the factors are neither made already nor made in an instant."""
        return self._factors is None and not is_quick(self.source)

    @property
    def factors(self) -> Factors:
        """The singular value decomposition, the best there is so far.

        Made at the first call: exactly if that is quick or `store` has it, and
        otherwise at random for the leading values, until `refine_factors`.
        """
        with self._factoring:
            if self._factors is None:
                kept = self.store.get(self.source) if not is_quick(self.source) else None
                self._factors = kept or (
                    factorize(self.source)
                    if is_quick(self.source)
                    else factorize_randomly(self.source)
                )
            return self._factors

    def refine_factors(self) -> None:
        """Make the factors exact; plans made from now on use them."""
        if self.factors.exact:
            return
        exact = factorize(self.source)
        self.store.put(self.source, exact)
        with self._factoring:
            self._factors = exact
        with self._lock:
            self._plans.clear()

    def plan(self, steps: Steps) -> Plan:
        """Return the plan of some steps; the latest few are kept.

        `steps`: steps of scope "model" must have been resolved to this layer's share.
        """
        with self._lock:
            plan = self._plans.pop(steps, None) or self._made(steps)
            self._plans[steps] = plan
            if len(self._plans) > KEPT_PLANS:
                self._plans.popitem(last=False)
            return plan

    def has_plan(self, steps: Steps) -> bool:
        """Whether the plan of some steps is made already, or made in an instant."""
        with self._lock:
            return steps in self._plans or self._kind(steps) is not RecordPlan

    def _kind(self, steps: Steps) -> type[Plan]:
        """Which plan serves some steps."""
        steps, storage = split_storage(steps)
        rest = _split(steps)[1]
        if not rest or (
            len(rest) == 1 and isinstance(rest[0], ValueSetting) and rest[0].by_value()
        ):
            return StoredPlan if storage else ValuePlan
        if self._is_plain and len(steps) == 1 and isinstance(steps[0], LowRank) and not storage:
            return LowRankPlan
        return RecordPlan

    @cached_property
    def _is_plain(self) -> bool:
        """Whether the product of the factors is never rounded to half precision or cut off."""
        is_matrix = self.dtype == torch.float32 and len(self.shape) > 1
        return is_matrix and needed_scale(self.source) == 1

    def _made(self, steps: Steps) -> Plan:
        """Make a plan; an error says of which layer."""
        try:
            return self._make(steps)
        except (ValueError, RuntimeError, MemoryError) as error:
            error.args = (f"layer {self.name!r}: {error or 'not enough memory'}", *error.args[1:])
            raise

    def _make(self, steps: Steps) -> Plan:
        kind = self._kind(steps)
        if kind is ValuePlan:
            prunes, rest = _split(steps)
            return self._value_plan(prunes, rest[0] if rest else None)  # type: ignore[arg-type]
        if kind is LowRankPlan and isinstance(steps[0], LowRank):
            rank = steps[0].chosen_rank(self.factors)
            return LowRankPlan(self.factors, rank, self.ordering, self.sample)
        if kind is StoredPlan:
            return StoredPlan(self.plan(split_storage(steps)[0]), self.record(steps))
        return RecordPlan(self.record(steps), self.source, self.ordering)

    def _value_plan(self, prunes: tuple[Prune, ...], coder: ValueSetting | None) -> ValuePlan:
        ordering = self.ordering
        if prunes:
            cut = max((step.cut(ordering) for step in prunes), key=lambda cut: cut.n_pruned)
        else:
            cut = coder.first_cut(ordering) if coder else ordering.cut_below(0.0)
        quantizer = coder.quantizer(ordering, cut, self.dtype) if coder else None
        return ValuePlan(ordering, cut, quantizer, self.dtype, bool(prunes))

    def record(self, steps: Steps) -> Record:
        """Compress the weights into a record, using the index and factors where they serve."""
        weight = self.source.to(self.dtype)
        served, rest = split_storage(steps)
        plan = self.plan(served) if served and self._kind(served) is ValuePlan else None
        if isinstance(plan, ValuePlan):
            record = plan.made_record(weight)
        elif steps and isinstance(steps[0], LowRank) and weight.ndim > 1:
            record, rest = steps[0].truncated(self.factors, weight, None), steps[1:]
        else:
            record, rest = Dense(weight), steps
        for step in rest:
            record = record.then(step)
        return record


def split_storage(steps: Steps) -> tuple[Steps, Steps]:
    """Take the steps at the end that change how the layer is written off the others."""
    end = len(steps)
    while end and isinstance(steps[end - 1], StorageSetting):
        end -= 1
    return steps[:end], steps[end:]


def _split(steps: Steps) -> tuple[tuple[Prune, ...], Steps]:
    """Take the leading steps that prune by magnitude off the others."""
    prunes: list[Prune] = []
    for step in steps:
        if not (isinstance(step, Prune) and step.criterion == "magnitude"):
            break
        prunes.append(step)
    return tuple(prunes), steps[len(prunes) :]


def index_layers(net: nn.Module, store: FactorStore | None = None) -> dict[str, IndexedLayer]:
    """Return the compressible layers of a network, ready to be indexed.

    `store`: where factors that took long are kept between runs.
    """
    zeros = kept_zeros(net)
    return {
        name: IndexedLayer(name, weight, store, keeps_zeros=name in zeros)
        for name, weight in compressible(net).items()
    }
