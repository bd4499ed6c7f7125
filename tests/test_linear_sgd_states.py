"""States of `LinearSGD` that come from elsewhere: what they may hold, and what is refused."""

import pickle
import re

import numpy as np
import pytest

import fastloss as fl

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y = (X[:, 0] + rng.logistic(size=40) > 0).astype(np.int64)


def machine():
    sgd = fl.LinearSGD("log_loss", 3, penalty="elasticnet", learning_rate="constant", eta0=0.1)
    sgd.epoch(X, Y)
    return sgd


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("scale", 0.0, "a number greater than 0"),
        ("scale", -1.0, "a number greater than 0"),
        ("scale", np.inf, "a finite number"),
        ("penalty", -1e-300, "a number of at least 0"),
        ("penalty", -np.inf, "a finite number"),
        ("penalty", np.nan, "a finite number"),
        ("sums", np.inf, "a finite number"),
    ],
)
def test_numbers_that_no_state_becomes(name, value, expected):
    sgd = machine()
    before = sgd.state_dict()
    message = f"state[{name!r}] = {value!r}: expected {expected}"
    with pytest.raises(ValueError, match=re.escape(message)):
        sgd.load_state_dict({**before, name: value})
    assert sgd.epoch(X, Y) == machine().epoch(X, Y)  # as if nothing had been asked


@pytest.mark.parametrize("state", [None, [], "text", [("coef", np.zeros((1, 3)))]])
def test_a_state_is_a_dict(state):
    message = f"state: expected a dict, got {type(state).__name__}"
    with pytest.raises(TypeError, match=message):
        machine().load_state_dict(state)


def test_names_of_another_kind():
    sgd = machine()
    with pytest.raises(ValueError, match="state: has 3 too many or too few"):
        sgd.load_state_dict({**sgd.state_dict(), 3: 0.0})


@pytest.mark.parametrize(
    ("sgd", "text"),
    [
        (fl.LinearSGD("squared_error", 3), "LinearSGD(SquaredError(), 3)"),
        (
            fl.LinearSGD(
                "huber", np.int64(3), dtype=np.float32, average=10, class_weight=np.array([1, 2])
            ),
            "LinearSGD(Huber(delta=1.0, hessian='exact'), 3, dtype='float32', average=10, "
            "class_weight=[1.0, 2.0])",
        ),
        (
            fl.LinearSGD(fl.Huber(0.5), 3, penalty=None, optimizer=fl.optim.FTRL(lr=0.2)),
            "LinearSGD(Huber(delta=0.5, hessian='exact'), 3, penalty=None, "
            f"optimizer={fl.optim.FTRL(lr=0.2)!r})",
        ),
    ],
)
def test_the_representation(sgd, text):
    assert repr(sgd) == text
    again = eval(text, {**vars(fl.optim), **vars(fl)})
    assert repr(again) == text
    assert again._settings == sgd._settings
    again.epoch(X, Y)
    assert repr(pickle.loads(pickle.dumps(again))) == text


def test_the_representation_of_a_subclass():
    class Mine(fl.LinearSGD):
        pass

    assert repr(Mine("squared_error", 2, alpha=0.5)) == "Mine(SquaredError(), 2, alpha=0.5)"


def test_a_penalty_beyond_the_floats_goes_on():
    options = {"penalty": "l1", "alpha": 1e200, "learning_rate": "constant", "eta0": 1e200}
    sgd = fl.LinearSGD("hinge", 3, **options)
    sgd.epoch(X, Y)
    assert sgd.state_dict()["penalty"] == np.inf
    other = pickle.loads(pickle.dumps(sgd))
    assert other.epoch(X, Y) == sgd.epoch(X, Y)
    np.testing.assert_array_equal(other.coef, np.zeros(3))
    np.testing.assert_array_equal(other.intercept, sgd.intercept)


NAN_LEAVES_NOTHING = [
    {},
    {"average": True},
    {"batch_size": 8},
    {"momentum": 0.9},
    {"momentum": 0.9, "batch_size": 8, "average": True},
    {"penalty": "l1"},
    {"optimizer": fl.optim.Adam()},
    {"optimizer": fl.optim.FTRL()},
    {"optimizer": fl.optim.SGD(momentum=0.5), "average": True},
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", [0, 20, 39])
@pytest.mark.parametrize("options", NAN_LEAVES_NOTHING, ids=str)
def test_coefficients_that_are_set_bring_an_overflowed_model_back(options, row, dtype):
    sgd = fl.LinearSGD("log_loss", 3, dtype=dtype, **options)
    sgd.epoch(X, Y)
    before = sgd.state_dict()
    wrong = X.copy()
    wrong[row, 1] = np.nan
    with pytest.raises(ValueError, match=rf"X\[{row}, 1\] = nan"):
        sgd.epoch(wrong, Y)
    since = "coefficients have not been finite since an epoch before this"
    with pytest.raises(ValueError, match=since):
        sgd.epoch(X, Y)
    with pytest.raises(ValueError, match=since):
        pickle.loads(pickle.dumps(sgd)).epoch(X, Y)

    twin = pickle.loads(pickle.dumps(sgd))
    sgd.coef, sgd.intercept = np.full(3, 0.5), [0.0]
    assert np.isfinite(sgd.epoch(X, Y))
    assert (sgd.coef != 0.5).all()
    for array in (sgd.coef, sgd.average_coef, sgd.average_intercept):
        assert np.isfinite(array).all()

    twin.load_state_dict(before)  # or goes back
    twin.epoch(X, Y)
    straight = fl.LinearSGD("log_loss", 3, dtype=dtype, **options)
    straight.load_state_dict(before)
    straight.epoch(X, Y)
    np.testing.assert_array_equal(twin.coef, straight.coef)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_what_is_set_is_finite(value):
    sgd = machine()
    before = sgd.coef
    with pytest.raises(ValueError, match=rf"coef\[1\] = {value}: expected finite numbers"):
        sgd.coef = [0.0, value, 0.0]
    with pytest.raises(ValueError, match=rf"intercept\[0\] = {value}: expected finite numbers"):
        sgd.intercept = [value]
    np.testing.assert_array_equal(sgd.coef, before)


def test_a_large_average_is_left_without_a_warning():
    sgd = fl.LinearSGD("squared_error", 3, average=True)
    sgd.epoch(X, X[:, 0])
    sgd.coef = [1e308, 1.0, 1.0]
    assert sgd.average_coef.shape == (3,)
    sgd.coef = np.zeros(3)
    assert np.isfinite(sgd.average_coef).all()


@pytest.mark.parametrize("wrong", [{"n_features": 0}, {"alpha": -1.0}])
def test_a_half_made_one_has_a_repr(wrong):
    made = fl.LinearSGD.__new__(fl.LinearSGD)
    with pytest.raises(ValueError, match="expected"):
        made.__init__("log_loss", **{"n_features": 3, **wrong})
    assert "LinearSGD" in repr(made)
