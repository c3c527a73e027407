"""All topics of the page: the lecture's, and those of installed packages."""

from __future__ import annotations

from typing import Any

from explorer.compress.methods.registry import MethodRegistry, found
from explorer.panels.topic import Topic
from explorer.panels.topics import TOPICS

GROUP = "compression_explorer.topics"
TAKEN = ("Anatomy", "Compare", "Train", "Distill", "Behavior")


def page_topics() -> tuple[tuple[Topic, ...], tuple[str, ...]]:
    """Return the topics on steps, in the order of their tabs, and in words what failed to load.

    Those of installed packages come last; Python entry points of the group
    ``compression_explorer.topics`` name them.
    """
    things, failures = found(GROUP, check_topic)
    topics = {topic.title: topic for topic in TOPICS}
    failed = [*MethodRegistry().failures, *failures]
    for origin, topic in things:
        if topics.setdefault(topic.title, topic) is not topic:
            failed.append(f"{origin}: another package has a tab {topic.title!r}")
    return tuple(topics.values()), tuple(failed)


def check_topic(topic: Any) -> None:
    """Check that a thing can be a tab beside the built-in ones.

    Raises
    ------
    TypeError
        If it is no `Topic`, or its steps are no methods.
    ValueError
        If a tab has its title, or it offers no step.
    """
    if not isinstance(topic, Topic):
        raise TypeError(f"a topic is a Topic; got {topic!r:.80}")
    titles = (*TAKEN, *(built_in.title for built_in in TOPICS))
    if topic.title in titles:
        raise ValueError(
            f"{topic.title!r} is the title of another tab; choose one besides {', '.join(titles)}"
        )
    if not topic.starts:
        raise ValueError(f"{topic.title}: starts must hold at least one step to add")
    MethodRegistry(topic.kinds)
