"""What an optimizer keeps: saved, loaded, pickled, and gone on with to the same bits."""

import copy
import pickle

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from helpers.calls import both_dtypes, raises
from helpers.optimizers import NAMES, draw_settings

import fastloss as fl

every_optimizer = pytest.mark.parametrize("name", NAMES)


def train(optimizer, params, rng, steps, rows=False):
    for _ in range(steps):
        grads = [np.asarray(rng.normal(size=param.shape)).astype(param.dtype) for param in params]
        optimizer.step(params, grads)
        if rows:
            optimizer.step_rows(params[0], [1, 0, 1], grads[0][:3], position=0)


def through_pickle(optimizer):
    return pickle.loads(pickle.dumps(optimizer))


def through_a_dict(optimizer):
    other = type(optimizer)()
    other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    return other


@every_optimizer
@both_dtypes
@pytest.mark.parametrize("way", [through_pickle, through_a_dict, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("rows", [False, True])
def test_goes_on_with_the_same_bits(name, dtype, way, rows):
    options = draw_settings(name, np.random.default_rng(len(name)))
    options["lr"] = fl.optim.WarmUp(2, 0.1) if rows else 0.1
    rng = np.random.default_rng(31)
    params = [rng.normal(size=(4, 3)).astype(dtype), np.array(0.5, dtype), np.ones(0, dtype)]
    optimizer = getattr(fl.optim, name)(**options)
    train(optimizer, params, rng, 3, rows)
    if name == "FTRL" and not rows:
        optimizer.lr = 0.2
    copies, other = [param.copy() for param in params], way(optimizer)
    assert type(other) is type(optimizer)
    assert other.settings == optimizer.settings
    train(optimizer, params, np.random.default_rng(32), 3, rows)
    train(other, copies, np.random.default_rng(32), 3, rows)
    for param, again in zip(params, copies, strict=True):
        np.testing.assert_array_equal(param, again)


@every_optimizer
def test_a_saved_state_is_a_copy(name):
    optimizer, param = getattr(fl.optim, name)(), np.ones(3)
    optimizer.step(param, np.ones(3))
    saved = optimizer.state_dict()
    kept = copy.deepcopy(saved)
    optimizer.step(param, np.ones(3))
    np.testing.assert_equal(saved, kept)
    optimizer.load_state_dict(saved)
    other = param.copy()
    for entry in saved["state"].values():
        for value in entry.values():
            if isinstance(value, np.ndarray):
                value[...] = np.nan
    optimizer.step(other, np.ones(3))
    assert np.isfinite(other).all()


@pytest.mark.parametrize("layout", ["contiguous", "fortran", "sliced", "swapped"])
def test_states_fit_parameters_of_any_layout(layout):
    param = LAYOUTS[layout](np.ones((3, 4)))
    optimizer = fl.optim.RMSprop(momentum=0.9, centered=True)
    optimizer.step(param, np.ones((3, 4)))
    entry = optimizer.state_dict()["state"][0]
    assert set(entry) == {"step", "shape", "dtype", "square_avg", "grad_avg", "momentum_buffer"}
    for key in ("square_avg", "grad_avg", "momentum_buffer"):
        assert entry[key].shape == (3, 4)
        assert entry[key].dtype == np.float64
        assert entry[key].dtype.isnative


def test_names_of_the_state_follow_the_settings():
    def names(optimizer):
        optimizer.step(np.ones(1), np.ones(1))
        return set(optimizer.state_dict()["state"][0]) - {"step", "shape", "dtype"}

    assert names(fl.optim.SGD()) == set()
    assert names(fl.optim.SGD(momentum=0.5)) == {"momentum_buffer"}
    assert names(fl.optim.Adam()) == {"exp_avg", "exp_avg_sq"}
    assert names(fl.optim.AdamW(amsgrad=True)) == {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}
    assert names(fl.optim.Adagrad()) == {"sum"}
    assert names(fl.optim.RMSprop()) == {"square_avg"}
    assert names(fl.optim.FTRL()) == {"z", "n", "rebased"}


def test_loading_takes_the_settings_too():
    optimizer = fl.optim.Adam(lr=0.5, amsgrad=True)
    optimizer.step([np.ones(2)], [np.ones(2)])
    other = fl.optim.Adam()
    other.load_state_dict(optimizer.state_dict())
    assert other.settings == optimizer.settings
    with raises(ValueError, "params has 2 arrays: expected 1, as in the steps before"):
        other.step([np.ones(2)] * 2, [np.ones(2)] * 2)


def without(mapping, key):
    return {name: value for name, value in mapping.items() if name != key}


def test_states_that_do_not_fit():
    optimizer = fl.optim.Adam()
    optimizer.step([np.ones(2), np.ones(3)], [np.ones(2), np.ones(3)])
    good = optimizer.state_dict()
    expected = "state_dict: expected a dict with 'settings', 'count' and 'state'"
    bad = [
        (None, expected),
        (without(good, "count"), expected),
        (
            {**good, "settings": {"lr": 0.1}},
            "state_dict has the settings lr: expected lr, betas, eps, weight_decay, amsgrad, "
            "maximize, those of Adam",
        ),
        ({**good, "count": 1}, "state_dict: count = 1: expected at least 2"),
        (
            {**good, "state": {0: without(good["state"][0], "exp_avg")}},
            "state_dict: position 0 has step, shape, dtype, exp_avg_sq: expected dtype, exp_avg, "
            "exp_avg_sq, shape, step",
        ),
        (
            {**good, "state": {1: {**good["state"][1], "exp_avg": np.ones(4)}}},
            "state_dict: exp_avg of position 1 has shape (4,): expected (3,)",
        ),
        (
            {**good, "state": {1: {**good["state"][1], "step": -1}}},
            "state_dict: position 1 has step = -1: expected an integer of at least 0",
        ),
        (
            {**good, "state": {"weights": good["state"][1]}},
            "state_dict: position = 'weights': expected an integer of at least 0",
        ),
    ]
    for state_dict, message in bad:
        with raises(ValueError, message):
            optimizer.load_state_dict(state_dict)
        np.testing.assert_equal(optimizer.state_dict(), good)


def test_a_schedule_is_asked_with_the_updates_behind_the_parameter():
    asked = []

    def schedule(step):
        asked.append(step)
        return 0.5 / (step + 1)

    params, optimizer = [np.zeros(1), np.zeros(1)], fl.optim.SGD(lr=schedule)
    optimizer.step(params, [np.ones(1), None])
    optimizer.step(params, [np.ones(1), np.ones(1)])
    optimizer.step(params, [np.ones(1), np.ones(1)])
    assert asked == [0, 1, 0, 2, 1]
    np.testing.assert_allclose(params[0], -0.5 * (1 + 1 / 2 + 1 / 3))
    np.testing.assert_allclose(params[1], -0.5 * (1 + 1 / 2))


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf])
def test_a_rate_that_is_no_rate(bad):
    optimizer, param = fl.optim.Adam(lr=lambda step: bad), np.ones(2)
    with raises(ValueError, f"lr(0) = {bad!r}: expected a finite number of at least 0"):
        optimizer.step(param, np.ones(2))
    np.testing.assert_array_equal(param, [1.0, 1.0])
    assert optimizer.state_dict()["state"] == {}
    optimizer.lr = lambda step: "much"
    with raises(TypeError, "lr(0) = 'much': expected a number"):
        optimizer.step(param, np.ones(2))
    with raises(ValueError, "lr = -1: expected a number of at least 0"):
        optimizer.lr = -1
