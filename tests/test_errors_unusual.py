"""Arguments that are nearly right: arrays for integers, numbers beyond C's, texts, parts of a CSR."""

import numpy as np
import pytest
from helpers.calls import raises

import fastloss as fl

X, Y = np.arange(12.0).reshape(4, 3), np.array([0, 1, 1, 0])
TWO = np.zeros(2)  # has __index__, which fails


def test_arrays_are_no_integers():
    at_least = "expected an integer of at least"
    with raises(TypeError, f"n_threads = {TWO!r}: {at_least} 1, or None"):
        fl.LogLoss()(Y, X[:, 0], n_threads=TWO)
    with raises(TypeError, f"axis = {TWO!r}: expected an integer"):
        fl.CrossEntropy()(Y, X, axis=TWO)
    with raises(TypeError, f"n_outputs = {TWO!r}: {at_least} 1, or None"):
        fl.LinearObjective("cross_entropy", X, Y, n_outputs=TWO)
    with raises(TypeError, f"position = {TWO!r}: {at_least} 0"):
        fl.optim.SGD(lr=0.1).step_rows(X.copy(), [0], X[:1], position=TWO)
    assert fl.LogLoss()(Y, X[:, 0], n_threads=np.array(2)) == fl.LogLoss()(Y, X[:, 0])


def test_integers_beyond_those_of_c():
    with raises(ValueError, f"n_outputs = {10**30}: expected 1 to 2**31 - 1"):
        fl.LinearObjective("cross_entropy", X, Y, n_outputs=10**30)
    with raises(ValueError, f"n_outputs = {10**30}: expected an integer from 1 to 2**31 - 1"):
        fl.LinearSGD("cross_entropy", 3, n_outputs=10**30)
    with raises(ValueError, f"n_features = {10**30}: expected an integer from 1 to 2**48"):
        fl.LinearSGD("hinge", 10**30)
    with raises(ValueError, f"position = {10**30}: expected an integer of at least 0"):
        fl.optim.SGD(lr=0.1).step_rows(X.copy(), [0], X[:1], position=10**30)
    # a batch of all rows
    many, few = (fl.LinearSGD("log_loss", 3, batch_size=size) for size in (10**30, 4))
    assert many.epoch(X, Y) == few.epoch(X, Y)
    np.testing.assert_array_equal(many.coef, few.coef)


@pytest.mark.parametrize("largest", [10**9, 1e300, 2**62])
def test_labels_that_are_no_classes_do_not_become_outputs(largest):
    y = np.array([0, 1, 2, largest])
    with pytest.raises(ValueError, match=r"^y holds .*: expected class labels below 268435456$"):
        fl.LinearObjective("cross_entropy", X, y)


@pytest.mark.parametrize("name", ["cross_entropy", "nll", "one_vs_rest", "coral", "kl_divergence"])
def test_best_constants_of_what_is_no_number(name):
    loss = fl.get_loss(name)
    y = np.full((4, 3), 0.25) if name == "kl_divergence" else Y
    with raises(TypeError, "y_true has dtype complex128: expected numbers"):
        loss.initial_prediction(y + 0j)
    with pytest.raises(TypeError, match=r"^sample_weight has dtype complex128: expected "):
        loss.initial_prediction(y, np.ones(4) + 0j)
    with pytest.raises(TypeError, match=r"^y_true has dtype <U4: expected "):
        loss.initial_prediction(["text"])
    with pytest.raises((TypeError, ValueError), match=r"^y_true: "):
        loss.initial_prediction([[1.0], [1.0, 2.0]])


def test_float16_labels_tell_how_many_classes_there_are():
    half = Y.astype(np.float16)
    np.testing.assert_array_equal(
        fl.CrossEntropy().initial_prediction(half), fl.CrossEntropy().initial_prediction(Y)
    )
    assert fl.LinearObjective("cross_entropy", X, half).n_outputs == 2


@pytest.mark.parametrize("dtype", ["text", None, "f2", int, (), 1.5, TWO])
def test_dtype_of_linear_sgd(dtype):
    with raises(TypeError, f"dtype = {dtype!r}: expected float32 or float64"):
        fl.LinearSGD("hinge", 3, dtype=dtype)


@pytest.mark.parametrize("weight", ["text", {"a": 1}, [1j, 2], [[1.0], [1.0, 2.0]], object()])
def test_class_weight_of_linear_sgd(weight):
    with pytest.raises((TypeError, ValueError), match=r"^class_weight\b"):
        fl.LinearSGD("log_loss", 3, class_weight=weight)


@pytest.mark.parametrize("order", [[[0], [0, 1]], "text", object(), [1.5]])
def test_order_of_linear_sgd(order):
    with pytest.raises((TypeError, ValueError), match=r"^order\b"):
        fl.LinearSGD("log_loss", 3).epoch(X, Y, order=order)


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("data", np.float64(1.0), "X.data has shape (): expected one axis"),
        ("indices", np.int32(1), "X.indices has shape (): expected one axis"),
        ("indices", np.zeros((4, 1), np.int32), "X.indices has shape (4, 1): expected one axis"),
        ("indptr", np.int32(1), "X.indptr has shape (): expected (5,)"),
        ("shape", 3.5, "X has shape 3.5: expected (n, d)"),
        ("shape", (-1, 3), "X has shape (-1, 3): expected (n, d)"),
    ],
)
def test_parts_of_a_csr(part, value, message):
    class Csr:
        shape = (4, 3)
        data, indices, indptr = np.ones(4), np.zeros(4, np.int32), np.arange(5, dtype=np.int32)

    matrix = Csr()
    setattr(matrix, part, value)
    for call in (
        lambda: fl.LinearObjective("log_loss", matrix, Y),
        lambda: fl.LinearSGD("log_loss", 3).epoch(matrix, Y),
    ):
        with raises(ValueError, message):
            call()


def test_schedules_of_integers_beyond_those_of_c():
    assert fl.optim.InverseScaling(0.5, power=10**30)(7) == 0.0
    assert fl.optim.Step(0.5, every=2, factor=0.5)(10**6) == 0.0
    with raises(TypeError, f"n_steps = {TWO!r}: expected an integer of at least 1"):
        fl.optim.Cosine(0.1, n_steps=TWO)


SPOILT = [
    (lambda state: state.update(settings=3), "state_dict: settings = 3: expected a dict"),
    (lambda state: state.update(state=[]), "state_dict: state = []: expected a dict"),
    (
        lambda state: state["state"].update({0: "text"}),
        "state_dict: position 0 has 'text': expected a dict",
    ),
    (
        lambda state: state["state"].update({2**31: state["state"].pop(0)}),
        "state_dict: position = 2147483648: expected less than 2**31",
    ),
    (
        lambda state: state["state"][0].update(exp_avg=np.zeros((4, 3)) + 1j),
        "state_dict: exp_avg of position 0 has dtype complex128: expected numbers",
    ),
]


@pytest.mark.parametrize(("spoil", "message"), SPOILT)
def test_states_of_optimizers(spoil, message):
    optimizer = fl.optim.Adam(lr=0.1)
    optimizer.step([X.copy()], [X])
    state = optimizer.state_dict()
    spoil(state)
    with raises((TypeError, ValueError), message):
        fl.optim.Adam(lr=0.1).load_state_dict(state)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("coef", np.zeros((1, 3)) + 1j, "state['coef'] has dtype complex128: expected numbers"),
        ("scale", np.nan, "state['scale'] = nan: expected a finite number"),
        ("t", "text", "state['t'] = 'text': expected a number"),
        ("t", -5, "state['t'] = -5: expected a number of at least 1"),
        ("eta", -1.0, "state['eta'] = -1.0: expected a number of at least 0"),
        ("n_averaged", -1.0, "state['n_averaged'] = -1.0: expected a number of at least 0"),
        ("pending", 3, "state['pending'] = 3: expected True or False"),
    ],
)
def test_states_of_linear_sgd(name, value, message):
    sgd = fl.LinearSGD("log_loss", 3)
    before = sgd.state_dict()
    with raises((TypeError, ValueError), message):
        sgd.load_state_dict({**before, name: value})
    sgd.load_state_dict({**before, "t": np.float64(3.0), "pending": np.False_})
    assert sgd.t == 3


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("optimizer_steps", 2**70, f"= {2**70}: expected an integer in [0, 2**62]"),
        ("optimizer_steps", -1, "= -1: expected an integer in [0, 2**62]"),
        (
            "optimizer",
            np.array(["Adam", "Adam"]),
            "= array(['Adam', 'Adam'], dtype='<U4'): expected 'Adam'",
        ),
        ("optimizer", "SGD", "= 'SGD': expected 'Adam'"),
    ],
)
def test_states_of_linear_sgd_with_an_optimizer(name, value, message):
    sgd = fl.LinearSGD("log_loss", 3, optimizer=fl.optim.Adam(lr=0.1))
    before = sgd.state_dict()
    with raises(ValueError, f"state[{name!r}] {message}"):
        sgd.load_state_dict({**before, name: value})
    sgd.load_state_dict({**before, "optimizer_steps": 2**62, "optimizer": np.str_("Adam")})
    sgd.epoch(np.ones((2, 3)), [0, 1])
    assert sgd.state_dict()["optimizer_steps"] == 2**62 + 2
