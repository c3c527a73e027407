"""8-bit quantization of all layers by torch, and by torchao."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import nn

from explorer.bench.peers.contest import Contest
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, Job
from explorer.compress.methods.quantize import Quantize

TOP_CODE = 255


def contests(subject: Subject, effort: Effort) -> Iterator[Contest]:
    """Round the weights of all layers to 256 levels."""
    ours = "Quantize(8), figures + rewrite"
    yield Contest(
        "torch.fake_quantize_per_tensor_affine",
        "torch",
        "all layers, 8 bits",
        ours,
        lambda: (_fake_quantize(subject), _ours(subject)),
    )
    yield Contest(
        "torchao quantize_",
        "torchao",
        "dense layers only, 8 bits a weight",
        ours,
        lambda: (_torchao(subject), _ours(subject)),
    )


def _ours(subject: Subject) -> Job:
    def prepare(i: int) -> list[Quantize]:
        subject.forget()
        return [Quantize(bits=8)]

    return Job(subject.session.apply, prepare)


def _fake_quantize(subject: Subject) -> Job:
    def run(_: object) -> None:
        for layer in subject.layers.values():
            low, high = map(float, torch.aminmax(layer.source))
            step = (high - low) / TOP_CODE
            zero = min(TOP_CODE, max(0, round(-low / step)))
            torch.fake_quantize_per_tensor_affine(layer.source, step, zero, 0, TOP_CODE)

    return Job(run)


def _torchao(subject: Subject) -> Job:
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    def prepare(_: int) -> nn.Module:
        return copy.deepcopy(subject.net)

    return Job(lambda net: quantize_(net, Int8WeightOnlyConfig()), prepare)
