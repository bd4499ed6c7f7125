"""Errors of RankedProbabilityScore where its terms cancel, as its docstring states them."""

import numpy as np
import pytest
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.base import PRECISION

import fastloss as fl

#: found by climbing: sums in float32 lose digits of the Hessian of output 0, the gradient of output 4
STEEP = [
    (0, [6.011507987976074, -6.392523765563965, 1.5191797018051147]),
    (
        0,
        [
            *(9.14301586151123, -13.507685661315918, -15.116880416870117),
            *(-15.811125755310059, 1.1358447074890137),
        ],
    ),
]


def exact(f, y):
    """Return loss, gradient, Hessian, the sum of the gradient's terms of one sign, and the largest."""
    n = len(f)
    e = [mp.exp(x) for x in f]
    p = [x / mp.fsum(e) for x in e]
    below = [mp.fsum(p[: k + 1]) for k in range(n)]
    above = [mp.fsum(p[k + 1 :]) for k in range(n)]
    d = [below[k] if k < y else -above[k] for k in range(n - 1)]
    gradient, hessian, sums, largest = [], [], [], []
    for j in range(n):
        sides = [above[k] if j <= k else -below[k] for k in range(n - 1)]
        terms = [2 * p[j] * a * b for a, b in zip(d, sides, strict=True)]
        squares = 2 * p[j] ** 2 * mp.fsum(b * b for b in sides)
        total = mp.fsum(terms)
        gradient.append(total)
        hessian.append((1 - 2 * p[j]) * total + squares)
        positive = mp.fsum(t for t in terms if t > 0)
        sums.append((max(positive, positive - total), squares))
        largest.append((max(map(abs, terms)), squares))
    return mp.fsum(x * x for x in d), gradient, hessian, sums, largest


def errors(dtype, y, f):
    """Return the largest errors of a row: of the loss, by the sums of one sign, by the largest term."""
    f = np.asarray(f, dtype)
    loss = fl.RankedProbabilityScore()
    values = loss.loss_gradient_hessian([y], f[None], reduction="none")
    with mp.workprec(PRECISION[dtype]):
        value, gradient, hessian, sums, largest = exact([mp.mpf(float(x)) for x in f], y)
        worst = [error_in_ulp(values[0][0], value, dtype)]
        for scale in (sums, largest):
            found = [0.0]
            for j, (term, squares) in enumerate(scale):
                found.append(error_in_ulp(values[1][0, j], gradient[j], dtype, term))
                bends = max(term, squares)
                found.append(error_in_ulp(values[2][0, j], hessian[j], dtype, bends))
            worst.append(max(found))
    return worst


def samples(n_outputs):
    rng = np.random.default_rng(n_outputs)
    for _ in range(100 if n_outputs <= 10 else 10):
        f = rng.normal(size=n_outputs) * rng.choice([1.0, 4.0, 12.0])
        yield int(rng.integers(n_outputs)), f


@pytest.mark.parametrize("n_outputs", [2, 3, 5, 10, 11, 40, 100])
def test_errors_by_the_sum_of_the_terms_of_one_sign(n_outputs):
    for y, f in samples(n_outputs):
        loss, by_sum, _ = errors("float64", y, f)
        assert loss <= 7
        assert by_sum <= 14


def test_roundings_of_many_classes_do_not_add_up():
    loss, by_sum, _ = errors("float64", 0, np.linspace(0.0, 1.0, 400))
    assert loss <= 7
    assert by_sum <= 5  # 9.6 of plain sums


@pytest.mark.parametrize(("n_outputs", "bound"), [(2, 1), (3, 1), (5, 1), (10, 1), (40, 2)])
def test_errors_in_float32_by_the_largest_term(n_outputs, bound):
    for y, f in samples(n_outputs):
        loss, _, by_largest = errors("float32", y, f)
        assert loss <= 1
        assert by_largest <= bound


@pytest.mark.parametrize(("y", "f"), STEEP, ids=["3 classes", "5 classes"])
def test_where_sums_in_float32_would_lose_most(y, f):
    loss, _, by_largest = errors("float32", y, f)
    assert loss <= 1
    assert by_largest <= 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_rows_without_a_softmax_are_nan(value, dtype):
    f = np.zeros((3, 5), dtype)
    f[1, 2] = value
    for result in fl.RankedProbabilityScore().loss_gradient_hessian([0, 2, 4], f, reduction="none"):
        assert np.isnan(result[1]).all()
        assert np.isfinite(result[[0, 2]]).all()
