"""The inner loops of the product of sign matrices, 64 signs to a word.

They are compiled when first used, and release the interpreter lock while they run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

_compiled = njit(nogil=True, cache=True, error_model="numpy")


def _count_ones(_context, word):
    """Count the bits of a word that are set: one instruction."""

    def generate(_context, builder, _signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


_ones: Any = intrinsic(_count_ones)


@_compiled
def few_products(inputs, weights, scales, width, out):
    """Multiply packed `inputs` (n, words) with `weights` (rows, words) into `out` (rows, n).

    Signs that differ make -1, those that agree +1: the sum is the width minus twice the
    number of bits that differ. Fast for few inputs: it runs along the words.
    """
    for row in range(weights.shape[0]):
        for i in range(inputs.shape[0]):
            differ = np.uint64(0)
            for j in range(weights.shape[1]):
                differ += _ones(inputs[i, j] ^ weights[row, j])
            out[row, i] = scales[row] * np.float32(width - 2 * np.int64(differ))


@_compiled
def many_products(inputs, weights, scales, width, out):
    """Do as `few_products` with inputs of shape (words, n): it runs along the inputs."""
    n_words, n = inputs.shape
    whole = n_words // 4 * 4
    differ = np.empty(n, np.uint64)
    for row in range(weights.shape[0]):
        differ[:] = 0
        for j in range(0, whole, 4):
            w0, w1, w2, w3 = (
                weights[row, j],
                weights[row, j + 1],
                weights[row, j + 2],
                weights[row, j + 3],
            )
            x0, x1, x2, x3 = inputs[j], inputs[j + 1], inputs[j + 2], inputs[j + 3]
            for i in range(n):
                differ[i] += (
                    _ones(x0[i] ^ w0) + _ones(x1[i] ^ w1) + _ones(x2[i] ^ w2) + _ones(x3[i] ^ w3)
                )
        for j in range(whole, n_words):
            word = weights[row, j]
            for i in range(n):
                differ[i] += _ones(inputs[j, i] ^ word)
        for i in range(n):
            out[row, i] = scales[row] * np.float32(width - 2 * np.int64(differ[i]))
