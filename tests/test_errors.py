"""Every error: its type, and a message that names argument, index, value and expectation."""

import re

import numpy as np
import pytest
from references import REFERENCES, case_id

import fastloss as fl

OPERATIONS = ("loss", "gradient", "loss_gradient", "gradient_hessian", "loss_gradient_hessian")
METHODS = (*OPERATIONS, "partial", "__call__")
EXPECTS = {
    "finite": "finite numbers",
    "nonnegative": "finite labels of at least 0",
    "positive": "finite labels greater than 0",
    "above_minus_one": "finite labels greater than -1",
    "unit_interval": "labels in [0, 1]",
    "binary": "labels 0 or 1",
    "classes": "class labels 0 to 2",
}
INVALID = {
    "finite": [np.nan, np.inf, -np.inf],
    "nonnegative": [-1.0, -1e-30, np.nan, np.inf, -np.inf],
    "positive": [0.0, -0.0, -1.0, -1e-30, np.nan, np.inf, -np.inf],
    "above_minus_one": [-1.0, -1.5, -1e30, np.nan, np.inf, -np.inf],
    "unit_interval": [-1.0, 2.0, 1.0000002, -1e-30, np.nan, np.inf, -np.inf],
    "binary": [0.5, -1.0, 2.0, 1e-30, np.nan, np.inf, -np.inf],
    "classes": [0.5, -1.0, 3.0, 1e-30, 1e30, np.nan, np.inf, -np.inf],
}
every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def raises(error, message):
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def numbers(n=20, dtype=np.float64):
    return np.ones(n, dtype=dtype), np.full(n, 0.5, dtype=dtype)


def class_name(reference):
    return type(fl.get_loss(reference.name)).__name__


# ---------------------------------------------------------------- labels


@every_loss
@both_dtypes
@pytest.mark.parametrize("index", [0, 17, 19, 4999])
@pytest.mark.parametrize("layout", ["contiguous", "strided", "converted"])
def test_invalid_label(reference, dtype, index, layout):
    n = max(20, index + 1)
    for value in np.array(INVALID[reference.labels], dtype=dtype):
        y, f = numbers(n, dtype)
        y[index] = value
        if layout == "strided":
            y = np.repeat(y, 2)[::2]
        elif layout == "converted":
            y = y.astype(np.float64).astype(">f8")
        message = (
            f"y_true[{index}] = {float(value)!r}: {class_name(reference)} expects "
            f"{EXPECTS[reference.labels]}"
        )
        for method in METHODS:
            with raises(ValueError, message):
                getattr(fl.get_loss(reference.name), method)(y, f)


@every_loss
def test_the_first_invalid_label_is_named(reference):
    bad = INVALID[reference.labels][0]
    y, f = numbers(300_000)
    y[[123_456, 123_457, 299_999]] = bad
    with raises(
        ValueError,
        f"y_true[123456] = {float(bad)!r}: {class_name(reference)} expects "
        f"{EXPECTS[reference.labels]}",
    ):
        fl.get_loss(reference.name).loss(y, f, n_threads=2)
    shaped = y.reshape(3, 1000, 100)
    with raises(
        ValueError,
        f"y_true[1, 234, 56] = {float(bad)!r}: {class_name(reference)} expects "
        f"{EXPECTS[reference.labels]}",
    ):
        fl.get_loss(reference.name).gradient(shaped, f.reshape(shaped.shape))
    with raises(
        ValueError,
        f"y_true = {float(bad)!r}: {class_name(reference)} expects {EXPECTS[reference.labels]}",
    ):
        fl.get_loss(reference.name).loss(bad, 0.5)


def test_invalid_integer_labels_keep_their_type_in_the_message():
    with raises(ValueError, "y_true[1] = 2: LogLoss expects labels in [0, 1]"):
        fl.LogLoss().loss(np.array([1, 2]), np.array([0.5, 0.5]))
    with raises(ValueError, "y_true[0] = -3: Poisson expects finite labels of at least 0"):
        fl.Poisson().loss(np.array([-3], dtype=np.int8), np.array([0.5]))


@every_loss
@pytest.mark.parametrize("layout", ["contiguous", "strided"])
def test_invalid_label_in_place_leaves_raw_prediction_as_it_was(reference, layout):
    y, f = numbers(9000)
    f[:] = np.linspace(-1, 1, 9000)
    y[8999] = INVALID[reference.labels][0]
    if layout == "strided":
        f = np.repeat(f, 2)[::2]
    before = f.copy()
    loss = fl.get_loss(reference.name)
    for operation, out in (
        ("gradient", f),
        ("loss_gradient", (None, f)),
        ("gradient_hessian", (None, f)),
        ("loss_gradient_hessian", (None, f, None)),
    ):
        with pytest.raises(ValueError, match=r"^y_true\[8999\]"):
            getattr(loss, operation)(y, f, out=out)
        np.testing.assert_array_equal(f, before)
    with pytest.raises(ValueError, match=r"^y_true\[8999\]"):
        loss.loss(y, f, reduction="none", out=f)
    np.testing.assert_array_equal(f, before)


@every_loss
def test_initial_prediction_checks_as_loss_does(reference):
    loss = fl.get_loss(reference.name)
    y = np.ones(5)
    y[3] = INVALID[reference.labels][0]
    with raises(
        ValueError,
        f"y_true[3] = {float(y[3])!r}: {class_name(reference)} expects {EXPECTS[reference.labels]}",
    ):
        loss.initial_prediction(y)
    with raises(ValueError, "y_true is empty: expected at least one label"):
        loss.initial_prediction([])
    with raises(ValueError, "sample_weight sums to zero: expected a positive weight"):
        loss.initial_prediction([1, 1], [0, 0])
    with raises(
        ValueError, "sample_weight has shape (3,), y_true has shape (2,): they must be equal"
    ):
        loss.initial_prediction([1, 1], [1, 1, 1])
    with raises(ValueError, "sample_weight[1] = -1: weights must be finite and not negative"):
        loss.initial_prediction([1, 1], [1, -1])
    with pytest.raises(TypeError, match=r"^y_true has dtype complex128"):
        loss.initial_prediction(np.ones(2, dtype=complex))


# ---------------------------------------------------------------- weights


@every_loss
@both_dtypes
@pytest.mark.parametrize("value", [-1.0, -1e-30, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("index", [0, 17, 4999])
def test_invalid_weight(reference, dtype, value, index):
    y, f = numbers(5000, dtype)
    w = np.ones(5000, dtype=dtype)
    w[[index, 4999]] = value
    message = (
        f"sample_weight[{index}] = {float(dtype(value))!r}: weights must be finite and not negative"
    )
    for weights in (w, np.repeat(w, 2)[::2]):
        for method in METHODS:
            with raises(ValueError, message):
                getattr(fl.get_loss(reference.name), method)(y, f, weights)


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_invalid_weight_under_every_reduction_and_nothing_is_written(reduction):
    y, f = numbers()
    w = np.ones(20)
    w[19] = np.nan
    out = np.full(20, 7.0)
    with raises(ValueError, "sample_weight[19] = nan: weights must be finite and not negative"):
        fl.Huber().gradient(y, f, w, reduction=reduction, out=out)
    assert (out == 7.0).all()


# ---------------------------------------------------------------- shapes and dtypes


@every_loss
@pytest.mark.parametrize("method", METHODS)
def test_shapes_must_be_equal(reference, method):
    call = getattr(fl.get_loss(reference.name), method)
    y, f = numbers(5)
    with raises(
        ValueError, "y_true has shape (5,), raw_prediction has shape (4,): they must be equal"
    ):
        call(y, f[:4])
    with raises(
        ValueError, "y_true has shape (5, 1), raw_prediction has shape (5,): they must be equal"
    ):
        call(y[:, None], f)
    with raises(
        ValueError, "y_true has shape (), raw_prediction has shape (5,): they must be equal"
    ):
        call(1.0, f)
    with raises(
        ValueError,
        "sample_weight has shape (1,), raw_prediction has shape (5,): they must be equal",
    ):
        call(y, f, y[:1])
    with raises(
        ValueError, "sample_weight has shape (), raw_prediction has shape (5,): they must be equal"
    ):
        call(y, f, 1.0)


@every_loss
@pytest.mark.parametrize("method", [*METHODS, "predict"])
@pytest.mark.parametrize(
    "dtype",
    ["i4", "i8", "u1", "?", "f2", "g", "c16", "c8", "U3", "S3", "M8[s]", "m8[s]", "O", "V4"],
)
def test_wrong_dtype_of_raw_prediction(reference, method, dtype):
    y = np.ones(3)
    f = np.zeros(3, dtype=dtype)
    if f.dtype == np.float64:
        pytest.skip("long double is double here")
    arguments = (f,) if method == "predict" else (y, f)
    with raises(TypeError, f"raw_prediction has dtype {f.dtype}: expected float32 or float64"):
        getattr(fl.get_loss(reference.name), method)(*arguments)


@every_loss
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["g", "c16", "c8", "U3", "S3", "M8[s]", "m8[s]", "O", "V4"])
def test_wrong_dtype_of_labels_and_weights(reference, method, dtype):
    good, f = numbers(3)
    bad = np.zeros(3, dtype=dtype)
    if bad.dtype == np.float64:
        pytest.skip("long double is double here")
    call = getattr(fl.get_loss(reference.name), method)
    expected = f"has dtype {bad.dtype}: expected bool, an integer type, float16, float32 or float64"
    with raises(TypeError, f"y_true {expected}"):
        call(bad, f)
    with raises(TypeError, f"sample_weight {expected}"):
        call(good, f, bad)


@pytest.mark.parametrize("value", [None, [None, 1.0], {"a": 1}, object(), [1.0, "x", None]])
def test_things_that_are_no_arrays(value):
    loss = fl.SquaredError()
    kind = type(value).__name__
    with raises(TypeError, f"y_true: expected an array of numbers, got {kind}"):
        loss.loss(value, np.ones(2))
    with raises(TypeError, f"raw_prediction: expected an array of numbers, got {kind}"):
        loss.loss(np.ones(2), value)
    if value is not None:
        with raises(TypeError, f"sample_weight: expected an array of numbers, got {kind}"):
            loss.loss(np.ones(2), np.ones(2), value)


@pytest.mark.parametrize("argument", ["y_true", "raw_prediction", "sample_weight"])
def test_ragged_lists_name_the_argument(argument):
    arguments = {"y_true": [1.0], "raw_prediction": [1.0], "sample_weight": [1.0]}
    arguments[argument] = [[1.0], [2.0, 3.0]]
    with pytest.raises((TypeError, ValueError), match=rf"^{argument}\b"):
        fl.SquaredError().loss(**arguments)


def test_strings_in_lists():
    with pytest.raises(TypeError, match=r"^y_true has dtype <U1"):
        fl.SquaredError().loss(["a"], [1.0])
    with pytest.raises(TypeError, match=r"^raw_prediction has dtype <U1: expected float32"):
        fl.SquaredError().predict(["a"])


# ---------------------------------------------------------------- options


@pytest.mark.parametrize("reduction", ["", "Mean", "average", None, 0, True, b"mean", ["mean"]])
@pytest.mark.parametrize("method", OPERATIONS)
def test_wrong_reduction(reduction, method):
    with raises(ValueError, f"reduction = {reduction!r}: expected 'mean', 'sum' or 'none'"):
        getattr(fl.SquaredError(), method)([1.0], [1.0], reduction=reduction)


def test_a_reduction_need_not_be_interned():
    assert fl.SquaredError().loss([1.0], [3.0], reduction="".join(["su", "m"])) == 4.0
    assert fl.SquaredError().loss([1.0], [3.0], reduction=np.str_("mean")) == 4.0


@pytest.mark.parametrize("n", [3, 100_000])
@pytest.mark.parametrize("method", [*METHODS, "predict"])
def test_wrong_n_threads(n, method):
    y, f = numbers(n)
    arguments = (f,) if method == "predict" else (y, f)
    call = getattr(fl.LogLoss(), method)
    for bad in (0, -1, -(10**30)):
        with raises(ValueError, f"n_threads = {bad}: expected an integer of at least 1, or None"):
            call(*arguments, n_threads=bad)
    for bad in (1.0, "2", True, np.True_, [1]):
        with raises(TypeError, f"n_threads = {bad!r}: expected an integer of at least 1, or None"):
            call(*arguments, n_threads=bad)


def test_many_threads_are_no_error():
    assert fl.SquaredError().loss([1.0], [3.0], n_threads=10**30) == 4.0
    assert fl.SquaredError().loss([1.0], [3.0], n_threads=np.int8(3)) == 4.0


@every_loss
@pytest.mark.parametrize("method", METHODS)
def test_options_are_keywords_and_known(reference, method):
    call = getattr(fl.get_loss(reference.name), method)
    with pytest.raises(TypeError, match="positional argument"):
        call([1.0], [1.0], None, "mean")
    with pytest.raises(TypeError, match="unexpected keyword"):
        call([1.0], [1.0], weight=None)


# ---------------------------------------------------------------- out


def test_out_must_be_an_array_or_a_tuple_of_the_right_length():
    y, f = numbers(4)
    loss = fl.SquaredError()
    with raises(TypeError, "out (gradient): expected a NumPy array, got list"):
        loss.gradient(y, f, out=[0.0] * 4)
    with raises(TypeError, "out: expected one array, got a tuple"):
        loss.gradient(y, f, out=(f.copy(),))
    with raises(TypeError, "out: expected one array, got a tuple"):
        loss.loss(y, f, reduction="none", out=(f.copy(),))
    with raises(TypeError, "out: expected a tuple of 2, got ndarray"):
        loss.loss_gradient(y, f, out=f.copy())
    with raises(TypeError, "out: expected a tuple of 3, got list"):
        loss.loss_gradient_hessian(y, f, out=[None, None, None])
    with raises(ValueError, "out has 3 entries: expected 2"):
        loss.gradient_hessian(y, f, out=(None, None, None))
    with raises(ValueError, "out has 2 entries: expected 3"):
        loss.loss_gradient_hessian(y, f, out=(None, None))
    with raises(TypeError, "out (hessian): expected a NumPy array, got float"):
        loss.gradient_hessian(y, f, out=(None, 0.0))
    with raises(TypeError, "out: expected a NumPy array, got str"):
        loss.predict(f, out="here")


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_no_place_for_a_float(reduction):
    y, f = numbers(4)
    message = (
        f"out: the loss is a float under reduction={reduction!r}, so its place in out must be None"
    )
    with raises(ValueError, message):
        fl.SquaredError().loss(y, f, reduction=reduction, out=f.copy())
    with raises(ValueError, message):
        fl.SquaredError().loss_gradient(y, f, reduction=reduction, out=(f.copy(), None))


@both_dtypes
def test_out_of_wrong_dtype_or_shape(dtype):
    y, f = numbers(4, dtype)
    other = np.float64 if dtype == np.float32 else np.float32
    loss = fl.Pinball()
    for bad in (other, np.int64, np.float16, object):
        out = np.zeros(4, dtype=bad)
        message = f"has dtype {out.dtype}: expected {np.dtype(dtype)}, that of raw_prediction"
        with raises(TypeError, f"out (gradient) {message}"):
            loss.gradient(y, f, out=out)
        with raises(TypeError, f"out (hessian) {message}"):
            loss.gradient_hessian(y, f, out=(None, out))
        with raises(TypeError, f"out {message}"):
            loss.predict(f, out=out)
    for shape in ((5,), (4, 1), (), (0,)):
        out = np.zeros(shape, dtype=dtype)
        message = f"has shape {shape}: expected (4,), that of raw_prediction"
        with raises(ValueError, f"out (gradient) {message}"):
            loss.gradient(y, f, out=out)
        with raises(ValueError, f"out (loss) {message}"):
            loss.loss_gradient(y, f, reduction="none", out=(out, None))
        with raises(ValueError, f"out {message}"):
            loss.predict(f, out=out)


def test_read_only_out():
    y, f = numbers(4)
    out = np.zeros(4)
    out.flags.writeable = False
    with raises(ValueError, "out (gradient) is read-only: expected a writeable array"):
        fl.Pinball().gradient(y, f, out=out)
    with raises(ValueError, "out is read-only: expected a writeable array"):
        fl.Pinball().predict(f, out=out)


def test_out_that_overlaps_itself():
    y, f = np.ones((2, 4, 4))
    memory = np.full(40, 7.0)
    sliding = np.lib.stride_tricks.as_strided(memory, (4, 4), (8, 8))
    repeated = np.lib.stride_tricks.as_strided(memory, (4, 4), (0, 8))
    shingled = np.lib.stride_tricks.as_strided(memory, (4, 4), (24, 8))
    halves = np.lib.stride_tricks.as_strided(memory, (4, 4), (32, 4))
    for out in (sliding, repeated, shingled, halves):
        message = (
            f"overlaps itself (strides {out.strides}): expected one place in memory an element"
        )
        with raises(ValueError, f"out (gradient) {message}"):
            fl.Hinge().gradient(y, f, out=out)
        with raises(ValueError, f"out (hessian) {message}"):
            fl.Hinge().gradient_hessian(y, f, out=(None, out))
        with raises(ValueError, f"out {message}"):
            fl.Hinge().predict(f, out=out)
    assert (memory == 7.0).all()


@every_loss
def test_out_that_overlaps_labels_weights_or_another_out(reference):
    memory = np.linspace(0.25, 0.75, 64)
    memory[:20] = 1.0
    before = memory.copy()
    y, f, w = memory[:10], memory[20:30], memory[30:40]
    free = memory[50:60]
    loss = fl.get_loss(reference.name)
    for out, other in (
        (memory[:10], "y_true"),
        (memory[9:19], "y_true"),
        (memory[9::-1], "y_true"),
        (memory[30:40], "sample_weight"),
        (memory[39:49], "sample_weight"),
    ):
        message = f"overlaps {other} in memory: expected separate arrays"
        with raises(ValueError, f"out (gradient) {message}"):
            loss.gradient(y, f, w, out=out)
        with raises(ValueError, f"out (loss) {message}"):
            loss.loss(y, f, w, reduction="none", out=out)
        with raises(ValueError, f"out (hessian) {message}"):
            loss.loss_gradient_hessian(y, f, w, out=(None, free, out))
    separate = "in memory: expected separate arrays"
    with raises(ValueError, f"out (gradient) overlaps out (loss) {separate}"):
        loss.loss_gradient(y, f, reduction="none", out=(free, free))
    with raises(ValueError, f"out (hessian) overlaps out (gradient) {separate}"):
        loss.gradient_hessian(y, f, out=(f, f[::-1]))
    with raises(ValueError, f"out (hessian) overlaps out (loss) {separate}"):
        loss.loss_gradient_hessian(y, f, reduction="none", out=(free, None, memory[59:49:-1]))
    np.testing.assert_array_equal(memory, before)


@every_loss
def test_nothing_is_written_when_an_argument_is_wrong(reference):
    y, f = numbers(4)
    first, second = np.full(4, 7.0), np.full(4, 7.0)
    second.flags.writeable = False
    loss = fl.get_loss(reference.name)
    for wrong in (
        {"out": (first, second)},
        {"out": (first, None), "n_threads": 0},
        {"out": (first, None), "reduction": "x"},
        {"out": (first, np.ones(3))},
        {"out": (first, None), "sample_weight": [1, 1, 1, -1]},
    ):
        with pytest.raises((TypeError, ValueError)):
            loss.gradient_hessian(y, f, **wrong)
        assert (first == 7.0).all()


# ---------------------------------------------------------------- construction

PARAMETERS = [
    (reference.name, key)
    for reference in REFERENCES.values()
    for key in sorted(
        {
            key
            for params in reference.parameters
            for key, value in params.items()
            if not isinstance(value, (str, tuple))
        }
    )
]


# parameters that may be negative, and one that may be infinite
MINUS_INFINITY = {("barron_robust", "alpha")}
SIGNED = MINUS_INFINITY | {("tweedie", "power"), ("tweedie_identity", "power")}
# parameters that may not be in (0, 1)
AT_LEAST_ONE = {("lq", "q"), ("tweedie", "power"), ("tweedie_identity", "power")}


@pytest.mark.parametrize(("name", "key"), PARAMETERS)
def test_parameters_are_finite_numbers(name, key):
    for bad in ("1", None, True, [1.0], 1j, np.array([1.0, 2.0])):
        if bad is None and fl.get_loss(name).params[key] is None:
            continue
        with raises(TypeError, f"{key} = {bad!r}: expected a number"):
            fl.get_loss(name, **{key: bad})
    for bad in (np.nan, np.inf, *([-np.inf] if (name, key) not in MINUS_INFINITY else [])):
        with raises(ValueError, f"{key} = {bad!r}: expected a finite number"):
            fl.get_loss(name, **{key: bad})
    if (name, key) not in SIGNED:
        with pytest.raises(ValueError, match=rf"^{key} = -1\.5: expected a number"):
            fl.get_loss(name, **{key: -1.5})


@pytest.mark.parametrize(("name", "key"), PARAMETERS)
def test_parameters_too_large_for_a_float_are_errors_that_name_them(name, key):
    with pytest.raises(ValueError, match=rf"^{key} = 1000"):
        fl.get_loss(name, **{key: 10**400})


@pytest.mark.parametrize(("name", "key"), PARAMETERS)
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16])
def test_parameters_take_numpy_numbers(name, key, kind):
    value = 1.5 if (name, key) in AT_LEAST_ONE else 0.5
    loss = fl.get_loss(name, **{key: kind(value)})
    assert type(loss.params[key]) is float
    assert loss.params[key] == value


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("huber", {"delta": 0}, "delta = 0: expected a number greater than 0"),
        ("focal", {"hessian": "none"}, "hessian = 'none': expected one of 'exact', 'bounded'"),
        ("focal", {"alpha": 1.5}, "alpha = 1.5: expected a number in [0, 1]"),
        ("asymmetric", {"clip": 1.0}, "clip = 1.0: expected a number in [0, 1)"),
        ("huber", {"delta": -0.0}, "delta = -0.0: expected a number greater than 0"),
        ("pinball", {"quantile": 0.0}, "quantile = 0.0: expected a number in (0, 1)"),
        ("pinball", {"quantile": 1}, "quantile = 1: expected a number in (0, 1)"),
        ("log_loss", {"pos_weight": 0}, "pos_weight = 0: expected a number greater than 0"),
        (
            "log_loss",
            {"label_smoothing": 1.5},
            "label_smoothing = 1.5: expected a number in [0, 1]",
        ),
        ("log_loss", {"cost_fn": 0}, "cost_fn = 0: expected a number greater than 0"),
        ("hinge", {"cost_fp": -2}, "cost_fp = -2: expected a number greater than 0"),
        ("squared_hinge", {"cost_fn": 0.0}, "cost_fn = 0.0: expected a number greater than 0"),
        ("expectile", {"alpha": 1}, "alpha = 1: expected a number in (0, 1)"),
        ("epsilon_insensitive", {"epsilon": -1}, "epsilon = -1: expected a number of at least 0"),
        ("cauchy", {"c": 0}, "c = 0: expected a number in [1e-150, 1e+150]"),
        ("tukey", {"c": 1e151}, "c = 1e+151: expected a number in [1e-150, 1e+150]"),
        ("welsch", {"hessian": "true"}, "hessian = 'true': expected one of 'exact', 'bounded'"),
    ],
)
def test_parameters_out_of_range(name, params, message):
    with raises(ValueError, message):
        fl.get_loss(name, **params)


def test_a_choice_is_a_word():
    with raises(TypeError, "hessian = True: expected one of 'exact', 'bounded'"):
        fl.Cauchy(hessian=True)


def test_get_loss_of_an_unknown_name():
    names = ", ".join(fl.available_losses())
    for bad in ("", None, 3, "nothing like it"):
        with raises(ValueError, f"name = {bad!r}: expected one of {names}"):
            fl.get_loss(bad)
    for bad, near in (("LogLoss", "log_loss"), ("hubber", "huber"), ("Poisson", "poisson")):
        message = f"name = {bad!r}: expected one of {names}; did you mean {near!r}?"
        with raises(ValueError, message):
            fl.get_loss(bad)
    with pytest.raises(TypeError, match="gamma"):
        fl.get_loss("log_loss", gamma=2.0)


def test_the_base_class_is_not_a_loss():
    base = fl.LogLoss.__base__
    with pytest.raises(TypeError, match=r"^PointwiseLoss has no kernel named ''$"):
        base()

    class Unknown(base):
        name = "unknown"

    with pytest.raises(TypeError, match=r"^Unknown has no kernel named 'unknown'$"):
        Unknown()


@every_loss
def test_without_init_every_method_is_an_error(reference):
    cls = type(fl.get_loss(reference.name))
    loss = cls.__new__(cls)
    for method in METHODS:
        with raises(TypeError, f"{cls.__name__}: __init__ of the base class was not called"):
            getattr(loss, method)([1.0], [1.0])
    with raises(TypeError, f"{cls.__name__}: __init__ of the base class was not called"):
        loss.predict([1.0])
    with raises(TypeError, f"{cls.__name__}: __init__ of the base class was not called"):
        loss.initial_prediction([1.0])
    assert isinstance(repr(loss), str)
    assert isinstance(hash(loss), int)
    assert loss == loss.__class__.__new__(cls)


def test_too_many_kernel_parameters():
    class Greedy(fl.LogLoss.__base__):
        name = "huber"

        def __init__(self):
            super().__init__({}, (1.0,) * 100)

    with pytest.raises(ValueError, match="at most"):
        Greedy()


def test_apply_unary_names_what_it_knows():
    from fastloss._runtime import apply_pow, apply_unary

    with pytest.raises(ValueError, match=r"^name = 'cosh': expected one of exp, "):
        apply_unary("cosh", np.ones(3))
    with pytest.raises(TypeError, match=r"^x has dtype int64: expected float32 or float64$"):
        apply_unary("exp", np.ones(3, dtype=np.int64))
    with raises(ValueError, "y has shape (2,): expected (3,), that of x"):
        apply_pow(np.ones(3), np.ones(2))
