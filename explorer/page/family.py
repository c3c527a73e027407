"""A student and its teacher under the page's recipe: compression beside distillation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from explorer import zoo
from explorer.compress.networks.layer import index_layers
from explorer.compress.networks.recipe import Recipe
from explorer.library import compress
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Metric, Score
from explorer.measure.students import Family, Relative
from explorer.session import Session
from explorer.session.latest_wins import LatestWins
from explorer.stopping import Stop
from explorer.train.training import judged, judged_by
from explorer.views.students import FamilyView
from explorer.widgets import View
from explorer.zoo.loaded import NETWORK_NAME_ATTRIBUTE

TEACHER, STUDENT, PLAIN = "mnist-teacher", "mnist-student-distilled", "mnist-student"
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

    `names`: what teacher and student are called. `remark`: where they come from; "" where the
    person made the student here. `metric`: judges in place of the data.
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


class FamilyPanel(View):
    """A table of a teacher and a student, weighed in the background."""

    def __init__(self) -> None:
        self._worker = LatestWins("explorer-family")
        self._kin: Kin | None = None
        self._asked: tuple[nn.Module, Recipe] | None = None
        self._plain: dict[nn.Module, Accuracy | Score] = {}
        self._view = FamilyView()
        super().__init__([self._view])

    def keep(self, kin: Kin) -> None:
        """Take up a family; it is shown wherever the page shows one of the two."""
        self._kin, self._asked = kin, None
        self._plain.clear()

    def knows(self, session: Session) -> bool:
        """Whether a session's network is of a family: one made here, or one that is bundled."""
        net = session.net
        known = self._kin is not None and self._kin.has(net)
        return known or (_named(net) in (TEACHER, STUDENT, PLAIN) and _other(net) in zoo.catalog())

    def draw(self, session: Session, recipe: Recipe) -> None:
        """Weigh the family of a session's network under a recipe, unless that is done or begun."""
        if self._asked == (session.net, recipe):
            return
        self._asked = session.net, recipe
        self._view.draw(None, WEIGHING)
        self._worker.submit(lambda stale: self._weigh(session, recipe, stale))

    def close(self) -> None:
        """End what runs, and release the widgets."""
        self._worker.close()
        super().close()

    def _weigh(self, session: Session, recipe: Recipe, stale: Stop) -> None:
        net = session.net
        try:
            kin = self._kin
            if kin is None or not kin.has(net):
                kin = _bundled(net, session.data, session.metric)
                self._kin = kin
                self._plain.clear()
            if kin.data is None and kin.metric is None:
                self._view.draw(None, NO_DATA)
                return
            found = self._family(kin, recipe, stale)
        except Exception as error:
            if not stale():
                self._asked = None
                self._view.draw(None, f"Teacher and student could not be compared: {error}")
            return
        if found is not None and not stale():
            self._view.draw(found)

    def _family(self, kin: Kin, recipe: Recipe, stale: Stop) -> Family | None:
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
    """Return a recipe that a network takes, and whether it is another one."""
    try:
        recipe.check_layers(index_layers(net))
    except ValueError:
        kept = tuple(entry for entry in recipe.entries if entry[0] == ALL)
        return Recipe(kept), True
    return recipe, False


def _named(net: nn.Module) -> str:
    return getattr(net, NETWORK_NAME_ATTRIBUTE, "")


def _other(net: nn.Module) -> str:
    return STUDENT if _named(net) == TEACHER else TEACHER


def _bundled(net: nn.Module, data: Any, metric: Metric | None) -> Kin:
    """Return the family of a bundled network."""
    loaded = zoo.load(_other(net)).net
    if _named(net) == TEACHER:
        return Kin(net, loaded, data, ("teacher", "bundled student"), OF_STUDENT, metric)
    return Kin(loaded, net, data, ("bundled teacher", "student"), OF_TEACHER, metric)
