"""Published results, reproduced: one call each."""

from explorer.reproduce.digits import Digits
from explorer.reproduce.record import Goal, Moment, Published, Reproduction
from explorer.reproduce.reproductions import names, run
from explorer.reproduce.table import bundled, bundled_file, table, write

__all__ = [
    "Digits",
    "Goal",
    "Moment",
    "Published",
    "Reproduction",
    "bundled",
    "bundled_file",
    "names",
    "run",
    "table",
    "write",
]
