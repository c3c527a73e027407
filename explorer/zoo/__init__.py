"""Trained networks to start from: bundled ones with data, and torchvision's."""

from explorer.zoo.catalog import catalog, load
from explorer.zoo.loaded import Data, DataUnavailable, Loaded, WeightsUnavailable

__all__ = ["Data", "DataUnavailable", "Loaded", "WeightsUnavailable", "catalog", "load"]
