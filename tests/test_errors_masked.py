"""Masked arrays: no entry point reads, or writes, what is under a mask."""

import numpy as np
import pytest
from helpers.calls import OPERATIONS, raises

import fastloss as fl

rng = np.random.default_rng(0)
N = 30
X = rng.normal(size=(N, 3))
Y = np.arange(N) % 2


def masked(values, *index):
    """The values, one of them masked."""
    values = np.array(values)
    mask = np.zeros(values.shape, bool)
    mask[index] = True
    return np.ma.masked_array(values, mask=mask)


def message(place):
    return (
        f"{place} is masked: expected an array without masked entries; fill them, and let a "
        "sample_weight of 0 leave them out"
    )


def arguments(loss):
    """Labels and raw predictions that a loss takes."""
    if not hasattr(loss, "label_kind"):
        return np.ones(8), np.full(8, 0.25)
    f = np.linspace(-2.0, -0.5, 8 * (loss.n_outputs or 3)).reshape(8, -1)
    if loss.label_kind in ("class", "class or soft", "value"):
        return np.ones(8, int), f
    return np.full(f.shape, 0.25 if loss.label_kind == "targets" else -1.0), f


@pytest.mark.parametrize("name", fl.available_losses())
def test_losses(name):
    loss = fl.get_loss(name)
    y, f = arguments(loss)
    w = np.ones(8)
    at = (3,) if y.ndim == 1 else (3, 1)
    label = f"y_true[{', '.join(map(str, at))}]"
    raw = "raw_prediction[2]" if f.ndim == 1 else "raw_prediction[2, 0]"
    for method in (*OPERATIONS, "partial", "__call__"):
        call = getattr(loss, method)
        with raises(ValueError, message(label)):
            call(masked(y, *at), f)
        with raises(ValueError, message(raw)):
            call(y, masked(f, *(2, 0)[: f.ndim]))
        with raises(ValueError, message("sample_weight[7]")):
            call(y, f, masked(w, 7))
    with raises(ValueError, message(raw)):
        loss.predict(masked(f, *(2, 0)[: f.ndim]))
    with raises(ValueError, message(label)):
        loss.initial_prediction(masked(y, *at))
    with raises(ValueError, message("sample_weight[7]")):
        loss.initial_prediction(y, masked(w, 7))
    out = np.ma.masked_array(np.zeros_like(f), mask=np.ones(f.shape, bool))
    with raises(ValueError, message(f"out (gradient)[{', '.join('0' * f.ndim)}]")):
        loss.gradient(y, f, out=out)
    assert not np.any(out.data)
    # nothing is hidden
    assert loss.loss(np.ma.masked_array(y), np.ma.masked_array(f)) == loss.loss(y, f)


def test_threshold_gradient_and_check_gradient():
    loss, f = fl.CumulativeLogit((-1.0, 1.0)), X[:, 0]
    for call in (loss.threshold_gradient, lambda *a: fl.check_gradient(loss, *a)):
        for place, given in (
            ("y_true[1]", (masked(Y, 1), f)),
            ("raw_prediction[2]", (Y, masked(f, 2))),
            ("sample_weight[0]", (Y, f, masked(np.ones(N), 0))),
        ):
            with raises(ValueError, message(place)):
                call(*given)


@pytest.mark.parametrize(
    ("place", "given"),
    [
        ("X[4, 1]", {"X": masked(X, 4, 1)}),
        ("y[29]", {"y": masked(Y, 29)}),
        ("sample_weight[1]", {"sample_weight": masked(np.ones(N), 1)}),
        ("offset[3]", {"offset": masked(np.ones(N), 3)}),
        ("l2[2]", {"l2": masked(np.ones(3), 2)}),
    ],
)
def test_linear_objective(place, given):
    with raises(ValueError, message(place)):
        fl.LinearObjective("log_loss", **{"X": X, "y": Y, **given})


def test_coefficients():
    objective = fl.LinearObjective("log_loss", X, Y)
    coef = masked(np.ones(4), 1)
    for call in (objective.loss, objective.loss_gradient, objective.gradient):
        with raises(ValueError, message("coef[1]")):
            call(coef)
    with raises(ValueError, message("v[1]")):
        objective.hessian_product(np.ones(4), coef)
    with raises(ValueError, message("out[1]")):
        objective.gradient(np.ones(4), out=coef)


@pytest.mark.parametrize(
    ("place", "given"),
    [
        ("X[4, 1]", {"X": masked(X, 4, 1)}),
        ("y[29]", {"y": masked(Y, 29)}),
        ("sample_weight[1]", {"sample_weight": masked(np.ones(N), 1)}),
        ("order[3]", {"order": masked(np.arange(N), 3)}),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 4])
def test_linear_sgd(place, given, batch_size):
    sgd = fl.LinearSGD("log_loss", 3, batch_size=batch_size)
    with raises(ValueError, message(place)):
        sgd.epoch(**{"X": X, "y": Y, **given})
    assert sgd.t == 1


def test_coefficients_of_linear_sgd():
    sgd = fl.LinearSGD("log_loss", 3)
    with raises(ValueError, message("coef[1]")):
        sgd.coef = masked(np.ones(3), 1)
    with raises(ValueError, message("intercept[0]")):
        sgd.intercept = masked(np.ones(1), 0)
    assert not sgd.coef.any()
    assert not sgd.intercept.any()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (fl.CrossEntropy, "class_weight"),
        (fl.CrossEntropy, "logit_adjustment"),
        (fl.MulticlassFocal, "alpha"),
    ],
)
def test_parameters_of_losses(make, name):
    with raises(ValueError, message(f"{name}[1]")):
        make(**{name: masked([0.1, 0.2, 0.3], 1)})
    assert make(**{name: np.ma.array([0.5, 1.0])}).params[name] == (0.5, 1.0)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "FTRL"])
def test_optimizers(name):
    optimizer = getattr(fl.optim, name)(lr=0.1)
    good, bad = np.zeros((4, 2)), masked(np.zeros((4, 2)), 1, 0)
    for place, call in (
        ("params[1][1, 0]", lambda: optimizer.step([good, bad], [good + 1, good + 1])),
        ("grads[0][1, 0]", lambda: optimizer.step([good], [bad])),
        ("param[1, 0]", lambda: optimizer.step_rows(bad, [1], np.ones((1, 2)))),
        ("grads[1, 0]", lambda: optimizer.step_rows(good, [0, 1, 2, 3], bad)),
        ("rows[0]", lambda: optimizer.step_rows(good, masked([1, 2], 0), np.ones((2, 2)))),
    ):
        with raises(ValueError, message(place)):
            call()
    assert not good.any()
    assert not bad.data.any()


def test_sgd_step_and_clipping():
    good, bad = np.zeros(4), masked(np.zeros(4), 1)
    for place, call in (
        ("param[1]", lambda: fl.sgd_step(bad, good.copy(), lr=1.0)),
        ("grad[1]", lambda: fl.sgd_step(good, bad, lr=1.0)),
        (
            "momentum_buffer[1]",
            lambda: fl.sgd_step(good, good + 1, lr=1.0, momentum=0.5, momentum_buffer=bad),
        ),
        ("grads[1]", lambda: fl.optim.clip_grad_norm(bad, 1.0)),
        ("grads[0][1]", lambda: fl.optim.clip_grad_value([bad], 1.0)),
    ):
        with raises(ValueError, message(place)):
            call()
    assert not good.any()


# ---------------------------------------------------------------- estimators

ESTIMATORS = (
    "GammaRegressor",
    "HuberRegressor",
    "LinearClassifier",
    "LinearRegressor",
    "LogisticRegression",
    "PoissonRegressor",
    "QuantileRegressor",
    "SGDClassifier",
    "SGDRegressor",
    "TweedieRegressor",
)


def estimator(name):
    linear_model = pytest.importorskip("fastloss.linear_model")
    return getattr(linear_model, name)()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators(name):
    model, y = estimator(name), Y + 1
    methods = ["fit", "partial_fit"] if name.startswith("SGD") else ["fit"]
    for method in methods:
        call = getattr(model, method)
        options = {"classes": [1, 2]} if (name, method) == ("SGDClassifier", "partial_fit") else {}
        for place, given in (
            ("X[4, 1]", (masked(X, 4, 1), y)),
            ("y[29]", (X, masked(y, 29))),
            ("sample_weight[1]", (X, y, masked(np.ones(N), 1))),
            ("sample_weight[1]", (X, y, masked(np.zeros(N), 1))),
        ):
            named = dict(zip(("X", "y", "sample_weight"), given, strict=False))
            with raises(ValueError, message(place)):
                call(**named, **options)
    model.fit(np.ma.masked_array(X), np.ma.masked_array(y))
    for method in ("predict", "decision_function", "predict_proba"):
        if hasattr(model, method):
            with raises(ValueError, message("X[0, 2]")):
                getattr(model, method)(masked(X, 0, 2))


@pytest.mark.parametrize("name", ["SGDClassifier", "SGDRegressor"])
def test_coefficients_to_start_from(name):
    model = estimator(name)
    with raises(ValueError, message("coef_init[2]")):
        model.fit(X, Y, coef_init=masked(np.ones(3), 2))
    with raises(ValueError, message("intercept_init[0]")):
        model.fit(X, Y, intercept_init=masked(np.ones(1), 0))


@pytest.mark.parametrize("name", ["SGDClassifier", "SGDRegressor"])
def test_batches_and_validation_data(name):
    model = estimator(name)
    batches = [(X, Y), (masked(X, 4, 1), Y)]
    with pytest.raises(ValueError, match=r"^batch 1: X\[4, 1\] is masked: expected an array"):
        model.fit(batches)
    with pytest.raises(ValueError, match=r"^batch 0: y\[3\] is masked: expected an array"):
        model.fit([(X, masked(Y, 3))])
    for place, data in (
        ("X[4, 1]", (masked(X, 4, 1), Y)),
        ("y[0]", (X, masked(Y, 0))),
        ("sample_weight[0]", (X, Y, masked(np.ones(N), 0))),
    ):
        with raises(ValueError, f"validation_data: {message(place)}"):
            model.fit(X, Y, validation_data=data)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_scores(name):
    model = estimator(name).fit(X, Y + 1)
    with raises(ValueError, message("y[3]")):
        model.score(X, masked(Y + 1, 3))
    with raises(ValueError, message("sample_weight[3]")):
        model.score(X, Y + 1, masked(np.ones(N), 3))
    plain = model.score(X, Y + 1, np.ones(N))
    assert model.score(X, np.ma.masked_array(Y + 1), np.ma.ones(N)) == plain
