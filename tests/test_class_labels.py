"""Class labels are read where they stand: any type and layout means the same, and each is checked."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fastloss as fl

# two classes, tiles of a few and of many, rows that fill a vector and long ones
CLASSES = (2, 3, 5, 10, 17, 60, 450)
# of every width and kind that the labels fit
OTHERS = ("int32", ">i8", ">i4", "int16", "float64")


def losses(n_classes: int) -> dict[str, fl.CrossEntropy | fl.MulticlassFocal]:
    """All that reads labels by itself, and some that is left to other ways."""
    weights = np.linspace(0.3, 2.0, n_classes)
    return {
        "plain": fl.CrossEntropy(),
        "smooth": fl.CrossEntropy(label_smoothing=0.1),
        "very smooth": fl.CrossEntropy(label_smoothing=0.7, class_weight=weights),
        "weights": fl.CrossEntropy(class_weight=weights),
        "ignored": fl.CrossEntropy(ignore_index=-100, class_weight=weights),
        "penalty": fl.CrossEntropy(z_loss=0.01),
        "adjusted": fl.CrossEntropy(logit_adjustment=np.log(weights)),
        "both": fl.CrossEntropy(logit_adjustment=np.log(weights), z_loss=0.01),
        "focal": fl.MulticlassFocal(alpha=weights),
    }


def layouts(labels: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays that hold these labels."""
    apart = np.zeros(2 * labels.size, np.int64)
    apart[::2] = labels
    shifted = np.zeros(8 * labels.size + 4, np.uint8)
    unaligned = shifted[4:].view(np.int64)
    unaligned[:] = labels
    return {
        **{dtype: labels.astype(dtype) for dtype in OTHERS},
        "apart": apart[::2],
        "backwards": labels[::-1].copy()[::-1],
        "unaligned": unaligned,
        "rows": labels.reshape(1, -1, 1).transpose(2, 1, 0).reshape(labels.shape),
    }


def results(loss, labels, raw, weight, n_threads=None):
    """What a call gives, as bytes."""
    value, gradient = loss.loss_gradient(labels, raw, weight, n_threads=n_threads)
    losses_, unscaled = loss.loss_gradient(labels, raw, weight, reduction="none")
    return value, gradient.tobytes(), losses_.tobytes(), unscaled.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_classes", CLASSES)
def test_every_layout_of_labels_gives_the_same_bits(dtype, n_classes):
    """Also where a logit is far or a label hopeless, and some are ignored."""
    rng = np.random.default_rng(n_classes)
    n = 6000 // n_classes + 37
    raw = (rng.standard_normal((n, n_classes)) * 3).astype(dtype)
    raw[n // 3] *= 1e4
    raw[n // 2, 0] = np.inf
    raw[2 * n // 3, 1] = -400
    labels = rng.integers(0, n_classes, n)
    labels[2 * n // 3] = 1
    weight = rng.uniform(0.5, 2, n)
    for name, loss in losses(n_classes).items():
        own = labels.copy()
        if name == "ignored":
            own[rng.uniform(size=n) < 0.2] = -100
        for w in (None, weight):
            with np.errstate(invalid="ignore"):
                expected = results(loss, own, raw, w)
                for layout, same in layouts(own).items():
                    assert same.tolist() == own.tolist()
                    got = results(loss, same, raw, w)
                    np.testing.assert_equal(got, expected, err_msg=f"{name}, {layout}")


@pytest.mark.parametrize("n_classes", [2, 3, 10, 60])
def test_threads_do_not_change_what_labels_weigh(n_classes):
    rng = np.random.default_rng(5)
    n = 200_000 // n_classes
    raw = rng.standard_normal((n, n_classes)).astype(np.float32)
    labels = rng.integers(0, n_classes, n)
    labels[::7] = -1
    loss = fl.CrossEntropy(ignore_index=-1, class_weight=rng.uniform(0.1, 3, n_classes))
    expected = results(loss, labels, raw, None, 1)
    for n_threads in (2, 3, 8):
        assert results(loss, labels, raw, None, n_threads) == expected


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
@pytest.mark.parametrize("n_classes", [1, 2, 7, 8, 9, 16, 17, 40, 128, 129, 200])
def test_the_mean_divides_by_the_weights_of_all_labels(n_classes, dtype):
    """Over more labels than a counter of one byte takes, in all ways of counting."""
    rng = np.random.default_rng(n_classes)
    labels = rng.integers(0, n_classes, 9001)
    labels[:4000] = n_classes - 1
    ignored = rng.uniform(size=labels.size) < 0.1
    labels[ignored] = 255
    labels = labels.astype(dtype)
    raw = np.zeros((labels.size, n_classes), np.float32)
    weights = rng.uniform(0.1, 2, n_classes).astype(np.float32)
    loss = fl.CrossEntropy(ignore_index=255, class_weight=weights)
    exact = math.fsum(float(weights[label]) for label in labels[~ignored])
    assert loss.partial(labels, raw).weight_sum == pytest.approx(exact, rel=2e-15, abs=0)
    plain = fl.CrossEntropy(ignore_index=255)
    assert plain.partial(labels, raw).weight_sum == np.count_nonzero(~ignored)


@pytest.mark.parametrize("reader", ["unweighted", "weighted", "penalty", "smooth"])
@pytest.mark.parametrize("n_classes", [2, 3, 12, 80])
@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_a_label_that_is_no_class_is_refused(dtype, n_classes, reader):
    """Wherever it stands, also if the lower half of it is a class."""
    loss = {
        "unweighted": fl.CrossEntropy(),
        "weighted": fl.CrossEntropy(class_weight=np.ones(n_classes), ignore_index=-1),
        "penalty": fl.CrossEntropy(z_loss=0.1),
        "smooth": fl.CrossEntropy(label_smoothing=0.2),
    }[reader]
    n = 700
    raw = np.zeros((n, n_classes), np.float32)
    wrong = [n_classes, -2, np.iinfo(dtype).min, np.iinfo(dtype).max]
    if dtype == "int64":
        wrong += [2**32, -(2**32), 2**32 + 1]
    for value in wrong:
        for where in (0, 130, n - 1):
            labels = np.zeros(n, dtype)
            labels[where] = value
            with pytest.raises(ValueError, match=rf"y_true\[{where}\].*{value}"):
                loss.loss_gradient(labels, raw)


@pytest.mark.parametrize("ignore_index", [-100, -1, 1, 3, 2**31 - 1, 2**40])
def test_ignored_labels_leave_the_others_alone(ignore_index):
    """The index may be a class, lie beyond them, and be wider than an int32."""
    rng = np.random.default_rng(2)
    raw = rng.standard_normal((500, 3))
    labels = rng.integers(0, 3, 500)
    ignored = labels == 1 if ignore_index == 1 else rng.uniform(size=500) < 0.3
    labels[ignored] = ignore_index
    value, gradient = fl.CrossEntropy(ignore_index=ignore_index).loss_gradient(labels, raw)
    kept, of_kept = fl.CrossEntropy().loss_gradient(labels[~ignored], raw[~ignored])
    assert value == pytest.approx(kept, rel=1e-15)
    assert (gradient[ignored] == 0).all()
    np.testing.assert_allclose(gradient[~ignored], of_kept, rtol=1e-15)
