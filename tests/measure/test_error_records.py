import numpy as np
import pytest

from explorer.measure.maps import error_map, pooled
from explorer.measure.spectrum import StageErrors

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize("shape", [(1, 1), (128, 256), (300, 700), (129, 3), (1, 1000)])
def test_cells_are_means_of_rows_and_columns(shape):
    matrix = RANDOM.random(shape, np.float32)
    grid = pooled(matrix)
    assert grid.shape == (min(128, shape[0]), min(256, shape[1])) and grid.dtype == np.float32
    rows = np.linspace(0, shape[0], grid.shape[0] + 1).astype(int)
    columns = np.linspace(0, shape[1], grid.shape[1] + 1).astype(int)
    for i, j in [(0, 0), (grid.shape[0] - 1, grid.shape[1] - 1), (grid.shape[0] // 2, 0)]:
        cell = matrix[rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
        assert grid[i, j] == pytest.approx(cell.mean(), rel=1e-5)


def test_an_error_map_by_hand():
    original = np.array([[3.0, 0.0], [0.0, 4.0]], np.float32)
    drawn = error_map(original, original - np.array([[0, 0], [0, 2]], np.float32))
    assert drawn.values.tolist() == [[0, 0], [0, 2]]
    assert drawn.scale == pytest.approx(2.5)
    assert drawn.relative_error == pytest.approx(0.4)
    assert (drawn.shape, drawn.stride) == ((2, 2), 1)


def test_an_error_map_of_part_of_a_layer_takes_the_layers_figures():
    part = np.ones((2, 2), np.float32)
    drawn = error_map(part, part, (20, 20), 0.3, 100)
    assert (drawn.shape, drawn.relative_error, drawn.stride) == ((20, 20), 0.3, 100)


def test_a_layer_of_zeros_has_no_error():
    zeros = np.zeros((2, 2), np.float32)
    assert (error_map(zeros, zeros).relative_error, error_map(zeros, zeros).scale) == (0.0, 1.0)


@pytest.mark.parametrize("other", [(2, 3), (4,), (3, 2)])
def test_matrices_of_two_shapes_have_no_error_map(other):
    with pytest.raises(ValueError, match="original and restored must be matrices of one shape"):
        error_map(np.ones((2, 2)), np.ones(other))


def test_stage_errors_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="errors must be one for each of the 2 labels, got 1"):
        StageErrors(("a", "b"), (0.1,))
    with pytest.raises(ValueError, match=r"errors must not be negative, got -0\.1"):
        StageErrors(("a",), (-0.1,))
