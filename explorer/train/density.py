"""How dense each layer is after each stage of pruning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from explorer.compress.methods.setting import check_count, check_fraction

Density = float | Mapping[str, float]


def gradual(final: Density, n_stages: int, initial: float = 1.0) -> tuple[Density, ...]:
    """Return densities that fall along a cubic curve: fast at first, slowly at the end.

    The density after stage t of n is ``final + (initial - final) * (1 - t / n) ** 3``.

    Parameters
    ----------
    final : float or mapping of str to float
        Density after the last stage, in [0, 1]; or one for each pattern of layer names.
    n_stages : int
        At least 1.
    initial : float
        Density before the first stage.

    Returns
    -------
    tuple
        One density, or mapping, a stage.

    References
    ----------
    Zhu, Gupta. "To prune, or not to prune: exploring the efficacy of pruning for model
    compression". 2017. arXiv:1710.01878.

    Examples
    --------
    >>> gradual(0.0, n_stages=2)
    (0.125, 0.0)
    """
    if n_stages is None:
        raise TypeError("gradual: n_stages must be an integer; got None")
    check_count("gradual", "n_stages", n_stages, 1, 10_000)
    check_density("gradual", "initial", initial)
    if isinstance(final, Mapping):
        columns = {k: gradual(v, n_stages, initial) for k, v in final.items()}
        return tuple({k: float(v[i]) for k, v in columns.items()} for i in range(n_stages))  # type: ignore[arg-type]
    check_density("gradual", "final", final)
    left = ((1 - t / n_stages) ** 3 for t in range(1, n_stages + 1))
    return tuple(final + (initial - final) * part for part in left)


def stages_of(schedule: Any, layers: Sequence[str]) -> tuple[dict[str, float], ...]:
    """Return the density of each layer that is pruned, stage by stage.

    Parameters
    ----------
    schedule : float, mapping of str to float, or sequence of these
        A density for all layers, or for patterns of layer names of which the first that
        matches wins; one stage, or one after another.
    layers : sequence of str
        All layers of the network.

    Raises
    ------
    ValueError
        If there is no stage, a density is not in [0, 1] or rises, or a pattern matches nothing.
    TypeError
        If a density is not a number.
    """
    whole = isinstance(schedule, (int, float, Mapping)) or not isinstance(schedule, Sequence)
    found = tuple(_by_layer(item, layers) for item in ([schedule] if whole else schedule))
    if not found:
        raise ValueError("schedule: expected at least one density, got none")
    last: dict[str, float] = {}
    for i, stage in enumerate(found):
        for name, density in stage.items():
            if density > last.get(name, 1.0):
                raise ValueError(
                    f"schedule: density of {name!r} rises from {last[name]:g} to {density:g} at "
                    f"stage {i}; pruned weights do not come back: let densities fall"
                )
        last |= stage
    return found


def _by_layer(item: Any, layers: Sequence[str]) -> dict[str, float]:
    patterns = item if isinstance(item, Mapping) else {"*": item}
    for pattern, density in patterns.items():
        check_density("schedule", "density", density)
        if not any(fnmatchcase(name, pattern) for name in layers):
            raise ValueError(
                f"schedule: pattern {pattern!r} matches no layer; the layers are: "
                f"{', '.join(layers)}"
            )
    firsts = {n: next((p for p in patterns if fnmatchcase(n, p)), None) for n in layers}
    return {name: float(patterns[p]) for name, p in firsts.items() if p is not None}


def check_density(owner: str, name: str, value: Any) -> None:
    """Raise unless `value` is a number in [0, 1]."""
    if value is None:
        raise TypeError(f"{owner}: {name} must be a number in [0, 1]; got None")
    check_fraction(owner, name, value)
