"""``fastloss train --solver sgd``: the first rate follows from all rows."""

import numpy as np
import pytest
from scipy import sparse

import fastloss as fl
from fastloss.train.problem import Options, Part, Problem
from fastloss.train.trainers import load_trainer

N = 30_000
rng = np.random.default_rng(0)
X = np.zeros((N, 2))
X[:, 0] = rng.normal(size=N)
X[1::3, 1] = 8.0  # every third row is long
Y = X @ [1.0, 0.1] + rng.normal(size=N)


def first_rate(X, y):
    part = Part(X, y, y, None)
    options = Options(
        solver="sgd", alpha=1e-4, l1_ratio=0.0, tol=1e-4, max_iter=1, patience=None,
        batch_size=None, n_threads=1, seed=0,
    )  # fmt: skip
    problem = Problem(fl.SquaredError(), None, part, part)
    return load_trainer("sgd")(problem, options, lambda step: None).estimator.eta0


@pytest.mark.parametrize("make", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_the_order_of_the_rows_is_nothing_to_the_rate(make):
    expected = 0.5 / (1.0 + np.square(X).sum(axis=1).mean())
    order = np.argsort(np.arange(N) % 3, kind="stable")
    for rows in (slice(None), order):
        assert first_rate(make(X[rows]), Y[rows]) == pytest.approx(expected, rel=1e-12)
