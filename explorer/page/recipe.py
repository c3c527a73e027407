"""The recipe by hand: a stack of steps for all layers, or for one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ipywidgets import Button, Dropdown, VBox

from explorer.closing import close_all
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.controls.help_text import explain
from explorer.controls.steps import StepStack
from explorer.page.topics import page_topics
from explorer.session import Session
from explorer.views.parts import caption, card

ALL = "*"
HIDDEN = "ex-hidden"
_AS_ALL = (
    "Drop these steps of its own; those for all layers, or for a pattern that it matches, hold "
    "again."
)


class RecipePanel:
    """Steps with dials; a picker says whether they are those of all layers or of one.

    `changed`: called without arguments after the person changed the recipe.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._entries: dict[str, Steps] = {ALL: ()}
        self._session: Session | None = None
        self._busy = False
        topics, failures = page_topics()
        starts = [start for topic in topics for start in topic.starts]
        self._kinds = tuple(type(start) for start in starts)
        self._stack = StepStack(starts, place=_place)
        self._failures = caption(" ".join(f"A method is missing: {words}." for words in failures))
        self._stack.observe(lambda _change: self._edited(), "value")
        self._scope = Dropdown(description="Steps for", options=[("All layers", ALL)])
        explain(self._scope, "Whether the steps below hold for all layers, or for one layer alone.")
        self._scope.add_class("ex-scope")
        self._scope.observe(lambda _change: self._show_scope(), "value")
        self._as_all = Button(description="As all layers", tooltip=_AS_ALL)
        for name in ("ex-as-all", HIDDEN):
            self._as_all.add_class(name)
        self._as_all.on_click(lambda _button: self._drop())
        body: list = [
            self._scope,
            self._as_all,
            self._stack,
            *([self._failures] if failures else []),
        ]
        self.widget: VBox = card("Recipe", "applied from top to bottom", body, "ex-recipe")

    @property
    def recipe(self) -> Recipe:
        """The recipe that the dials stand for; entries for all layers come last."""
        order = [name for name in self._entries if name != ALL] + [ALL]
        entries = tuple((name, self._entries.get(name, ())) for name in order)
        return Recipe(tuple((n, s) for n, s in entries if s or n != ALL))

    def add(self, setting: Setting) -> None:
        """Add a step to those that are shown: at the end, or before those that it would undo."""
        self._stack.add(setting)

    def offer(self, kinds: tuple[type[Setting], ...]) -> None:
        """Offer to add steps of these kinds only, or of all where there are none of them."""
        self._stack.offer(kinds or self._kinds)

    def show(self, recipe: Recipe) -> None:
        """Move the dials to a recipe; `changed` is not called."""
        self._entries = {ALL: (), **_reachable(recipe)}
        self._busy = True
        try:
            self._set_options()
            self._show_steps()
        finally:
            self._busy = False

    def bind(self, session: Session) -> None:
        """Offer the layers of a session's network."""
        self._session = session
        self._busy = True
        try:
            self._entries = {ALL: self._entries.get(ALL, ())}
            self._set_options()
            self._scope.value = ALL
            self._show_steps()
            self._set_limits()
        finally:
            self._busy = False

    def _set_options(self) -> None:
        layers = self._session.layers if self._session else ()
        patterns = [name for name in self._entries if name != ALL and name not in layers]
        options = [("All layers", ALL)]
        options += [(f"Pattern {name}", name) for name in patterns]
        options += [(self._label(name), name) for name in layers]
        if list(self._scope.options) != options:
            chosen = self._scope.value
            self._scope.options = options
            self._scope.value = chosen if chosen in {value for _, value in options} else ALL

    def _label(self, name: str) -> str:
        return f"{name or '(the layer)'}{' (own steps)' if name in self._entries else ''}"

    def _steps(self) -> Steps:
        scope = self._scope.value
        if scope in self._entries:
            return self._entries[scope]
        return self.recipe.steps_for(scope)

    def _show_steps(self) -> None:
        self._stack.value = self._steps()
        self._show_as_all()

    def _show_as_all(self) -> None:
        own = self._scope.value != ALL and self._scope.value in self._entries
        (self._as_all.remove_class if own else self._as_all.add_class)(HIDDEN)

    def _drop(self) -> None:
        """Let a layer go by the steps of the others again."""
        scope = self._scope.value
        if scope != ALL and scope in self._entries:
            self.show(Recipe(tuple(entry for entry in self.recipe.entries if entry[0] != scope)))
            self._changed()

    def _show_scope(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            self._show_steps()
            self._set_limits()
        finally:
            self._busy = False

    def _set_limits(self) -> None:
        if self._session is None:
            return
        scope = self._scope.value
        names = [scope] if scope in self._session.layers else list(self._session.layers)
        full = max(min(self._session.matrix_shape(name)) for name in names)
        self._stack.set_limits({"rank": (1, full)})

    def _edited(self) -> None:
        if self._busy:
            return
        scope, steps = self._scope.value, self._stack.value
        is_new = scope not in self._entries
        if self._session and scope in self._session.layers:
            self._entries = {scope: steps, **{k: v for k, v in self._entries.items() if k != scope}}
        else:
            self._entries[scope] = steps
        if is_new:
            self._busy = True
            try:
                self._set_options()
                self._show_as_all()
            finally:
                self._busy = False
        self._changed()

    def close(self) -> None:
        """Release the widgets."""
        self._stack.close()
        close_all(self._failures, self.widget)


def _place(kinds: Sequence[type[Setting]], kind: type[Setting]) -> int:
    """Where a step goes: neurons are removed right after the pruning that comes first."""
    roles = [known.role for known in kinds]
    if kind.role != "removes":
        return len(kinds)
    return next((i for i, role in enumerate(roles) if role != "prunes"), len(kinds))


def _reachable(recipe: Recipe) -> dict[str, Steps]:
    """Return the entries up to the one for all layers, which leaves nothing to later ones."""
    found: dict[str, Steps] = {}
    for pattern, steps in recipe.entries:
        found.setdefault(pattern, steps)
        if pattern == ALL:
            break
    return found
