"""Published results, reproduced: one call each."""

from explorer.reproduce.bundled import bundled, bundled_file
from explorer.reproduce.digits import Digits
from explorer.reproduce.plans import names, run
from explorer.reproduce.records import Goal, Moment, Published, Reproduction
from explorer.reproduce.table import table, write

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
