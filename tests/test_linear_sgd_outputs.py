"""LinearSGD: how many outputs there are, and errors in the words of its own arguments."""

import numpy as np
import pytest
from helpers.calls import raises

import fastloss as fl

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
y = np.arange(30) % 3


@pytest.mark.parametrize("name", ["cross_entropy", "multiclass_hinge", "coral", "nll"])
def test_outputs_that_nobody_knows(name):
    loss = fl.get_loss(name)
    message = (
        f"n_outputs: {type(loss).__name__} needs it, expected the number of outputs, such as 3"
    )
    for given in (name, loss):
        with raises(TypeError, message):
            fl.LinearSGD(given, 3)
    assert fl.LinearSGD(name, 3, n_outputs=1).n_outputs == 1


def test_outputs_under_one_vs_rest():
    with raises(
        TypeError,
        "n_outputs: one_vs_rest = True needs it, expected the number of outputs, such as 3",
    ):
        fl.LinearSGD("hinge", 3, one_vs_rest=True)
    assert fl.LinearSGD("hinge", 3, one_vs_rest=True, n_outputs=2).coef.shape == (2, 3)


@pytest.mark.parametrize(
    ("loss", "known"),
    [
        (fl.LogLoss(), 1),
        (fl.GaussianNLL(), 2),
        (fl.MultiPinball((0.1, 0.5, 0.9)), 3),
        (fl.CrossEntropy(class_weight=[1.0, 2.0, 3.0]), 3),
        (fl.CrossEntropy(logit_adjustment=[0.0, 1.0]), 2),
        (fl.NLL(class_weight=[1.0, 2.0]), 2),
    ],
    ids=repr,
)
def test_outputs_that_the_loss_knows(loss, known):
    sgd = fl.LinearSGD(loss, 3)
    assert sgd.n_outputs == known
    sgd.epoch(X, y % known if known > 1 else y % 2)
    assert fl.LinearSGD(loss, 3, n_outputs=known).n_outputs == known
    has = "LogLoss has one, unless one_vs_rest=True" if known == 1 else f"{loss!r} has {known}"
    with raises(ValueError, f"n_outputs = 4: {has}"):
        fl.LinearSGD(loss, 3, n_outputs=4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_labels_are_y(dtype):
    def error(loss, labels, kind=ValueError, **options):
        with pytest.raises(kind) as raised:
            fl.LinearSGD(loss, 3, dtype=dtype, **options).epoch(X, labels)
        return str(raised.value)

    assert error("log_loss", y) == "y[2] = 2: LogLoss expects labels in [0, 1]"
    assert error("poisson", y - 1.0) == "y[0] = -1.0: Poisson expects finite labels of at least 0"
    assert error("gamma", y) == "y[0] = 0: Gamma expects finite labels greater than 0"
    assert error("cross_entropy", y, n_outputs=2) == (
        "y[2] = 2: CrossEntropy expects class labels 0 to 1"
    )
    assert error("log_loss", y.astype("U"), TypeError).startswith("y has dtype <U")
    assert error("gamma", y, one_vs_rest=True, n_outputs=3) == (
        "one_vs_rest = True: expected a loss that takes labels 0 and 1, unlike Gamma"
    )


@pytest.mark.parametrize(
    "labels",
    [y, y - 1.0, np.where(y == 2, np.nan, y), y + 0.5],
    ids=["classes", "negative", "nan", "halves"],
)
def test_no_error_of_a_linear_model_speaks_of_y_true(labels):
    """That is the name of the losses' argument."""
    linear_model = pytest.importorskip("fastloss.linear_model")
    calls = []
    for name in fl.available_losses():
        calls.append(lambda name=name: fl.LinearObjective(name, X, labels, n_outputs=2))
        calls.append(lambda name=name: fl.LinearSGD(name, 3, n_outputs=2).epoch(X, labels))
        calls.append(lambda name=name: fl.LinearSGD(name, 3, n_outputs=1).epoch(X, labels))
    for name in linear_model._losses.NUMBERS - {"cauchy", "tukey", "welsch", "geman_mc_clure"}:
        for model in (linear_model.LinearRegressor, linear_model.SGDRegressor):
            calls.append(lambda model=model, name=name: model(name, max_iter=1).fit(X, labels))
    for name in ("PoissonRegressor", "GammaRegressor", "TweedieRegressor", "HuberRegressor"):
        model = getattr(linear_model, name)
        calls.append(lambda model=model: model(max_iter=1).fit(X, labels))
    seen = []
    for call in calls:
        try:
            call()
        except (TypeError, ValueError, UserWarning) as error:
            seen.append(str(error))
    assert len(seen) > 50
    assert not [message for message in seen if "y_true" in message or "raw_prediction" in message]
