"""The topics of the lecture: the steps that each is about, and the views that show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from explorer.compress.binarize import Binarize
from explorer.compress.entropy import Entropy
from explorer.compress.low_rank import LowRank
from explorer.compress.neurons import PruneNeurons
from explorer.compress.product import Product
from explorer.compress.prune import Prune
from explorer.compress.quantize import Quantize
from explorer.compress.relative_index import RelativeIndex
from explorer.compress.residual import Residual
from explorer.compress.setting import Setting
from explorer.compress.share import Share
from explorer.compress.weights import compressible
from explorer.measure.result import Result
from explorer.panels.export_panel import Exported, ExportPanel
from explorer.session import Session
from explorer.session.close_up import CloseUp
from explorer.session.prefix_cache import never
from explorer.views.breakdown import BreakdownView
from explorer.views.bytes import BytesView
from explorer.views.codebook import CodebookView
from explorer.views.error_map import ErrorMapView
from explorer.views.formula import FormulaView
from explorer.views.histogram import HistogramView
from explorer.views.layers import LayersView
from explorer.views.sparsity_map import SparsityMapView
from explorer.views.spectrum import SpectrumView
from explorer.views.speed import SpeedView
from explorer.views.stage_errors import StageErrorsView


@dataclass(frozen=True)
class Scene:
    """What there is to see.

    Attributes
    ----------
    session : Session
    result : Result
    close_up : CloseUp
        Of the chosen layer.
    stale : callable
        Whether what is shown has changed since.
    loading : str
        Python that loads the network and its data.
    """

    session: Session
    result: Result
    close_up: CloseUp
    stale: Callable[[], bool] = never
    loading: str = ""

    @property
    def old_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes that layers had before they lost neurons; empty where none did."""
        reduced = [row.name for row in self.result.layers if prod(row.shape) < row.n_weights]
        weights = compressible(self.session.net) if reduced else {}
        return {name: tuple(weights[name].shape) for name in reduced}


@dataclass(frozen=True)
class ViewSpec:
    """One view of a topic, in a card of its own.

    Attributes
    ----------
    title, hint : str
        The card's heading and the remark beside it.
    class_ : str
        The card's own CSS class.
    make : callable
        Makes the view; called with what to do when a layer is chosen.
    record : callable
        Takes a `Scene` to what the view draws; None hides the card.
    slow : bool
        Whether the record takes long: it is then made in the background.
    """

    title: str
    hint: str
    class_: str
    make: Callable[[Callable[[str], None]], Any]
    record: Callable[[Scene], Any]
    slow: bool = False


@dataclass(frozen=True)
class Topic:
    """One tab of the page.

    Attributes
    ----------
    title : str
    about : str
        What its steps do, after "No step that ... yet".
    starts : tuple of Setting
        The steps that it is about, as they are added.
    left, right : tuple of ViewSpec
        The cards of the two columns, top to bottom; on a narrow page the right ones follow.
    wide : tuple of ViewSpec
        Cards below both.
    """

    title: str
    about: str
    starts: tuple[Setting, ...]
    left: tuple[ViewSpec, ...]
    right: tuple[ViewSpec, ...]
    wide: tuple[ViewSpec, ...] = ()

    @property
    def kinds(self) -> tuple[type[Setting], ...]:
        """Classes of its steps."""
        return tuple(type(start) for start in self.starts)


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
)
SPECTRUM = ViewSpec(
    "Singular values",
    "of the layer's matrix",
    "ex-view-spectrum",
    lambda _select: SpectrumView(),
    lambda scene: scene.close_up,
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


def _formulas(topic: str) -> ViewSpec:
    return ViewSpec(
        "Formula",
        "with this layer's numbers",
        "ex-view-formula",
        lambda _select: FormulaView(),
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
        (BREAKDOWN,),
    ),
)
