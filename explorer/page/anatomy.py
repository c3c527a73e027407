"""The tab on what a network is made of, and what it costs."""

from __future__ import annotations

from explorer.compress.networks.forward import first_rows
from explorer.measure.accuracy import Accuracy
from explorer.measure.activity import input_density
from explorer.measure.anatomy import Anatomy, anatomy
from explorer.measure.data import batches
from explorer.measure.energy import ENERGY_45NM
from explorer.measure.energy_bill import EnergyBills, energy_bills
from explorer.measure.formulas.training import dram_example
from explorer.measure.metric import Score
from explorer.measure.published.devices import Fit, device_fits
from explorer.measure.published.networks import Place, Tradeoffs, tradeoffs
from explorer.measure.published.pruning import LayerCosts, layer_costs, published_pruning
from explorer.page.cards import Card, Scene, Topic
from explorer.page.topics import NETWORK_SPEED
from explorer.views.anatomy import AnatomyView
from explorer.views.costs import DevicesView, LayerCostsView, OperationCostsView
from explorer.views.energy_bill import EnergyBillView
from explorer.views.tradeoffs import TradeoffsView
from explorer.zoo.torchvision_networks import published_accuracy

N_SAMPLES = 64


def _anatomy(scene: Scene) -> Anatomy:
    return anatomy(scene.session.net, scene.session.input_shape)


def _original(scene: Scene) -> Anatomy:
    return anatomy(scene.session.origin, scene.session.input_shape)


def _bills(scene: Scene) -> EnergyBills | None:
    return energy_bills(_original(scene), scene.result)


def _fits(scene: Scene) -> list[Fit] | None:
    bills = _bills(scene)
    return None if bills is None else list(device_fits(scene.result, bills))


def _costs(scene: Scene) -> LayerCosts:
    """Count what is left of each layer, with zeros among activations where there are samples."""
    session = scene.session
    published = published_pruning(session.original_shape(name) for name in session.layers)
    judged = getattr(session.data, "eval", session.data)
    if judged is None:
        return layer_costs(scene.result, published=published)
    inputs, labels = next(batches(judged, N_SAMPLES))
    densities = input_density(session.compress().restore(), first_rows(inputs, N_SAMPLES))
    return layer_costs(scene.result, densities, min(len(labels), N_SAMPLES), published)


def _tradeoffs(scene: Scene) -> Tradeoffs:
    """Place the network among torchvision's."""
    result, found = scene.result, _original(scene)
    known = result.macs is not None and result.original_macs is not None
    before = Place(result.original_macs or 0, result.original_bytes) if known else None
    after = Place(result.macs or 0, result.size_bytes) if known else None
    outputs = next(layer for layer in reversed(found.layers) if len(layer.shape) > 1)
    n_params = sum(parameter.numel() for parameter in scene.session.origin.parameters())
    return tradeoffs(
        published_accuracy(),
        before,
        after,
        n_params,
        outputs.shape[0],
        _comparable(result.accuracy),
        _comparable(result.original_accuracy),
    )


def _comparable(judged: Accuracy | Score | None) -> Accuracy | None:
    """Return an accuracy; None for the score of a metric, which compares with no published one."""
    return judged if isinstance(judged, Accuracy) else None


LAYER_SHARES = Card(
    "Layers",
    "what each takes of the whole",
    "ex-view-anatomy",
    AnatomyView,
    lambda scene: (_anatomy(scene), scene.session.layers, scene.layer),
)
LAYER_COSTS = Card(
    "Weights and operations left",
    "layer by layer, beside the paper's",
    "ex-view-layer-costs",
    LayerCostsView,
    _costs,
    slow=True,
)
ENERGY = Card(
    "Energy and power",
    "estimate",
    "ex-view-energy",
    EnergyBillView,
    _bills,
)
OPERATION_COSTS = Card(
    "What an operation costs",
    "why memory matters",
    "ex-view-operation-costs",
    OperationCostsView,
    lambda _scene: (ENERGY_45NM, dram_example()),
)
DEVICES = Card(
    "Will it fit?",
    "what devices offer",
    "ex-view-devices",
    DevicesView,
    _fits,
)
TRADEOFFS = Card(
    "Accuracy, operations, size",
    "networks trained on ImageNet",
    "ex-view-tradeoffs",
    TradeoffsView,
    _tradeoffs,
    slow=True,
)

ANATOMY = Topic(
    "Anatomy",
    "shows what a network is made of",
    (),
    (ENERGY, LAYER_COSTS),
    (NETWORK_SPEED, OPERATION_COSTS),
    (DEVICES, TRADEOFFS),
    (LAYER_SHARES,),
)
