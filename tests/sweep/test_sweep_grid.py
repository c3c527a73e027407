"""Grids from TOML."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.sweep.grid import MAX_BYTES, grid_from_toml, read_grid


def test_a_grid_by_hand():
    text = """
    [[steps]]
    step = "Prune"
    sparsity = [0.5, 0.75]
    scope = "model"

    [[steps]]
    step = "Share"
    n_clusters = [4, 8]
    """
    assert grid_from_toml(text) == [
        Recipe.of([Prune(sparsity=s, scope="model"), Share(n_clusters=k)])
        for s in (0.5, 0.75)
        for k in (4, 8)
    ]


def test_patterns_by_hand():
    text = """
    [[steps]]
    step = "Prune"
    sparsity = 0.5
    [[steps]]
    step = "Quantize"
    bits = [4, 8]
    layers = "fc*"
    [[steps]]
    step = "Share"
    n_clusters = 16
    layers = "*"
    """
    pruned = Prune(sparsity=0.5)
    assert grid_from_toml(text) == [
        Recipe.of({"fc*": [pruned, Quantize(bits=bits)], "*": [pruned, Share(n_clusters=16)]})
        for bits in (4, 8)
    ]


def test_a_step_for_some_layers_alone_leaves_the_others():
    (recipe,) = grid_from_toml('[[steps]]\nstep = "Binarize"\nlayers = "fc1"')
    assert [pattern for pattern, _ in recipe.entries] == ["fc1"]


@given(
    st.lists(
        st.lists(st.integers(2, 40), min_size=1, max_size=4, unique=True), min_size=1, max_size=4
    )
)
def test_a_grid_has_the_product_of_its_lists(lists):
    text = "".join(f'[[steps]]\nstep = "Share"\nn_clusters = {values}\n' for values in lists)
    recipes = grid_from_toml(text)
    assert len(recipes) == len(set(recipes)) == math.prod(map(len, lists))
    tried = {tuple(step.n_clusters for step in recipe.steps_for("any")) for recipe in recipes}
    assert all(
        tuple(combination[i] for combination in tried).count(value) * len(values) == len(tried)
        for i, values in enumerate(lists)
        for value in values
    )


LONG = str(list(range(2, 402)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("steps = ", "grid: not valid TOML"),
        ("", "expected .*steps.* tables"),
        ("steps = 3", "expected .*steps.* tables"),
        ("steps = [1]", "expected .*steps.* tables"),
        ("steps = []", "expected 1 to 32"),
        ("grid = 1\n[[steps]]\nstep = 'Prune'", "grid: has no entry 'grid'"),
        ("[[steps]]\nsparsity = 0.5", 'table 1: "step" must be one of Prune'),
        ("[[steps]]\nstep = 'Purne'", 'table 1: "step" must be one of Prune'),
        ("[[steps]]\nstep = 'Prune'\nsparsity = [0.5, 1.5]", "table 1: .*sparsity"),
        ("[[steps]]\nstep = 'Prune'\nspars = 0.5", "table 1: Prune has no field 'spars'"),
        ("[[steps]]\nstep = 'Prune'\nsparsity = []", "table 1: sparsity must be a value, or a"),
        ("[[steps]]\nstep = 'Prune'\nsparsity = [[0.5]]", "table 1: sparsity must be numbers"),
        ("[[steps]]\nstep = 'Prune'\nsparsity = 2024-01-01", "table 1: sparsity must be numbers"),
        ("[[steps]]\nstep = 'Prune'\nsparsity = nan", "table 1: .*sparsity"),
        ("[[steps]]\nstep = 'Prune'\nsparsity = 0.5\nlayers = ['a']", "layers must be one pattern"),
        ("[[steps]]\nstep = 'Prune'\nsparsity = 0.5\nlayers = ''", "layers must be one pattern"),
        (f"[[steps]]\nstep = 'Share'\nn_clusters = {LONG}\n" * 2, "makes 160,000 recipes"),
        ("[[steps]]\nstep = 'Binarize'\n" * 33, "expected 1 to 32 .* found 33"),
        ("#" * (MAX_BYTES + 1), "larger than 1,048,576 bytes"),
        ("a = " + "[" * 5000, "not valid TOML"),
    ],
)
def test_a_bad_grid_is_told(text, words):
    with pytest.raises(ValueError, match=words):
        grid_from_toml(text)


def test_reading_a_file(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text('[[steps]]\nstep = "Binarize"', encoding="utf-8")
    assert len(read_grid(path)) == 1
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"grid: 'grid.toml' is not text in UTF-8"):
        read_grid(path)
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ValueError, match="larger than"):
        read_grid(path)
    with pytest.raises(FileNotFoundError):
        read_grid(tmp_path / "none.toml")
