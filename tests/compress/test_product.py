"""Product quantization: by hand, faiss's error, exact sizes, later steps, bad input."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.compress.coding.positions import support_code
from explorer.compress.methods.product import (
    Product,
    ProductQuantized,
    product_rate,
)
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.registry import MethodRegistry
from explorer.compress.methods.share import Share
from explorer.compress.methods.vector_kmeans import cut_strips, join_strips
from explorer.compress.records.record import Dense
from explorer.compress.records.spec import TensorSpec

faiss = pytest.importorskip("faiss")


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


matrices = st.builds(
    lambda seed, rows, columns: draws(rows, columns, seed=seed),
    st.integers(0, 1000),
    st.integers(1, 30),
    st.integers(1, 20),
)
products = st.builds(Product, st.integers(1, 24), st.integers(1, 20), st.sampled_from([0, 1]))


def relative(weight, restored):
    return float((restored.double() - weight).norm() / weight.double().norm())


def test_by_hand_two_strips_of_two_centroids():
    weight = torch.tensor(
        [
            [0.0, 1.0, 5.0, 5.0],
            [0.0, 3.0, 9.0, 9.0],
            [8.0, 1.0, 5.0, 5.0],
            [8.0, 3.0, 9.0, 9.0],
        ]
    )
    record = Product(n_subvectors=2, n_centroids=2)(weight)
    assert isinstance(record, ProductQuantized)
    expected = weight.clone()
    expected[:, 1] = 2
    assert torch.equal(record.restore(), expected)
    assert record.codes.shape == (2, 4)
    # Rows 0 and 1, rows 2 and 3 on the left; rows 0 and 2, rows 1 and 3 on the right.
    left, right = record.codes.tolist()
    assert left[0] == left[1] != left[2] == left[3]
    assert right[0] == right[2] != right[1] == right[3]
    # Eight codes of one bit, two float32 codebooks of 2 x 2.
    assert record.field_bits == (8, 2 * 4 * 32)
    assert record.layout == {"kind": "product", "subvectors": 2, "centroids": 2, "axis": 1}
    # Of each strip: four deviations of 1 on the left, none on the right.
    expected_errors = [2 / (2 * 64 + 2 * 1 + 2 * 9) ** 0.5, 0]
    torch.testing.assert_close(record.subvector_errors(weight), torch.tensor(expected_errors))


def test_by_hand_rate():
    # 32 * 6 bits over two codebooks of 2 x 3 numbers in all and 2 * 3 codes of one bit.
    assert product_rate(n_rows=2, n_columns=3, n_subvectors=3, n_centroids=2) == 192 / (192 + 6)
    assert product_rate(1000, 100, 10, 16) == pytest.approx(3.2e6 / (51200 + 40000))


@pytest.mark.parametrize(("rows", "columns", "s", "k"), [(300, 784, 98, 16), (64, 96, 12, 32)])
def test_the_formula_is_the_size_of_the_record_where_codes_have_whole_bits(rows, columns, s, k):
    record = Product(s, k)(draws(rows, columns))
    assert 32 * rows * columns / record.size_bits == product_rate(rows, columns, s, k)


def test_cutting_rows_is_cutting_the_columns_of_the_transpose():
    weight = draws(20, 31)
    by_rows = Product(4, 8, axis=0)(weight)
    by_columns = Product(4, 8, axis=1)(weight.T.contiguous())
    assert torch.equal(by_rows.restore(), by_columns.restore().T)
    assert by_rows.size_bits == by_columns.size_bits == 4 * 31 * 3 + 8 * 20 * 32


@given(matrices, st.integers(1, 20))
def test_strips_differ_by_one_column_at_most_and_go_together_again(matrix, n_strips):
    n_strips = min(n_strips, matrix.shape[1])
    strips = cut_strips(matrix, n_strips)
    parts = torch.tensor_split(matrix, n_strips, dim=1)
    for strip, part in zip(strips, parts, strict=True):
        assert torch.equal(strip[:, : part.shape[1]], part)
        assert not strip[:, part.shape[1] :].any()
    assert torch.equal(join_strips(strips, matrix.shape[1]), matrix)


@given(matrices, products)
def test_each_piece_of_a_row_is_one_row_of_its_codebook(weight, product):
    record = product(weight)
    restored = record.restore()
    assert restored.shape == weight.shape
    length = weight.shape[product.axis]
    n_vectors = weight.numel() // length
    assert record.n_subvectors == min(product.n_subvectors, length)
    assert record.codes.shape == (record.n_subvectors, n_vectors)
    assert 1 <= record.n_centroids <= min(product.n_centroids, n_vectors)
    assert int(record.codes.max()) == record.n_centroids - 1
    turned = restored if product.axis == 1 else restored.T
    books = torch.tensor_split(record.codebook.restore(), record.n_subvectors, dim=1)
    pieces = torch.tensor_split(turned, record.n_subvectors, dim=1)
    for book, piece, codes in zip(books, pieces, record.codes.long(), strict=True):
        assert torch.equal(book[codes], piece)


@settings(max_examples=50)
@given(matrices, products, st.floats(0, 1))
def test_the_layout_gives_the_size(weight, product, sparsity):
    for record in (
        product(weight),
        Prune(sparsity=sparsity)(weight).then(product),
        product(weight).then(Prune(sparsity=sparsity)),
    ):
        layout = json.loads(json.dumps(record.layout))
        read = TensorSpec(layout, weight.shape, weight.dtype, MethodRegistry().kind)
        assert read.field_bits == record.field_bits
        assert sum(read.field_bits) == record.size_bits
        assert ProductQuantized.codebook_shape_in(read) == record.codebook.shape
        n_kept = int(record.mask.sum()) if record.mask is not None else weight.numel()
        assert record.size_bits == (
            support_code(weight.numel(), n_kept).size_bits
            + record.codes.numel() * record.code_bits
            + 32 * record.codebook.n_weights
        )


@given(matrices, products, st.floats(0, 1))
def test_pruned_weights_stay_zero(weight, product, sparsity):
    pruned = Prune(sparsity=sparsity)(weight)
    record = pruned.then(product)
    assert not record.restore()[~pruned.mask].any()
    assert torch.equal(record.mask, pruned.mask)


@given(matrices, products)
def test_the_error_is_that_of_the_strips_together(weight, product):
    record = product(weight)
    turned = weight if product.axis == 1 else weight.T
    norms = torch.stack([p.norm() for p in torch.tensor_split(turned, record.n_subvectors, 1)])
    total = float((record.subvector_errors(weight) * norms).norm() / weight.norm())
    assert total == pytest.approx(relative(weight, record.restore()), abs=1e-5)
    assert total <= 1 + 1e-6


@given(matrices, st.integers(1, 24), st.sampled_from([0, 1]))
def test_as_many_centroids_as_pieces_keep_every_weight(weight, n_subvectors, axis):
    record = Product(n_subvectors, 30, axis)(weight)
    assert torch.equal(record.restore(), weight)


def test_equal_pieces_take_one_centroid():
    weight = draws(1, 12).expand(40, 12)
    record = Product(3, 16)(weight)
    assert torch.equal(record.restore(), weight)
    assert record.field_bits == (0, 12 * 32)


def test_more_than_256_centroids():
    record = Product(4, 300)(draws(400, 8))
    assert record.codes.dtype == torch.int16
    assert record.code_bits == 9


@pytest.mark.parametrize("n_subvectors", [8, 49, 98])
def test_no_farther_than_faiss(n_subvectors):
    weight = draws(300, 784)
    theirs = faiss.ProductQuantizer(784, n_subvectors, 4)
    theirs.cp.min_points_per_centroid = 1
    theirs.train(weight.numpy())
    decoded = torch.from_numpy(theirs.decode(theirs.compute_codes(weight.numpy())))
    ours = Product(n_subvectors, 16)(weight).restore()
    assert relative(weight, ours) <= 1.01 * relative(weight, decoded)


def test_a_kernel_is_seen_as_a_matrix_of_filters():
    kernel = draws(6, 3, 2, 2)
    record = Product(5, 4)(kernel)
    assert record.restore().shape == kernel.shape
    as_matrix = Product(5, 4)(kernel.reshape(6, 12))
    assert torch.equal(record.restore(), as_matrix.restore().reshape(kernel.shape))
    assert record.field_bits == as_matrix.field_bits


def test_a_tensor_with_one_axis_is_left_alone():
    weight = torch.tensor([1.0, 2.0])
    record = Product()(weight)
    assert isinstance(record, Dense)
    assert torch.equal(record.restore(), weight)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_weights_keep_their_type(dtype):
    record = Product(3, 4)(draws(12, 10).to(dtype))
    assert record.restore().dtype == record.dtype == record.codebook.restore().dtype == dtype
    assert record.field_bits == (3 * 12 * 2, 4 * 10 * 16)


def test_quantizing_afterwards_quantizes_the_codebooks():
    product = Product(4, 8)(draws(100, 12))
    record = product.then(Quantize(bits=8))
    assert torch.equal(record.codes, product.codes)
    expected = Quantize(bits=8)(product.codebook.restore())
    assert torch.equal(record.codebook.restore(), expected.restore())
    assert record.size_bits == 4 * 100 * 3 + 8 * 12 * 8 + 64
    assert record.layout["codebook"] == expected.layout
    assert record.field_bits[-1] == expected.size_bits


def test_pruning_afterwards_keeps_codes_and_codebooks():
    product = Product(4, 8)(draws(25, 12))
    record = product.then(Prune(sparsity=0.25))
    assert isinstance(record, ProductQuantized)
    assert torch.equal(record.codes, product.codes)
    assert int((record.restore() == 0).sum()) == 75
    again = record.then(Prune(sparsity=0.5))
    assert int((again.restore() == 0).sum()) == 150
    assert not (again.mask & ~record.mask).any()


def test_what_was_pruned_is_not_kept_again():
    record = Prune(sparsity=0.5)(draws(6, 6)).then(Product(2, 3))
    again = record.restricted(torch.ones(6, 6, dtype=torch.bool))
    assert torch.equal(again.mask, record.mask)


def test_another_step_starts_from_the_restored_weights():
    product = Product(4, 8)(draws(25, 12))
    record = product.then(Share(n_clusters=4))
    assert torch.equal(record.restore(), Share(n_clusters=4)(product.restore()).restore())


@settings(max_examples=20)
@given(matrices, products)
def test_the_codes_are_what_an_entropy_coder_writes(weight, product):
    record = product(weight)
    assert torch.equal(record.symbols, record.codes)
    assert int(record.symbols.max()) < record.alphabet <= 1 << record.code_bits


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"n_subvectors": 0}, "n_subvectors must be from 1 to 1048576; got 0"),
        ({"n_centroids": 5000}, "n_centroids must be from 1 to 4096; got 5000"),
        ({"axis": 2}, "axis must be from 0 to 1; got 2"),
    ],
)
def test_values_out_of_range_are_refused(fields, words):
    with pytest.raises(ValueError, match=f"Product: {words}"):
        Product(**fields)


def test_values_of_another_type_are_refused():
    with pytest.raises(TypeError, match=r"Product: n_subvectors must be an integer; got 2.5"):
        Product(n_subvectors=2.5)
    with pytest.raises(ValueError, match="weight holds NaN"):
        Product()(torch.tensor([[float("nan"), 1.0]]))


def test_in_words():
    assert Product(128, 16).describe() == "Product 128 × 16"
    assert Product(128, 16, axis=0).describe() == "Product 128 × 16 of rows"
