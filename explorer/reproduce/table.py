"""Reproduced results: those packaged, those on disk, and their table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from explorer.codec.atomic import whole
from explorer.reproduce.record import Reproduction
from explorer.zoo.tensor_files import to_half

FOLDER = "compressed"
SUFFIX = ".cmpx"


def bundled() -> tuple[str, ...]:
    """Return the names of the compressed networks that come with the package."""
    return tuple(sorted(path.stem for path in _folder().glob(f"*{SUFFIX}")))


def bundled_file(name: str) -> Path:
    """Return where a compressed network is that comes with the package.

    `name`: one of `bundled`, such as ``"deep-compression-lenet-5"``. Raises ValueError if there is
    none of this name.
    """
    names = bundled()
    if name not in names:
        raise ValueError(
            f"name: expected a compressed network that comes with the package, one of "
            f"{', '.join(names)}; got {name!r}"
        )
    return _folder() / f"{name}{SUFFIX}"


def _folder() -> Path:
    return Path(str(files("explorer.zoo"))) / FOLDER


def results() -> list[dict[str, Any]]:
    """Return the results that come with the package, by name.

    An installed package holds copies beside this file; a working tree those that they are
    made from, in ``notebooks/reproduced``.

    Returns: as `explorer.reproduce.record.Reproduction.as_dict`; empty if there are none.
    """
    places = (
        Path(__file__).with_name("results"),
        Path(__file__).parents[2] / "notebooks" / "reproduced",
    )
    folder = next((place for place in places if place.is_dir()), None)
    paths = sorted(folder.glob("*.json")) if folder else []
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


_WORDS = {
    "rate": "{:.4g}x",
    "size_bytes": "{:,.0f} bytes",
    "n_weights": "{:,.0f} weights",
    "fc_density": "{:.2%} of the dense layers' weights",
    "n_neurons": "{0:,.0f} of {n_neurons_ref:,.0f} neurons",
    "error": "error {error_ref:.2%} to {0:.2%}",
    "error_plain": "by labels alone {:.2%}",
    "accuracy": "accuracy {:.2%}",
    "mean_accuracy_obd": "mean accuracy by OBD {:.1%}",
    "mean_accuracy_magnitude": "by magnitude {:.1%}",
    "mean_accuracy_random": "at random {:.1%}",
    "phone_error_labels": "of phones (TIMIT) {:.1%} wrong by labels",
    "phone_error_mimic": "{:.1%} by logits",
    "mean_error_labels": "mean error {:.2%} by labels",
    "mean_error_mimic": "{:.2%} by logits",
    "mean_agreement_labels": "agrees with its teacher on {:.2%} by labels",
    "mean_agreement_mimic": "{:.2%} by logits",
}


def write(reproduction: Reproduction, folder: str | Path) -> Path:
    """Write a reproduction: ``NAME.json``, ``NAME.cmpx`` where there is a file, and networks.

    Networks are written as ``.safetensors`` in half precision.

    `folder`: made where there is none. Returns: of the JSON.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    if reproduction.model is not None:
        reproduction.model.save(target / f"{reproduction.name}.cmpx")
    for name, net in reproduction.networks.items():
        with whole(target / f"{name}.safetensors") as scratch:
            save_file(to_half(net.state_dict()), scratch)
    path = target / f"{reproduction.name}.json"
    with whole(path) as scratch:
        scratch.write_text(reproduction.to_json() + "\n", encoding="utf-8")
    return path


def table(folder: str | Path) -> str:
    """Return the reproductions of a folder as a Markdown table beside the published figures.

    `folder`: holding what `write` wrote.
    """
    lines = [
        "| result | published | reached | test error, 95 % interval | minutes | goals |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        row(json.loads(path.read_text("utf-8"))) for path in sorted(Path(folder).glob("*.json"))
    ]
    return "\n".join(lines) + "\n"


def row(record: Mapping[str, Any]) -> str:
    """Return one row of the table. `record`: as `Reproduction.as_dict` gives it."""
    published, reached = record["published"]["figures"], record["reached"]
    test = record["test"]
    interval = f"{1 - test['high']:.2%} to {1 - test['low']:.2%} (n = {test['n']:,})"
    cells = (
        record["name"],
        in_words(published),
        in_words({name: value for name, value in reached.items() if _is_told(name, published)}),
        interval,
        f"{record['seconds'] / 60:.1f}",
        "met" if record["reproduced"] else "missed",
    )
    return f"| {' | '.join(cells)} |"


def _is_told(name: str, published: Mapping[str, float]) -> bool:
    return name in published or name == "size_bytes" or name.startswith("mean_") or "_ref" in name


def in_words(figures: Mapping[str, float]) -> str:
    """Say figures in a few words; those without words are left out."""
    known = {"error_ref": float("nan"), "n_neurons_ref": float("nan"), **figures}
    told = [words.format(figures[n], **known) for n, words in _WORDS.items() if n in figures]
    return ", ".join(told).replace("error nan% to", "error") or "-"
