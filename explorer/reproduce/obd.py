"""Optimal brain damage against magnitude against chance, without retraining."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass
from statistics import fmean

import torch
from torch import nn

from explorer.codec.model import compress
from explorer.compress.methods.prune import Prune
from explorer.compress.networks.curvature import saliencies
from explorer.measure.accuracy import evaluate
from explorer.reproduce.digits import Digits
from explorer.reproduce.log import Log
from explorer.reproduce.record import Goal, Moment, Published, Reproduction

CRITERIA = ("obd", "magnitude", "random")
BATCH = 250


@dataclass(frozen=True)
class ObdSettings:
    """What is compared.

    `densities`: share of the weights that the network keeps, from high to low. `scope`: one of
    "model", "layer"; whether weights of all layers are compared, or each layer loses the same
    share. `n_saliency`: training images on which second derivatives are measured. `seed`: for
    choosing them.
    """

    densities: tuple[float, ...] = (1.0, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03)
    scope: str = "model"
    n_saliency: int = 20_000
    seed: int = 0


def obd(
    name: str, net: nn.Module, digits: Digits, settings: ObdSettings, published: Published
) -> Generator[Moment | Reproduction, None, None]:
    """Prune one network by three criteria, and judge it on the test images at each density.

    Nothing is chosen by these accuracies, and nothing is trained.

    `net`: Trained. Left unchanged. Yields: for each point, with the accuracy on the validation
    images; once, last, with a curve for each criterion.

    References
    ----------
    LeCun, Denker, Solla. "Optimal brain damage". NeurIPS 1989.
    """
    log = Log(net, digits, [])
    images, labels = digits.train
    generator = torch.Generator().manual_seed(settings.seed)
    chosen = torch.randperm(len(labels), generator=generator)[: settings.n_saliency]
    saliency = saliencies(net, [(images[part], labels[part]) for part in chosen.split(BATCH)])
    curves: dict[str, list[tuple[float, float]]] = {criterion: [] for criterion in CRITERIA}
    for criterion in CRITERIA:
        for density in settings.densities:
            recipe = [Prune(sparsity=1 - density, scope=settings.scope, criterion=criterion)]
            pruned = compress(net, recipe, saliency=lambda: saliency).restore()
            curves[criterion].append((density, evaluate(pruned, digits.test).top1))
            yield log.judge(criterion, pruned)
    yield _concluded(name, curves, log, settings, published)


def _concluded(
    name: str,
    curves: dict[str, list[tuple[float, float]]],
    log: Log,
    settings: ObdSettings,
    published: Published,
) -> Reproduction:
    means = {criterion: fmean(y for _, y in curve) for criterion, curve in curves.items()}
    dense = evaluate(log.net, log.digits.test)
    reached = {f"mean_accuracy_{criterion}": mean for criterion, mean in means.items()}
    reached["obd_above_magnitude"] = means["obd"] - means["magnitude"]
    reached["magnitude_above_random"] = means["magnitude"] - means["random"]
    return Reproduction(
        name=name,
        published=published,
        reached=reached,
        goals=(Goal("obd_above_magnitude", low=0.0), Goal("magnitude_above_random", low=0.0)),
        accuracy=dense,
        dense_accuracy=dense,
        validation=evaluate(log.net, log.digits.validation),
        seconds=log.seconds,
        settings=asdict(settings),
        history=tuple(log.history),
        curves={criterion: tuple(curve) for criterion, curve in curves.items()},
    )
