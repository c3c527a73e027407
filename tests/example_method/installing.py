"""What tests of methods need: a small network, and packages that seem to be installed."""

import dataclasses

import torch
from example_method.powers_of_two import PowersCoded, PowersOfTwo
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex

METHOD = "[compression_explorer.methods]\npowers = example_method.powers_of_two:PowersOfTwo\n"
PANEL = "[compression_explorer.topics]\npowers = example_method.powers_of_two_panel:TOPIC\n"


@dataclasses.dataclass(frozen=True, eq=False)
class HalvedCodes(PowersCoded):
    kind = "halved"


@dataclasses.dataclass(frozen=True)
class Halved(PowersOfTwo):
    """Another one, with a kind of record of its own."""

    records = (HalvedCodes,)

    def encode(self, values, mask):
        made = super().encode(values, mask)
        return HalvedCodes(**{f.name: getattr(made, f.name) for f in dataclasses.fields(made)})


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 6)).eval()


def samples():
    inputs = torch.randn(60, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    part = TensorDataset(inputs, network()(inputs).argmax(1))
    return ex.Data(part, part)


def install(folder, name, entries):
    """Make a package that is installed in `folder`, as far as Python can tell."""
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(entries)


def children(widget, kind):
    found = [widget] if isinstance(widget, kind) else []
    for child in getattr(widget, "children", ()):
        found += children(child, kind)
    return found
