"""The layers of a network that is looked at, not compressed."""

from __future__ import annotations

import torch
from ipywidgets import VBox

from explorer import zoo
from explorer.measure.anatomy import anatomy
from explorer.measure.profile import input_shape
from explorer.views.anatomy import AnatomyView
from explorer.views.card import card
from explorer.views.style import Style


def layer_table(name: str) -> VBox:
    """Show what each layer of a network takes of the weights and of the multiplications.

    Nothing is downloaded or computed, and no weight takes memory: shapes say it all.

    `name`: one of ``explorer.catalog()``. Returns: a widget to display. Raises ValueError if there
    is no such network.
    """
    with torch.device("meta"):
        net = zoo.load(name, weights=None).net
    view = AnatomyView()
    view.draw(anatomy(net, input_shape(net)))
    box = VBox([Style(), card(name, "layer by layer", view.widget)])
    for class_ in ("ex-root", "ex-aside", "ex-aside-wide"):
        box.add_class(class_)
    return box
