"""Removing neurons from a network for real, with all that is coupled to them."""
