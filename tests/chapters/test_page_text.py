"""A chapter's text is ready for a page without a connection."""

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.chapters.page_text import PageText, with_formulas


def test_formulas_become_mathml_inline_and_on_lines_of_their_own():
    inline = with_formulas("about $k$ values")
    assert inline.startswith("about <math")
    assert inline.endswith("</math> values")
    assert "<mi>k</mi>" in inline
    block = with_formulas("sum:\n\n$$\n\\sum_i w_i\n$$\n\nend")
    assert "\n\n<div><math" in block
    assert 'display="block"' in block
    assert "$" not in block


@pytest.mark.parametrize(
    "text", ["it costs $3 and $4", "`$k$` in code", "```\n$$x$$\n```", r"\$k\$ escaped", "5$ a$b"]
)
def test_what_is_no_formula_stays_as_it_is(text):
    assert with_formulas(text) == text


def test_nothing_in_a_formula_is_markdown():
    found = with_formulas(r"$a_1 * b_2 * c | d$")
    assert not set("*_|$") & set(found)


@given(st.text(alphabet="ab c\n.,", max_size=40))
def test_text_without_a_dollar_sign_or_code_is_left_alone(text):
    assert with_formulas(text) == text


def test_pictures_are_left_out_and_code_is_not_touched():
    new = nbformat.v4
    cells = [
        new.new_markdown_cell("![Still picture: x](x.png)", metadata={"tags": ["still"]}),
        new.new_markdown_cell("$x$"),
        new.new_code_cell("price = '$x$'"),
    ]
    found, resources = PageText(enabled=True)(new.new_notebook(cells=cells), {"a": 1})
    assert [cell.cell_type for cell in found.cells] == ["markdown", "code"]
    assert found.cells[0].source.startswith("<math")
    assert found.cells[1].source == "price = '$x$'"
    assert resources == {"a": 1}
