"""Every message about data and options: the argument, the place, what was expected."""

import numpy as np
import pytest
from helpers.calls import METHODS, OPERATIONS, both_dtypes, numbers, raises
from references import REFERENCES, case_id

import fastloss as fl

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
# long double, where it is no double
LONG = [] if np.dtype("g") == np.float64 else ["g"]
every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)


def expects(reference, label):
    signs = label == -1 and reference.labels in ("unit_interval", "binary")
    return EXPECTS[reference.labels] + ("; for labels -1 and 1 take y_true > 0" if signs else "")


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
            f"{expects(reference, value)}"
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
        f"{expects(reference, bad)}",
    ):
        fl.get_loss(reference.name).loss(y, f, n_threads=2)
    shaped = y.reshape(3, 1000, 100)
    with raises(
        ValueError,
        f"y_true[1, 234, 56] = {float(bad)!r}: {class_name(reference)} expects "
        f"{expects(reference, bad)}",
    ):
        fl.get_loss(reference.name).gradient(shaped, f.reshape(shaped.shape))
    with raises(
        ValueError,
        f"y_true = {float(bad)!r}: {class_name(reference)} expects {expects(reference, bad)}",
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
        f"y_true[3] = {float(y[3])!r}: {class_name(reference)} expects {expects(reference, y[3])}",
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
    ["i4", "i8", "u1", "?", "f2", *LONG, "c16", "c8", "U3", "S3", "M8[s]", "m8[s]", "O", "V4"],
)
def test_wrong_dtype_of_raw_prediction(reference, method, dtype):
    y = np.ones(3)
    f = np.zeros(3, dtype=dtype)
    arguments = (f,) if method == "predict" else (y, f)
    with raises(TypeError, f"raw_prediction has dtype {f.dtype}: expected float32 or float64"):
        getattr(fl.get_loss(reference.name), method)(*arguments)


@every_loss
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [*LONG, "c16", "c8", "U3", "S3", "M8[s]", "m8[s]", "O", "V4"])
def test_wrong_dtype_of_labels_and_weights(reference, method, dtype):
    good, f = numbers(3)
    bad = np.zeros(3, dtype=dtype)
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
