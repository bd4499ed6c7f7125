"""The best constant prediction minimises the weighted mean loss, and is finite."""

import numpy as np
import pytest
from mpmath import mp
from references import CASES, REFERENCES, case_id
from references.base import exact_params, identity, labels_of

import fastloss as fl

every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)


def total(reference, params, y, w, constant):
    """The exact weighted sum of losses at a constant."""
    exact = exact_params(params)
    return mp.fsum(
        mp.mpf(float(wi)) * reference.loss(mp.mpf(float(yi)), mp.mpf(constant), **exact)
        for yi, wi in zip(y, w, strict=True)
    )


def is_minimiser(reference, params, y, w, constant):
    """
    All losses here are convex: nothing near is lower, but for the rounding of `constant`.
    """
    with mp.workprec(200):

        def at(shift):
            return total(reference, params, y, w, mp.mpf(constant) + shift)

        last_place = mp.mpf(2) ** -51 * (abs(constant) + max(abs(float(yi)) for yi in y))
        here = at(0)
        slack = max(abs(at(last_place) - here), abs(at(-last_place) - here)) + abs(here) * 1e-15
        return all(
            min(at(step), at(-step)) >= here - slack
            for step in (1e-2 * (1 + abs(constant)), 1e-4 * (1 + abs(constant)), 1e-6)
        )


# the optimum within an epsilon of the edge of its domain is clipped there, as the docs say
REACHABLE = [case for case in CASES if case[1].get("pos_weight", 1.0) > 1e-6]


@pytest.mark.parametrize(("reference", "params"), REACHABLE, ids=case_id)
@pytest.mark.parametrize("weights", ["none", "some", "ties"])
@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_minimises(reference, params, weights, n):
    rng = np.random.default_rng([16, n])
    if n == 1 and reference.labels == "binary" and reference.predict is not identity:
        pytest.skip("the optimum of a single class is infinite")
    for _ in range(3):
        y = labels_of(reference.labels, rng, n)
        if weights == "ties":
            y = np.round(y)
        w = np.ones(n) if weights != "some" else rng.integers(0, 4, n).astype(float)
        w[0] = max(w[0], 1)
        if reference.labels in ("binary", "unit_interval", "nonnegative") and n > 1:
            y[0], y[-1], w[-1] = 0.0, 1.0, max(w[-1], 1)  # the optimum is finite
        elif reference.labels == "unit_interval":
            y[0] = 0.25
        elif reference.labels == "nonnegative":
            y[0] = 3.0
        constant = fl.get_loss(reference.name, **params).initial_prediction(
            y, None if weights == "none" else w
        )
        assert type(constant) is float
        assert is_minimiser(reference, params, y, w, constant), (y, w, constant)


def test_is_minimiser_can_say_no():
    reference = REFERENCES["squared_error"]
    y, w = np.array([0.0, 1.0]), np.ones(2)
    assert is_minimiser(reference, {}, y, w, 0.5)
    assert not is_minimiser(reference, {}, y, w, 0.5001)


@every_loss
@pytest.mark.parametrize("label", [0, 1])
def test_finite_for_labels_of_one_class(reference, label):
    loss = fl.get_loss(reference.name)
    for n in (1, 1000):
        constant = loss.initial_prediction(np.full(n, label))
        assert np.isfinite(constant)
        assert np.isfinite(loss.loss(np.full(n, label), np.full(n, constant)))
        assert np.isfinite(loss.predict(np.float32(constant)))
    hopeful = {"log_loss": 30, "poisson": 30}.get(reference.name)
    if hopeful and label == 0:
        assert constant < -hopeful


@every_loss
def test_samples_of_weight_zero_do_not_count(reference):
    rng = np.random.default_rng(17)
    y = labels_of(reference.labels, rng, 50)
    w = rng.integers(0, 2, 50).astype(float)
    w[0] = 1
    loss = fl.get_loss(reference.name)
    with_zeros = loss.initial_prediction(y, w)
    assert with_zeros == pytest.approx(loss.initial_prediction(y[w > 0], w[w > 0]), rel=1e-13)


@every_loss
def test_any_dtype_and_shape(reference):
    y = np.array([[0, 1, 1], [1, 0, 1]])
    loss = fl.get_loss(reference.name)
    expected = loss.initial_prediction(y.ravel().astype(float))
    assert loss.initial_prediction(y) == expected
    assert loss.initial_prediction(y.astype(bool).T) == expected
    assert loss.initial_prediction(y.astype(">f4")[::-1]) == expected
    assert loss.initial_prediction(y.tolist()) == expected
    assert loss.initial_prediction(y, np.ones((2, 3), dtype=np.uint8)) == expected


def test_quantiles_of_ties_and_intervals():
    """The middle of the interval of minimisers, as the usual median: NumPy's on an even count."""
    assert fl.AbsoluteError().initial_prediction([1, 2, 3, 10]) == 2.5
    assert fl.AbsoluteError().initial_prediction([1, 2, 3]) == 2
    assert fl.AbsoluteError().initial_prediction([1, 2, 3], [1, 1, 2]) == 2.5
    assert fl.AbsoluteError().initial_prediction([1, 2, 3], [1, 1, 2.0001]) == 3
    assert fl.Pinball(0.25).initial_prediction([4, 1, 2, 3]) == 1.5
    assert fl.Pinball(0.999).initial_prediction([4, 1, 2, 3]) == 4
    assert fl.Pinball(0.001).initial_prediction([4, 1, 2, 3]) == 1
    assert fl.AbsoluteError().initial_prediction([5, 5, 5, 5]) == 5
    rng = np.random.default_rng(18)
    for n in (9, 10, 1001):
        y = rng.normal(size=n)
        assert fl.AbsoluteError().initial_prediction(y) == pytest.approx(np.median(y), rel=1e-15)


def test_large_labels_do_not_overflow():
    y = np.array([1.7e308, 1.7e308, 1.6e308])
    for loss in (fl.SquaredError(), fl.HalfSquaredError(), fl.AbsoluteError(), fl.Poisson()):
        assert np.isfinite(loss.initial_prediction(y))
    assert fl.SquaredError().initial_prediction(y) == pytest.approx(5 / 3 * 1e308, rel=1e-15)
    even = np.array([1.6e308, 1.7e308])
    assert fl.AbsoluteError().initial_prediction(even) == pytest.approx(1.65e308)


def test_large_weights_do_not_overflow():
    y, w = np.array([0.0, 1.0, 1.0, 1.0]), np.full(4, 1e308)
    for name, reference in REFERENCES.items():
        assert np.isfinite(fl.get_loss(name).initial_prediction(y, w)), reference


def test_log_loss_with_costs_shifts_the_logit():
    y = np.array([1.0, 0, 0, 0])
    assert fl.LogLoss().initial_prediction(y) == pytest.approx(np.log(1 / 3), rel=1e-15)
    assert fl.LogLoss(pos_weight=3.0).initial_prediction(y) == pytest.approx(0.0, abs=1e-15)
    assert fl.LogLoss(cost_fn=6.0, cost_fp=2.0).initial_prediction(y) == pytest.approx(
        0.0, abs=1e-15
    )
