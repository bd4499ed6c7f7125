"""Learning rates that change."""

import pickle

import numpy as np
import pytest
from helpers.calls import raises

import fastloss as fl

SCHEDULES = [
    fl.optim.Constant(0.5),
    fl.optim.InverseScaling(0.5, power=0.25),
    fl.optim.Cosine(0.5, 20, minimum=0.1),
    fl.optim.Step(0.5, every=3),
    fl.optim.OneCycle(0.5, 20),
    fl.optim.OneCycle(0.5, 20, anneal="linear", three_phase=True, rise=0.3),
]
SCHEDULES += [fl.optim.WarmUp(5, schedule) for schedule in SCHEDULES]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)


@every_schedule
def test_schedules_are_values(schedule):
    again = pickle.loads(pickle.dumps(schedule))
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert eval(repr(schedule), vars(fl.optim).copy()) == schedule
    with pytest.raises(AttributeError):
        schedule.lr = 1.0


@every_schedule
def test_rates_are_floats_of_at_least_0_however_long(schedule):
    for step in (*range(60), 10**9):
        rate = schedule(step)
        assert type(rate) is float
        assert 0 <= rate <= 0.5


@every_schedule
def test_an_optimizer_follows(schedule):
    param, optimizer = np.zeros(1), fl.optim.SGD(lr=schedule)
    for step in range(30):
        before = param.copy()
        optimizer.step(param, np.ones(1))
        assert before - param == pytest.approx(schedule(step), rel=1e-12)


def test_formulas():
    assert [fl.optim.InverseScaling(2.0, power=1)(t) for t in (0, 1, 3)] == [2.0, 1.0, 0.5]
    assert fl.optim.InverseScaling(2.0, power=0)(99) == 2.0
    cosine = fl.optim.Cosine(3.0, 4, minimum=1.0)
    expected = [3.0, 2 + np.sqrt(0.5), 2.0, 2 - np.sqrt(0.5), 1.0, 1.0]
    np.testing.assert_allclose([cosine(t) for t in range(6)], expected, rtol=1e-14)
    assert [fl.optim.Step(8.0, every=2, factor=0.5)(t) for t in range(5)] == [8, 8, 4, 4, 2]
    assert [fl.optim.WarmUp(3, 4.0)(t) for t in range(5)] == [1.0, 2.0, 3.0, 4.0, 4.0]
    inner = fl.optim.WarmUp(1, lambda step: 1.0 / (step + 1))
    assert [inner(t) for t in range(4)] == [0.5, 1.0, 0.5, pytest.approx(1 / 3)]


@pytest.mark.parametrize("digits", [309, 5000])
def test_numbers_of_steps_beyond_the_floats(digits):
    steps = 10**digits
    rates = [fl.optim.Step(0.1, 1, factor)(steps) for factor in (0.0, 0.5, 1, 1.0, 2.0)]
    assert rates == [0.0, 0.0, 0.1, 0.1, np.inf]
    assert fl.optim.Step(0.0, 1, 2.0)(steps) == 0.0
    assert fl.optim.Step(0.1, steps // 3, 0.5)(steps) == 0.1 * 0.5**3
    assert fl.optim.InverseScaling(2.0, power=0)(steps) == 2.0
    assert fl.optim.InverseScaling(2.0, power=1e3)(steps) == 0.0
    found = fl.optim.InverseScaling(1.0, power=1 / digits)(steps)
    assert found == pytest.approx(0.1, rel=1e-13)
    assert fl.optim.Cosine(1.0, 4, minimum=0.5)(steps) == 0.5
    assert fl.optim.Cosine(1.0, 2 * steps)(steps) == 0.5


@pytest.mark.parametrize("anneal", ["cos", "linear"])
@pytest.mark.parametrize("three_phase", [True, False])
def test_one_cycle_begins_peaks_and_ends(anneal, three_phase):
    schedule = fl.optim.OneCycle(1.0, 100, rise=0.3, anneal=anneal, three_phase=three_phase)
    rates = [schedule(t) for t in range(100)]
    assert rates[0] == pytest.approx(1 / 25)
    assert int(np.argmax(rates)) == 29
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(1 / 25e4)
    assert np.all(np.diff(rates[:30]) > 0)
    assert np.all(np.diff(rates[29:]) < 0)
    if three_phase:
        assert rates[58] == pytest.approx(1 / 25)


@pytest.mark.parametrize("n_steps", [1, 2, 3])
@pytest.mark.parametrize("rise", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("three_phase", [True, False])
def test_short_cycles(n_steps, rise, three_phase):
    schedule = fl.optim.OneCycle(1.0, n_steps, rise=rise, three_phase=three_phase)
    for step in range(n_steps + 2):
        assert 0 < schedule(step) <= 1


def test_errors():
    with raises(ValueError, "lr = -1: expected a number of at least 0"):
        fl.optim.Constant(-1)
    with raises(TypeError, "power = '1': expected a number"):
        fl.optim.InverseScaling(1.0, power="1")
    with raises(ValueError, "n_steps = 0: expected an integer of at least 1"):
        fl.optim.Cosine(1.0, 0)
    with raises(TypeError, "every = 1.5: expected an integer of at least 1"):
        fl.optim.Step(1.0, every=1.5)
    with raises(ValueError, "rise = 1.5: expected a number in [0, 1]"):
        fl.optim.OneCycle(1.0, 10, rise=1.5)
    with raises(ValueError, "anneal = 'sine': expected one of 'cos', 'linear'"):
        fl.optim.OneCycle(1.0, 10, anneal="sine")
    with raises(TypeError, "schedule = None: expected a number or a schedule"):
        fl.optim.WarmUp(3, None)
