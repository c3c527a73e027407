"""Compressed files by path or by name, with the architecture that they restore into."""

from __future__ import annotations

from pathlib import Path

from explorer.codec.model import CompressedModel, read


def open_model(path: str | Path) -> CompressedModel:
    """Open a compressed file.

    Parameters
    ----------
    path : str or Path
        A file that ``CompressedModel.save`` wrote.

    Returns
    -------
    CompressedModel
        Restores by itself where the catalog knows its network; otherwise pass a
        module to ``restore``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    explorer.codec.errors.DamagedFile
        If the file is damaged; a kind of ValueError.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no compressed file at {str(path)!r}")
    model = read(path)
    return _with_architecture(model)


def _with_architecture(model: CompressedModel) -> CompressedModel:
    from explorer import zoo

    if model.network not in zoo.catalog():
        return model
    return model.with_template(zoo.load(model.network, weights=None).net)
