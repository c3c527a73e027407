"""A student of the dense network: fewer neurons, fewer weights, few values, as settings say."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field

from torch import Tensor, nn

from explorer.codec.model import CompressedModel
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.setting import Setting
from explorer.compress.methods.share import Share
from explorer.compress.networks.weights import compressible
from explorer.measure.accuracy import evaluate
from explorer.reproduce.digits import Digits
from explorer.reproduce.distilled import (
    Constraint,
    Distillation,
    Fewer,
    FewValues,
    answers_of,
    distill,
)
from explorer.reproduce.log import Log, Moments, n_left, n_weights, quick
from explorer.reproduce.record import Goal, Moment, Published, Reproduction
from explorer.zoo import load

TOLERANCE = 0.0005
LEAST_RATE = 150.0


@dataclass(frozen=True)
class StudentSettings:
    """How a network is made smaller.

    `n_weights`: weights left in the whole network. `prune`: training while weights are pruned, and
    after. `max_error`: on the test images; None allows `TOLERANCE` above the dense network's.
    `n_clusters`: values that the weights of layers, by pattern, share; none leaves them as they
    are. `share`: training while weights share values. `teacher`: the bundled network whose answers
    are learned; by default the dense network itself. `n_neurons`: neurons, or filters, that layers
    keep at first; dead ones go later. None are removed where this is empty.
    """

    n_weights: int
    prune: Distillation
    max_error: float | None = None
    n_clusters: Mapping[str, int] = field(default_factory=dict)
    share: Distillation | None = None
    teacher: str = ""
    n_neurons: Mapping[str, int] = field(default_factory=dict)

    @property
    def recipe(self) -> dict[str, list[Setting]]:
        """What writes the file: zeros left out, dead neurons too, values as they were trained."""
        first: list[Setting] = [PruneNeurons(fraction=0.0)] if self.n_neurons else []
        if not self.n_clusters:
            return {"*": [*first, Prune(sparsity=0.0)]}
        return {
            pattern: [*first, Share(n_clusters=k), Entropy("ans")]
            for pattern, k in self.n_clusters.items()
        }


def student(
    name: str, net: nn.Module, digits: Digits, settings: StudentSettings, published: Published
) -> Generator[Moment | Reproduction, None, None]:
    """Prune a network while training it by labels and by a teacher's answers, then share.

    Weights go gradually, over the first half of the training, by a score that compares all
    layers; then they may share values, which are trained as well.

    `net`: trained; what the student starts from. Left unchanged. `published`: its ``rate`` is the
    goal; 150 where it prints none. Yields: after each epoch; once, last.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural
    networks". NeurIPS 2015. arXiv:1506.02626.

    Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning, trained
    quantization and Huffman coding". ICLR 2016. arXiv:1510.00149.
    """
    log = Log(net, digits, settings.recipe, half_biases=bool(settings.n_neurons))
    yield log.judge("dense", net)
    teacher = load(settings.teacher).net if settings.teacher else net
    answers = answers_of(teacher, digits.train[0])
    small = fewer_neurons(net, settings.n_neurons) if settings.n_neurons else quick(net)
    fewer = Fewer(compressible(small), settings.n_weights)
    yield from _trained("prune", small, answers, settings.prune, fewer, log)
    fewer.prune(settings.n_weights)
    if settings.share is not None:
        few = FewValues(compressible(small), settings.n_clusters)
        yield from _trained("share", small, answers, settings.share, few, log)
    yield concluded(name, log.pack(small), log, settings, published)


def fewer_neurons(net: nn.Module, n_neurons: Mapping[str, int]) -> nn.Module:
    """Return a copy of a network that keeps only so many neurons of each layer named."""
    from explorer.compress.networks.removal.removal import remove_neurons

    layers = compressible(net)
    steps = {n: PruneNeurons(fraction=1 - k / len(layers[n])) for n, k in n_neurons.items()}
    shape = tuple(getattr(net, "input_shape", ()))
    return quick(remove_neurons(net, steps, shape).net)


def _trained(
    stage: str,
    net: nn.Module,
    answers: Tensor,
    settings: Distillation,
    constraint: Constraint,
    log: Log,
) -> Moments:
    digits = log.digits
    for epoch in distill(net, digits.train, answers, settings, constraint):
        accuracy = evaluate(net, digits.validation).top1
        yield log.moment(stage, net, accuracy, epoch)
    log.passed(settings.n_epochs)
    return net


def concluded(
    name: str,
    packed: CompressedModel,
    log: Log,
    settings: StudentSettings,
    published: Published,
) -> Reproduction:
    """Judge what the file restores to, on the test images."""
    restored = packed.restore(log.net)
    accuracy, dense = (evaluate(n, log.digits.test) for n in (restored, log.net))
    left, total = n_left(restored), n_weights(log.net)
    reached = {
        "rate": packed.compression_ratio if settings.n_clusters else total / left,
        "error": 1 - accuracy.top1,
        "error_ref": 1 - dense.top1,
        "n_weights": left,
        "density": left / total,
        "size_bytes": packed.size_bytes,
    }
    allowed = settings.max_error
    if allowed is None:
        allowed = 1 - dense.top1 + TOLERANCE
    return Reproduction(
        name=name,
        published=published,
        reached=reached,
        goals=(
            Goal("rate", low=published.figures.get("rate", LEAST_RATE)),
            Goal("error", high=allowed),
        ),
        accuracy=accuracy,
        dense_accuracy=dense,
        validation=evaluate(restored, log.digits.validation),
        seconds=log.seconds,
        cpu_seconds=log.cpu_seconds,
        settings=asdict(settings),
        history=tuple(log.history),
        model=packed,
    )
