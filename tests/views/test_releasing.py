import pytest
from ipywidgets.widgets.widget import _instances

from explorer.views.breakdown import BreakdownView
from explorer.views.bytes import BytesView
from explorer.views.codebook import CodebookView
from explorer.views.copy_code import CodeView
from explorer.views.error_map import ErrorMapView
from explorer.views.export import ExportView
from explorer.views.figures import FiguresView
from explorer.views.formula import FormulaView
from explorer.views.hint import HintView
from explorer.views.speed import SpeedView
from explorer.views.stage_errors import StageErrorsView
from explorer.views.status import StatusView
from explorer.views.tabs import TabsView
from explorer.views.undo import UndoView


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
