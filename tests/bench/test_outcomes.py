"""What peers reach: their figures are those of the same weights, and ratios say what they mean."""

import gzip
from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer.bench import peers
from explorer.bench.peers import coding, optimum, vectors
from explorer.bench.peers.contest import Outcome
from explorer.bench.timing import Effort, Skipped
from explorer.compress.methods.share import Share

QUICK = Effort(n_runs=1, budget_s=0, n_sample=20_000)


def test_by_hand_a_row():
    row = Outcome("zip", "zip", "bytes of it", "our bytes", lambda: 3000, lambda: 2000).row("net")
    assert (row.network, row.name, row.n_runs) == ("net", "zip", 1)
    assert (row.measures, row.baseline) == ("bytes of it: 3,000", "our bytes: 2,000")
    assert row.ratio == row.best_ratio == 1.5
    assert row.median_ms == row.p95_ms >= 0


@pytest.mark.parametrize(("theirs", "ratio"), [(0, 1), (5, 0)])
def test_a_perfect_result_of_ours_does_not_divide(theirs, ratio):
    assert Outcome("a", "a", "", "", lambda: theirs, lambda: 0).row("net").ratio == ratio


def test_coders_are_given_the_weights_that_we_hold(subject):
    found = {outcome.name: outcome for outcome in coding.outcomes(subject, QUICK)}
    assert len(found) == 4
    flat = subject.layers["fc1"].source.view(-1)[:20_000]
    limit = flat.abs().sort().values[18_000]
    read = found["gzip -9 of dense float32"].peer.args[1]
    dense = torch.from_numpy(np.frombuffer(read(), np.float32).copy())
    assert torch.equal(dense != 0, flat.abs() >= limit)
    assert len(dense.unique()) == 33
    assert found["gzip -9 of dense float32"].peer() == len(gzip.compress(read(), 9))
    packed = found["gzip -9 of our packed codes"].peer.args[1]()
    # 2,000 codes of 5 bits and 32 values; positions within the bounds of their entropy.
    rest = len(packed) - 2000 * 5 / 8 - 32 * 4
    assert 20_000 * 0.469 / 8 <= rest <= 20_000 / 8
    ours = {outcome.ours() for outcome in found.values()}
    assert len(ours) == 1
    assert 0 < ours.pop() < len(packed)


def test_zstd_of_packed_codes_is_at_most_a_little_more_than_them(subject):
    pytest.importorskip("zstandard")
    found = {outcome.name: outcome for outcome in coding.outcomes(subject, QUICK)}
    n_packed = len(found["zstd -19 of our packed codes"].peer.args[1]())
    assert found["zstd -19 of our packed codes"].peer() <= n_packed + 32
    assert found["zstd -19 of dense float32"].peer() < 20_000 * 4 / 4


def test_vectors_leave_errors_of_the_same_size(subject):
    # 102 rows: four stages of 16 centroids hold 25 without any error.
    product, residual = vectors.outcomes(subject, replace(QUICK, n_sample=80_000))
    energy = float(subject.net.get_parameter("fc1.weight")[:102].detach().square().sum())
    for outcome in (product, residual):
        theirs, ours = outcome.peer(), outcome.ours()
        assert 0 < ours < energy
        assert 0.2 < theirs / ours < 5


def test_vector_jobs_do_what_the_errors_are_of(subject):
    for contest in vectors.contests(subject, QUICK):
        theirs, ours = contest.jobs()
        matrix = vectors._rows(subject, QUICK)
        assert matrix.shape == (25, 784)
        for job in (theirs, ours):
            restored = torch.as_tensor(job.run(job.prepare(0)))
            assert restored.shape == matrix.shape
            assert vectors._squared_error(matrix, restored) < float(matrix.square().sum())


def test_the_optimum_is_not_above_ours(subject):
    for outcome in optimum.outcomes(subject, QUICK):
        least = outcome.peer()
        assert 0 < least <= outcome.ours() * (1 + 1e-6)


def test_by_hand_the_optimum():
    values = np.array([0.0, 1.0, 10.0, 12.0], np.float32)
    assert optimum._least(values, 2) == pytest.approx(0.5 + 2)
    # An exact zero is kept as it is, and takes no part in the clusters.
    assert optimum._ours(values, Share(n_clusters=2)) == pytest.approx(2)


def test_missing_peers_are_listed(subject, monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    found = list(peers.reached(subject, QUICK))
    assert all(isinstance(finding, Skipped) for finding in found)
    names = {finding.name for finding in found}
    assert names >= {"zstd -19 of dense float32", "faiss ProductQuantizer", "kmeans1d, k = 16"}
