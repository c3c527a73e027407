"""Formulas with their numbers: of methods, of a layer, of training."""
