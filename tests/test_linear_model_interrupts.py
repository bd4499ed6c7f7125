"""Ctrl-C and a true result of the callback end the whole fit, whichever part of it runs."""

import signal
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import fastloss as fl
from fastloss.linear_model import (
    HuberRegressor,
    LinearClassifier,
    _classifier,
    _huber,
    _huber_objective,
    _huber_start,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 4))
CLASSES = np.digitize(X[:, 0] + rng.logistic(size=300), [-1.0, 1.0])


@pytest.mark.parametrize("loss", ["squared_hinge", "hinge"])
def test_an_interrupt_ends_all_classes(loss):
    calls = []

    def interrupt(progress):
        calls.append(progress)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.warns(ConvergenceWarning, match="interrupted after") as caught:
        model = LinearClassifier(loss).fit(X, CLASSES, callback=interrupt)
    assert len(caught) == 1
    assert list(model.n_iter_[1:]) == [0, 0]
    assert not model.coef_[1:].any()
    assert [record.reason for record in model.convergence_] == ["interrupted"] * 3


def test_a_true_result_ends_all_classes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LinearClassifier("squared_hinge").fit(X, CLASSES, callback=lambda _: True)
    assert not model.n_iter_.any()
    assert {record.reason for record in model.convergence_} == {"stopped by the callback"}


def interrupted(function):
    """Return a function that Ctrl-C meets when it is called for the third time."""
    calls = []

    def third(*args, **kwargs):
        calls.append(0)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return function(*args, **kwargs)

    return third


def interrupt_objective(monkeypatch, module, name, method):
    """Let Ctrl-C meet the first objective made by a module."""

    class Interrupted(getattr(module, name)):
        pass

    setattr(Interrupted, method, interrupted(getattr(Interrupted, method)))
    made = []

    def make(*args, **kwargs):
        made.append(0)
        cls = Interrupted if len(made) == 1 else Interrupted.__base__
        return cls(*args, **kwargs)

    monkeypatch.setattr(module, name, make)


def test_an_interrupt_of_the_fit_before_the_fit(monkeypatch):
    class Fake:
        def __getattr__(self, name):
            return getattr(fl, name)

    fake = Fake()
    fake.LinearObjective = fl.LinearObjective
    monkeypatch.setattr(_classifier, "fl", fake)
    interrupt_objective(monkeypatch, fake, "LinearObjective", "loss_gradient")
    seen = []
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        LinearClassifier("crammer_singer").fit(X, CLASSES, callback=seen.append)
    assert not seen


def test_an_interrupt_of_hubers_first_guess(monkeypatch):
    interrupt_objective(monkeypatch, _huber_objective, "HuberScale", "loss_gradient")
    A = rng.normal(size=(5000, 2))
    seen = []
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        model = HuberRegressor().fit(A, A[:, 0] + rng.normal(size=5000), callback=seen.append)
    assert not seen
    assert model.n_iter_ == 0
    assert model.convergence_.reason == "interrupted"


def test_what_hubers_first_guess_had_reached_is_kept(monkeypatch):
    A = rng.normal(size=(50_000, 2))
    b = 3.0 * A[:, 0] + rng.normal(size=50_000)
    done = []

    def interrupt(*_):
        done.append(0)
        if len(done) == 4:
            raise KeyboardInterrupt

    monkeypatch.setitem(_huber_start._OPTIONS, "report", interrupt)
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        model = HuberRegressor().fit(A, b)
    assert len(done) == 4
    np.testing.assert_allclose(model.coef_, [3.0, 0.0], atol=0.1)


def test_an_interrupt_before_the_fit_keeps_the_coefficients_of_the_last(monkeypatch):
    A = rng.normal(size=(500, 2))
    model = HuberRegressor(warm_start=True).fit(A, A @ [1.0, 2.0] + rng.normal(size=500))
    before = model.coef_, model.scale_
    monkeypatch.setattr(_huber, "with_large_scale", _interrupt)
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        model.fit(A, A @ [3.0, 2.0])
    np.testing.assert_array_equal(model.coef_, before[0])
    np.testing.assert_allclose(model.scale_, before[1])


def _interrupt(*_):
    raise KeyboardInterrupt
