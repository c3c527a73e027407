"""Pruning by torch itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from torch import nn
from torch.nn.utils import prune

from explorer.bench.peers.contest import Contest
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, Job
from explorer.compress.methods.prune import Prune

SHARES = (0.8, 0.9)
Method = Callable[[Mapping[str, nn.Module], float], None]


def l1_unstructured(modules: Mapping[str, nn.Module], share: float) -> None:
    """Prune each module to its share."""
    for module in modules.values():
        prune.l1_unstructured(module, "weight", amount=share)


def global_unstructured(modules: Mapping[str, nn.Module], share: float) -> None:
    """Prune all modules to one threshold."""
    weights = [(module, "weight") for module in modules.values()]
    prune.global_unstructured(weights, prune.L1Unstructured, amount=share)


PEERS: Mapping[str, Method] = {"layer": l1_unstructured, "model": global_unstructured}


def contests(subject: Subject, effort: Effort) -> Iterator[Contest]:
    """Prune all layers, each to its share or all to one threshold."""
    for scope, method in PEERS.items():
        yield Contest(
            f"torch.nn.utils.prune.{method.__name__}",
            "torch",
            "all layers",
            f"Prune(scope={scope!r}), figures + rewrite",
            partial(_jobs, subject, scope, method),
        )


def _jobs(subject: Subject, scope: str, method: Method) -> tuple[Job, Job]:
    return _theirs(subject, method), _ours(subject, scope)


def _ours(subject: Subject, scope: str) -> Job:
    def prepare(i: int) -> list[Prune]:
        subject.forget()
        return [Prune(sparsity=SHARES[i % 2], scope=scope)]

    return Job(subject.session.apply, prepare)


def _theirs(subject: Subject, method: Method) -> Job:
    net = copy.deepcopy(subject.net)
    modules = {name: net.get_submodule(name) for name in subject.layers}

    def prepare(i: int) -> float:
        for name, module in modules.items():
            if prune.is_pruned(module):
                prune.remove(module, "weight")
            module.get_parameter("weight").data.copy_(subject.layers[name].source)
        return SHARES[i % 2]

    return Job(lambda share: method(modules, share), prepare)
