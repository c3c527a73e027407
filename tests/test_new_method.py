"""A method in one file, and its panel in another, are at home in the whole explorer."""

import doctest
import math
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import torch
from example_method import powers_of_two
from example_method.installing import METHOD, PANEL, Halved, children, install, network, samples
from example_method.powers_of_two import PowersOfTwo
from hypothesis import given, settings
from hypothesis import strategies as st
from ipywidgets import Button, Label
from torch import nn

import explorer as ex
from explorer.codec import file

TESTS = Path(__file__).parent
RECIPES = [
    [PowersOfTwo()],
    [PowersOfTwo(bits=2), ex.Entropy("ans")],
    [ex.Prune(sparsity=0.8), PowersOfTwo(bits=5)],
    [PowersOfTwo(bits=3), ex.Prune(sparsity=0.5)],
    [ex.Prune(sparsity=0.9), PowersOfTwo(), ex.Entropy()],
    [ex.Prune(sparsity=0.9), PowersOfTwo(), ex.RelativeIndex(bits=3), ex.Entropy("ans")],
    [ex.LowRank(rank=3), PowersOfTwo(bits=6)],
    [ex.Share(n_clusters=5), PowersOfTwo(bits=8)],
    {"1": [PowersOfTwo(bits=8)], "*": [ex.Share(n_clusters=4)]},
]
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    install(tmp_path / "site", "example-method", METHOD + PANEL)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return tmp_path / "site"


def raw(net):
    return {name: tensor.numpy().tobytes() for name, tensor in net.state_dict().items()}


def test_its_own_example():
    outcome = doctest.testmod(powers_of_two)
    assert (outcome.attempted, outcome.failed) == (1, 0)


def test_by_hand():
    weight = torch.tensor([[0.75, -0.7499], [0.0, 3.0], [-0.1, 2.0]])
    record = PowersOfTwo(bits=3)(weight)
    assert record.restore().tolist() == [[1.0, -0.5], [0.0, 4.0], [-0.5, 2.0]]
    assert record.codes.tolist() == [4, 7, 0, 7, 2]
    # One zeroed position of six takes five bits; then 100 111 000 111 010; then the exponent 2.
    assert [*record.write()] == [bytes([0b0010_0000]), bytes([0b1001_1100, 0b0111_0100]), b"\2\0"]
    assert record.size_bits == 5 + 5 * 3 + 16


@given(st.lists(FINITE, min_size=1, max_size=30), st.integers(2, 8))
def test_each_weight_is_the_nearest_power_in_reach(values, bits):
    weight = torch.tensor(values)
    restored = PowersOfTwo(bits)(weight).restore().tolist()
    largest = max((abs(v) for v in restored), default=0.0)
    reach = [math.ldexp(largest, -i) for i in range(1 << (bits - 1))]
    for value, made in zip(weight.tolist(), restored, strict=True):
        if value == 0:
            assert made == 0
            continue
        assert math.copysign(1, made) == math.copysign(1, value)
        assert abs(made) in reach
        assert abs(abs(made) - abs(value)) == min(abs(power - abs(value)) for power in reach)


@pytest.mark.parametrize("bits", [1, 9, 3.0, None])
def test_bits_out_of_range_are_refused(bits):
    with pytest.raises((TypeError, ValueError), match="PowersOfTwo: bits must"):
        PowersOfTwo(bits)


@settings(max_examples=20)
@given(st.sampled_from([torch.float32, torch.float16, torch.bfloat16]), st.integers(0, 99))
def test_every_type_comes_back_bit_for_bit(dtype, seed):
    net = nn.Linear(5, 4)
    net.weight.data = torch.randn(4, 5, generator=torch.Generator().manual_seed(seed)) * 1e4
    small = ex.compress(net.to(dtype), [PowersOfTwo(bits=2 + seed % 7)])
    again = file.decode(file.encode(small), [PowersOfTwo])
    assert torch.equal(again[""].restore(), small[""].restore())


@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
def test_the_file_has_the_promised_size_and_gives_the_bits_back(recipe, tmp_path, installed):
    net, path = network(), tmp_path / "small.cmpx"
    small = ex.compress(net, recipe)
    assert small.save(path) == small.size_bytes == path.stat().st_size
    opened = ex.open(path)
    assert raw(opened.restore(net)) == raw(small.restore())
    assert opened.recipe == ex.Recipe.of(recipe)
    assert file.encode(opened) == path.read_bytes()
    for record in small.records.values():
        expected = [-(-bits // 8) for bits in record.field_bits]
        assert [len(field) for field in record.write()] == expected
    session = ex.Session(net)
    try:
        assert session.figures(recipe).size_bytes == small.size_bytes
        session.apply(recipe)
        assert raw(session.compress().restore()) == raw(small.restore())
    finally:
        session.close()


def test_recipes_and_links_there_and_back(installed):
    recipe = ex.Recipe.of(RECIPES[4])
    assert ex.recipe_from_json(recipe.to_json()) == recipe
    state = ex.State("lenet-5", recipe=recipe, tab="Powers of two")
    assert ex.State.from_link(state.to_link()) == state


def test_a_fresh_process_finds_it_when_a_file_needs_it_and_not_before(installed, tmp_path):
    small = ex.compress(network(), RECIPES[5])
    small.save(tmp_path / "a.cmpx")
    ex.compress(network(), [ex.Prune(sparsity=0.5), ex.Share(2)]).save(tmp_path / "plain.cmpx")
    link = ex.State(recipe=small.recipe).to_link()
    script = f"""
import sys, explorer as ex
plain = ex.open({str(tmp_path / "plain.cmpx")!r})
assert ex.recipe_from_json(plain.recipe.to_json()) == plain.recipe
assert not any(name.startswith("example_method") for name in sys.modules)
opened = ex.open({str(tmp_path / "a.cmpx")!r})
assert ex.State.from_link({link!r}).recipe == opened.recipe
print(opened.size_bytes, float(opened["1"].restore().abs().sum()))
"""
    paths = os.pathsep.join([str(installed), str(TESTS)])
    command = [sys.executable, "-c", script]
    where = os.environ | {"PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=where)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        str(small.size_bytes), str(float(small["1"].restore().abs().sum()))
    ]  # fmt: skip


def test_worker_processes_sweep_it(installed, tmp_path):
    net, data, recipes = network(), samples(), RECIPES[2:4]
    with ex.WorkerProcesses(1) as workers:
        store = tmp_path / "points.sqlite"
        found = list(ex.sweep(net, data.eval, recipes, executor=workers, store=store))
    assert [point.error_message for point in found] == ["", ""]
    sizes = {point.recipe: point.size_bytes for point in found}
    assert sizes == {ex.Recipe.of(r): ex.compress(net, r).size_bytes for r in recipes}
    assert {p.recipe for p in ex.sweep(net, data.eval, recipes, store=store)} == {*sizes}


@pytest.fixture
def page(installed):
    app = ex.Explorer(network(), samples(), recipe=[ex.Prune(sparsity=0.5)])
    yield app
    app.close()


def test_its_tab_is_on_the_page_with_its_dial(page):
    assert "Powers of two" in page._topics.titles
    page._topics.open("Powers of two")
    (add,) = [b for b in children(page, Button) if b.description == "+ Powers of two"]
    assert add.tooltip == PowersOfTwo.help
    add.click()
    page.wait(60)
    recipe = [ex.Prune(sparsity=0.5), PowersOfTwo()]
    assert page.recipe == ex.Recipe.of(recipe)
    assert page.result.size_bytes == ex.compress(network(), recipe).size_bytes
    (step,) = [s for s in page._recipe_panel._stack.steps if s.kind is PowersOfTwo]
    assert PowersOfTwo.help in [label.value for label in children(step, Label)]
    told = [getattr(part, "tooltip", None) for part in children(step.control, object)]
    assert powers_of_two.DIAL in told
    said = [label.value for label in children(page._topics["Powers of two"].widget, Label)]
    assert any("Magnitudes from 2^" in words for words in said)


def test_its_code_runs_as_it_is_copied(page):
    page.recipe = [PowersOfTwo(bits=3), ex.Entropy()]
    page._topics.open("Powers of two")
    assert "from example_method.powers_of_two import PowersOfTwo\n" in page.code
    assert "    PowersOfTwo(bits=3),\n    ex.Entropy(),\n" in page.code
    names = {"my_net": network(), "my_data": samples()}
    exec(page.code, names)
    assert names["small"].size_bytes == page.wait(60).size_bytes


def test_a_method_of_a_notebook_needs_no_entry_point(tmp_path):
    net, data, path = network(), samples(), tmp_path / "a.cmpx"
    recipe = [Halved(bits=3), ex.Entropy()]
    small = ex.compress(net, recipe)
    small.save(path)
    opened = ex.open(path, methods=[Halved])
    assert raw(opened.restore(net)) == raw(small.restore())
    store = tmp_path / "points.sqlite"
    (point,) = ex.sweep(net, data.eval, [recipe], store=store)
    assert (point.error_message, point.size_bytes) == ("", small.size_bytes)
    assert [*ex.sweep(net, data.eval, [recipe], store=store)] == [point]
    app = ex.Explorer(net, data, recipe=recipe)
    assert app.wait(60).size_bytes == small.size_bytes
    assert app.session.breakdown().size_bytes == small.size_bytes
    app.close()
    with pytest.raises(ex.DamagedFile, match="unknown kind of tensor: 'halved'"):
        ex.open(path)
    with pytest.raises(ValueError, match=r'"step" must be one of Prune, .*; got .*Halved'):
        ex.recipe_from_json(small.recipe.to_json())
    with pytest.raises(ValueError, match=r"step.* must be one of .*no link holds this"):
        ex.State(recipe=small.recipe).to_link()


def mended(data, old, new):
    """Change a file's header, or its last section, and mend the checksums."""
    (length,) = struct.unpack("<I", data[5:9])
    text = zlib.decompress(data[9 : 9 + length], -15)
    section = data[9 + length + 4 : -4]
    assert (text + section).count(old) == 1
    text, section = text.replace(old, new), section.replace(old, new)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(text) + packer.flush()
    size, checks = struct.pack("<I", len(packed)), [zlib.crc32(part) for part in (packed, section)]
    sums = [struct.pack("<I", check) for check in checks]
    return b"".join([data[:5], size, packed, sums[0], section, sums[1]])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"bits":4,', b'"bits":9,', "header: bits must be from 2 to 8; got 9"),
        (b'"bits":4,', b'"bits":8,', r"the tensors should take \d+ bytes"),
        (b'"bits":4,', b"", "header: bits must be from 2 to 8; got None"),
        (b'"kept":6', b'"kept":7', r"header: kept must be from 0 to 6; got 7"),
        (b"[3,2]", b"[60000,60000]", "has more than|promises more|should take"),
        (b"\x04\x00", b"\x80\x00", "tensor '': the largest exponent cannot be 128"),
        (b"\x04\x00", b"\x00\x80", "tensor '': the largest exponent cannot be -32768"),
    ],
)
def test_a_damaged_file_of_its_kind_is_refused(old, new, words):
    layer = nn.Linear(2, 3, bias=False)
    layer.weight.data = torch.tensor([[16.0, 1.0], [2.0, -1.0], [1.0, 8.0]])
    data = file.encode(ex.compress(layer, [PowersOfTwo()]))
    text = b'"step":"PowersOfTwo"'
    assert file.decode(mended(data, text, text), [PowersOfTwo]).state_dict().keys() == {"weight"}
    with pytest.raises(ex.DamagedFile, match=words):
        file.decode(mended(data, old, new), [PowersOfTwo])
