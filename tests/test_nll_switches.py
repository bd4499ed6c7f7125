"""NLL's means over class labels, by the switches that CrossEntropy has, too."""

import re

import numpy as np
import pytest

import fastloss as fl

WEIGHTS = (1.0, 2.0, 0.5)


def samples():
    rng = np.random.default_rng(5)
    f = rng.normal(size=(50, 3))
    return rng.integers(0, 3, 50), f - np.log(np.exp(f).sum(axis=1, keepdims=True)), rng.random(50)


@pytest.mark.parametrize("weighted_mean", [True, False])
@pytest.mark.parametrize("sample_weight", [True, False])
def test_what_the_mean_divides_by(weighted_mean, sample_weight):
    y, f, w = samples()
    loss = fl.NLL(class_weight=WEIGHTS, ignore_index=1, weighted_mean=weighted_mean)
    w = w if sample_weight else np.ones(len(y))
    counted = np.where(y == 1, 0.0, w)
    per_class = np.asarray(WEIGHTS)[y]
    below = (counted * per_class).sum() if weighted_mean else counted.sum()
    expected = -(counted * per_class * f[np.arange(len(y)), y]).sum() / below
    value, gradient = loss.loss_gradient(y, f, w)
    assert value == pytest.approx(expected, rel=1e-14)
    at_label = np.zeros_like(f)
    at_label[np.arange(len(y)), y] = -counted * per_class / below
    np.testing.assert_allclose(gradient, at_label, rtol=1e-14)
    parts = loss.partial(y[:20], f[:20], w[:20]) + loss.partial(y[20:], f[20:], w[20:])
    assert parts.mean() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("weighted_mean", [True, False])
def test_as_the_cross_entropy_of_the_same_switches(weighted_mean):
    y, f, w = samples()
    switches = {"class_weight": WEIGHTS, "weighted_mean": weighted_mean, "ignore_index": 2}
    expected = fl.CrossEntropy(**switches)(y, f, w)
    assert fl.NLL(**switches)(y, f, w) == pytest.approx(expected, rel=1e-13)


def test_all_ignored():
    y, f = np.full(4, -100), np.zeros((4, 3))
    with pytest.warns(RuntimeWarning, match="samples that are all ignored"):
        assert np.isnan(fl.NLL(ignore_index=-100)(y, f))
    zero = fl.NLL(ignore_index=-100, all_ignored="zero")
    value, gradient = zero.loss_gradient(y, f)
    assert value == 0.0
    np.testing.assert_array_equal(gradient, 0.0)
    assert zero.partial(y, f).mean() == 0.0
    with pytest.warns(RuntimeWarning, match="an empty array"):
        assert np.isnan(zero(y[:0], f[:0]))


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"weighted_mean": 1}, TypeError, "weighted_mean = 1: expected True or False"),
        ({"all_ignored": "one"}, ValueError, "all_ignored = 'one': expected 'nan' or 'zero'"),
    ],
)
def test_parameters_outside_their_domain(params, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        fl.NLL(**params)
