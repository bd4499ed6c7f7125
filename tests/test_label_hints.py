"""Messages about wrong labels say what habits of other libraries would want instead."""

import re

import numpy as np
import pytest

import fastloss as fl

F = np.zeros((3, 4))
EYE = np.eye(4)[:3]


def refused(expected):
    return pytest.raises(ValueError, match=re.escape(expected) + "$")


def test_what_torch_ignores():
    for loss in (fl.CrossEntropy(), fl.NLL()):
        with refused("expects class labels 0 to 3; ignore_index=-100 leaves such samples out"):
            loss([0, 1, -100], F)
    with refused("expects class labels 0 to 3; leave such samples out"):
        fl.MulticlassFocal()([0, 1, -100], F)
    for label in (-1, 4, -101):
        with refused(f"y_true[2] = {label}: CrossEntropy expects class labels 0 to 3"):
            fl.CrossEntropy()([0, 1, label], F)
    with refused("expects class labels 0 to 3 or ignore_index -1"):
        fl.CrossEntropy(ignore_index=-1)([0, 1, -100], F)
    assert fl.CrossEntropy(ignore_index=-100)([0, 1, -100], F) == np.log(4)


@pytest.mark.parametrize(
    "loss",
    [
        fl.LogLoss(),
        fl.BinaryCrossEntropy(),
        fl.Exponential(),
        fl.Focal(),
        fl.Hinge(),
        fl.Perceptron(),
        fl.SquaredHinge(),
        fl.Poly1(),
    ],
    ids=repr,
)
def test_labels_of_both_signs(loss):
    f = np.full(3, 0.5)
    for y in ([1, -1, 1], np.array([1.0, -1.0, 1.0]), np.array([1, -1, 1], np.int8)):
        with pytest.raises(
            ValueError, match=r"^y_true\[1\] = -1.*; for labels -1 and 1 take y_true > 0$"
        ):
            loss(y, f)
        assert loss(np.asarray(y) > 0, f) == loss([1, 0, 1], f)
    with pytest.raises(ValueError, match=r"^y_true\[0\] = 2: .*(0 or 1|\[0, 1\])$"):
        loss([2, 1, 1], f)


def test_labels_of_both_signs_of_several_outputs():
    y = np.where(EYE > 0, 1, -1)
    with pytest.raises(ValueError, match=r"take y_true > 0$"):
        fl.OneVsRest()(y, F)
    assert fl.OneVsRest()(y > 0, F) == fl.OneVsRest()([0, 1, 2], F)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize(
    "loss", [fl.NLL(), fl.MulticlassFocal(), fl.MulticlassHinge(), fl.Sparsemax()], ids=repr
)
def test_one_hot_rows(loss, axis):
    y, f = (EYE.T, F.T) if axis == 0 else (EYE, F)
    hint = f"for one-hot labels take y_true.argmax(axis={axis % 2})"
    with pytest.raises(ValueError, match=re.escape(hint)):
        loss(y, f, axis=axis)
    assert loss(y.argmax(axis=axis), f, axis=axis) == loss([0, 1, 2], F)
    with pytest.raises(ValueError, match=r"without the class axis$"):
        loss(np.zeros((3, 1)), F)


def test_one_hot_rows_of_one_class_more_than_outputs():
    with pytest.raises(ValueError, match=re.escape("y_true.argmax(axis=1)")):
        fl.Coral()(np.eye(5)[:3], F)


@pytest.mark.parametrize("axis", [0, 1])
def test_levels_of_ordered_classes(axis):
    """As many as outputs: their argmax would be 0 of every class."""
    classes = np.array([0, 2, 4])
    levels, f = (classes[:, None] > np.arange(4)).astype(float), F
    if axis == 0:
        levels, f = levels.T, F.T
    with refused(f"for levels, 1 where the class is above, take y_true.sum(axis={axis})"):
        fl.Coral()(levels, f, axis=axis)
    assert fl.Coral()(levels.sum(axis=axis), f, axis=axis) == fl.Coral()(classes, F)


def test_dictionaries_are_no_sequences():
    weights = {0: 1.0, 1: 2.0}
    for loss in (fl.CrossEntropy, fl.NLL):
        with pytest.raises(
            TypeError, match="in the order of the classes, or None; dictionaries are for"
        ):
            loss(class_weight=weights)
    for given in (weights, {0.5, 2.0}):
        with pytest.raises(
            TypeError, match=r"^alpha = .*: expected a sequence of numbers, in their order"
        ):
            fl.MulticlassFocal(alpha=given)
