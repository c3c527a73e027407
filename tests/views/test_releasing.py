import pytest
from ipywidgets.widgets.widget import _instances

from explorer.views.bytes import BreakdownView, BytesView
from explorer.views.codebook import CodebookView
from explorer.views.export import CodeView, ExportView
from explorer.views.figures import FiguresView
from explorer.views.formula import FormulaView
from explorer.views.history import UndoView
from explorer.views.maps import ErrorMapView
from explorer.views.parts import HintView
from explorer.views.run_bar import StatusView
from explorer.views.spectrum import StageErrorsView
from explorer.views.speed import SpeedView
from explorer.views.tabs import TabsView


@pytest.mark.parametrize(
    "make",
    [
        BreakdownView,
        BytesView,
        CodebookView,
        ErrorMapView,
        FormulaView,
        SpeedView,
        StageErrorsView,
        lambda: HintView(lambda: None),
        lambda: ExportView(print),
        lambda: CodeView(print),
        lambda: UndoView(print, print, print),
        FiguresView,
        StatusView,
        lambda: TabsView(["A"], [BytesView()]),
    ],
)
def test_closing_releases_every_widget(make):
    before = set(_instances)
    view = make()
    mine = set(_instances) - before
    view.close()
    left = {type(_instances[key]).__name__ for key in mine & set(_instances)}
    given = (
        {"BytesView", "Bars", "Label", "Layout", "LabelStyle"}
        if isinstance(view, TabsView)
        else set()
    )
    assert left <= given
