"""Views are widgets: a name of their own must not stand in for one of ipywidgets'."""

import pkgutil
from functools import cached_property
from importlib import import_module
from types import FunctionType

import anywidget
import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances

from explorer.history.state import State
from explorer.page.served import page
from explorer.widgets import ScriptView, View

PACKAGES = ("controls", "page", "views")
EXTENDED = {"close"}
OURS = (FunctionType, property, cached_property)


def classes(base):
    for each in base.__subclasses__():
        yield each
        yield from classes(each)


def views():
    for package in PACKAGES:
        path = import_module(f"explorer.{package}").__path__
        for module in pkgutil.iter_modules(path):
            import_module(f"explorer.{package}.{module.name}")
    ours = set(classes(View)) | set(classes(ScriptView))
    return sorted((each for each in ours if each.__module__.startswith("explorer")), key=str)


def clashes(view):
    base = ipywidgets.VBox if issubclass(view, View) else anywidget.AnyWidget
    own = {name for name, value in vars(view).items() if isinstance(value, OURS)}
    return {name for name in own & set(dir(base)) if not name.startswith("__")} - EXTENDED


@pytest.mark.parametrize("view", views(), ids=lambda view: view.__name__)
def test_no_method_stands_in_for_one_of_the_library(view):
    assert clashes(view) == set()


def test_one_that_does_is_found():
    kind = type("Comparing", (View,), {"_compare": lambda self: None, "draw": lambda self: None})
    assert clashes(kind) == {"_compare"}


def test_every_widget_of_a_page_can_be_written_as_text(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", f"state={State.from_dict({'tab': 'Compare'}).to_link()}")
    app = page()
    try:
        assert all(repr(widget) for widget in list(_instances.values()))
    finally:
        app.close()
