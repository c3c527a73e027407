"""Compressed tensors: what they hold, take, and restore."""
