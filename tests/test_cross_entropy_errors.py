"""Softmax cross-entropy: every message."""

import numpy as np
import pytest
from helpers.calls import OPERATIONS, raises
from helpers.cross_entropy import data

import fastloss as fl


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (
            {"label_smoothing": -0.1},
            ValueError,
            "label_smoothing = -0.1: expected a number in [0, 1]",
        ),
        ({"label_smoothing": "x"}, TypeError, "label_smoothing = 'x': expected a number"),
        (
            {"label_smoothing": np.nan},
            ValueError,
            "label_smoothing = nan: expected a finite number",
        ),
        ({"ignore_index": 1.0}, TypeError, "ignore_index = 1.0: expected an integer or None"),
        ({"ignore_index": True}, TypeError, "ignore_index = True: expected an integer or None"),
        (
            {"ignore_index": 2**63},
            ValueError,
            f"ignore_index = {2**63}: expected an integer of 64 bits",
        ),
        ({"class_weight": []}, ValueError, "class_weight has shape (0,): expected (n_classes,)"),
        ({"class_weight": 1.0}, ValueError, "class_weight has shape (): expected (n_classes,)"),
        (
            {"class_weight": [[1.0]]},
            ValueError,
            "class_weight has shape (1, 1): expected (n_classes,)",
        ),
        (
            {"class_weight": [1.0, -2.0]},
            ValueError,
            "class_weight[1] = -2.0: expected a finite number of at least 0",
        ),
        (
            {"class_weight": [np.nan]},
            ValueError,
            "class_weight[0] = nan: expected a finite number of at least 0",
        ),
    ],
)
def test_wrong_parameters(params, error, message):
    with raises(error, message):
        fl.CrossEntropy(**params)


@pytest.mark.parametrize("bad", [["a", "b"], "ab", {"a": 1}, [[1.0], [1.0, 2.0]], [1j], [None]])
def test_a_class_weight_that_is_no_array_of_numbers_is_named(bad):
    with pytest.raises((TypeError, ValueError), match=r"^class_weight\b"):
        fl.CrossEntropy(class_weight=bad)


@pytest.mark.parametrize("method", [*OPERATIONS, "partial"])
@pytest.mark.parametrize("value", [-1, 3, 100, -100, 2**62])
def test_invalid_class_label(method, value):
    y, f, _ = data(5000, 3)
    y[[4321, 4400]] = value
    call = getattr(fl.CrossEntropy(), method)
    hint = "; ignore_index=-100 leaves such samples out" if value == -100 else ""
    expected = f"CrossEntropy expects class labels 0 to 2{hint}"
    with raises(ValueError, f"y_true[4321] = {value}: {expected}"):
        call(y, f)
    with raises(ValueError, f"y_true[43, 21] = {value}: {expected}"):
        call(y.reshape(50, 100), f.reshape(50, 100, 3))
    with raises(
        ValueError,
        f"y_true[4321] = {value}: CrossEntropy expects class labels 0 to 2 or ignore_index -7",
    ):
        getattr(fl.CrossEntropy(ignore_index=-7), method)(y, f)


def test_invalid_labels_of_other_types():
    f = np.zeros((2, 3))
    with raises(ValueError, "y_true[1] = 0.5: CrossEntropy expects class labels 0 to 2"):
        fl.CrossEntropy().loss([0.0, 0.5], f)
    for bad in (np.nan, np.inf):
        with raises(ValueError, f"y_true[1] = {bad}: CrossEntropy expects class labels 0 to 2"):
            fl.CrossEntropy().loss([0.0, bad], f)
    with raises(ValueError, f"y_true[0] = {2**64 - 1}: CrossEntropy expects class labels 0 to 2"):
        fl.CrossEntropy().loss(np.array([2**64 - 1, 0], dtype=np.uint64), f)
    with raises(
        ValueError,
        f"y_true[0] = {2**64 - 1}: CrossEntropy expects class labels 0 to 2 or ignore_index -1",
    ):
        fl.CrossEntropy(ignore_index=-1).loss(np.array([2**64 - 1, 0], dtype=np.uint64), f)


@pytest.mark.parametrize("value", [-0.5, np.nan, np.inf])
def test_invalid_soft_label(value):
    _, f, _ = data(500, 3)
    y = np.full((500, 3), 1 / 3)
    y[321, 1] = value
    message = (
        f"y_true[321, 1] = {value}: CrossEntropy expects soft labels that are finite and not "
        "negative"
    )
    for method in (*OPERATIONS, "partial"):
        with raises(ValueError, message):
            getattr(fl.CrossEntropy(), method)(y, f)
    with raises(ValueError, message):
        fl.CrossEntropy().loss(np.asfortranarray(y), f)


@pytest.mark.parametrize("soft", [False, True])
def test_an_invalid_label_in_place_leaves_raw_prediction_as_it_was(soft):
    y, f, _ = data(500, 3)
    if soft:
        y = np.full((500, 3), 1 / 3)
    y[(499, 2) if soft else 499] = -5
    before = f.copy()
    with pytest.raises(ValueError, match=r"^y_true\[499"):
        fl.CrossEntropy().gradient(y, f, out=f)
    np.testing.assert_array_equal(f, before)


def test_shapes():
    loss, f = fl.CrossEntropy(), np.zeros((4, 3))
    expected = (
        "expected integer labels of raw_prediction's shape without the class axis, or "
        "probabilities of raw_prediction's shape"
    )
    for bad in (np.zeros(3, int), np.zeros((4, 1), int), np.zeros((4, 2)), np.zeros((3, 4))):
        with raises(
            ValueError,
            f"y_true has shape {bad.shape}, raw_prediction has shape (4, 3) with its class axis 1: "
            f"{expected}",
        ):
            loss.loss(bad, f)
    with raises(
        ValueError,
        "sample_weight has shape (3,): expected (4,), raw_prediction's without the class axis",
    ):
        loss.loss([0, 1, 2, 0], f, np.ones(3))
    with raises(ValueError, "raw_prediction has no axis: expected a class axis at least"):
        loss.loss(0, 1.0)
    with raises(
        ValueError,
        "raw_prediction has shape (4, 0): expected at least one class along axis -1",
    ):
        loss.loss([0] * 4, np.zeros((4, 0)))
    with raises(
        ValueError,
        "class_weight has 2 entries, raw_prediction has 3 classes: they must be equal",
    ):
        fl.CrossEntropy(class_weight=[1, 2]).loss([0] * 4, f)
    with raises(
        ValueError,
        "ignore_index = 1: needs class labels, y_true has the shape of soft labels",
    ):
        fl.CrossEntropy(ignore_index=1).loss(f, f)


def test_axis():
    f = np.zeros((4, 3))
    for call in (
        lambda axis: fl.CrossEntropy().loss([0] * 4, f, axis=axis),
        lambda axis: fl.CrossEntropy().predict(f, axis=axis),
    ):
        for bad in (2, -3):
            with raises(
                ValueError,
                f"axis = {bad}: raw_prediction has 2 axes, expected one of -2 to 1",
            ):
                call(bad)
        for bad in (1.0, None, True, (1,)):
            with raises(TypeError, f"axis = {bad!r}: expected an integer"):
                call(bad)


def test_dtypes():
    f = np.zeros((4, 3))
    y = np.zeros(4, dtype=int)
    for bad in ("i8", "f2", "O", "c16"):
        with raises(
            TypeError, f"raw_prediction has dtype {np.dtype(bad)}: expected float32 or float64"
        ):
            fl.CrossEntropy().loss(y, f.astype(bad))
    kinds = "expected bool, an integer type, float16, float32 or float64"
    for bad in ("c16", "U1", "O", "M8[s]"):
        wrong = np.zeros(4, dtype=bad)
        with raises(TypeError, f"y_true has dtype {wrong.dtype}: {kinds}"):
            fl.CrossEntropy().loss(wrong, f)
        with raises(TypeError, f"sample_weight has dtype {wrong.dtype}: {kinds}"):
            fl.CrossEntropy().loss(y, f, wrong)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_invalid_weight(value):
    y, f, w = data(500, 3)
    w[321] = value
    with raises(
        ValueError, f"sample_weight[321] = {value}: weights must be finite and not negative"
    ):
        fl.CrossEntropy().gradient(y, f, w)


def test_out():
    y, f, w = data(50, 3)
    before = f.copy()
    loss, separate = fl.CrossEntropy(), "in memory: expected separate arrays"
    with raises(
        ValueError, "out (gradient) has shape (50,): expected (50, 3), that of raw_prediction"
    ):
        loss.gradient(y, f, out=np.zeros(50))
    with raises(ValueError, "out (loss) has shape (50, 3): expected (50,), that of the samples"):
        loss.loss(y, f, reduction="none", out=np.zeros((50, 3)))
    with raises(TypeError, "out (loss) has dtype float32: expected float64, that of the samples"):
        loss.loss(y, f, reduction="none", out=np.zeros(50, dtype=np.float32))
    with raises(ValueError, f"out (gradient) overlaps y_true {separate}"):
        loss.gradient(f, f.copy(), out=f)
    with raises(ValueError, f"out (loss) overlaps sample_weight {separate}"):
        loss.loss(y, f, w, reduction="none", out=w)
    with raises(ValueError, f"out (loss) overlaps raw_prediction {separate}"):
        loss.loss(y, f, reduction="none", out=f[:, 0])
    with raises(ValueError, f"out (hessian) overlaps out (gradient) {separate}"):
        loss.gradient_hessian(y, f, out=(f, f))
    read_only = np.zeros((50, 3))
    read_only.flags.writeable = False
    with raises(ValueError, "out (gradient) is read-only: expected a writeable array"):
        loss.gradient(y, f, out=read_only)
    with raises(ValueError, "out is read-only: expected a writeable array"):
        loss.predict(f, out=read_only)
    np.testing.assert_array_equal(f, before)


def test_the_base_class_is_no_loss_and_init_is_needed():
    base = fl.CrossEntropy.__base__
    with pytest.raises(TypeError):
        base().loss([0], [[1.0, 2.0]])
    loss = fl.CrossEntropy.__new__(fl.CrossEntropy)
    for method in OPERATIONS:
        with raises(TypeError, "CrossEntropy: __init__ of the base class was not called"):
            getattr(loss, method)([0], [[1.0, 2.0]])
    assert isinstance(repr(loss), str)
    assert isinstance(hash(loss), int)


def test_wrong_starts():
    loss = fl.CrossEntropy()
    for bad in ([], np.zeros((0, 3))):
        with pytest.raises(ValueError, match=r"^y_true"):
            loss.initial_prediction(bad)
    with pytest.raises(ValueError, match=r"^y_true or sample_weight|^sample_weight"):
        loss.initial_prediction([0, 1], [0, 0])
    with pytest.raises(ValueError, match=r"^y_true\[1\] = -1: CrossEntropy expects"):
        loss.initial_prediction([0, -1])
    with pytest.raises((TypeError, ValueError), match=r"^y_true"):
        loss.initial_prediction(["a", "b"])
    with pytest.raises(ValueError, match=r"^y_true\[1\] = 0.5"):
        loss.initial_prediction([0.0, 0.5])
    with pytest.raises(ValueError, match=r"^y_true\[1\] = nan"):
        loss.initial_prediction([0.0, np.nan])


def test_labels_that_fit_another_class_axis_are_told_it():
    """Images of torch's layout: (N, C, height, width), and labels without C."""
    labels, raw = np.zeros((4, 5, 7), int), np.zeros((4, 3, 5, 7))
    with pytest.raises(ValueError, match=r"shape without the class axis.*; with axis=1 it would"):
        fl.CrossEntropy().loss(labels, raw)
    assert fl.CrossEntropy().loss(labels, raw, axis=1) == pytest.approx(np.log(3))
    for shape in ((4, 5), (3, 5, 7, 1)):  # of none
        with pytest.raises(ValueError, match=r"without the class axis, or prob[^;]*$"):
            fl.CrossEntropy().loss(np.zeros(shape, int), raw)
    with pytest.raises(ValueError, match=r"without the class axis, or prob[^;]*$"):
        fl.CrossEntropy().loss(np.zeros((4, 4), int), np.zeros((4, 4, 4, 4)))
    with pytest.raises(ValueError, match=r"expected an array of raw_prediction's shape$"):
        fl.KLDivergence().loss(np.zeros((4, 5)), np.zeros((4, 3, 5)))
