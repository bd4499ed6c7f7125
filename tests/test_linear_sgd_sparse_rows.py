"""Steps on sparse rows of any length, whose entries go by sixteen and by the bits of the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import fastloss as fl

sparse = pytest.importorskip("scipy.sparse")

D = 90
ETA = 0.01
DECAY = 0.5
LENGTHS = np.arange(83)


def rows_of_all_lengths(dtype: Any, index: Any) -> tuple[Any, npt.NDArray[np.float64]]:
    """Rows in a random order of their lengths, columns too, some of them twice or more in a row."""
    rng = np.random.default_rng(7)
    lengths = rng.permutation(np.repeat(LENGTHS, 3))
    starts = np.concatenate(([0], np.cumsum(lengths)))
    data = rng.standard_normal(starts[-1]).astype(dtype)
    columns = rng.integers(0, D, starts[-1]).astype(index)
    columns[1::7] = columns[:-1:7]  # side by side, too
    X = sparse.csr_array((data, columns, starts.astype(index)), shape=(len(lengths), D))
    return X, rng.standard_normal(len(lengths))


def steps(X: Any, y: npt.NDArray[np.float64], rate: float) -> tuple[npt.NDArray[np.float64], float]:
    """What the squared error teaches, entry by entry."""
    coef, intercept = np.zeros(D), 0.0
    for i in range(len(y)):
        part = slice(X.indptr[i], X.indptr[i + 1])
        columns, values = X.indices[part], X.data[part].astype(np.float64)
        step = -rate * (sum(coef[columns] * values) + intercept - y[i])
        np.add.at(coef, columns, step * values)
        intercept += DECAY * step
    return coef, intercept


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("settings", [{}, {"average": True}, {"penalty": "l1", "alpha": 1e-30}])
def test_rows_of_all_lengths(dtype: Any, index: Any, settings: dict[str, Any]) -> None:
    X, y = rows_of_all_lengths(dtype, index)
    sgd = fl.LinearSGD(
        "half_squared_error", D, dtype=dtype, learning_rate="constant", eta0=ETA,
        intercept_decay=DECAY, **{"alpha": 0.0} | settings,
    )  # fmt: skip
    sgd.epoch(X, y.astype(dtype), shuffle=False)
    coef, intercept = steps(X, y, ETA)
    assert 0.1 < np.abs(coef).max() < 10.0
    near = {np.float64: 1e-13, np.float32: 3e-6}[dtype]
    np.testing.assert_allclose(sgd.coef, coef, rtol=0, atol=near)
    np.testing.assert_allclose(sgd.intercept, intercept, rtol=0, atol=near)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_a_row_counts_only_its_own_entries(first: int, dtype: Any) -> None:
    """What stands before and behind, at any address, is not read into it."""
    for length in LENGTHS:
        data = np.full(first + length + 40, np.nan, dtype)
        data[first : first + length] = 1.0
        columns = np.zeros(data.size, np.int32)
        columns[first : first + length] = np.arange(length)
        X = (data, columns, np.array([first, first + length]))
        sgd = fl.LinearSGD(
            "half_squared_error", D, dtype=dtype, learning_rate="constant", eta0=1.0, alpha=0.0,
            intercept_decay=0.0,
        )  # fmt: skip
        matrix = sparse.csr_array((1, D), dtype=dtype)
        matrix.data, matrix.indices, matrix.indptr = X
        sgd.epoch(matrix, np.ones(1, dtype))
        np.testing.assert_array_equal(sgd.coef, np.arange(D) < length)
