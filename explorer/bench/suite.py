"""All groups of measurements of one network."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from explorer.bench import (
    accuracy,
    factoring,
    figures,
    memory,
    preparation,
    rewriting,
    starting,
    suffix,
    sweeping,
    whole_session,
)
from explorer.bench.peers import peers as against_peers
from explorer.bench.peers import reached
from explorer.bench.rows import Finding
from explorer.bench.subject import Subject
from explorer.bench.table import table
from explorer.bench.timing import Effort

Group = Callable[[Subject, Effort], Iterator[Finding]]

GROUPS: dict[str, Group] = {
    "Preparation": preparation.index,
    "All layers rewritten": rewriting.all_layers,
    "One layer rewritten": rewriting.one_layer,
    "Low rank": factoring.new_rank,
    "Figures of all layers": figures.whole_network,
    "The layer on screen": figures.on_screen,
    "Accuracy": accuracy.following,
    "A late layer changed": suffix.late_change,
    "A sweep, against a plain loop": sweeping.cost,
    "A sweep on two workers": sweeping.scaling,
    "A fresh start": starting.fresh,
    "Memory": memory.growth,
    "Memory of a session": whole_session.peak,
}
LEGEND = (
    "ratio: median over the runs; best: of the shortest runs, least disturbed by other programs"
)
PEERS: dict[str, Group] = {
    "Other libraries": against_peers,
    "What other libraries reach": reached,
}


def measure(
    name: str, effort: Effort, *, peers: bool, tell: Callable[[str], object]
) -> list[Finding]:
    """Run every group on a network.

    Parameters
    ----------
    name : str
        As in the catalog.
    effort : Effort
    peers : bool
        Whether to time other libraries, too.
    tell : callable
        Called with each group's table as soon as it is there.

    Returns
    -------
    list of BenchRow and Skipped

    Raises
    ------
    ValueError
        If the catalog does not know the name.
    """
    subject = Subject.load(name)
    tell(f"\n{name}: {subject.n_weights:,} weights in {len(subject.layers)} layers\n{LEGEND}\n")
    found: list[Finding] = []
    try:
        for title, group in (GROUPS | PEERS if peers else GROUPS).items():
            rows = list(group(subject, effort))
            tell(f"\n{title}\n{table(rows)}")
            found += rows
    finally:
        subject.close()
    return found
