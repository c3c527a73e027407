"""Levels at even steps, and the rounding of weights to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Grid:
    """Even levels from `low` to `high`, ``2**bits`` of them."""

    low: float
    high: float
    bits: int

    @property
    def n_steps(self) -> int:
        """Levels but one."""
        return (1 << self.bits) - 1

    @property
    def step(self) -> float:
        """Distance of neighboring levels."""
        return (self.high - self.low) / self.n_steps

    @property
    def inverse_step(self) -> float:
        """Levels per unit; 0 where all weights are the same."""
        return 1 / self.step if self.step > 0 else 0.0

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Round float32 `values` to the nearest level's number, int16."""
        scaled = (values.astype(np.float64) - self.low) * self.inverse_step
        return np.clip(np.floor(scaled + 0.5), 0, self.n_steps).astype(np.int16)
