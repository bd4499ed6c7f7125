"""Masked arrays and sparse matrices where they are not taken: the error tells what to do instead."""

import numpy as np
import pytest
from scipy import sparse

import fastloss as fl

X = np.arange(12.0).reshape(4, 3)
Y = np.array([0, 1, 0, 1])
F = np.array([0.5, -0.5, 1.0, 2.0])


def masked(values, *index):
    mask = np.zeros(np.shape(values), bool)
    mask[index] = True
    return np.ma.masked_array(values, mask=mask)


CALLS = [
    ("y_true[2]", lambda: fl.LogLoss()(masked(Y, 2), F)),
    ("raw_prediction[1]", lambda: fl.LogLoss().gradient(Y, masked(F, 1))),
    ("sample_weight[3]", lambda: fl.LogLoss().loss_gradient(Y, F, masked(F**2, 3))),
    ("y_true[0]", lambda: fl.Huber().gradient_hessian(masked(F, 0), F)),
    ("raw_prediction[1, 2]", lambda: fl.CrossEntropy()(Y, masked(X, 1, 2))),
    ("y_true[1]", lambda: fl.CrossEntropy()(masked(Y, 1), X)),
    ("y_true[1]", lambda: fl.LogLoss().initial_prediction(masked(Y, 1))),
    ("y_true[1]", lambda: fl.LogLoss().partial(masked(Y, 1), F)),
    ("raw_prediction[1]", lambda: fl.LogLoss().predict(masked(F, 1))),
    ("X[3, 0]", lambda: fl.LinearObjective("log_loss", masked(X, 3, 0), Y)),
    ("y[1]", lambda: fl.LinearObjective("log_loss", X, masked(Y, 1))),
    ("coef[2]", lambda: fl.LinearObjective("log_loss", X, Y).loss(masked(F, 2))),
]


@pytest.mark.parametrize(("place", "call"), CALLS)
def test_a_masked_entry_is_named(place, call):
    with pytest.raises(ValueError, match="masked") as error:
        call()
    assert str(error.value) == (
        f"{place} is masked: expected an array without masked entries; fill them, and let a "
        f"sample_weight of 0 leave them out"
    )


def test_masked_arrays_without_a_masked_entry_are_arrays():
    for mask in (False, np.zeros(4, bool), np.ma.nomask):
        labels, raw = np.ma.masked_array(Y, mask=mask), np.ma.masked_array(F, mask=mask)
        assert fl.LogLoss()(labels, raw) == fl.LogLoss()(Y, F)


@pytest.mark.parametrize("make", [sparse.coo_matrix, sparse.coo_array])
@pytest.mark.parametrize("kind", ["coo", "csc", "bsr", "lil", "dok", "dia"])
def test_sparse_formats_that_are_not_csr(kind, make):
    other = make(X).asformat(kind)
    message = rf"^X is sparse of format '{kind}': expected 'csr', that is X\.tocsr\(\)$"
    with pytest.raises(TypeError, match=message):
        fl.LinearObjective("log_loss", other, Y)
    with pytest.raises(TypeError, match=message):
        fl.LinearSGD("log_loss", X.shape[1]).epoch(other, Y)
    objective = fl.LinearObjective("log_loss", other.tocsr(), Y)
    assert objective.loss(F) == pytest.approx(fl.LinearObjective("log_loss", X, Y).loss(F))
