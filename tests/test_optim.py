"""The optimizers: their references, lists of arrays, layouts, threads."""

import itertools
import threading

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from helpers.calls import both_dtypes, raises
from helpers.optimizers import NAMES, Reference, draw_settings
from hypothesis import given, settings
from hypothesis import strategies as st

import fastloss as fl

every_optimizer = pytest.mark.parametrize("name", NAMES)
SHAPES = [(37,), (3, 4), (), (0,), (2, 1025)]
# every combination of switches of each optimizer: every variant of its kernel
SWITCHES = {
    "SGD": {"weight_decay": (0.0, 0.1), "momentum": (0.0, 0.9), "nesterov": (False, True)},
    "Adam": {"weight_decay": (0.0, 0.1), "amsgrad": (False, True)},
    "AdamW": {"weight_decay": (0.0, 0.1), "amsgrad": (False, True)},
    "Adagrad": {"weight_decay": (0.0, 0.1)},
    "RMSprop": {"weight_decay": (0.0, 0.1), "centered": (False, True), "momentum": (0.0, 0.9)},
    "FTRL": {"l1": (0.0, 0.3)},
}
VARIANTS = [
    (name, dict(zip(switches, values, strict=True)))
    for name, switches in SWITCHES.items()
    for values in itertools.product(*switches.values())
    if not (values[-1] is True and name == "SGD" and values[1] == 0)
]
every_variant = pytest.mark.parametrize(("name", "options"), VARIANTS, ids=str)


def make(name, **options):
    return getattr(fl.optim, name)(**options)


def draw(rng, shape, dtype=np.float64):
    return np.asarray(rng.normal(size=shape)).astype(dtype)


# ---------------------------------------------------------------- references


@every_optimizer
@pytest.mark.parametrize("seed", range(25))
def test_matches_the_reference(name, seed):
    rng = np.random.default_rng(seed)
    options = draw_settings(name, rng)
    params = [draw(rng, shape) for shape in SHAPES]
    references = [Reference(name, param, **options) for param in params]
    optimizer = make(name, **options)
    for _ in range(8):
        grads = [draw(rng, shape) for shape in SHAPES]
        before = [grad.copy() for grad in grads]
        assert optimizer.step(params, grads) is None
        for param, grad, kept, reference in zip(params, grads, before, references, strict=True):
            reference.step(grad)
            np.testing.assert_array_equal(grad, kept)
            np.testing.assert_allclose(param, reference.param.astype(float), rtol=0, atol=1e-12)
    for position, reference in enumerate(references):
        entry = optimizer.state_dict()["state"][position]
        assert entry["step"] == 8
        for key, value in reference.state.items():
            if key != "lr":
                np.testing.assert_allclose(entry[key], value.astype(float), rtol=0, atol=1e-11)


@every_variant
def test_float32_follows_float64(name, options):
    rng = np.random.default_rng(5)
    exact = draw(rng, 1003)
    param = exact.astype(np.float32)
    one, other = make(name, lr=0.01, **options), make(name, lr=0.01, **options)
    exact = param.astype(np.float64)
    for _ in range(5):
        # away from 0, where the sign of a rounding error decides the direction of a step
        grad = (np.sign(rng.normal(size=1003)) * rng.uniform(0.5, 2, size=1003)).astype(np.float32)
        one.step(exact, grad.astype(np.float64))
        other.step(param, grad)
        assert param.dtype == np.float32
        # a centred root is a difference of averages, and has fewer digits in its first steps
        bound = 2e-4 if options.get("centered") else 2e-6
        np.testing.assert_allclose(param, exact, rtol=0, atol=bound * np.abs(exact).max())


def test_the_defaults_are_those_of_the_docs():
    assert repr(fl.optim.SGD()) == (
        "SGD(lr=0.001, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, "
        "maximize=False)"
    )
    assert fl.optim.FTRL().settings == {
        "lr": 0.1, "beta": 1.0, "l1": 0.0, "l2": 0.0, "maximize": False,
    }  # fmt: skip
    optimizer = fl.optim.AdamW(betas=(0.8, 0.9), amsgrad=True)
    assert (optimizer.lr, optimizer.betas, optimizer.amsgrad) == (1e-3, (0.8, 0.9), True)
    assert eval(repr(optimizer), vars(fl.optim).copy()).settings == optimizer.settings
    with pytest.raises(AttributeError):
        optimizer.amsgrad = False


def test_sgd_is_sgd_step():
    rng = np.random.default_rng(6)
    param = draw(rng, 1001, np.float32)
    other, buffer = param.copy(), None
    options = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}
    optimizer = fl.optim.SGD(**options)
    for _ in range(3):
        grad = draw(rng, 1001, np.float32)
        optimizer.step(param, grad)
        buffer = fl.sgd_step(other, grad, momentum_buffer=buffer, **options)
        np.testing.assert_array_equal(param, other)


def test_equal_gradients_keep_a_centred_rmsprop_finite():
    """The variance is 0 but for rounding, whose sign is anything."""
    optimizer = fl.optim.RMSprop(lr=1e-6, alpha=0.5, centered=True)
    param, grad = np.zeros(64), np.linspace(0.1, 3, 64)
    for _ in range(200):
        optimizer.step(param, grad)
    assert np.isfinite(param).all()
    assert (param < 0).all()


def test_ftrl_begins_where_the_parameters_are():
    param = np.array([1.5, -0.25, 0.0])
    optimizer = fl.optim.FTRL(lr=0.3, l1=0.5, l2=0.1)
    optimizer.step(param, np.zeros(3))
    np.testing.assert_allclose(param, [1.5, -0.25, 0.0], rtol=1e-15)


@pytest.mark.parametrize("schedule", [True, False])
def test_ftrl_does_not_move_when_only_the_rate_does(schedule):
    rates = fl.optim.Step(0.5, every=1, factor=0.5)
    optimizer = fl.optim.FTRL(lr=rates if schedule else 0.5, l1=0.2)
    rng = np.random.default_rng(8)
    param, reference = draw(rng, 50), None
    reference = Reference("FTRL", param, lr=0.5, l1=0.2)
    for step in range(5):
        grad = draw(rng, 50) * (rng.random(50) < 0.5)
        if not schedule:
            optimizer.lr = rates(step)
        before = param.copy()
        optimizer.step(param, grad)
        reference.step(grad, lr=rates(step))
        np.testing.assert_allclose(param, reference.param.astype(float), rtol=0, atol=1e-12)
        if step:
            idle = grad == 0
            np.testing.assert_array_equal(param[idle], before[idle])


# of the rest, the parameter is part of the update
ADDED_TO = [
    (name, options) for name, options in VARIANTS if name != "FTRL" and not options["weight_decay"]
]


@pytest.mark.parametrize(("name", "options"), ADDED_TO, ids=str)
def test_decay_of_zero_keeps_infinite_parameters(name, options):
    param = np.array([np.inf, -np.inf, 1.0])
    make(name, **options).step(param, np.ones(3))
    np.testing.assert_array_equal(param[:2], [np.inf, -np.inf])


@every_variant
def test_nan_stays_where_it_is(name, options):
    param, optimizer = np.ones(100), make(name, **options)
    grad = np.ones(100)
    grad[33] = np.nan
    for _ in range(2):
        optimizer.step(param, grad)
        assert np.flatnonzero(np.isnan(param)).tolist() == [33]


# ---------------------------------------------------------------- lists


def test_one_array_is_a_list_of_one():
    one, other = np.ones(5), np.ones(5)
    first, second = fl.optim.Adam(), fl.optim.Adam()
    for _ in range(2):
        first.step(one, [1.0, 2.0, 3.0, 4.0, 5.0])
        second.step((other,), [np.arange(1.0, 6.0)])
        np.testing.assert_array_equal(one, other)


@every_variant
@both_dtypes
def test_a_list_is_its_arrays_one_by_one(name, options, dtype):
    rng = np.random.default_rng(9)
    shapes = [(int(n),) for n in rng.integers(0, 3000, size=30)] + [(20_000,), (0,)]
    together = [draw(rng, shape, dtype) for shape in shapes]
    alone = [param.copy() for param in together]
    optimizer, single = make(name, **options), [make(name, **options) for _ in shapes]
    for _ in range(3):
        grads = [draw(rng, shape, dtype) for shape in shapes]
        optimizer.step(together, grads, n_threads=3)
        for one, param, grad in zip(single, alone, grads, strict=True):
            one.step(param, grad, n_threads=1)
    for param, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(param, other)


def test_mixed_precisions_and_generators():
    params = [np.ones(3, np.float32), np.ones((2, 2))]
    fl.optim.SGD(lr=0.5).step(iter(params), (np.ones_like(param) for param in params))
    for param in params:
        np.testing.assert_array_equal(param, np.full(param.shape, 0.5))


def test_no_arrays():
    optimizer = fl.optim.Adam()
    optimizer.step([], [])
    assert optimizer.state_dict()["state"] == {}


def test_a_parameter_without_a_gradient_waits():
    params, optimizer = [np.zeros(2), np.zeros(2)], fl.optim.Adam(lr=1.0)
    optimizer.step(params, [np.ones(2), None])
    optimizer.step(params, [np.ones(2), None])
    np.testing.assert_array_equal(params[1], [0.0, 0.0])
    optimizer.step(params, [None, np.full(2, 3.0)])
    np.testing.assert_allclose(params[1], [-1.0, -1.0])  # its own first step
    assert [entry["step"] for entry in optimizer.state_dict()["state"].values()] == [2, 1]


# ---------------------------------------------------------------- layouts and threads


@settings(max_examples=150, deadline=None)
@given(
    dtype=st.sampled_from([np.float32, np.float64]),
    shape=st.lists(st.integers(0, 5), max_size=4).map(tuple) | st.tuples(st.integers(1000, 3000)),
    variant=st.sampled_from(VARIANTS),
    layouts=st.tuples(*[st.sampled_from(sorted(LAYOUTS))] * 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_layout_gives_the_same_bits(dtype, shape, variant, layouts, seed):
    """Also where the gradients lie differently in each step."""
    rng = np.random.default_rng(seed)
    name, options = variant
    param = draw(rng, shape, dtype)
    view = LAYOUTS[layouts[0]](param)
    one, other = make(name, **options), make(name, **options)
    for layout in layouts[1:]:
        grad = draw(rng, shape, dtype)
        foreign = LAYOUTS[layout](grad)
        foreign.flags.writeable = False
        one.step(param, grad)
        other.step(view, foreign)
    np.testing.assert_array_equal(view, param)


@every_variant
@both_dtypes
def test_a_run_that_begins_anywhere_gives_the_same_bits(name, options, dtype):
    rng = np.random.default_rng(10)
    memory, grads = draw(rng, 300, dtype), draw(rng, 300, dtype)
    whole, optimizer = memory.copy(), make(name, **options)
    for _ in range(2):
        optimizer.step(whole, grads)
    for start in range(20):
        for stop in (start + 1, start + 7, 299):
            part, again = memory.copy(), make(name, **options)
            for _ in range(2):
                again.step(part[start:stop], grads[start:stop])
            np.testing.assert_array_equal(part[start:stop], whole[start:stop])
            np.testing.assert_array_equal(part[:start], memory[:start])
            np.testing.assert_array_equal(part[stop:], memory[stop:])


@every_optimizer
@both_dtypes
def test_threads_change_no_bit(name, dtype):
    rng = np.random.default_rng(11)
    shapes = [(16_384,), (3,), (0,), (251, 401), (5000,), (300_001,)]
    params = [draw(rng, shape, dtype) for shape in shapes]
    params[3] = np.asfortranarray(params[3])[::-1]
    grads = [draw(rng, shape, dtype) for shape in shapes]
    results = set()
    for threads in (1, 2, 3, 7):
        copies = [param.copy(order="K") for param in params]
        optimizer = make(name)
        for _ in range(2):
            optimizer.step(copies, grads, n_threads=threads)
        results.add(b"".join(copy.tobytes() for copy in copies))
    assert len(results) == 1


def test_columns_of_one_array():
    matrix = np.zeros((50, 4))
    columns = [matrix[:, j] for j in range(4)]
    optimizer = fl.optim.SGD(lr=1.0)
    for _ in range(2):
        optimizer.step(columns, [np.full(50, float(j)) for j in range(4)])
    np.testing.assert_array_equal(matrix, np.tile([0.0, -2.0, -4.0, -6.0], (50, 1)))


def test_a_schedule_that_steps_the_optimizer_itself():
    optimizer = fl.optim.SGD(lr=lambda step: optimizer.step(np.ones(2), np.ones(2)))
    with raises(RuntimeError, "this optimizer is in the middle of a step"):
        optimizer.step(np.ones(2), np.ones(2))
    optimizer.lr = 0.5  # and can go on
    param = np.ones(2)
    optimizer.step(param, np.ones(2))
    np.testing.assert_array_equal(param, [0.5, 0.5])


def test_threads_of_python_with_an_optimizer_each():
    grad = np.linspace(-1, 1, 50_000)
    results = [None] * 4

    def work(k):
        param, optimizer = np.ones(50_000), fl.optim.Adam()
        for _ in range(5):
            optimizer.step(param, grad)
        results[k] = param.tobytes()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 1
