"""All groups of measurements of one network."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from explorer.bench import compression, memory, session, starting
from explorer.bench.peers import peers as against_peers
from explorer.bench.peers import reached
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, Finding, table

Group = Callable[[Subject, Effort], Iterator[Finding]]

GROUPS: dict[str, Group] = {
    "Preparation": compression.index,
    "All layers rewritten": compression.all_layers,
    "One layer rewritten": compression.one_layer,
    "Low rank": compression.new_rank,
    "Figures of all layers": compression.whole_network,
    "The layer on screen": compression.on_screen,
    "Accuracy": session.following,
    "A late layer changed": session.late_change,
    "A sweep, against a plain loop": session.cost,
    "A sweep on two workers": session.scaling,
    "A fresh start": starting.fresh,
    "Memory": memory.growth,
    "Memory of a session": memory.peak,
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

    `name`: as in the catalog. `peers`: whether to time other libraries, too. `tell`: called with
    each group's table as soon as it is there. Raises ValueError if the catalog does not know the
    name.
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
