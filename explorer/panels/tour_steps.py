"""What the tour of the page tells."""

from __future__ import annotations

from explorer.views.export import TourStep

TOUR = (
    TourStep(
        "Five figures",
        "Bytes on disk, accuracy, zeros, operations and energy. They always show the network as "
        "it is compressed now, beside the original.",
        ".ex-strip",
    ),
    TourStep(
        "The recipe and its dials",
        "Steps are applied from top to bottom. Turn a dial, and the network is compressed again "
        "at once. Buttons below add steps; the menu above them changes one layer alone.",
        ".ex-recipe",
    ),
    TourStep(
        "Views by topic",
        "Each tab shows the compressed network from another side. Below every view a sentence "
        "says what to look for.",
        ".ex-tabs > .ex-tab-bar",
    ),
    TourStep(
        "Take it with you",
        "Undo any change, or copy a link that opens this very state. The tab Combine exports "
        "the compressed file; Copy as Python gives the code behind each tab.",
        ".ex-tools",
    ),
)
