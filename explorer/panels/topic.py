"""What a tab of the page is: the steps that it is about, and the views that show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from explorer.compress.methods.setting import Setting
from explorer.measure.published.results import Story
from explorer.measure.result import Result
from explorer.session import Session
from explorer.session.close_up import CloseUp
from explorer.session.prefix_cache import never


@dataclass(frozen=True)
class Scene:
    """What there is to see.

    Attributes
    ----------
    session : Session
    result : Result
    close_up : CloseUp
        Of the chosen layer.
    stale : callable
        Whether what is shown has changed since.
    loading : str
        Python that loads the network and its data.
    story : Story or None
        How the network came to be, where that is known.
    """

    session: Session
    result: Result
    close_up: CloseUp
    stale: Callable[[], bool] = never
    loading: str = ""
    story: Story | None = None

    @property
    def old_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes that layers had before they lost neurons; empty where none did."""
        reduced = [row.name for row in self.result.layers if prod(row.shape) < row.n_weights]
        return {name: self.session.original_shape(name) for name in reduced}


def drawn(view: Any, record: Any, _layer: str) -> None:
    """Draw a record as it is."""
    view.draw(record)


@dataclass(frozen=True)
class ViewSpec:
    """One view of a topic, in a card of its own.

    Attributes
    ----------
    title, hint : str
        The card's heading and the remark beside it.
    class_ : str
        The card's own CSS class.
    make : callable
        Makes the view; called with what to do when a layer is chosen.
    record : callable
        Takes a `Scene` to what the view draws; None hides the card.
    slow : bool
        Whether the record takes long: it is then made in the background.
    draw : callable
        Called with the view, the record and the chosen layer.
    """

    title: str
    hint: str
    class_: str
    make: Callable[[Callable[[str], None]], Any]
    record: Callable[[Scene], Any]
    slow: bool = False
    draw: Callable[[Any, Any, str], None] = drawn


@dataclass(frozen=True)
class Topic:
    """One tab of the page.

    Attributes
    ----------
    title : str
    about : str
        What it does, in words that follow its title, and "No step that".
    starts : tuple of Setting
        The steps that it is about, as they are added; none for a tab on all of them.
    left, right : tuple of ViewSpec
        The cards of the two columns, top to bottom; on a narrow page the right ones follow.
    wide, top : tuple of ViewSpec
        Cards below both, and above both.
    """

    title: str
    about: str
    starts: tuple[Setting, ...]
    left: tuple[ViewSpec, ...]
    right: tuple[ViewSpec, ...]
    wide: tuple[ViewSpec, ...] = ()
    top: tuple[ViewSpec, ...] = ()

    @property
    def help(self) -> str:
        """What it does, in a sentence."""
        return f"{self.title} {self.about}."

    @property
    def kinds(self) -> tuple[type[Setting], ...]:
        """Classes of its steps."""
        return tuple(type(start) for start in self.starts)
