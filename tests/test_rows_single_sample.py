"""One sample's logits, without an axis of samples: labels and soft labels, and what is neither."""

import numpy as np
import pytest
from helpers.calls import OPERATIONS, raises

import fastloss as fl

LOSSES = [
    loss
    for loss in map(fl.get_loss, fl.available_losses())
    if getattr(loss, "label_kind", "") == "class or soft" and not isinstance(loss, fl.OneVsRest)
]


def test_there_are_such_losses():
    assert any(isinstance(loss, fl.CrossEntropy) for loss in LOSSES)


@pytest.mark.parametrize("method", [*OPERATIONS, "partial"])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_integers_beside_the_logits_of_one_sample_are_refused(loss, method):
    f = np.array([0.5, -1.0, 2.0])
    for y in ([0, 1, 0], np.array([2, 0, 1], np.uint8), np.array([False, True, False])):
        dtype = np.asarray(y).dtype
        message = (
            f"y_true has dtype {dtype} and raw_prediction's shape, (3,), which is one sample of 3 "
            "classes: expected its label as a single integer or its probabilities as floats; for 3 "
            "labels, raw_prediction of shape (3, C)"
        )
        with raises(TypeError, message):
            getattr(loss, method)(y, f)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_label_and_soft_labels_of_one_sample(loss):
    f = np.array([0.5, -1.0, 2.0])
    hot, rows = np.eye(3)[2], f[None]
    assert loss(2, f) == loss(np.int8(2), f) == loss([2], rows)
    assert loss(hot, f) == loss(hot[None], rows)
    # as rows there is nothing to mistake: one-hot labels may be integers
    assert loss(hot[None].astype(np.int64), rows) == loss(hot, f)
    np.testing.assert_array_equal(loss.gradient(hot, f), loss.gradient(hot[None], rows)[0])


def test_as_in_torch():
    torch = pytest.importorskip("torch")
    f = np.array([0.5, -1.0, 2.0])
    with pytest.raises(RuntimeError):
        torch.nn.functional.cross_entropy(torch.tensor(f), torch.tensor([0, 1, 0]))
    for y in (np.array(1), np.array([0.2, 0.5, 0.3])):
        theirs = torch.nn.functional.cross_entropy(torch.tensor(f), torch.from_numpy(y))
        assert fl.CrossEntropy()(y, f) == pytest.approx(float(theirs), rel=1e-14)


@pytest.mark.parametrize("name", ["gaussian_nll", "gaussian_crps"])
def test_the_link_of_one_sample(name):
    """The best constant is one sample's pair, without an axis of samples."""
    loss = fl.get_loss(name)
    start = loss.initial_prediction([1.0, 2.0, 4.0])
    found = loss.predict(start)
    np.testing.assert_array_equal(found, loss.predict(start[None])[0])
    np.testing.assert_array_equal(found, [start[0], np.exp(start[1])])
    out = np.empty(2)
    assert loss.predict(start, out=out) is out
    np.testing.assert_array_equal(out, found)
