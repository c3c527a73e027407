"""A picture of a grid of numbers, one pixel a cell."""

from __future__ import annotations

import numpy as np
import traitlets

from explorer.views.front_end import text
from explorer.widgets import ScriptView


class HeatCanvas(ScriptView):
    """Canvas that colors each cell by its number; repaints when `version` changes.

    `palette` names three CSS variables, such as ``--ex-heat-0`` to ``--ex-heat-2``; `data`
    becomes the canvas's ``data-`` attributes, and `label` is read to those who cannot see it.
    """

    _esm = text("heat_canvas.js")

    rows = traitlets.Int(0).tag(sync=True)
    columns = traitlets.Int(0).tag(sync=True)
    cells = traitlets.Bytes(b"").tag(sync=True)
    palette = traitlets.Unicode("heat").tag(sync=True)
    data = traitlets.Dict().tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def paint(self, parts: np.ndarray, data: dict[str, str], label: str) -> None:
        """Show a grid of numbers in [0, 1], shape (n_rows, n_columns), in one message."""
        with self.hold_sync():
            self.rows, self.columns = parts.shape
            self.cells = np.rint(parts * 255).astype(np.uint8).tobytes()
            self.data = data
            self.label = label
            self.version += 1
