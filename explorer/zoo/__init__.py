"""Trained networks to start from: bundled ones with data, and torchvision's."""

from explorer.zoo.catalog import catalog, load
from explorer.zoo.data import Data
from explorer.zoo.errors import DataUnavailable, WeightsUnavailable
from explorer.zoo.loaded import Loaded

__all__ = ["Data", "DataUnavailable", "Loaded", "WeightsUnavailable", "catalog", "load"]
