"""Views of a training run: curves, paths of shared values, buttons."""

import numpy as np
import pytest

from explorer.measure.curves import CentroidPaths, Curves, Line, Reference
from explorer.views.run_bar import RunBar
from explorer.views.training_curves import (
    DRAWN,
    AccuracyView,
    CentroidPathsView,
    DensityView,
    LossView,
)


def line(*points):
    steps, values = zip(*points, strict=True) if points else ((), ())
    return Line(np.array(steps, dtype=np.int64), np.array(values, dtype=np.float64))


def curves(**changed):
    given = {
        "loss": {"": line((1, 0.5), (2, 0.25))},
        "training": {"": line((1, 0.9), (2, 0.95))},
        "held_out": {"": line((0, 0.8), (4, 0.75), (4, 0.35))},
        "density": {"": line((0, 0.5), (4, 0.5), (4, 0.25))},
        "n_steps": 8,
        "stages": (4,),
        "reference": Reference("pruned at once", 0.42),
    }
    return Curves(**(given | changed))


def marks(view):
    """Return the plot's marks: stages, behind, level, front."""
    return view._marks


def test_accuracy_with_stages_and_what_it_is_compared_with():
    view = AccuracyView()
    view.draw(curves())
    stages, behind, _, level, front, _ = marks(view)
    assert front.x.tolist() == [0, 4, 4]
    assert front.y.tolist() == [0.8, 0.75, 0.35]
    assert behind.y.tolist() == [0.9, 0.95]
    assert level.x.tolist() == [0, 8]
    assert level.y.tolist() == [0.42, 0.42]
    assert stages.x[1:].tolist() == [4, 4]
    _, legend, caption = view.children
    assert "pruned at once" in legend.value
    assert "next stage" in legend.value
    assert caption.value.startswith("Now 35.0% on held-out samples; pruned at once: 42.0%.")
    assert front.scales["x"].max == 8
    assert front.scales["y"].min <= 0.35
    view.close()


def test_two_networks_side_by_side():
    view = AccuracyView()
    lanes = {"L1": line((0, 0.9), (2, 0.5)), "L2": line((0, 0.9), (2, 0.875))}
    view.draw(curves(held_out=lanes, training=lanes, stages=(), reference=None))
    assert [mark.y.tolist() for mark in marks(view)[4:]] == [[0.9, 0.5], [0.9, 0.875]]
    assert marks(view)[3].x.size == 0
    assert view.children[2].value.startswith("Now L1: 50.0%, L2: 87.5% on held-out")
    view.close()


@pytest.mark.parametrize("kind", [AccuracyView, LossView, DensityView])
def test_before_the_first_step_there_are_axes_and_words(kind):
    view, nothing = kind(), {"": line()}
    view.draw(Curves(nothing, nothing, nothing, nothing, 0))
    assert view.children[2].value
    assert view._x.max > 0
    assert view._x_axis.tick_labels
    assert view._y_axis.tick_labels
    view.close()


def test_loss_and_density_say_what_to_look_for():
    loss, density = LossView(), DensityView()
    loss.draw(curves())
    density.draw(curves())
    assert "at each stage of pruning" in loss.children[2].value
    assert density.children[2].value.startswith("25.0% of the weights are left")
    assert marks(density)[4].y.tolist() == [0.5, 0.5, 0.25]
    loss.close()
    density.close()


def test_what_has_not_changed_is_not_sent_again():
    view, sent = AccuracyView(), []
    view.draw(curves())
    for mark in marks(view):
        mark.observe(lambda change: sent.append(change["owner"]), ["x", "y"])
    view.draw(curves(training={"": line((1, 0.9), (3, 0.5))}))
    assert {id(mark) for mark in sent} == {id(marks(view)[1])}
    view.close()


def test_paths_of_shared_values():
    view = CentroidPathsView()
    view.draw(CentroidPaths(np.array([0, 5]), np.array([[-1.0, 1.0], [-1.5, 1.0]]), 10))
    assert view._lines.y.tolist() == [[-1.0, -1.5], [1.0, 1.0]]
    assert (view._x.max, view._y.min < -1.5, view._y.max > 1.0) == (10, True, True)
    assert view._caption.value.startswith("2 shared values moved by 0.25 on average, 0.5 at most")
    many = np.tile(np.linspace(-1, 1, 256), (2, 1))
    view.draw(CentroidPaths(np.array([0, 1]), many, 10))
    assert view._lines.y.shape == (DRAWN, 2)
    assert f"{DRAWN} of them drawn" in view._caption.value
    view.close()


def test_buttons_do_what_they_say_and_only_when_offered():
    pressed = []
    names = ("start", "pause", "resume", "stop")
    bar = RunBar({name: lambda name=name: pressed.append(name) for name in names})
    buttons = bar._buttons
    for name in names:
        buttons[name].click()
    assert pressed == list(names)
    assert [b.disabled for b in buttons.values()] == [False, True, True, True]
    bar.offer("pause", "stop")
    assert (buttons["pause"].layout.display, buttons["resume"].layout.display) == ("", "none")
    bar.offer("resume", "stop")
    assert (buttons["pause"].layout.display, buttons["resume"].layout.display) == ("none", "")
    assert [b.disabled for b in buttons.values()] == [True, True, False, False]
    status = bar._status
    bar.work("Step 1 of 2.", 0.5)
    assert (status.message, status.progress) == ("Step 1 of 2.", 0.5)
    bar.fail("no")
    assert status.error == "no"
    bar.fail("")
    bar.rest("")
    assert (status.message, status.progress, status.error) == ("", None, "")
    bar.close()
