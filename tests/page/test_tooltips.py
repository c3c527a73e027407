"""Every control of the page says in plain words what it does, dials with their formula."""

import dataclasses
import re

import ipywidgets as widgets
import pytest
from ipywidgets.widgets.widget_description import DescriptionWidget
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer import zoo
from explorer.compress.methods.neurons import PruneNeurons
from explorer.controls.help_text import explain
from explorer.page.distill import DistillTab
from explorer.page.recipe import RecipePanel
from explorer.page.topics import TOPICS
from explorer.page.words import PLANS
from explorer.train.penalties import L1
from explorer.train.settings import TrainSettings
from explorer.train.targets import SoftTargets
from explorer.views.browser import FilePickerView
from explorer.views.export import CodeView

SHOWN_ONLY = (widgets.HTML, widgets.Label, widgets.HTMLMath, widgets.FloatProgress)
SLIDERS = (
    widgets.FloatSlider,
    widgets.FloatLogSlider,
    widgets.IntSlider,
    widgets.SelectionSlider,
)
STEPS = [start for topic in TOPICS for start in topic.starts]
OF_TRAINING, OF_DISTILLING = PLANS, DistillTab(lambda *_args, **_more: None).plans
SETTINGS = [*STEPS, *OF_TRAINING, *OF_DISTILLING, TrainSettings(), SoftTargets(), L1()]
FORMULA = re.compile(r"[=<>≥≈←·√Σ±⌈⌊]| / ")
NUMERIC = ("fraction", "integer", "power", "number")
WITHOUT_FORMULA = {
    ("Recover", "budget_s"),
    ("UnseenClass", "label"),
    ("TrainSettings", "max_shift"),
}
N_FEWEST_WORDS = 4


def controls(widget):
    """Controls inside a widget that can be seen at some time: those with a label."""
    is_control = isinstance(widget, widgets.Button) or (
        isinstance(widget, DescriptionWidget) and not isinstance(widget, SHOWN_ONLY)
    )
    if is_control and (widget.description or isinstance(widget, widgets.ToggleButtons)):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from controls(child)


def inside(widget, kind):
    if isinstance(widget, kind):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child, kind)


def cards(widget):
    if "ex-card" in getattr(widget, "_dom_classes", ()):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from cards(child)


def label(control):
    return re.sub(r"<[^>]+>", "", control.description)


def words(control):
    tooltips = getattr(control, "tooltips", ())
    return [text or "" for text in (*tooltips, *([control.tooltip] if not tooltips else []))]


def is_sentence(text):
    starts_well = text[:1].isupper()
    return starts_well and text.endswith(".") and len(text.split()) >= N_FEWEST_WORDS


def silent(found):
    """Controls without a sentence; icons, whose tooltip is their name, are told apart."""
    return [
        (type(control).__name__, label(control), words(control))
        for control in found
        if "ex-icon" not in control._dom_classes and not all(map(is_sentence, words(control)))
    ]


def bare(found):
    """Sliders whose words have no formula, but those of dials that have none."""
    excused = {f"ex-dial-{field}" for _, field in WITHOUT_FORMULA}
    return [
        (label(slider), slider.tooltip)
        for slider in found
        if isinstance(slider, SLIDERS)
        and not excused & set(slider._dom_classes)
        and not FORMULA.search(slider.tooltip or "")
    ]


def dials_of(setting):
    return [field for field in dataclasses.fields(setting) if "dial" in field.metadata]


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
        assert bare(found) == [], title


def test_every_tab_is_explained(app):
    bar = app._topics._tabs._bar
    assert len(bar.helps) == len(set(bar.helps)) == len(bar.titles) >= 10
    assert all(
        is_sentence(text) and text.startswith(f"{title} ")
        for title, text in zip(bar.titles, bar.helps, strict=True)
    ), bar.helps


def test_choices_are_named_alike():
    for setting in SETTINGS:
        for field in dials_of(setting):
            for name, _ in field.metadata["dial"].choices:
                assert name[0].isupper(), (field.name, name)
                assert name.casefold() not in ("ans", "obd", "sgd", "l1") or name.isupper()


@pytest.mark.parametrize(("title", "plans"), [("Train", OF_TRAINING), ("Distill", OF_DISTILLING)])
def test_every_control_of_every_plan_is_explained(app, title, plans):
    setup = app._topics[title].setup
    assert len(plans) >= 4
    for plan in plans:
        setup.plan = plan
        found = list(controls(setup))
        assert len(found) > len(dials_of(plan))
        assert silent(found) == bare(found) == [], plan.title
        labels = [label(control) for control in found]
        assert len(labels) == len(set(labels)), labels


def test_no_two_controls_of_a_card_have_the_same_label(app):
    for title in app._topics.titles:
        app._topics.open(title)
        for card in cards(app):
            labels = [label(control) for control in controls(card)]
            given = [text for text in labels if text]
            assert len(given) == len(set(given)), (title, given)


def test_what_no_widget_of_its_own_shows_is_explained(app):
    [picker], [code] = (list(inside(app, kind)) for kind in (FilePickerView, CodeView))
    assert is_sentence(picker.hint) and is_sentence(code.help)


def test_every_control_of_every_step_is_explained():
    panel = RecipePanel(lambda: None)
    for start in STEPS:
        panel.add(start)
    found = list(controls(panel.widget))
    assert len(found) > 6 * len(STEPS)
    assert silent(found) == bare(found) == []
    panel.close()


def test_the_icons_of_a_step_are_named_after_it():
    panel = RecipePanel(lambda: None)
    panel.add(PruneNeurons(fraction=0.2))
    icons = [each for each in controls(panel.widget) if "ex-icon" in each._dom_classes]
    assert len(icons) == 4
    assert all("Prune neurons" in icon.tooltip for icon in icons)
    assert len({icon.tooltip for icon in icons}) == len(icons)
    panel.close()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: type(setting).__name__)
def test_every_dial_has_a_sentence_and_a_number_its_formula(setting):
    dials = dials_of(setting)
    assert dials
    for field in dials:
        dial = field.metadata["dial"]
        assert is_sentence(dial.help), (field.name, dial.help)
        if dial.kind in NUMERIC:
            excused = (type(setting).__name__, field.name) in WITHOUT_FORMULA
            assert bool(FORMULA.search(dial.help)) != excused, (field.name, dial.help)
        else:
            names = [name for name, _ in dial.choices]
            assert len(names) == len(set(names)) > 1


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: type(setting).__name__)
def test_no_two_labels_of_a_setting_are_the_same(setting):
    labels = [field.metadata["dial"].label for field in dials_of(setting)]
    assert len(labels) == len({text.casefold() for text in labels})
    assert all(0 < len(text) <= 25 for text in labels), labels


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
