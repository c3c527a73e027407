"""The layers of a large network, without its weights."""

import pytest

from explorer.chapters.page_text import layer_table


def test_the_layers_of_alexnet_are_those_that_are_published():
    box = layer_table("alexnet")
    view = box.children[1].children[1]
    rows = {row["name"]: row["texts"] for row in view.children[1].rows}
    assert rows["classifier.1"][0] == "37.7 M"
    assert rows["whole network"][0] == "61.1 M"
    assert rows["whole network"][4] == "244.4 MB"
    assert "62% of the weights" in view.children[2].value


def test_a_network_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="name: expected one of catalog"):
        layer_table("alexnett")
