"""The best constant prediction minimises the weighted mean loss, and is finite."""

import numpy as np
import pytest
from mpmath import mp
from references import CASES, REFERENCES, case_id
from references.base import exactly, identity, labels_of

import fastloss as fl

every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)


def total(reference, params, y, w, constant):
    """The exact weighted sum of losses at a constant."""
    exact = exactly(params)
    return mp.fsum(
        mp.mpf(float(wi)) * reference.loss(mp.mpf(float(yi)), mp.mpf(constant), **exact)
        for yi, wi in zip(y, w, strict=True)
    )


def is_minimiser(reference, params, y, w, constant):
    """
    Nothing near is lower, but for the rounding of `constant`; of a loss that is not convex, at
    all points of a grid too.
    """
    with mp.workprec(200):

        def at(shift):
            return total(reference, params, y, w, mp.mpf(constant) + shift)

        last_place = mp.mpf(2) ** -51 * (abs(constant) + max(abs(float(yi)) for yi in y))
        here = at(0)
        slack = max(abs(at(last_place) - here), abs(at(-last_place) - here)) + abs(here) * 1e-15
        if not reference.convex and any(
            total(reference, params, y, w, float(at_all)) < here - slack
            for at_all in np.linspace(min(y), max(y), 50)
        ):
            return False
        return all(
            min(at(step), at(-step)) >= here - slack
            for step in (1e-2 * (1 + abs(constant)), 1e-4 * (1 + abs(constant)), 1e-6)
        )


# the optimum of a single class is infinite, but where the margin ends
SIZED = [
    (reference, params, n)
    for reference, params in CASES
    for n in (1, 2, 7, 40)
    if n > 1 or reference.labels != "binary" or reference.predict is identity
]


@pytest.mark.parametrize(("reference", "params", "n"), SIZED, ids=case_id)
@pytest.mark.parametrize("weights", ["none", "some", "ties"])
def test_minimises(reference, params, weights, n):
    rng = np.random.default_rng([16, n])
    for _ in range(3):
        labels = reference.labels_for(params)
        y = labels_of(labels, rng, n)
        if reference.row == "bounded" and labels == "finite":
            y = np.abs(y) + 1  # a mean that is not positive has no logarithm
        if weights == "ties":
            y = np.ceil(y) if labels in ("positive", "above_minus_one") else np.round(y)
        w = np.ones(n) if weights != "some" else rng.integers(0, 4, n).astype(float)
        w[0] = max(w[0], 1)
        if labels in ("binary", "unit_interval", "nonnegative") and n > 1:
            y[0], y[-1], w[-1] = 0.0, 1.0, max(w[-1], 1)  # the optimum is finite
        elif labels == "classes":
            y[0] = 1.0
        elif labels == "unit_interval":
            y[0] = 0.25
        elif labels == "nonnegative":
            y[0] = 3.0
        constant = fl.get_loss(reference.name, **params).initial_prediction(
            y, None if weights == "none" else w
        )
        assert type(constant) is float
        assert is_minimiser(reference, params, y, w, constant), (y, w, constant)


HILLY = [
    case
    for case in CASES
    if not case[0].convex and case[0].labels == "finite" and "hessian" not in case[1]
]


@pytest.mark.parametrize(("reference", "params"), HILLY, ids=case_id)
@pytest.mark.parametrize("n", [2, 5, 30])
def test_no_constant_of_a_dense_grid_is_lower(reference, params, n):
    """Losses that are not convex have many minima; labels in clusters about as wide as the scale."""
    rng = np.random.default_rng([19, n])
    scale = params.get("c", next(iter(params.values()), 1.0))
    y = np.round(rng.choice([-4.0, -0.7, 0.9, 3.0], n) + rng.normal(size=n) / 4, 3) * scale
    w = rng.integers(1, 4, n).astype(float)
    loss = fl.get_loss(reference.name, **params)
    constant = loss.initial_prediction(y, w)
    grid = np.concatenate([np.linspace(y.min() - scale, y.max() + scale, 20001), y])
    labels = np.broadcast_to(y, (len(grid), n))
    each = loss.loss(labels, np.repeat(grid[:, None], n, axis=1), reduction="none") @ w
    assert loss.loss(y, np.full(n, constant), w, reduction="sum") <= each.min() * (1 + 1e-12)


@pytest.mark.parametrize("loss", [fl.Cauchy(0.2), fl.Tukey(0.5), fl.Wing(0.5, 0.1)])
def test_the_lowest_minimum_of_many_labels(loss):
    """More of them than are tried one by one; they are denser about 3 than about 0."""
    rng = np.random.default_rng(20)
    y = np.concatenate([rng.normal(size=10_000), rng.normal(3.0, 0.5, size=10_000)])
    constant = loss.initial_prediction(y)
    grid = np.linspace(-2, 5, 1401)
    each = [loss.loss(y, np.full_like(y, point)) for point in grid]
    assert loss.loss(y, np.full_like(y, constant)) <= min(each) * (1 + 1e-6)


def test_is_minimiser_can_say_no():
    reference = REFERENCES["squared_error"]
    y, w = np.array([0.0, 1.0]), np.ones(2)
    assert is_minimiser(reference, {}, y, w, 0.5)
    assert not is_minimiser(reference, {}, y, w, 0.5001)


@every_loss
@pytest.mark.parametrize("label", [0, 1])
def test_finite_for_labels_of_one_class(reference, label):
    loss = fl.get_loss(reference.name)
    label = int(reference.hard(label))
    for n in (1, 1000):
        constant = loss.initial_prediction(np.full(n, label))
        assert np.isfinite(constant)
        assert np.isfinite(loss.loss(np.full(n, label), np.full(n, constant)))
        assert np.isfinite(loss.predict(np.float32(constant))).all()
    hopeful = {"log_loss": 30, "poisson": 30, "tweedie": 30, "negative_binomial": 30}.get(
        reference.name
    )
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
    y = reference.hard([[0, 1, 1], [1, 0, 1]])
    loss = fl.get_loss(reference.name)
    expected = loss.initial_prediction(y.ravel().astype(float))
    assert loss.initial_prediction(y) == expected
    if y.max() == 1:
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
    w = np.full(4, 1e308)
    for name, reference in REFERENCES.items():
        y = reference.hard([0.0, 1.0, 1.0, 1.0])
        assert np.isfinite(fl.get_loss(name).initial_prediction(y, w)), reference


def test_log_loss_with_costs_shifts_the_logit():
    y = np.array([1.0, 0, 0, 0])
    assert fl.LogLoss().initial_prediction(y) == pytest.approx(np.log(1 / 3), rel=1e-15)
    assert fl.LogLoss(pos_weight=3.0).initial_prediction(y) == pytest.approx(0.0, abs=1e-15)
    assert fl.LogLoss(cost_fn=6.0, cost_fp=2.0).initial_prediction(y) == pytest.approx(
        0.0, abs=1e-15
    )
