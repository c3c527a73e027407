"""What the page shows, as a value that fits into a link."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

from explorer.compress.networks.recipe import Recipe, recipe_from_json
from explorer.history.strict_json import check_object, check_text, read_json

WEIGHTS = ("default", "random")
PARTS = ("model", "weights", "recipe", "layer", "tab")
VERSION = "1."
MAX_LINK = 8 * 1024
MAX_INFLATED = 64 * 1024
MAX_ENTRIES = 64
MAX_STEPS = 16
MAX_NAME = 200
AGAIN = "copy the whole link again"


@dataclass(frozen=True)
class State:
    """A network, the recipe that is tried on it, and what is looked at.

    Attributes
    ----------
    model : str
        Name of the network; "" for one that has no name.
    weights : {"default", "random"}
        Trained or random ones; never a path.
    recipe : Recipe
    layer : str
        The layer on screen.
    tab : str
        Title of the tab that is open; "" for the one that opens first.

    Raises
    ------
    ValueError
        If `weights` is neither of the two.

    Examples
    --------
    >>> from explorer.compress.methods.prune import Prune
    >>> state = State("lenet-5", recipe=Recipe.of([Prune(sparsity=0.9)]), tab="Prune")
    >>> State.from_link(state.to_link()) == state
    True
    """

    model: str = ""
    weights: str = "default"
    recipe: Recipe = field(default_factory=Recipe)
    layer: str = ""
    tab: str = ""

    def __post_init__(self) -> None:
        if self.weights not in WEIGHTS:
            raise ValueError(
                f"state: weights must be one of {', '.join(map(repr, WEIGHTS))}, never a path; "
                f"got {self.weights!r:.60}"
            )

    @property
    def network(self) -> tuple[str, str]:
        """Name and weights of the network."""
        return self.model, self.weights

    def same_work(self, other: State) -> bool:
        """Whether the other is the same recipe on the same network, whatever is looked at."""
        return self.network == other.network and self.recipe == other.recipe

    def seen_as(self, other: State) -> State:
        """Return this work, looked at as the other is."""
        layer = other.layer if self.network == other.network else self.layer
        return replace(self, layer=layer, tab=other.tab)

    def as_dict(self) -> dict[str, Any]:
        """Return the parts that differ from an empty state's, as plain dicts and lists."""
        parts = {name: getattr(self, name) for name in PARTS if name != "recipe"}
        plain = State()
        found = {name: text for name, text in parts.items() if text != getattr(plain, name)}
        return found | ({"recipe": self.recipe.as_dict()} if self.recipe != plain.recipe else {})

    @classmethod
    def from_dict(cls, value: Any, what: str = "state") -> State:
        """Read what `as_dict` returns, strictly.

        Parameters
        ----------
        value : object
            From JSON.
        what : str
            What it is, for errors.

        Raises
        ------
        ValueError
            If it is not a sound state, or larger than one may be: 64 patterns, 16 steps
            each, names of 200 characters.
        """
        given = check_object(value, what, PARTS)
        names = ("model", "layer", "tab")
        texts = {n: check_text(given.get(n, ""), f"{what}: {n}", MAX_NAME) for n in names}
        weights = check_text(given.get("weights", "default"), f"{what}: weights", MAX_NAME)
        recipe = _read_recipe(given["recipe"], what) if "recipe" in given else Recipe()
        return cls(weights=weights, recipe=recipe, **texts)

    def to_link(self) -> str:
        """Return the state as text for ``?state=``: a version, then deflated JSON in base64url.

        Raises
        ------
        ValueError
            If the state is larger than a link may be.
        """
        try:
            text = json.dumps(self.as_dict(), separators=(",", ":"), allow_nan=False)
            packed = zlib.compress(text.encode(), 9)
            link = VERSION + base64.urlsafe_b64encode(packed).decode().rstrip("=")
            if State.from_link(link) != self:
                raise ValueError("state: an installed method has the name of one of your own")
        except ValueError as error:
            raise ValueError(f"{error}; no link holds this: export the recipe instead") from error
        return link

    @classmethod
    def from_link(cls, text: str) -> State:
        """Read what `to_link` returns, strictly.

        Parameters
        ----------
        text : str
            At most 8 KiB, which inflate to at most 64 KiB.

        Raises
        ------
        ValueError
            If it is anything else; the message names the part, and the cure.
        """
        return cls.from_dict(read_json(_inflated(text), "link"), "link")


def _inflated(text: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"link: expected text; got {type(text).__name__}; {AGAIN}")
    if len(text) > MAX_LINK:
        raise ValueError(f"link: more than the {MAX_LINK:,} characters that are read; {AGAIN}")
    if not text.startswith(VERSION):
        raise ValueError(
            f"link: expected text that begins with {VERSION!r}; got {text[:12]!r}: {AGAIN}, or "
            "open it with the version of the explorer that made it"
        )
    body = text[len(VERSION) :]
    try:
        padded = (body + "=" * (-len(body) % 4)).encode("ascii")
        packed = base64.b64decode(padded, altchars=b"-_", validate=True)
        inflater = zlib.decompressobj()
        content = inflater.decompress(packed, MAX_INFLATED)
        if inflater.unconsumed_tail:
            raise ValueError(f"link: it inflates to more than {MAX_INFLATED:,} bytes; {AGAIN}")
        if not inflater.eof or inflater.unused_data:
            raise ValueError(f"link: a part is missing, or there is more than one; {AGAIN}")
        return content.decode()
    except (binascii.Error, zlib.error, UnicodeError) as error:
        raise ValueError(f"link: it is damaged ({error}); {AGAIN}") from error


def _read_recipe(value: Any, what: str) -> Recipe:
    parts = check_object(value, f"{what}: recipe", ("version", "layers"))
    layers = parts.get("layers")
    if isinstance(layers, dict):
        _check_size(layers, what)
    try:
        return recipe_from_json(json.dumps(value))
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


def _check_size(layers: dict[str, Any], what: str) -> None:
    if len(layers) > MAX_ENTRIES:
        raise ValueError(
            f"{what}: recipe: {len(layers)} patterns of layer names; at most {MAX_ENTRIES}"
        )
    for pattern, steps in layers.items():
        check_text(pattern, f"{what}: recipe: pattern", MAX_NAME)
        if isinstance(steps, list) and len(steps) > MAX_STEPS:
            raise ValueError(
                f"{what}: recipe: {len(steps)} steps for {pattern!r:.60}; at most {MAX_STEPS}"
            )
