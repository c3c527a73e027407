"""Export: the compressed network as a file, its weights for other programs, its recipe."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

from explorer.codec.model import CompressedModel
from explorer.measure.result import Result
from explorer.page.code import OWN_NETWORK, python_text
from explorer.session import Session
from explorer.session.latest_wins import LatestWins
from explorer.stopping import Stop
from explorer.views.export import Choice, ExportView
from explorer.views.format import size_text
from explorer.widgets import View

LIMIT_BYTES = 64_000_000


@dataclass(frozen=True)
class Exported:
    """What is exported.

    `result`: the figures of its current recipe. `loading`: Python that loads the network and its
    data.
    """

    session: Session
    result: Result
    loading: str = OWN_NETWORK

    @property
    def name(self) -> str:
        """Name of the files, without the part after the dot."""
        return str(getattr(self.session.net, "network_name", "")) or "network"


@dataclass(frozen=True)
class Format:
    """A kind of file.

    `title`, `remark`: on the button. `method`: method of a `CompressedModel` that writes it.
    `dense`: whether the weights are as many as in the network.
    """

    suffix: str
    title: str
    remark: str
    method: str
    dense: bool = True


FORMATS = {
    "cmpx": Format(".cmpx", "Compressed file", "", "save", dense=False),
    "safetensors": Format(".safetensors", "Dense weights", "for torch", "export_safetensors"),
    "onnx": Format(".onnx", "ONNX", "for other runtimes", "export_onnx"),
}


class ExportPanel(View):
    """Buttons that make a file in the background and hand it to the browser."""

    def __init__(self) -> None:
        self._view = ExportView(self._asked)
        self._worker = LatestWins("explorer-export")
        self._record: Exported | None = None
        super().__init__([self._view])

    def draw(self, record: Exported) -> None:
        """Offer what there is to export."""
        self._record = record
        files = [(kind, f.title, _remark(f, record.result)) for kind, f in FORMATS.items()]
        texts: list[Choice] = [
            ("json", "Recipe", ".json, opens in Python"),
            ("python", "Python", "code that makes the file"),
        ]
        self._view.draw([*files, *texts])

    def close(self) -> None:
        """Stop the background work, and release the widgets."""
        self._worker.close()
        super().close()

    def _asked(self, kind: str) -> None:
        record = self._record
        if record is None:
            return
        if kind == "python":
            code = python_text(record.session.recipe, record.loading, f"{record.name}.cmpx")
            self._view.give_text(code, "Run this wherever the explorer is installed.")
        elif kind == "json":
            recipe = json.dumps(record.session.recipe.as_dict(), indent=2).encode()
            self._view.give_file("recipe.json", recipe, f"recipe.json, {size_text(len(recipe))}")
        else:
            self._view.work(f"Making {record.name}{FORMATS[kind].suffix}\N{HORIZONTAL ELLIPSIS}")
            self._worker.submit(lambda stale: self._make(record, FORMATS[kind], stale))

    def _make(self, record: Exported, format_: Format, stale: Stop) -> None:
        """Make a file and hand it over; say in words what goes wrong."""
        name = record.name + format_.suffix
        try:
            _check_size(name, _least_bytes(format_, record.result), format_)
            content = _written(record.session.compress(), name, format_)
        except Exception as error:
            self._view.fail(str(error) or type(error).__name__)
            return
        if not stale():
            self._view.give_file(name, content, f"{name}, {len(content):,} bytes")


def _remark(format_: Format, result: Result) -> str:
    remark = format_.remark or size_text(result.size_bytes)
    return f"{format_.suffix}, {remark}"


def _least_bytes(format_: Format, result: Result) -> int:
    """Bytes that the file has at least, as far as the figures tell."""
    if not format_.dense:
        return result.size_bytes
    reduced = any(prod(layer.shape) < layer.n_weights for layer in result.layers)
    return 0 if reduced else result.original_bytes


def _check_size(name: str, n_bytes: int, format_: Format) -> None:
    if n_bytes > LIMIT_BYTES:
        raise ValueError(
            f"{name} has {size_text(n_bytes)}, more than the {size_text(LIMIT_BYTES)} that a page "
            f"hands over well. Press Python for code that makes the network on your machine, and "
            f"write the file there with small.{format_.method}({name!r})."
        )


def _written(model: CompressedModel, name: str, format_: Format) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        _check_size(name, getattr(model, format_.method)(path), format_)
        return path.read_bytes()
