"""The topics of the lecture: the steps that each is about, and the views that show them."""

from __future__ import annotations

from typing import Any

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.share import Share
from explorer.panels.export_panel import Exported, ExportPanel
from explorer.panels.topic import Topic, ViewSpec
from explorer.views.bytes import BreakdownView, BytesView
from explorer.views.codebook import CodebookView
from explorer.views.formula import FormulaView
from explorer.views.histogram import HistogramView
from explorer.views.layers import LayersView
from explorer.views.maps import ErrorMapView, SparsityMapView
from explorer.views.provenance import ProvenanceView
from explorer.views.spectrum import SpectrumView, StageErrorsView
from explorer.views.speed import SpeedView


def _layers(view: Any, scene: Any, layer: str) -> None:
    view.selected = layer
    view.draw(scene.result, scene.old_shapes)


HISTOGRAM = ViewSpec(
    "Weight distribution",
    "before and after",
    "ex-view-histogram",
    lambda _select: HistogramView(),
    lambda scene: scene.close_up.histogram,
)
SPARSITY = ViewSpec(
    "Sparsity map",
    "where weights are kept",
    "ex-view-sparsity",
    lambda _select: SparsityMapView(),
    lambda scene: scene.close_up.sparsity,
)
LAYERS = ViewSpec(
    "Layers",
    "weights kept and bytes left",
    "ex-view-layers",
    LayersView,
    lambda scene: scene,
    draw=_layers,
)
SPECTRUM = ViewSpec(
    "Singular values",
    "of the layer's matrix",
    "ex-view-spectrum",
    lambda _select: SpectrumView(),
    lambda scene: scene.close_up.spectrum,
)
CODEBOOK = ViewSpec(
    "Codebook",
    "values that weights share",
    "ex-view-codebook",
    lambda _select: CodebookView(),
    lambda scene: scene.close_up.codebook,
)
ERRORS = ViewSpec(
    "Reconstruction error",
    "distance from the originals",
    "ex-view-error",
    lambda _select: ErrorMapView(),
    lambda scene: scene.close_up.error_map,
)
STAGES = ViewSpec(
    "Error by stage or strip",
    "product, residual",
    "ex-view-stages",
    lambda _select: StageErrorsView(),
    lambda scene: scene.close_up.stage_errors,
)
WATERFALL = ViewSpec(
    "From step to step",
    "bytes of the whole file",
    "ex-view-waterfall",
    lambda _select: BytesView(),
    lambda scene: scene.session.waterfall(),
)
BREAKDOWN = ViewSpec(
    "What the bytes are spent on",
    "every byte of the file",
    "ex-view-breakdown",
    lambda _select: BreakdownView(),
    lambda scene: scene.session.breakdown(),
)
NETWORK_SPEED = ViewSpec(
    "Speed",
    "measured, original and compressed",
    "ex-view-speed",
    lambda _select: SpeedView(),
    lambda scene: scene.session.network_speed(scene.stale),
    slow=True,
)
PRODUCT_SPEED = ViewSpec(
    "Speed of small integers",
    "measured, this layer",
    "ex-view-speed",
    lambda _select: SpeedView(),
    lambda scene: scene.session.product_speed(scene.close_up.layer, scene.stale),
    slow=True,
)
EXPORT = ViewSpec(
    "Export",
    "take the network with you",
    "ex-view-export",
    lambda _select: ExportPanel(),
    lambda scene: Exported(scene.session, scene.result, scene.loading),
)


STORY = ViewSpec(
    "How this network came to be",
    "epoch by epoch",
    "ex-view-story",
    lambda _select: ProvenanceView(),
    lambda scene: scene.story,
)


def _formulas(topic: str) -> ViewSpec:
    return ViewSpec(
        "Formula",
        "with this layer's numbers",
        "ex-view-formula",
        lambda _select: FormulaView(),
        lambda scene: scene.close_up.formulas.get(topic),
        draw=lambda view, record, _layer: view.draw(*record),
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
