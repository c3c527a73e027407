"""A recipe, and what makes the compressed network, as Python to copy."""

from __future__ import annotations

from explorer.compress.methods.registry import BUILT_IN
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.recipe import Recipe, Steps

OWN_NETWORK = "net, data = my_net, my_data  # your network, and its data or None"


def loading_text(name: str, weights: str | None = "default") -> str:
    """Return the line that loads a network of the catalog.

    Parameters
    ----------
    name : str
        As in the catalog; "" stands for a network of one's own.
    weights : str or None
        As `explorer.load` takes them.

    Examples
    --------
    >>> loading_text("lenet-5", None)
    "net, data = ex.load('lenet-5', weights=None)"
    """
    if not name:
        return OWN_NETWORK
    chosen = "" if weights == "default" else f", weights={weights!r}"
    return f"net, data = ex.load({name!r}{chosen})"


def setting_text(setting: Setting) -> str:
    """Return a step with the fields that differ from their defaults.

    A step that is not built in goes by its own name, which `import_lines` imports.

    Examples
    --------
    >>> from explorer.compress.methods.prune import Prune
    >>> setting_text(Prune(sparsity=0.9))
    'ex.Prune(sparsity=0.9)'
    """
    fields = setting.as_dict()
    name = fields.pop("step")
    owner = "ex." if type(setting) in BUILT_IN else ""
    return f"{owner}{name}({', '.join(f'{key}={value!r}' for key, value in fields.items())})"


def import_lines(recipe: Recipe) -> str:
    """Return the lines that import those steps of a recipe that are not built in.

    Of a step that was defined in a notebook or a script, which nothing can import, a comment
    says so.
    """
    lines = []
    for kind in recipe.kinds:
        home, name = kind.__module__, kind.__qualname__
        if kind in BUILT_IN:
            continue
        if home == "__main__" or "." in name:
            lines.append(f"# {kind.__name__} is your own class: run its definition first\n")
        else:
            lines.append(f"from {home} import {name}\n")
    return "".join(sorted(lines))


def recipe_text(recipe: Recipe) -> str:
    """Return a recipe: a list of steps where they are for all layers, else a dict of lists."""
    entries = list(recipe.entries)
    if entries and entries[-1] == ("*", ()):
        entries.pop()
    if all(pattern == "*" for pattern, _ in entries):
        return _list_text(entries[0][1] if entries else (), "")
    lines = [f"    {pattern!r}: {_list_text(steps, '    ')},\n" for pattern, steps in entries]
    return f"{{\n{''.join(lines)}}}"


def _list_text(steps: Steps, indent: str) -> str:
    if not steps:
        return "[]"
    lines = [f"{indent}    {setting_text(step)},\n" for step in steps]
    return f"[\n{''.join(lines)}{indent}]"


def python_text(recipe: Recipe, loading: str, file_name: str) -> str:
    """Return a script that compresses a network by a recipe and writes the file.

    Parameters
    ----------
    recipe : Recipe
    loading : str
        What makes ``net`` and ``data``, such as `loading_text` gives.
    file_name : str
        Name of the compressed file.
    """
    imports = import_lines(recipe)
    above = f"{imports}\n" if imports else ""
    return (
        f"{above}import explorer as ex\n\n{loading}\nrecipe = {recipe_text(recipe)}\n\n"
        f"small = ex.compress(net, recipe, data=data)\nsmall.save({file_name!r})\n"
        'print(f"{small.size_bytes:,} bytes, {small.compression_ratio:.1f} times smaller")\n'
    )
