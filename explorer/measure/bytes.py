"""What a file's bytes are spent on, and bytes from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.codec.header import layout_fields
from explorer.compress.coding.bits import ROLES as FIELD_ROLES
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plan import Plan
from explorer.measure.figures import Network

ROLES = (*FIELD_ROLES, "header", "untouched")


@dataclass(frozen=True)
class BreakdownRow:
    """Bits of one part of the file.

    `name`: a layer's name, or what else the part is. `bits`: bits by role, one of `ROLES`: values
    (weights or their codes), indices (which weights are kept), fillers (zeros stored to bridge long
    gaps), codebooks (shared values, scales), tables (of an entropy coder), header (names, layouts,
    padding, checksums), untouched (tensors that no step changes). Roles left out hold none. Raises
    ValueError if a role is not known or holds fewer than no bits.
    """

    name: str
    bits: Mapping[str, int]

    def __post_init__(self) -> None:
        for role, bits in self.bits.items():
            if role not in ROLES:
                raise ValueError(f"role must be one of {', '.join(ROLES)}; got {role!r}")
            if bits < 0:
                raise ValueError(f"bits of {role} in {self.name!r} must not be negative: {bits}")

    @property
    def total_bits(self) -> int:
        """Bits of all roles."""
        return sum(self.bits.values())


@dataclass(frozen=True)
class Breakdown:
    """What a file's bytes are spent on, part by part.

    `rows`: the layers, in the network's order, and what belongs to none of them.
    """

    rows: tuple[BreakdownRow, ...]

    @property
    def totals(self) -> dict[str, int]:
        """Bits of the whole file by role, in the order of `ROLES`; roles without any left out."""
        sums = {role: sum(row.bits.get(role, 0) for row in self.rows) for role in ROLES}
        return {role: bits for role, bits in sums.items() if bits}

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole file.

        Raises ValueError if the bits of all rows are not a whole number of bytes.
        """
        whole, rest = divmod(sum(row.total_bits for row in self.rows), 8)
        if rest:
            raise ValueError(f"the rows hold {rest} bits beyond {whole} bytes: count the padding")
        return whole


def breakdown(network: Network, plans: Mapping[str, Plan], size_bytes: int) -> Breakdown:
    """Say what every byte of a compressed file is spent on.

    `network`: what is compressed. `plans`: what is made of each layer. `size_bytes`: bytes of the
    whole file.
    """
    rows = [_row(layer, plans[name].layout) for name, layer in network.layers.items()]
    untouched = 8 * sum(t.numel() * t.element_size() for t in network.untouched.values())
    left = 8 * size_bytes - untouched - sum(row.total_bits for row in rows)
    rows.append(BreakdownRow("Biases and other tensors", {"untouched": untouched}))
    return Breakdown((*rows, BreakdownRow("Header and checksums", {"header": left})))


def _row(layer: IndexedLayer, layout: dict[str, Any]) -> BreakdownRow:
    bits = dict.fromkeys(ROLES, 0)
    for field in layout_fields(layout, layer.shape, layer.dtype):
        fillers = field.fillers // 8 * 8
        bits["fillers"] += fillers
        bits[field.role] += 8 * field.n_bytes - fillers
    return BreakdownRow(layer.name, {role: count for role, count in bits.items() if count})


@dataclass(frozen=True)
class Waterfall:
    """What each stage of a recipe leaves of the file.

    `stages`: label and bytes of the whole file, from the original network on; a stage may make the
    file larger. Raises ValueError if there is no stage, or one has no bytes.
    """

    stages: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError('stages must begin with the original, got none: add ("Original", n)')
        for label, size_bytes in self.stages:
            if size_bytes <= 0:
                raise ValueError(f"stage {label!r} must have a positive size, got {size_bytes}")

    @property
    def ratios(self) -> tuple[float, ...]:
        """Original bytes / bytes after each stage."""
        original = self.stages[0][1]
        return tuple(original / size_bytes for _, size_bytes in self.stages)

    @property
    def step_ratios(self) -> tuple[float, ...]:
        """Bytes before / after each stage; the first is 1."""
        sizes = [size_bytes for _, size_bytes in self.stages]
        return tuple(a / b for a, b in zip([sizes[0], *sizes], sizes, strict=False))
