"""What a mean divides by: exact sums of weights, whatever the byte order and the class weights."""

import math

import numpy as np
import pytest
from helpers.calls import both_dtypes, raises

import fastloss as fl


@both_dtypes
@pytest.mark.parametrize("n", [1, 250, 4000, 100_003])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore_index", [None, 4])
def test_class_weights_add_up_exactly(dtype, n, weighted, ignore_index):
    rng = np.random.default_rng([7, n])
    n_classes = 13
    y, f = rng.integers(0, n_classes, n), rng.normal(size=(n, n_classes)).astype(dtype)
    class_weight = rng.random(n_classes) + 0.1
    weight = rng.random(n).astype(dtype) if weighted else None
    loss = fl.CrossEntropy(class_weight=class_weight, ignore_index=ignore_index)
    each = class_weight.astype(dtype).astype(np.float64)[y] * (1 if weight is None else weight)
    divisor = math.fsum(each[y != (-1 if ignore_index is None else ignore_index)])
    assert loss.partial(y, f, weight).weight_sum == pytest.approx(divisor, rel=2**-51)


def test_byte_order_does_not_change_the_precision_of_weights():
    rng = np.random.default_rng(8)
    f, w, y = rng.normal(size=50), rng.random(50), rng.integers(0, 2, 50)
    swapped = f.astype(f.dtype.newbyteorder("S"))
    assert fl.LogLoss().partial(y, swapped, w) == fl.LogLoss().partial(y, f, w)
    rows, classes = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    loss = fl.OneVsRest()
    other = rows.astype(rows.dtype.newbyteorder("S"))
    for weight in (w, w * 1e200):
        assert loss(classes, other, weight) == loss(classes, rows, weight)
        assert loss(classes, other, weight, reduction="sum") == loss(
            classes, rows, weight, reduction="sum"
        )


@pytest.mark.parametrize("value", [1e-31, 1e31, 5e-324, 1.7e308])
@pytest.mark.parametrize("cls", [fl.CrossEntropy, fl.NLL])
def test_class_weights_beyond_float32_are_refused(cls, value):
    message = f"class_weight[1] = {value}: expected 0 or a number in [1e-30, 1e+30]"
    with raises(ValueError, message):
        cls(class_weight=[0.0, value])


def test_an_ordinal_loss_is_no_binary_one():
    with pytest.raises(ValueError, match="expected a binary loss"):
        fl.OneVsRest(fl.CumulativeLogit((0.0,)))
