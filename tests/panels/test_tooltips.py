"""Every control of the page says in words what it does."""

import dataclasses

import ipywidgets as widgets
import pytest
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer import zoo
from explorer.controls.explain import explain
from explorer.controls.setting_control import SettingControl
from explorer.controls.step_stack import StepStack
from explorer.panels.plan_code import _TEXTS
from explorer.panels.topics import TOPICS

CONTROLS = (
    widgets.Button,
    widgets.Checkbox,
    widgets.Dropdown,
    widgets.FloatSlider,
    widgets.FloatLogSlider,
    widgets.IntSlider,
    widgets.SelectionSlider,
    widgets.ToggleButtons,
    widgets.Text,
    widgets.BoundedIntText,
)
SETTINGS = [start for topic in TOPICS for start in topic.starts] + [kind() for kind in _TEXTS]


def controls(widget):
    """Controls inside a widget that can be seen at some time: those with a label."""
    is_control = isinstance(widget, CONTROLS)
    if is_control and (widget.description or isinstance(widget, widgets.ToggleButtons)):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from controls(child)


def words(control):
    tooltips = getattr(control, "tooltips", ())
    each = [*tooltips] if tooltips else [control.tooltip]
    return [text or "" for text in each]


def silent(found):
    return [
        (type(control).__name__, control.description, control._dom_classes)
        for control in found
        if not all(len(text) > 5 for text in words(control))
    ]


@pytest.fixture(scope="module")
def app():
    loaded = zoo.load("lenet-300-100")
    part = TensorDataset(*loaded.data.eval[:20])
    app = ex.Explorer(
        loaded.net, ex.Data(part, part), recipe=[ex.Prune(sparsity=0.5)], picker=loaded
    )
    app.wait(60)
    yield app
    app.close()


def test_every_control_of_every_tab_is_explained(app):
    for title in app._topics.titles:
        app._topics.open(title)
        found = list(controls(app))
        assert len(found) > 10
        assert silent(found) == [], title


def test_every_button_of_every_step_is_explained():
    starts = [start for topic in TOPICS for start in topic.starts]
    stack = StepStack(starts, starts)
    found = list(controls(stack))
    assert len(found) > 6 * len(starts)
    assert silent(found) == []
    stack.close()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: type(setting).__name__)
def test_every_dial_has_a_sentence(setting):
    control = SettingControl(setting)
    told = list(controls(control))
    dials = [each for each in dataclasses.fields(setting) if "dial" in each.metadata]
    assert len(told) >= len(dials) >= 1
    for each in dials:
        text = each.metadata["dial"].help
        assert text.endswith(".") and text[0].isupper(), (each.name, text)
    control.close()


def test_a_dropdown_carries_its_words_in_its_label_and_shows_the_name_as_it_is():
    control = widgets.Dropdown(description="a < b & c")
    explain(control, 'so called "x"')
    explain(control, "said twice")
    wanted = '<span title="so called &quot;x&quot;">a &lt; b &amp; c</span>'
    assert control.description == wanted and control.description_allow_html
    assert control.tooltip == "said twice"


def test_a_network_of_ones_own_needs_no_picker():
    app = ex.Explorer(nn.Sequential(nn.Linear(4, 3)).eval())
    assert [text for control in controls(app) for text in words(control) if not text] == []
    app.close()
