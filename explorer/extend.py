"""What methods and tabs of other packages are made of.

A method is a `Setting` with dials, and the record that it leaves: `ScalarCoded` for codes of single
weights, `CodedRecord` for other fields behind positions, `Record` for anything else. A tab is a
`Topic` of `Card`; `HISTOGRAM` and the other constants are cards of the built-in tabs.
``tests/example_method`` is a whole package in two files.

Names are imported when they are first asked for, so that a method needs no widgets.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.compress.coding.bits import Field, Reader
    from explorer.compress.methods.quantizer import ScalarQuantizer, ValueSetting
    from explorer.compress.methods.setting import (
        Setting,
        check_choice,
        check_count,
        check_fraction,
        dial,
    )
    from explorer.compress.records.coded import CodedRecord, ScalarCoded, Sparse
    from explorer.compress.records.record import Dense, Record, gather, keep_zeros
    from explorer.compress.records.spec import TensorSpec
    from explorer.measure.spectrum import Codebook
    from explorer.page.cards import Card, Scene, Topic
    from explorer.page.topics import CODEBOOK, ERRORS, HISTOGRAM, LAYERS
    from explorer.views.parts import caption
    from explorer.widgets import View

__all__ = [
    "CODEBOOK",
    "ERRORS",
    "HISTOGRAM",
    "LAYERS",
    "Card",
    "Codebook",
    "CodedRecord",
    "Dense",
    "Field",
    "Reader",
    "Record",
    "ScalarCoded",
    "ScalarQuantizer",
    "Scene",
    "Setting",
    "Sparse",
    "TensorSpec",
    "Topic",
    "ValueSetting",
    "View",
    "caption",
    "check_choice",
    "check_count",
    "check_fraction",
    "dial",
    "gather",
    "keep_zeros",
]

_HOMES = {
    "compress.coding.bits": ("Field", "Reader"),
    "compress.methods.quantizer": ("ScalarQuantizer", "ValueSetting"),
    "compress.methods.setting": (
        "Setting",
        "check_choice",
        "check_count",
        "check_fraction",
        "dial",
    ),
    "compress.records.coded": ("CodedRecord", "ScalarCoded", "Sparse"),
    "compress.records.record": ("Dense", "Record", "gather", "keep_zeros"),
    "compress.records.spec": ("TensorSpec",),
    "measure.spectrum": ("Codebook",),
    "page.cards": ("Card", "Scene", "Topic"),
    "page.topics": ("CODEBOOK", "ERRORS", "HISTOGRAM", "LAYERS"),
    "views.parts": ("caption",),
    "widgets": ("View",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"explorer.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
