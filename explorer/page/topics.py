"""Topics of the page: the steps that each is about and its cards; those of other packages."""

from __future__ import annotations

from typing import Any

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.registry import MethodRegistry, found
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.share import Share
from explorer.page.cards import Card, Topic
from explorer.page.export import Exported, ExportPanel
from explorer.views.bytes import BreakdownView, BytesView
from explorer.views.codebook import CodebookView
from explorer.views.formula import FormulaView
from explorer.views.histogram import HistogramView
from explorer.views.layers import LayersView
from explorer.views.maps import ErrorMapView, SparsityMapView
from explorer.views.reproduced import ProvenanceView
from explorer.views.spectrum import SpectrumView, StageErrorsView
from explorer.views.speed import SpeedView

HISTOGRAM = Card(
    "Weight distribution",
    "before and after",
    "ex-view-histogram",
    HistogramView,
    lambda scene: scene.close_up.histogram,
)
SPARSITY = Card(
    "Sparsity map",
    "where weights are kept",
    "ex-view-sparsity",
    SparsityMapView,
    lambda scene: scene.close_up.sparsity,
)
LAYERS = Card(
    "Layers",
    "weights kept and bytes left",
    "ex-view-layers",
    LayersView,
    lambda scene: (scene.result, scene.old_shapes, scene.layer),
)
SPECTRUM = Card(
    "Singular values",
    "of the layer's matrix",
    "ex-view-spectrum",
    SpectrumView,
    lambda scene: scene.close_up.spectrum,
)
CODEBOOK = Card(
    "Codebook",
    "values that weights share",
    "ex-view-codebook",
    CodebookView,
    lambda scene: scene.close_up.codebook,
)
ERRORS = Card(
    "Reconstruction error",
    "distance from the originals",
    "ex-view-error",
    ErrorMapView,
    lambda scene: scene.close_up.error_map,
)
STAGES = Card(
    "Error by stage or strip",
    "product, residual",
    "ex-view-stages",
    StageErrorsView,
    lambda scene: scene.close_up.stage_errors,
)
WATERFALL = Card(
    "From step to step",
    "bytes of the whole file",
    "ex-view-waterfall",
    BytesView,
    lambda scene: scene.session.waterfall(),
)
BREAKDOWN = Card(
    "What the bytes are spent on",
    "every byte of the file",
    "ex-view-breakdown",
    BreakdownView,
    lambda scene: scene.session.breakdown(),
)
NETWORK_SPEED = Card(
    "Speed",
    "measured, original and compressed",
    "ex-view-speed",
    SpeedView,
    lambda scene: scene.session.network_speed(scene.stale),
    slow=True,
)
PRODUCT_SPEED = Card(
    "Speed of small integers",
    "measured, this layer",
    "ex-view-speed",
    SpeedView,
    lambda scene: scene.session.product_speed(scene.close_up.layer, scene.stale),
    slow=True,
)
EXPORT = Card(
    "Export",
    "take the network with you",
    "ex-view-export",
    ExportPanel,
    lambda scene: Exported(scene.session, scene.result, scene.loading),
)
STORY = Card(
    "How this network came to be",
    "epoch by epoch",
    "ex-view-story",
    ProvenanceView,
    lambda scene: scene.story,
)


def _formulas(topic: str) -> Card:
    return Card(
        "Formula",
        "with this layer's numbers",
        "ex-view-formula",
        FormulaView,
        lambda scene: scene.close_up.formulas.get(topic),
    )


TOPICS = (
    Topic(
        "Prune",
        "removes weights or neurons",
        (Prune(sparsity=0.5), PruneNeurons(fraction=0.2)),
        (HISTOGRAM, LAYERS),
        (SPARSITY, _formulas("Prune"), NETWORK_SPEED),
    ),
    Topic(
        "Quantize",
        "rounds weights to even levels or signs",
        (Quantize(bits=8), Binarize(scale="tensor")),
        (HISTOGRAM, ERRORS, LAYERS),
        (CODEBOOK, _formulas("Quantize"), PRODUCT_SPEED),
    ),
    Topic(
        "Share",
        "lets weights share values",
        (Share(n_clusters=32), Product(), Residual()),
        (CODEBOOK, LAYERS),
        (_formulas("Share"), ERRORS, STAGES),
    ),
    Topic(
        "Factorize",
        "splits the matrix into two thin ones",
        (LowRank(rank=32),),
        (SPECTRUM, ERRORS),
        (_formulas("Factorize"), LAYERS, NETWORK_SPEED),
    ),
    Topic(
        "Combine",
        "writes codes with fewer bits",
        (Entropy(), RelativeIndex()),
        (WATERFALL, _formulas("Combine")),
        (LAYERS, EXPORT),
        (STORY, BREAKDOWN),
    ),
)

GROUP = "compression_explorer.topics"
TAKEN = ("Anatomy", "Compare", "Train", "Distill", "Behavior")


def page_topics() -> tuple[tuple[Topic, ...], tuple[str, ...]]:
    """Return the topics on steps, in the order of their tabs, and in words what failed to load.

    Those of installed packages come last; Python entry points of the group
    ``compression_explorer.topics`` name them.
    """
    things, failures = found(GROUP, check_topic)
    topics = {topic.title: topic for topic in TOPICS}
    failed = [*MethodRegistry().failures, *failures]
    for origin, topic in things:
        if topics.setdefault(topic.title, topic) is not topic:
            failed.append(f"{origin}: another package has a tab {topic.title!r}")
    return tuple(topics.values()), tuple(failed)


def check_topic(topic: Any) -> None:
    """Check that a thing can be a tab beside the built-in ones.

    Raises TypeError if it is no `Topic`, or its steps are no methods. Raises ValueError if a tab
    has its title, or it offers no step.
    """
    if not isinstance(topic, Topic):
        raise TypeError(f"a topic is a Topic; got {topic!r:.80}")
    titles = (*TAKEN, *(built_in.title for built_in in TOPICS))
    if topic.title in titles:
        raise ValueError(
            f"{topic.title!r} is the title of another tab; choose one besides {', '.join(titles)}"
        )
    if not topic.starts:
        raise ValueError(f"{topic.title}: starts must hold at least one step to add")
    MethodRegistry(topic.kinds)
