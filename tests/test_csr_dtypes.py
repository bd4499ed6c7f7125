"""CSR of other numbers than float32 and float64: the bits are those of the same numbers as floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl

sparse = pytest.importorskip("scipy.sparse")

rng = np.random.default_rng(0)
Y = rng.integers(0, 2, 60)
DTYPES = ["bool", "i1", "u1", "i2", "i4", "u4", "i8", ">i8", "u8", "f2"]


class Parts:
    """A CSR matrix that SciPy, which has no float16, did not make."""

    def __init__(self, X: Any, data: Any) -> None:
        self.data, self.indices, self.indptr, self.shape = data, X.indices, X.indptr, X.shape


def of_dtype(dtype: str) -> Any:
    """As CSR of 60 x 5 with large numbers, where the dtype has them, that float32 rounds."""
    kind = np.dtype(dtype)
    X = sparse.random_array((60, 5), density=0.5, rng=0, format="csr")
    numbers = rng.integers(0 if kind.kind == "u" else -100, 100, X.data.size)
    if kind.itemsize >= 4:
        numbers = numbers * 1_000_003
    return Parts(X, numbers.astype(kind))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("computed", [np.float32, np.float64])
@pytest.mark.parametrize("settings", [{}, {"batch_size": 7}])
def test_linear_sgd(dtype: str, computed: Any, settings: dict[str, Any]) -> None:
    X = of_dtype(dtype)
    found = []
    for matrix in (X, Parts(X, X.data.astype(computed))):
        sgd = fl.LinearSGD("hinge", 5, dtype=computed, **settings)
        found.append((sgd.epoch(matrix, Y), sgd.coef.tobytes(), sgd.intercept.tobytes()))
    assert found[0] == found[1]


@pytest.mark.parametrize("dtype", DTYPES)
def test_linear_objective(dtype: str) -> None:
    X = of_dtype(dtype)
    dense = sparse.csr_array((X.data.astype("f8"), X.indices, X.indptr), X.shape).toarray()
    floats = np.float32 if dtype == "f2" else np.float64
    objective = fl.LinearObjective("hinge", X, Y)
    same = fl.LinearObjective("hinge", Parts(X, X.data.astype(floats)), Y)
    assert objective.dtype == fl.LinearObjective("hinge", dense.astype(dtype), Y).dtype == floats
    coef = np.linspace(-1, 1, 6)
    for one, other in zip(objective.loss_gradient(coef), same.loss_gradient(coef), strict=True):
        np.testing.assert_array_equal(one, other)


def test_long_doubles_are_refused() -> None:
    X = of_dtype("i8")
    wide = Parts(X, X.data.astype(np.longdouble))
    if wide.data.itemsize == 8:
        pytest.skip("long double is double here")
    with pytest.raises(
        TypeError, match=f"X.data has dtype {np.dtype(np.longdouble)}: expected bool"
    ):
        fl.LinearSGD("hinge", 5).epoch(wide, Y)
