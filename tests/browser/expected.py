"""What the page must show, from a session without widgets."""

import numpy as np

import explorer
from explorer.views.figures import FiguresView
from explorer.views.histogram import HistogramView
from explorer.views.maps import SparsityMapView
from tests.browser.harness import Shown, plain


def joined(cell):
    return cell["change"] + cell["text"] + cell["note"]


def expected(network, recipe, layer):
    """Compute a recipe's result in a session of our own, and put it in the page's words."""
    net, data = explorer.load(network)
    session = explorer.Session(net, data)
    try:
        session.apply(recipe)
        result = session.wait(timeout=60)
        seen = session.close_up(layer)
    finally:
        session.close()
    figures, picture, bars = FiguresView(), SparsityMapView(), HistogramView()
    figures.draw(result)
    picture.draw(seen.sparsity)
    bars.draw(seen.histogram)
    state = figures.widget.state
    canvas, caption = picture.widget.children[0], bars.widget.children[-1]
    heights = bars.widget.children[0].marks[1].y
    return Shown(
        size=state["size"]["value"],
        size_detail=joined(state["size"]),
        accuracy=state["accuracy"]["value"],
        accuracy_detail=joined(state["accuracy"]),
        sparsity=state["sparsity"]["value"],
        kept=canvas.data["kept"],
        histogram_caption=plain(caption.value),
        bars=tuple(np.asarray(heights)),
    )


def assert_shows(shown, wanted):
    """Compare what is seen with what is wanted; bars by their heights, up to one scale."""
    for name in Shown.__dataclass_fields__:
        if name != "bars":
            assert getattr(shown, name) == getattr(wanted, name), name
    seen, heights = np.array(shown.bars), np.array(wanted.bars)
    assert seen.shape == heights.shape
    np.testing.assert_allclose(seen / (seen.max() or 1), heights / (heights.max() or 1), atol=0.01)
