"""Write the kept files anew: ``python tests/golden/make.py``, with the version they stand for.

They prove that files of that version keep opening, so they are made once for each version of a
format and never to mend a test.
"""

import json
from dataclasses import asdict
from pathlib import Path

import subjects
from safetensors.torch import save_file

import explorer as ex
from explorer.compress.networks.recipe import Recipe
from explorer.history.bookmarks import Bookmarks, bookmarks_to_json
from explorer.history.figures import KeptFigures

HERE = Path(__file__).parent


def compressed_files(net, data):
    decoded, figures = {}, {}
    for name, recipe in subjects.RECIPES.items():
        model = ex.compress(net, recipe, input_shape=subjects.IMAGE)
        size = model.save(HERE / f"{name}.cmpx")
        tensors = model.state_dict()
        decoded |= {f"{name}/{key}": tensor.clone() for key, tensor in tensors.items()}
        figures[name] = {
            "recipe": Recipe.of(recipe).to_json(),
            "size_bytes": size,
            "original_bytes": model.original_bytes,
            "layer_bits": {layer: record.size_bits for layer, record in model.records.items()},
            "accuracy": ex.evaluate(model.restore(), data).top1,
        }
    save_file(decoded, HERE / "decoded.safetensors")
    return figures


def kept_states(net, data):
    bookmarks = Bookmarks()
    for name, state in subjects.STATES.items():
        bookmarks.keep(state, name=name)
    session = ex.Session(net, data, input_shape=subjects.IMAGE)
    session.apply(subjects.RECIPES["prune"])
    state = ex.State(recipe=Recipe.of(subjects.RECIPES["prune"]))
    bookmarks.keep(state, KeptFigures.of(session.wait(60)), name="measured")
    session.close()
    (HERE / "bookmarks.json").write_text(bookmarks_to_json(bookmarks))
    return {name: state.to_link() for name, state in subjects.STATES.items()}


def swept(net, data):
    path = HERE / "sweep.sqlite"
    path.unlink(missing_ok=True)
    recipes = [subjects.RECIPES[name] for name in subjects.SWEPT]
    found = list(ex.sweep(net, data, recipes, store=path, input_shape=subjects.IMAGE))
    return subjects.point_figures(found)


def trained(net, data):
    for record in ex.train(net, data, subjects.TRAINING):
        if record.step == subjects.STOPPED_AT:
            record.checkpoint().save(HERE / "run.safetensors")
    save_file(record.net.state_dict(), HERE / "trained.safetensors")
    return {"step": record.step, "loss": record.loss}


def main():
    net, data = subjects.network(), subjects.samples()
    figures = {
        "files": compressed_files(net, data),
        "links": kept_states(net, data),
        "states": {name: state.as_dict() for name, state in subjects.STATES.items()},
        "sweep": swept(net, data),
        "training": trained(net, data),
        "untouched": asdict(ex.evaluate(net, data)),
    }
    (HERE / "figures.json").write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
