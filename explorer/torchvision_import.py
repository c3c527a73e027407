"""Import torchvision where its compiled operators do not match the torch installed."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_libraries: list[torch.library.Library] = []


def import_torchvision() -> ModuleType:
    """Import torchvision, declaring its missing operators where that is needed.

    A torchvision built for another torch cannot load its compiled operators, and
    its import then stops at ``operator torchvision::nms does not exist``. Only in
    that case the two operators are declared, without a body, and the import is
    tried again. Networks, weights, data sets and transforms then work; calling
    ``torchvision.ops.nms`` does not.

    Returns
    -------
    module
        torchvision, with ``models``, ``datasets`` and ``transforms``.

    Raises
    ------
    RuntimeError, ImportError
        Whatever else the import raises.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
    for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare_operators()
    return importlib.import_module("torchvision")


def _declare_operators() -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in SCHEMAS:
        library.define(schema)
    # The declarations last as long as the object that made them.
    _libraries.append(library)
