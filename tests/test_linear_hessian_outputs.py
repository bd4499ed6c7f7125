"""The dense Hessian of linear objectives of several outputs."""

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_array

import fastloss as fl

N, D, C = 50, 4, 3
RNG = np.random.default_rng(1)
X = RNG.standard_normal((N, D))
Y = RNG.integers(0, C, N)
WEIGHT = RNG.exponential(size=N)
PENALTY = 0.3


def softmax_hessian(A, coef):
    """The weighted mean of p_k (1[k = l] - p_l) a a', written out; without the penalty."""
    raw = A @ coef.T
    p = np.exp(raw - raw.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    blocks = np.einsum("ik,kl->ikl", p, np.eye(C)) - np.einsum("ik,il->ikl", p, p)
    whole = np.einsum("i,ikl,ij,im->kjlm", WEIGHT, blocks, A, A) / WEIGHT.sum()
    return whole.reshape(C * A.shape[1], -1)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("layout", ["rows", "columns", "sparse"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_that_of_softmax_is_the_formula(dtype, layout, intercept, flat):
    rng = np.random.default_rng(10)
    given = X.astype(dtype)
    given = {"rows": given, "columns": np.asfortranarray(given), "sparse": csr_array(given)}[layout]
    objective = fl.LinearObjective(
        "cross_entropy", given, Y, WEIGHT, l2=PENALTY, fit_intercept=intercept
    )
    A = np.column_stack([X, np.ones(N)]) if intercept else X
    coef = rng.standard_normal((C, A.shape[1])).astype(dtype)
    expected = softmax_hessian(A, coef.astype(np.float64))
    penalised = np.tile(np.arange(A.shape[1]) < D, C)
    expected += np.diag(PENALTY * penalised)
    gradient, got = objective.gradient_hessian(coef.ravel() if flat else coef)
    assert got.dtype == gradient.dtype == dtype
    assert np.array_equal(got, got.T)
    near = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(got, expected, rtol=0, atol=near * np.abs(X).max() ** 2)
    assert np.array_equal(gradient, objective.gradient(coef.ravel() if flat else coef))
    assert np.array_equal(objective.hessian(coef), got)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (fl.OneVsRest(), Y),
        (fl.MulticlassFocal(), Y),
        (fl.GaussianNLL(), RNG.standard_normal(N)),
        (fl.Coral(), Y),
        (fl.CrossEntropy(z_loss=0.1), Y),
    ],
    ids=["one_vs_rest", "multiclass_focal", "gaussian_nll", "coral", "z_loss"],
)
def test_those_of_other_losses_are_differences_of_gradients(loss, y):
    rng = np.random.default_rng(11)
    objective = fl.LinearObjective(loss, X, y, WEIGHT, l2=PENALTY)
    coef = rng.standard_normal(objective.coef_shape) / 2
    got = objective.hessian(coef)
    assert got.shape == (coef.size, coef.size)
    for j, unit in enumerate(np.eye(coef.size).reshape(-1, *coef.shape)):
        step = 1e-6 * unit
        difference = (objective.gradient(coef + step) - objective.gradient(coef - step)) / 2e-6
        np.testing.assert_allclose(got[j], difference.ravel(), rtol=0, atol=1e-7)


def test_newtons_method_of_several_classes():
    objective = fl.LinearObjective("cross_entropy", X, Y, l2=1e-2, fit_intercept=False)
    coef = np.zeros(C * D)
    for _ in range(8):
        gradient, hessian = objective.gradient_hessian(coef)
        coef -= np.linalg.solve(hessian, gradient)
    found = minimize(objective.loss_gradient, np.zeros(C * D), jac=True, tol=1e-10)
    np.testing.assert_allclose(coef, found.x, atol=1e-7)
    assert np.abs(objective.gradient(coef)).max() < 1e-14


def test_the_same_bits_for_any_number_of_threads():
    rng = np.random.default_rng(12)
    big, labels = np.tile(X, (200, 1)), np.tile(Y, 200)
    coef = rng.standard_normal((C, D + 1))
    hessians = [
        fl.LinearObjective("cross_entropy", big, labels, n_threads=n).hessian(coef)
        for n in (1, 2, 3)
    ]
    assert np.array_equal(hessians[0], hessians[1])
    assert np.array_equal(hessians[0], hessians[2])


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss", ["cross_entropy", "one_vs_rest", "coral"])
def test_weights_that_sum_to_zero_are_warned_of_once(loss, dtype, flat):
    objective = fl.LinearObjective(loss, X.astype(dtype), Y, np.zeros(N), l2=PENALTY)
    coef = np.ones(objective.coef_shape, dtype)
    given = coef.ravel() if flat else coef
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gradient, hessian = objective.gradient_hessian(given)
    assert [str(warning.message) for warning in caught] == [
        "mean of samples whose weights sum to zero is NaN"
    ]
    assert caught[0].filename == __file__
    assert (gradient.shape, hessian.shape) == (given.shape, (coef.size, coef.size))
    assert gradient.dtype == hessian.dtype == dtype
    assert np.isnan(gradient).all()
    assert np.isnan(hessian).all()
