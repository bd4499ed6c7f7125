"""Hessian products where probabilities underflow, of samples without weight, of labels that changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl

mpmath = pytest.importorskip("mpmath")
X = np.eye(3)


def focal(f: Any, gamma: float) -> Any:
    """Return the focal loss of class 0."""
    p = mpmath.exp(f[0]) / sum(mpmath.exp(x) for x in f)
    rest = sum(mpmath.exp(x) for x in f[1:]) / sum(mpmath.exp(x) for x in f)
    return -(rest**gamma) * mpmath.log(p)


def divergence(f: Any, y: Any) -> Any:
    """Return the Jensen-Shannon divergence to the distribution y."""
    total = sum(mpmath.exp(x) for x in f)
    value = mpmath.mpf(0)
    for x, target in zip(f, y, strict=True):
        p = mpmath.exp(x) / total
        middle = (p + target) / 2
        value += p * mpmath.log(p / middle) / 2
        if target:
            value += target * mpmath.log(target / middle) / 2
    return value


def product(function: Any, f: Any, u: Any) -> Any:
    """Return a Hessian times u, by differences in many digits."""
    with mpmath.workdps(1200):
        h = mpmath.mpf(10) ** -390
        n = len(f)

        def at(s: int, t: int, k: int) -> Any:
            moved = [mpmath.mpf(a) + s * h * mpmath.mpf(b) for a, b in zip(f, u, strict=True)]
            moved[k] += t * h
            return function(moved)

        return np.array(
            [
                float((at(1, 1, k) - at(1, -1, k) - at(-1, 1, k) + at(-1, -1, k)) / (4 * h * h))
                for k in range(n)
            ]
        )


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("gap", [3.0, 40.0, 400.0, 800.0, -400.0, -800.0])
def test_focal(gamma: float, gap: float) -> None:
    f, u = np.array([gap, 0.3, -0.2]), np.array([0.7, -1.1, 0.4])
    objective = fl.LinearObjective(
        fl.MulticlassFocal(gamma=gamma), np.ones((1, 1)), [0], fit_intercept=False, n_outputs=3
    )
    found = objective.hessian_product(f.reshape(3, 1), u.reshape(3, 1)).ravel()
    expected = product(lambda at: focal(at, gamma), f, u)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("y", [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
@pytest.mark.parametrize("gap", [3.0, 40.0, 800.0, -800.0])
def test_jensen_shannon(y: Any, gap: float) -> None:
    f, u = np.array([gap, 0.3, -0.2]), np.array([0.7, -1.1, 0.4])
    objective = fl.LinearObjective(
        fl.JensenShannon(), np.ones((1, 1)), np.array([y]), fit_intercept=False, n_outputs=3
    )
    found = objective.hessian_product(f.reshape(3, 1), u.reshape(3, 1)).ravel()
    expected = product(lambda at: divergence(at, y), f, u)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)


def test_a_sample_without_weight_adds_nothing() -> None:
    rows = np.array([[1.0], [np.inf], [2.0]])
    objectives = [
        fl.LinearObjective(fl.MulticlassFocal(), given, y, weight, fit_intercept=False, n_outputs=3)
        for given, y, weight in (
            (np.where(np.isinf(rows), 1e308, rows), [0, 1, 2], [1.0, 0.0, 2.0]),
            (rows[[0, 2]], [0, 2], [1.0, 2.0]),
        )
    ]
    coef, v = np.array([[0.1], [50.0], [-50.0]]), np.ones((3, 1)) * [[1.0], [2.0], [3.0]]
    found = [objective.hessian_product(coef, v) for objective in objectives]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize("loss", [fl.OneVsRest(), fl.MulticlassFocal(), fl.CrossEntropy()])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_labels_that_change_are_found(loss: Any, is_sparse: bool) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    y = np.array([0, 1, 2])
    rows = sparse.csr_matrix(X) if is_sparse else X
    objective = fl.LinearObjective(loss, rows, y, n_outputs=3)
    coef = np.zeros((3, 4))
    objective.loss_gradient(coef)
    y[1] = 99
    with pytest.raises(ValueError, match="y has changed since it was checked"):
        objective.loss(coef)
    if not isinstance(loss, fl.CrossEntropy):
        with pytest.raises(ValueError, match="y has changed since it was checked"):
            objective.hessian_product(coef, coef + 1)
