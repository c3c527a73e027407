"""Files for other programs: the decoded weights as safetensors, the network as ONNX."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from explorer.codec.atomic import whole
from explorer.compress.networks.compressed import CompressedTensors, with_tied
from explorer.compress.networks.forward import check_input_shape, eval_mode, forward, random_input

ONNX_PACKAGES = ("onnx", "onnxscript")
MAX_ONNX_BYTES = (1 << 31) - 1


def save_safetensors(model: CompressedTensors, path: str | Path) -> int:
    """Write the decoded weights of a compressed network as a safetensors file.

    The tensors are dense: the file is as large as that of the original network. Its
    metadata hold ``network``, the catalog's name, and ``recipe``, as JSON.

    `path`: usually ending in ``.safetensors``; written whole or not at all, and an existing file is
    replaced. Returns: bytes written. Raises TypeError if a buffer is of type complex128, which such
    files cannot hold. Raises OSError if the file cannot be written; what was there before is left
    as it was. ``safetensors.torch.load_file`` gives the tensors back bit for bit, under the
    network's state-dict keys. Where several keys share a tensor, each has its copy.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    metadata = {
        "format": "pt",
        "network": model.network,
        "recipe": json.dumps(model.recipe.as_dict()),
    }
    with whole(path) as scratch:
        try:
            save_file(_own_memory(_all_names(model)), scratch, metadata)
        except SafetensorError as error:
            raise OSError(str(error)) from error
        return scratch.stat().st_size


def _all_names(model: CompressedTensors) -> dict[str, Tensor]:
    """Return the decoded tensors under all the names that the network has for them."""
    state = model.state_dict()
    return state if model.template is None else with_tied(state, model.template)


def _own_memory(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give each entry memory of its own, in row-major order, on the CPU."""
    for name, tensor in state.items():
        if tensor.dtype == torch.complex128:
            raise TypeError(
                f"tensor {name!r} is of type {tensor.dtype}, which a safetensors file cannot "
                "hold; convert it first, to torch.complex64 for example"
            )
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in state.items()
    }


def save_onnx(net: nn.Module, input_shape: Sequence[int], path: str | Path) -> int:
    """Write a network as an ONNX file that takes batches of any size.

    The weights are dense. Its input is called ``input``, its output ``output``.

    `net`: on the CPU, with one input and one output; exported as it is in eval mode. Left
    unchanged. `input_shape`: shape of one input, without the batch, such as ``(3, 224, 224)``.
    `path`: usually ending in ``.onnx``; written whole or not at all, and an existing file is
    replaced. Returns: bytes written. Raises ModuleNotFoundError if a package that this needs is
    missing; the message names it. Raises ValueError if the network does not take the input, cannot
    be exported, or is too large for one ONNX file of 2 GiB.
    """
    missing = [name for name in ONNX_PACKAGES if find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(
            f"ONNX files need the package{'s' if len(missing) > 1 else ''} "
            f"{' and '.join(missing)}: pip install 'compression-explorer[onnx]'",
            name=missing[0],
        )
    shape = check_input_shape(input_shape)
    n_bytes = sum(t.nbytes for t in net.state_dict().values() if isinstance(t, Tensor))
    if n_bytes > MAX_ONNX_BYTES:
        raise ValueError(
            f"net has {n_bytes:,} bytes of weights; one ONNX file holds at most "
            f"{MAX_ONNX_BYTES:,}. Save it as safetensors instead"
        )
    with eval_mode(net), torch.no_grad(), whole(path) as scratch:
        # A batch of one could be taken for a size that never varies.
        inputs = random_input(net, shape, 2)
        forward(net, inputs.clone())
        _export(net, inputs, scratch)
        return scratch.stat().st_size


def _export(net: nn.Module, inputs: Tensor, target: Path) -> None:
    import onnx_ir
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    with warnings.catch_warnings():
        # torch's exporter warns of its own use of a class that torch deprecated.
        warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)
        try:
            program: Any = torch.onnx.export(
                net,
                (inputs,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=["input"],
                output_names=["output"],
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            reason = str(error.__cause__ or error).partition("\n")[0]
            raise ValueError(f"net cannot be exported as ONNX: {reason}") from error
    # Otherwise the file tells from which lines of which source files each operation came.
    ClearMetadataAndDocStringPass()(program.model)
    # The program's own `save` puts weights of more than 1.5 GB into a second file.
    onnx_ir.save(program.model, target)
