import numpy as np

from explorer.measure.spectrum import Codebook
from explorer.views.codebook import CodebookView

LEVELS = np.array([-0.5, -0.1, 0.2], np.float32)
COUNTS = np.array([1, 6, 3])


def test_bars_stand_at_the_shared_values():
    view = CodebookView()
    view.draw(Codebook(LEVELS, COUNTS, 2))
    np.testing.assert_allclose(view._bars.x[1::3], LEVELS, rtol=1e-6)
    np.testing.assert_array_equal(view._bars.y[2::3], COUNTS)
    assert np.isnan(view._bars.y[::3]).all() and (view._bars.y[1::3] == 0).all()
    assert view._x.min < -0.5 and view._x.max > 0.2
    assert view._count.axis.label == "count"
    view.close()


def test_few_values_are_listed_with_their_code():
    view = CodebookView()
    view.draw(Codebook(LEVELS, COUNTS, 2))
    assert view._table.rows[1] == ["-0.1000", "6", "60.0%", "2"]
    assert view._table.heads[3] == ["Code, bits", ""]
    assert "10 weights share 3 values, 2 bits a code." in view._caption.value
    view.draw(Codebook(LEVELS, COUNTS, 2, np.array([2, 1, 2])))
    assert [row[3] for row in view._table.rows] == ["2", "1", "2"]
    assert view._table.heads[3] == ["Huffman, bits", ""]
    assert "1.40 bits a code on average in place of 2" in view._caption.value
    view.close()


def test_many_values_are_gathered_and_not_listed():
    levels = np.linspace(-1, 1, 4096, dtype=np.float32)
    counts = np.arange(4096)
    view = CodebookView()
    view.draw(Codebook(levels, counts, 12))
    assert view._bars.x.size == 3 * 128
    assert view._bars.y[2::3].sum() == counts.sum()
    assert view._table.rows == []
    assert "Drawn in 128 groups" in view._caption.value
    view.close()


def test_a_dominant_value_turns_the_axis_to_square_roots():
    view = CodebookView()
    view.draw(Codebook(LEVELS, np.array([4, 10_000, 9]), 2))
    np.testing.assert_allclose(view._bars.y[2::3], [2, 100, 3])
    assert view._count.axis.label == "count (square-root scale)"
    view.close()


def test_one_value_has_room_beside_it():
    view = CodebookView()
    view.draw(Codebook(LEVELS[:1], COUNTS[:1], 1))
    assert view._x.min < -0.5 < view._x.max
    view.close()


def test_no_shared_values_are_said_in_words_until_there_are_some():
    view = CodebookView()
    view.draw(None)
    assert "ex-none" in view._dom_classes and "add the step Share" in view._caption.value
    view.draw(Codebook(LEVELS, COUNTS, 2))
    assert "ex-none" not in view._dom_classes
    view.draw(Codebook(LEVELS[:0], COUNTS[:0], 2))
    assert "ex-none" in view._dom_classes
    view.close()
