"""Removing neurons from a network for real, with all that is coupled to them."""

from explorer.compress.removal.index import NeuronIndex, Reduced, remove_neurons

__all__ = ["NeuronIndex", "Reduced", "remove_neurons"]
