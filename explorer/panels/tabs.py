"""The tabs of the page, in the lecture's order, those of installed packages among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from explorer.compress.methods.setting import Setting
from explorer.panels.anatomy import ANATOMY
from explorer.panels.behavior import BEHAVIOR
from explorer.panels.distill_panel import DistillPanel
from explorer.panels.page_topics import page_topics
from explorer.panels.run_panel import Use
from explorer.panels.tab import Tab
from explorer.panels.topic_panel import TopicPanel
from explorer.panels.train_panel import TrainPanel
from explorer.reproduce.table import results

FIRST = "Prune"


def make_tabs(
    select: Callable[[str], None],
    add: Callable[[Setting], None],
    use: Use,
    say: Callable[[str], None],
    compare: Tab,
    student: nn.Module | None = None,
) -> Sequence[Tab]:
    """Make the tabs.

    Parameters
    ----------
    select : callable
        Called with a layer's name when it is chosen.
    add : callable
        Called with a setting when the person asks for a topic's first step.
    use, say : callable
        As `TrainPanel` takes them.
    compare : Tab
        The tab Compare.
    student : Module, optional
        As `DistillPanel` takes it.
    """
    topics = [TopicPanel(topic, select, add) for topic in (ANATOMY, *page_topics()[0])]
    behavior = TopicPanel(BEHAVIOR, select, add)
    return [*topics, compare, TrainPanel(use, say, results), DistillPanel(use, student), behavior]
