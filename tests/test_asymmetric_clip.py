"""Asymmetric where a probability is close to the clip and their difference loses its digits."""

import math

import numpy as np
import pytest
from references import REFERENCES
from test_accuracy import OPERATIONS, documented_bound, worst

import fastloss as fl

#: Of each logit from that of the clip.
SIZES = np.concatenate([np.logspace(-12, -1, 20), np.linspace(0.01, 3.0, 30)])
DISTANCES = np.concatenate([-SIZES, SIZES])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("clip", [1e-6, 0.01, 0.05, 0.123, 0.345, 0.9])
@pytest.mark.parametrize("gamma", [0.0, 1.0, 4.0, 5.0, 6.0, 7.0])
def test_near_the_clip(gamma, clip, dtype):
    params = {"gamma_pos": 1.0, "gamma_neg": gamma, "clip": clip}
    f = (math.log(clip / (1.0 - clip)) + DISTANCES).astype(dtype)
    y = np.zeros_like(f)
    loss, reference = fl.get_loss("asymmetric", **params), REFERENCES["asymmetric"]
    results = loss.loss_gradient_hessian(y, f, reduction="none")
    for operation, computed in zip(OPERATIONS, results, strict=True):
        error, _, at, value = worst(reference, params, dtype, operation, y, f, computed)
        assert error <= documented_bound(type(loss), operation), (
            f"{operation}: {error:.2f} ULP at {at!r}, which gives {value!r}"
        )


@pytest.mark.parametrize("gamma", [0.0, 1.0, 4.0, 5.0, 6.0, 7.0])
def test_at_the_number_nearest_to_the_clip(gamma):
    """The distance is known to half a unit in its last place, which the power multiplies."""
    assert "nearest to logit(clip), where the distance is its rounding, 6.5" in " ".join(
        fl.Asymmetric.__doc__.split()
    )
    for clip in (1e-6, 0.01, 0.05, 0.123, 0.345, 0.9):
        params = {"gamma_pos": 1.0, "gamma_neg": gamma, "clip": clip}
        f = np.array([math.log(clip / (1.0 - clip))])
        f = np.concatenate([np.nextafter(f, -100), f, np.nextafter(f, 100)])
        y = np.zeros_like(f)
        results = fl.Asymmetric(**params).loss_gradient_hessian(y, f, reduction="none")
        for operation, computed in zip(OPERATIONS, results, strict=True):
            reference = REFERENCES["asymmetric"]
            error, *at = worst(reference, params, np.float64, operation, y, f, computed)
            assert error <= (7.5 if operation == "hessian" else 6.5), (clip, operation, at)


def test_a_clip_that_is_subnormal_is_refused():
    with pytest.raises(ValueError, match=r"^clip = 1e-310: expected 0 or a normal number"):
        fl.Asymmetric(clip=1e-310)
    loss = fl.Asymmetric(clip=2.3e-308)
    assert all(np.isfinite(loss.loss_gradient_hessian(0, 720.0)))


def test_at_a_subnormal_distance_from_the_clip_without_a_power():
    """At clip 1/2, logit 0: p (1 - p) cost_fp / (1 - x)**2 of the logarithm alone."""
    loss = fl.Asymmetric(gamma_neg=0.0, clip=0.5, cost_fp=100.0)
    for f in (5e-324, 1e-310, 1e-300):
        gradient, hessian = loss.gradient_hessian([0], [f], reduction="none")
        assert gradient[0] == pytest.approx(25.0, rel=1e-14)
        assert hessian[0] == pytest.approx(6.25, rel=1e-14)
        together = loss.loss_gradient_hessian([0], [f], reduction="none")
        assert (together[1][0], together[2][0]) == (gradient[0], hessian[0])
