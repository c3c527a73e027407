"""Tensors in, records out: the compression methods, each in its own file."""
