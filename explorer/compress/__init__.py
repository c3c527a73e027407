"""Tensors in, records out: bits, records, methods, and the networks they are applied to."""
