"""CSR whose entries are in no column: an error that names the first, and no read beyond memory."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from fastloss import linear_model

rng = np.random.default_rng(0)
X = sparse.csr_array(rng.normal(size=(40, 4)))
Y = np.arange(40) % 2
REGRESSORS = ["HuberRegressor", "LinearRegressor", "PoissonRegressor", "QuantileRegressor"]
CLASSIFIERS = ["LinearClassifier", "LogisticRegression"]
STOCHASTIC = ["SGDClassifier", "SGDRegressor"]


def broken(column: int) -> Any:
    """Entry 9 of X, in row 2, is in a column that there is not."""
    matrix = X.copy()
    matrix.indices[9] = column
    return matrix


def refused(call: Callable[[], object], column: int, before: str = "") -> None:
    message = (
        f"{before}X.indices[9] = {column}: expected columns 0 to 3, in row 2 of X of shape (40, 4)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("column", [-1, 4, 9, 2**30])
@pytest.mark.parametrize("name", [*REGRESSORS, *CLASSIFIERS, *STOCHASTIC])
def test_fit_and_predict(name: str, column: int) -> None:
    model = getattr(linear_model, name)()
    refused(lambda: model.fit(broken(column), Y), column)
    model.fit(X, Y)
    refused(lambda: model.predict(broken(column)), column)


@pytest.mark.parametrize("column", [-1, 2**30])
def test_batches_and_validation(column: int) -> None:
    model = linear_model.SGDClassifier()
    refused(lambda: model.partial_fit(broken(column), Y, classes=[0, 1]), column)
    refused(lambda: model.fit([(X, Y), (broken(column), Y)]), column, "batch 1: ")
    held = broken(column), Y
    refused(lambda: model.fit(X, Y, validation_data=held), column, "validation_data: ")


def test_rows_beyond_the_entries() -> None:
    matrix = X.copy()
    matrix.indptr[3] = 10**6
    with pytest.raises(ValueError, match=r"^X.indptr\[4\] = 16: expected at least 1000000$"):
        linear_model.SGDClassifier().fit(X, Y).predict(matrix)
