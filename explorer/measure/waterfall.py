"""The size of the file after each stage of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Waterfall:
    """What each stage of a recipe leaves of the file.

    Attributes
    ----------
    stages : tuple of (str, int)
        Label and bytes of the whole file, from the original network on; a stage may
        make the file larger.

    Raises
    ------
    ValueError
        If there is no stage, or one has no bytes.
    """

    stages: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError('stages must begin with the original, got none: add ("Original", n)')
        for label, size_bytes in self.stages:
            if size_bytes <= 0:
                raise ValueError(f"stage {label!r} must have a positive size, got {size_bytes}")

    @property
    def ratios(self) -> tuple[float, ...]:
        """Original bytes / bytes after each stage."""
        original = self.stages[0][1]
        return tuple(original / size_bytes for _, size_bytes in self.stages)

    @property
    def step_ratios(self) -> tuple[float, ...]:
        """Bytes before / after each stage; the first is 1."""
        sizes = [size_bytes for _, size_bytes in self.stages]
        return tuple(a / b for a, b in zip([sizes[0], *sizes], sizes, strict=False))
