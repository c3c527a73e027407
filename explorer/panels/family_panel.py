"""A student and its teacher under the page's recipe: compression beside distillation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from explorer import zoo
from explorer.closing import close_all
from explorer.compress.networks.compressed import index_layers
from explorer.compress.networks.recipe import Recipe
from explorer.library import compress
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Metric, Score
from explorer.measure.students import Family, Relative
from explorer.session import Session
from explorer.session.worker import LatestWins, Stale
from explorer.train.training import judged, judged_by
from explorer.views.parts import card
from explorer.views.students import FamilyView
from explorer.zoo.loaded import NETWORK_NAME_ATTRIBUTE

TEACHER, STUDENT, PLAIN = "mnist-teacher", "mnist-student-distilled", "mnist-student"
HIDDEN = "ex-hidden"
ALL = "*"
WEIGHING = "Compressing and judging teacher and student\N{HORIZONTAL ELLIPSIS}"
OF_STUDENT = (
    f"The student is {STUDENT}, which comes with the explorer and was trained on this teacher "
    "beforehand; train and use one of your own, and it takes that place."
)
OF_TEACHER = f"The teacher is {TEACHER}, which comes with the explorer."
NO_DATA = "Teacher and student cannot be judged: there is no labeled data."


@dataclass(frozen=True, eq=False)
class Kin:
    """A teacher and its student.

    Attributes
    ----------
    teacher, student : Module
    data : Data, Dataset or None
    names : tuple of str
        What teacher and student are called.
    remark : str
        Where they come from; "" where the person made the student here.
    metric : Metric or None
        Judges in place of the data.
    """

    teacher: nn.Module
    student: nn.Module
    data: Any
    names: tuple[str, str] = ("teacher", "student")
    remark: str = ""
    metric: Metric | None = None

    def has(self, net: nn.Module) -> bool:
        """Whether a network is one of the two."""
        return net is self.teacher or net is self.student


class FamilyPanel:
    """A card with a table; hidden where the page's network is of no known family.

    Attributes
    ----------
    card : VBox
    """

    def __init__(self) -> None:
        self._worker = LatestWins("explorer-family")
        self._kin: Kin | None = None
        self._done: tuple[Kin, Recipe] | None = None
        self._plain: dict[nn.Module, Accuracy | Score] = {}
        self._view = FamilyView()
        self.card = card("Student and compression", "under this page's recipe", [], "ex-wide")
        self.card.children = (*self.card.children, self._view.widget)
        self.card.add_class("ex-view-family")
        self.card.add_class(HIDDEN)

    def keep(self, kin: Kin) -> None:
        """Take up a family; it is shown wherever the page shows one of the two."""
        self._kin, self._done = kin, None
        self._plain.clear()

    def follow(self, session: Session) -> None:
        """Weigh the family of a session's network under its recipe, in the background."""
        net, recipe = session.net, session.recipe
        known = self._kin is not None and self._kin.has(net)
        named = not known and _named(net) in (TEACHER, STUDENT, PLAIN)
        (self.card.remove_class if known or named else self.card.add_class)(HIDDEN)
        if not (known or named) or (known and self._done == (self._kin, recipe)):
            return
        self._view.draw(None, WEIGHING)
        self._worker.submit(lambda stale: self._weigh(session, recipe, stale))

    def close(self) -> None:
        """End what runs, and release the widgets."""
        self._worker.close()
        self._view.close()
        close_all(self.card)

    def _weigh(self, session: Session, recipe: Recipe, stale: Stale) -> None:
        net = session.net
        try:
            kin = self._kin
            if kin is None or not kin.has(net):
                kin = _bundled(net, session.data, session.metric)
                if kin is None:
                    self.card.add_class(HIDDEN)
                    return
                self.keep(kin)
            if kin.data is None and kin.metric is None:
                self._view.draw(None, NO_DATA)
                return
            found = self._family(kin, recipe, stale)
        except Exception as error:
            if not stale():
                self._view.draw(None, f"Teacher and student could not be compared: {error}")
            return
        if found is not None and not stale():
            self._done = (kin, recipe)
            self._view.draw(found)

    def _family(self, kin: Kin, recipe: Recipe, stale: Stale) -> Family | None:
        """Compress and judge both; None where it turns stale."""
        rows: list[Relative] = []
        judge_by = judged_by(kin.data, getattr(kin.data, "eval", kin.data), kin.metric)
        notes = [kin.remark] if kin.remark else []
        for name, net in zip(kin.names, (kin.teacher, kin.student), strict=True):
            own, changed = fitting(recipe, net)
            if changed:
                notes.append(f"The {name} lacks layers that the recipe names: steps of {ALL} only.")
            small = compress(net, own, data=kin.data)
            plain = self._plain.get(net) or judged(net, judge_by, stale)
            after = judged(small.restore(net), judge_by, stale) if plain else None
            if plain is None or after is None:
                return None
            self._plain[net] = plain
            rows.append(Relative(name, small.original_bytes, plain))
            rows.append(Relative(f"{name}, compressed", small.size_bytes, after))
        teacher, teacher_small, student, student_small = rows
        return Family(teacher, teacher_small, student, student_small, " ".join(notes))


def fitting(recipe: Recipe, net: nn.Module) -> tuple[Recipe, bool]:
    """Return a recipe that a network takes, and whether it is another one.

    Parameters
    ----------
    recipe : Recipe
    net : Module
        Where it lacks the layers of a pattern, the steps for all layers are left.
    """
    try:
        recipe.check_layers(index_layers(net))
    except ValueError:
        kept = tuple(entry for entry in recipe.entries if entry[0] == ALL)
        return Recipe(kept), True
    return recipe, False


def _named(net: nn.Module) -> str:
    return getattr(net, NETWORK_NAME_ATTRIBUTE, "")


def _bundled(net: nn.Module, data: Any, metric: Metric | None) -> Kin | None:
    """Return the family of a bundled network; None where the other one is not there."""
    name = _named(net)
    other = STUDENT if name == TEACHER else TEACHER
    if other not in zoo.catalog():
        return None
    try:
        loaded = zoo.load(other).net
    except (OSError, ValueError):
        return None
    if name == TEACHER:
        return Kin(net, loaded, data, ("teacher", "bundled student"), OF_STUDENT, metric)
    return Kin(loaded, net, data, ("bundled teacher", "student"), OF_TEACHER, metric)
