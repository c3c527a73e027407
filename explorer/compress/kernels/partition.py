"""The fused loops that cut weighted points on a line into k runs of least squared error.

With prefix sums the error of a run takes one division, and it obeys the quadrangle
inequality: of two last borders, once the later one is the better it stays the better. So the
cheapest division of the points, at a fixed price for each run, takes one pass over them in
which candidates for the last border queue up. The price is then moved until k runs come out;
where the count leaps over k, the two nearest divisions are spliced.

References
----------
Panter, Dite. "Quantization distortion in pulse-count modulation with nonuniform spacing of
levels". Proceedings of the IRE, 1951.

Wu. "Optimal quantization by matrix searching". Journal of Algorithms, 1991.

Aggarwal, Schieber, Tokuyama. "Finding a minimum-weight k-link path in graphs with the concave
Monge property and applications". Discrete & Computational Geometry, 1994.
"""

from __future__ import annotations

import numpy as np
from numba import njit

N_GUESSES = 8
MAX_PRICES = 60

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def _error(counts, sums, squares, first, last):
    """Squared error of the points between two borders about their mean."""
    total = sums[last] - sums[first]
    return squares[last] - squares[first] - total * total / (counts[last] - counts[first])


@_compiled
def _later_start_wins(counts, sums, squares, early, late, lead, border):
    """Whether of two runs up to `border` the later one saves at least `lead`."""
    saved = _error(counts, sums, squares, early, border)
    return saved - _error(counts, sums, squares, late, border) >= lead


@_compiled
def _overtaken_at(counts, sums, squares, lead, early, late, place):
    """First border beyond `place` up to which a run better starts `late` than `early`."""
    last = counts.size - 1
    low = place
    high = place + 1
    step = 1
    while high <= last and not _later_start_wins(counts, sums, squares, early, late, lead, high):
        low = high
        high += step
        step *= 2
    high = min(high, last + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if _later_start_wins(counts, sums, squares, early, late, lead, middle):
            high = middle
        else:
            low = middle
    return high


@_compiled
def _cheapest(counts, sums, squares, price, costs, before, queue, places):
    """Divide the points at a `price` for each run; return the borders, first and last included.

    ``queue[i]`` is the best start of the run that ends at a border from ``places[i]`` up to
    ``places[i + 1]``. The arrays `costs`, `before`, `queue` and `places` are overwritten.
    """
    n = counts.size - 1
    costs[0] = 0.0
    queue[0] = 0
    places[0] = 1
    head = 0
    tail = 0
    for j in range(1, n + 1):
        while head < tail and places[head + 1] <= j:
            head += 1
        before[j] = queue[head]
        costs[j] = costs[before[j]] + _error(counts, sums, squares, before[j], j) + price
        while True:
            lead = costs[j] - costs[queue[tail]]
            place = max(places[tail] - 1, j)
            place = _overtaken_at(counts, sums, squares, lead, queue[tail], j, place)
            if place > places[tail] or tail == head:
                break
            tail -= 1
        if place <= n:
            tail += 1
            queue[tail] = j
            places[tail] = place
    return _borders(before)


@_compiled
def _borders(before):
    """Follow the best last borders back to the first."""
    n_runs = 0
    border = before.size - 1
    while border > 0:
        border = before[border]
        n_runs += 1
    borders = np.empty(n_runs + 1, np.int64)
    border = before.size - 1
    for i in range(n_runs, 0, -1):
        borders[i] = border
        border = before[border]
    borders[0] = 0
    return borders


@_compiled
def _first_price(counts, sums, n_runs):
    """Say what one run more would save if the points' density were smooth.

    The error of k runs is then the cube of the integral of the cube root of the
    density, over ``12 k ** 2``.
    """
    integral = 0.0
    for i in range(1, counts.size - 1):
        mean = (sums[i] - sums[i - 1]) / (counts[i] - counts[i - 1])
        following = (sums[i + 1] - sums[i]) / (counts[i + 1] - counts[i])
        n = 0.5 * (counts[i + 1] - counts[i - 1])
        integral += np.cbrt(n * (following - mean) ** 2)
    return (integral / n_runs) ** 3 / 6


@_compiled
def _spliced(few, many, n_runs):
    """Make `n_runs` runs of the first of `many` and the last of `few`.

    They meet where a run of `few` holds a run of `many`, which costs no more than the two
    divisions do.
    """
    more = n_runs + 1 - few.size
    i = 0
    while many[i + more + 1] > few[i + 1]:
        i += 1
    return np.concatenate((many[: i + more + 1], few[i + 1 :]))


@_compiled
def least_error_borders(counts, sums, squares, n_runs):
    """Divide weighted ascending points into `n_runs` runs of least squared error.

    The values before point i number ``counts[i]``; ``sums[i]`` and ``squares[i]`` are their
    sum and their sum of squares, float64. No point is empty, and there are more than
    `n_runs`. Returns the borders, first and last included.
    """
    n = counts.size - 1
    costs = np.empty(n + 1)
    before = np.empty(n + 1, np.int64)
    queue = np.empty(n + 1, np.int64)
    places = np.empty(n + 1, np.int64)
    few = np.array([0, n])
    dear = _error(counts, sums, squares, 0, n)
    many = np.arange(n + 1)
    cheap = 0.0
    price = min(_first_price(counts, sums, n_runs), 0.5 * dear)
    for trial in range(MAX_PRICES):
        borders = _cheapest(counts, sums, squares, price, costs, before, queue, places)
        found = borders.size - 1
        if found == n_runs:
            return borders
        if found < n_runs:
            few = borders
            dear = price
        else:
            many = borders
            cheap = price
        if dear - cheap <= 1e-6 * dear:
            break
        price *= (found / n_runs) ** 3
        if trial >= N_GUESSES or price <= cheap or price >= dear:
            price = np.sqrt(cheap * dear) if cheap > 0 else 1e-3 * dear
    return _spliced(few, many, n_runs)
