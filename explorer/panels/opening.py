"""Opening a network by name: one of the catalog, or a finished file."""

from __future__ import annotations

from dataclasses import dataclass

from explorer import zoo
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.networks.recipe import Recipe
from explorer.library import open_model
from explorer.measure.published.results import Story
from explorer.panels.python_text import OWN_NETWORK, loading_text
from explorer.panels.reproduced import story_of
from explorer.reproduce.table import bundled
from explorer.session import Session

Network = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Opened:
    """A session, and what is known of its network.

    Attributes
    ----------
    session : Session
    network : (str, str)
        Its name, "" for none, and ``"default"`` or ``"random"`` for its weights.
    loading : str
        Python that loads the network and its data.
    recipe : Recipe or None
        The steps to begin with; None for those that are shown already.
    story : Story or None
        How the network came to be, where that is known.
    """

    session: Session
    network: Network = ("", "default")
    loading: str = OWN_NETWORK
    recipe: Recipe | None = None
    story: Story | None = None


def has_name(network: Network) -> bool:
    """Return whether `open_network` takes a network's name and weights."""
    name, weights = network
    return name in zoo.catalog() or (name in bundled() and weights == "default")


def open_network(name: str, weights: str = "default") -> Opened:
    """Open a network by name.

    Parameters
    ----------
    name : str
        Of the catalog, or of a file that comes with the package.
    weights : {"default", "random"}
        Never a path.

    Raises
    ------
    ValueError
        If there is no such network.
    """
    if not has_name((name, weights)):
        raise ValueError(
            f"network: {name!r:.80} with {weights!r:.20} weights is neither in the catalog nor a "
            "finished file; one that was trained on a page lasts as long as that page: train it "
            "again, or choose a network at the top"
        )
    if name in bundled():
        return _finished(name)
    loaded = zoo.load(name, weights=None if weights == "random" else weights)
    return of_catalog(loaded)


def of_catalog(loaded: zoo.Loaded) -> Opened:
    """Open a network that is loaded; random weights are not judged."""
    weights = "default" if loaded.trained else "random"
    return Opened(
        Session(loaded.net, loaded.data if loaded.trained else None),
        (loaded.name, weights),
        loading_text(loaded.name, weights if loaded.trained else None),
    )


def handed_over(session: Session, picked: zoo.Loaded | None) -> Opened:
    """Return a network that was handed over; random weights that were picked are told."""
    weights = "default" if picked is None or picked.trained else "random"
    name = getattr(session.net, "network_name", "")
    return Opened(session, (name, weights), loading_text(name, weights))


def keeping(recipe: Recipe) -> Recipe:
    """Return the steps of a file's recipe that store its decoded network as it is."""
    return Recipe(
        tuple(
            (pattern, tuple(step for step in steps if not isinstance(step, PruneNeurons)))
            for pattern, steps in recipe.entries
        )
    )


def _finished(name: str) -> Opened:
    model = open_model(name)
    origin = zoo.load(model.network)
    return Opened(
        Session(model.restore(), origin.data, origin=origin.net),
        (name, "default"),
        recipe=keeping(model.recipe),
        story=story_of(name),
    )
