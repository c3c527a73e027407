"""What a header's layout of a tensor promises, refused as damage where it makes no sense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from explorer.codec.errors import DamagedFile
from explorer.compress.coding.section import Field
from explorer.compress.methods.registry import MethodRegistry
from explorer.compress.records.spec import Kinds, Layout, TensorSpec


def layout_fields(
    layout: Mapping[str, Any], shape: torch.Size, dtype: torch.dtype, kinds: Kinds | None = None
) -> tuple[Field, ...]:
    """Return each field that a header's layout promises.

    `layout`: as `Record.layout`. `shape`, `dtype`: of the restored tensor. `kinds`: as
    `TensorSpec.kinds`; by default, for a layout of no record, those of built-in methods and
    installed packages. Raises DamagedFile if the layout makes no sense.
    """
    if kinds is None and not isinstance(layout, Layout):
        kinds = MethodRegistry().kind
    try:
        return TensorSpec(layout, shape, dtype, kinds).fields
    except ValueError as error:
        raise DamagedFile(str(error)) from error
