"""The cache of factors: found again, bounded, and never in the way."""

import os
import threading

import pytest
import torch

from explorer.compress.methods.svd import factorize
from explorer.measure.disk_cache import FactorCache


@pytest.fixture
def cache(tmp_path):
    return FactorCache(tmp_path / "factors")


def weight(seed=0, rows=6, columns=9):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def test_what_was_put_is_found_again_bit_by_bit(cache):
    factors = factorize(weight())
    assert cache.get(weight()) is None
    cache.put(weight(), factors)
    again = FactorCache(cache.folder).get(weight())
    assert torch.equal(again.left, factors.left)
    assert torch.equal(again.values, factors.values)
    assert torch.equal(again.right, factors.right)
    assert again.squared_norm == factors.squared_norm
    assert again.exact


def test_another_content_or_shape_is_another_key(cache):
    cache.put(weight(), factorize(weight()))
    changed = weight()
    changed[0, 0] += 1e-6
    assert cache.get(changed) is None
    assert cache.path(weight().reshape(9, 6)) != cache.path(weight())
    assert cache.path(weight().reshape(6, 3, 3, 1)) == cache.path(weight())


@pytest.mark.parametrize("damage", [b"", b"x" * 50, None])
def test_a_damaged_file_counts_as_missing_and_is_removed(cache, damage):
    cache.put(weight(), factorize(weight()))
    path = cache.path(weight())
    path.write_bytes(path.read_bytes()[:-7] if damage is None else damage)
    assert cache.get(weight()) is None
    assert not path.exists()


def test_factors_of_another_matrix_under_this_name_are_refused(cache):
    cache.put(weight(1, 4, 5), factorize(weight(1, 4, 5)))
    cache.path(weight(1, 4, 5)).rename(cache.path(weight()))
    assert cache.get(weight()) is None


def test_the_files_not_used_for_longest_go_first(cache):
    for seed in range(3):
        cache.put(weight(seed), factorize(weight(seed)))
        os.utime(cache.path(weight(seed)), (seed, seed))
    cache.get(weight(0))
    size = max(cache.path(weight(seed)).stat().st_size for seed in range(3))
    small = FactorCache(cache.folder, max_bytes=2 * size)
    small.put(weight(0), factorize(weight(0)))
    kept = [seed for seed in range(3) if small.path(weight(seed)).exists()]
    assert kept == [0, 2]


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path):
    cache = FactorCache(tmp_path / "factors", max_bytes=10)
    cache.put(weight(), factorize(weight()))
    assert cache.get(weight()) is None


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = FactorCache(tmp_path / "file" / "factors")
    cache.put(weight(), factorize(weight()))
    assert cache.get(weight()) is None


def test_many_writers_and_readers_at_once(cache):
    factors, wrong = factorize(weight()), []

    def work():
        for _ in range(20):
            cache.put(weight(), factors)
            found = cache.get(weight())
            if found is not None and not torch.equal(found.left, factors.left):
                wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert cache.get(weight()) is not None
    assert not list(cache.folder.glob("*.part"))
