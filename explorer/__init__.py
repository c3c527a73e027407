"""Compression Explorer: see what compressing a neural network does.

Load a trained network, turn a dial, and the network is really recompressed: weights,
bytes, accuracy follow.
"""

from typing import Any

from explorer.codec.errors import DamagedFile
from explorer.codec.model import CompressedModel, compress
from explorer.compress.binarize import Binarize
from explorer.compress.low_rank import LowRank
from explorer.compress.prune import Prune
from explorer.compress.quantize import Quantize
from explorer.compress.recipe import Recipe, recipe_from_json
from explorer.compress.share import Share
from explorer.library import open_model as open
from explorer.measure.accuracy import Accuracy, evaluate
from explorer.measure.profile import LayerProfile, profile
from explorer.measure.result import LayerFigures, Result
from explorer.session import Session
from explorer.zoo import Data, DataUnavailable, WeightsUnavailable, catalog, load

__all__ = [
    "Accuracy",
    "Binarize",
    "CompressedModel",
    "DamagedFile",
    "Data",
    "DataUnavailable",
    "Explorer",
    "LayerFigures",
    "LayerProfile",
    "LowRank",
    "Prune",
    "Quantize",
    "Recipe",
    "Result",
    "Session",
    "Share",
    "WeightsUnavailable",
    "catalog",
    "compress",
    "evaluate",
    "load",
    "open",
    "profile",
    "recipe_from_json",
]


def __getattr__(name: str) -> Any:
    """Import the widget when it is asked for: scripts do without the widget libraries."""
    if name == "Explorer":
        from explorer.app import Explorer

        return Explorer
    raise AttributeError(f"module 'explorer' has no attribute {name!r}")
