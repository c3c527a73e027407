import pytest
import traitlets
from ipywidgets import Label

from explorer.views.parts import HintView
from explorer.views.tabs import TabsView


def tabs():
    return TabsView(["Prune", "Share", "Combine"], [Label("a"), Label("b"), Label("c")])


def shown(view):
    return [
        panel.children[0].value
        for panel in view._shown.children
        if "ex-hidden" not in panel._dom_classes
    ]


def test_only_the_selected_content_shows_and_what_was_shown_stays():
    view = tabs()
    assert (view.selected, shown(view), len(view._shown.children)) == ("Prune", ["a"], 1)
    view.selected = "Combine"
    assert (shown(view), len(view._shown.children)) == (["c"], 2)
    view.selected = "Prune"
    assert (shown(view), len(view._shown.children)) == (["a"], 2)
    view.close()


def test_choosing_in_the_browser_is_told_once():
    view, told = tabs(), []
    view.observe(lambda change: told.append(change["new"]), "selected")
    view._bar.set_state({"selected": "Share"})
    assert told == ["Share"] and shown(view) == ["b"]
    assert view._bar.selected == "Share"
    view.close()


def test_a_panel_names_the_tab_that_it_belongs_to():
    view = tabs()
    (panel,) = view._shown.children
    assert f"ex-of-{view._bar.prefix}-0" in panel._dom_classes
    view.close()


def test_unknown_and_doubtful_titles_are_refused():
    view = tabs()
    with pytest.raises(traitlets.TraitError, match="selected must be one of Prune, Share, Combine"):
        view.selected = "Distill"
    assert view.selected == "Prune"
    view.close()
    for titles in ([], ["a", "a"], ["a"]):
        with pytest.raises(ValueError, match="titles must be different and have one content each"):
            TabsView(titles, [Label(), Label()])


def test_every_tab_has_its_own_tooltip_or_none_has():
    view = TabsView(["a", "b"], [Label(), Label()], helps=["A does this.", "B does that."])
    assert view._bar.get_state()["helps"] == ["A does this.", "B does that."]
    view.close()
    with pytest.raises(ValueError, match="helps must be one a title, got 1 for 2"):
        TabsView(["a", "b"], [Label(), Label()], helps=["A does this."])


def test_closing_leaves_the_contents_to_their_owner():
    content = Label("a")
    view = TabsView(["A"], [content])
    view.close()
    assert content.comm is not None
    content.close()


def test_a_hint_says_what_is_missing_and_adds_it():
    pressed = []
    view = HintView(lambda: pressed.append(1))
    view.draw("No Share step in the recipe yet.", "Add Share")
    assert view._sentence.value == "No Share step in the recipe yet."
    view._button.click()
    assert pressed == [1] and view._button.layout.display == ""
    view.draw("Nothing can be added here.")
    assert view._button.layout.display == "none"
    view.close()
