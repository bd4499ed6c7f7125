"""What LinearObjective refuses, and that it says which argument, where, and what was expected."""

import pickle

import numpy as np
import pytest
from scipy import sparse

import fastloss as fl

X = np.arange(12.0).reshape(4, 3)
Y = np.array([0, 1, 1, 0])


def csr(**changes):
    class Csr:
        data = np.ones(4)
        indices = np.array([0, 2, 1, 0])
        indptr = np.array([0, 1, 2, 2, 4])
        shape = (4, 3)

    for name, value in changes.items():
        setattr(Csr, name, value)
    return Csr()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("nothing", X, Y), ValueError, "name = 'nothing'"),
        ((np.sum, X, Y), TypeError, "loss = .*: expected a loss of fastloss, or its name$"),
        ((fl.LogLoss, X, Y), TypeError, "expected .*, or its name, as LogLoss\\(\\) is$"),
        (("log_loss", X[0], Y), ValueError, r"X has shape \(3,\): expected \(n, d\)"),
        (("log_loss", X[:, :0], Y), ValueError, r"X has shape \(4, 0\): expected at least one"),
        (("log_loss", X.astype(complex), Y), TypeError, "X has dtype complex128"),
        (("log_loss", [["a"]], Y), TypeError, "X has dtype <U1"),
        (("log_loss", X, Y[:3]), ValueError, r"y has shape \(3,\): expected labels of 4 samples"),
        (("log_loss", X, Y[:, None]), ValueError, r"y has shape \(4, 1\): expected \(4,\)"),
        (("log_loss", X, [0, 1, 2, 0]), ValueError, r"y\[2\] = 2: LogLoss expects"),
        (("log_loss", X, [0, np.nan, 2, 0]), ValueError, r"y\[1\] = nan"),
        (("log_loss", X, Y, [1, 1, -1, 1]), ValueError, r"sample_weight\[2\] = -1: weights must"),
        (("log_loss", X, Y, [1.0]), ValueError, r"sample_weight has shape \(1,\): expected \(4,\)"),
        (("cross_entropy", X, [0, 1, -2, 0]), ValueError, r"y\[2\] = -2"),
        (("cross_entropy", X, [0.5, 1, 2, 0]), ValueError, r"y\[0\] = 0.5"),
        (("multi_pinball", X, Y[:, None]), ValueError, r"y has shape \(4, 1\): expected \(4,\)"),
        (("log_loss", csr(indices=[0, 3, 1, 0]), Y), ValueError, r"X.indices\[1\] = 3: .* 0 to 2"),
        (("log_loss", csr(indices=[0, 1, -1, 0]), Y), ValueError, r"X.indices\[2\] = -1"),
        (("log_loss", csr(indptr=[0, 1, 0, 2, 4]), Y), ValueError, r"X.indptr\[2\] = 0"),
        (("log_loss", csr(indptr=[0, 1, 2, 2, 5]), Y), ValueError, r"X.indptr\[4\] = 5: .* 0 to 4"),
        (("log_loss", csr(indptr=[-1, 1, 2, 2, 4]), Y), ValueError, r"X.indptr\[0\] = -1"),
        (("log_loss", csr(indptr=[0, 1, 4]), Y), ValueError, r"X.indptr has shape \(3,\)"),
        (("log_loss", csr(indptr=[0.0, 1, 2, 2, 4]), Y), TypeError, "X.indptr has dtype float64"),
        (("log_loss", csr(data=np.ones(4, complex)), Y), TypeError, "X.data has dtype complex128"),
        (("log_loss", sparse.csc_array(X), Y), TypeError, "X is sparse of format 'csc'"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        fl.LinearObjective(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"l2": -1.0}, ValueError, "l2 = -1.0: expected a finite number of at least 0"),
        ({"l2": [0.0, np.nan, 1.0]}, ValueError, r"l2\[1\] = nan"),
        ({"l2": [0.0, 1.0]}, ValueError, r"l2 has shape \(2,\): expected a number or \(3,\)"),
        ({"l2": "much"}, TypeError, "l2 = 'much'"),
        ({"offset": [1.0]}, ValueError, r"offset has shape \(1,\): expected \(4,\)"),
        ({"fit_intercept": 1}, TypeError, "fit_intercept = 1: expected True or False"),
        ({"n_threads": 0}, ValueError, "n_threads = 0"),
        ({"n_outputs": 3}, ValueError, "n_outputs = 3: LogLoss has one"),
    ],
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        fl.LinearObjective("log_loss", X, Y, **options)


@pytest.mark.parametrize(
    ("coef", "error", "message"),
    [
        (np.zeros(3), ValueError, r"coef has shape \(3,\): expected \(4,\)"),
        (np.zeros(4, complex), TypeError, "coef has dtype complex128: expected float32 or float64"),
        (np.zeros(4, int), TypeError, "coef has dtype int64: expected float32 or float64"),
    ],
)
def test_wrong_coefficients(coef, error, message):
    objective = fl.LinearObjective("log_loss", X, Y)
    for method in (objective.loss, objective.gradient, objective.hessian, objective.partial):
        with pytest.raises(error, match=message):
            method(coef)
    with pytest.raises(error, match=message.replace("coef", "v")):
        objective.hessian_product(np.zeros(4), coef)


def test_wrong_numbers_of_outputs():
    with pytest.raises(ValueError, match=r"n_outputs = 0: expected 1 to 2\*\*31 - 1"):
        fl.LinearObjective("cross_entropy", X, Y, n_outputs=0)
    with pytest.raises(ValueError, match="n_outputs = 3: expected 2"):
        fl.LinearObjective("gaussian_nll", X, Y, n_outputs=3)
    with pytest.raises(ValueError, match=r"coef has shape \(4,\): expected \(2, 4\) or \(8,\)"):
        fl.LinearObjective("cross_entropy", X, Y).loss(np.zeros(4))


def test_no_pickles():
    with pytest.raises(TypeError, match="refers to its data and cannot be pickled"):
        pickle.dumps(fl.LinearObjective("log_loss", X, Y))


def test_labels_that_change_afterwards_are_no_crash():
    for loss in ("log_loss", "cross_entropy"):
        y = Y.copy()
        objective = fl.LinearObjective(loss, X, y)
        y[2] = 100
        with pytest.raises(ValueError, match="y has changed since it was checked"):
            objective.loss(np.zeros(objective.coef_shape))
