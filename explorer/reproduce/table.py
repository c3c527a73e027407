"""Reproductions on disk, and as a table beside what was published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from explorer.reproduce.records import Reproduction

_WORDS = {
    "rate": "{:.4g}x",
    "size_bytes": "{:,.0f} bytes",
    "n_weights": "{:,.0f} weights",
    "fc_density": "{:.2%} of the dense layers' weights",
    "n_neurons": "{0:,.0f} of {n_neurons_ref:,.0f} neurons",
    "error": "error {error_ref:.2%} to {0:.2%}",
    "accuracy": "accuracy {:.2%}",
    "mean_accuracy_obd": "mean accuracy by OBD {:.1%}",
    "mean_accuracy_magnitude": "by magnitude {:.1%}",
    "mean_accuracy_random": "at random {:.1%}",
}
_ALSO = {"size_bytes", "mean_accuracy_obd", "mean_accuracy_magnitude", "mean_accuracy_random"}


def write(reproduction: Reproduction, folder: str | Path) -> Path:
    """Write a reproduction: ``NAME.json``, and ``NAME.cmpx`` where there is a file.

    Parameters
    ----------
    reproduction : Reproduction
    folder : path
        Made where there is none.

    Returns
    -------
    Path
        Of the JSON.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    if reproduction.model is not None:
        reproduction.model.save(target / f"{reproduction.name}.cmpx")
    path = target / f"{reproduction.name}.json"
    path.write_text(reproduction.to_json() + "\n", encoding="utf-8")
    return path


def table(folder: str | Path) -> str:
    """Return the reproductions of a folder as a Markdown table beside the published figures.

    Parameters
    ----------
    folder : path
        Holding what `write` wrote.
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
    """Return one row of the table.

    Parameters
    ----------
    record : mapping
        As `Reproduction.as_dict` gives it.
    """
    published, reached = record["published"]["figures"], record["reached"]
    test = record["test"]
    interval = f"{1 - test['high']:.2%} to {1 - test['low']:.2%} (n = {test['n']:,})"
    cells = (
        record["name"],
        in_words(published),
        in_words({k: v for k, v in reached.items() if k in {*published, *_ALSO} or "_ref" in k}),
        interval,
        f"{record['seconds'] / 60:.1f}",
        "met" if record["reproduced"] else "missed",
    )
    return f"| {' | '.join(cells)} |"


def in_words(figures: Mapping[str, float]) -> str:
    """Say figures in a few words; those without words are left out."""
    known = {"error_ref": float("nan"), "n_neurons_ref": float("nan"), **figures}
    told = [words.format(figures[n], **known) for n, words in _WORDS.items() if n in figures]
    return ", ".join(told).replace("error nan% to", "error") or "-"
