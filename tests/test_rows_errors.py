"""Losses of several outputs: every message."""

import re

import numpy as np
import pytest
from helpers.calls import raises
from helpers.rows import data, every_loss

import fastloss as fl


@every_loss
def test_shapes_that_do_not_fit(reference, n_outputs, params):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 4)
    with pytest.raises(ValueError, match=r"^y_true has shape \(3,.*raw_prediction has shape"):
        loss(y[:3], f)
    with pytest.raises(ValueError, match=r"^sample_weight has shape \(3,\): expected \(4,\)"):
        loss(y, f, w[:3])
    with pytest.raises(ValueError, match=r"^axis = 2: raw_prediction has 2 axes"):
        loss(y, f, axis=2)
    with pytest.raises(ValueError, match="raw_prediction has no axis"):
        loss(1.0, 1.0)
    with pytest.raises(TypeError, match="raw_prediction has dtype int64: expected float32"):
        loss(y, f.astype(int))
    other = y.astype(np.float64)[:, 0] if y.ndim == 2 else np.tile(y, (n_outputs, 1)).T
    if n_outputs > 1:
        with pytest.raises(ValueError, match=r"^y_true has shape .*: expected "):
            loss(other, f)


BAD_LABELS = {
    "class": (-1, 99, 0.5, np.nan, np.inf),
    "value": (np.nan, np.inf, -np.inf),
    "targets": (-0.25, np.nan, np.inf),
    "log_targets": (np.inf, np.nan),
    "sets": (-2, 99, 0.5, np.nan),
}


@every_loss
@pytest.mark.parametrize("in_place", [False, True])
def test_labels_outside_the_domain(reference, n_outputs, params, in_place):
    loss = fl.get_loss(reference.name, **params)
    for position in (0, 13, 39):
        for bad in BAD_LABELS[reference.labels]:
            y, f, w = data(reference, n_outputs, 40)
            y = y.astype(np.float64)
            where = (position, 0) if y.ndim == 2 else (position,)
            y[where] = bad
            before = f.copy()
            inside = ", ".join(map(str, where))
            value = re.escape(repr(float(bad)))
            message = rf"^y_true\[{inside}\] = {value}: {type(loss).__name__} expects "
            with pytest.raises(ValueError, match=message):
                loss.gradient(y, f, w, out=f if in_place else None)
            np.testing.assert_array_equal(f, before)


def test_how_many_outputs():
    with raises(ValueError, "raw_prediction has 3 outputs a sample: GaussianNLL expects 2"):
        fl.GaussianNLL()([1.0], [[1.0, 2.0, 3.0]])
    with raises(ValueError, "raw_prediction has 2 outputs a sample: MultiPinball expects 3"):
        fl.MultiPinball()([1.0], [[1.0, 2.0]])
    with raises(
        ValueError,
        "alpha has 2 entries, raw_prediction has 3 outputs a sample: they must be equal",
    ):
        fl.MulticlassFocal(alpha=(1, 2))([1], [[1.0, 2.0, 3.0]])
    with raises(
        ValueError,
        "importance has 1 entries, raw_prediction has 2 outputs a sample: they must be equal",
    ):
        fl.Coral(importance=[1.0]).predict([[1.0, 2.0]])
    with raises(ValueError, "y_true[0] = 3: Coral expects class labels 0 to 2"):
        fl.Coral()([3], [[1.0, 2.0]])


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: fl.MulticlassFocal(gamma=-1),
            ValueError,
            "gamma = -1: expected a number in [0, 10000]",
        ),
        (
            lambda: fl.MulticlassFocal(alpha=3),
            TypeError,
            "alpha = 3: expected a sequence of numbers",
        ),
        (
            lambda: fl.MulticlassFocal(alpha=[1, -2]),
            ValueError,
            "alpha[1] = -2: expected a number of at least 0",
        ),
        (
            lambda: fl.MulticlassFocal(hessian="no"),
            ValueError,
            "hessian = 'no': expected 'exact' or 'bounded'",
        ),
        (
            lambda: fl.MulticlassGeneralizedCE(1e-31),
            ValueError,
            "q = 1e-31: expected a number, 0 or in [1e-30, 1]",
        ),
        (
            lambda: fl.SymmetricCrossEntropy(log_zero=0),
            ValueError,
            "log_zero = 0: expected a number less than 0",
        ),
        (
            lambda: fl.SymmetricCrossEntropy(beta=-2),
            ValueError,
            "beta = -2.0: expected a number of at least 0",
        ),
        (lambda: fl.MulticlassHinge(p=3), ValueError, "p = 3: expected 1 or 2"),
        (
            lambda: fl.MulticlassHinge(over_classes="all"),
            ValueError,
            "over_classes = 'all': expected one of 'mean', 'sum'",
        ),
        (lambda: fl.CrammerSinger(0), ValueError, "margin = 0: expected a number greater than 0"),
        (
            lambda: fl.MultiPinball((0.5, 1.0)),
            ValueError,
            "quantiles[1] = 1.0: expected a number in (0, 1)",
        ),
        (lambda: fl.MultiPinball(()), ValueError, "quantiles = (): expected at least one number"),
        (lambda: fl.KLDivergence(1), TypeError, "log_target = 1: expected True or False"),
        (
            lambda: fl.NLL(class_weight=[1, np.nan]),
            ValueError,
            "class_weight[1] = nan: expected a finite number of at least 0",
        ),
        (
            lambda: fl.NLL(ignore_index=0.5),
            TypeError,
            "ignore_index = 0.5: expected an integer or None",
        ),
    ],
)
def test_parameters_outside_their_domain(build, error, message):
    with raises(error, message):
        build()
