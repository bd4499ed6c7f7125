"""Ordered classes by one score: proportional odds."""

from mpmath import mp

from references.base import Reference

THRESHOLDS = (mp.mpf(-1), mp.mpf(1))


def expit(x):
    return mp.zero if x == -mp.inf else mp.one if x == mp.inf else 1 / (1 + mp.exp(-x))


def ends(y, f, thresholds):
    """Where the label's class begins and ends, from the score."""
    bounds = (-mp.inf, *thresholds, mp.inf)
    return bounds[int(y)] - f, bounds[int(y) + 1] - f


def loss(y, f, thresholds=THRESHOLDS):
    a, b = ends(y, f, thresholds)
    # the difference of the upper tails where both ends lie below the score
    p = expit(-a) - expit(-b) if a > 0 else expit(b) - expit(a)
    return -mp.log1p(-(1 - p)) if p > 0.5 else -mp.log(p)


def gradient(y, f, thresholds=THRESHOLDS):
    a, b = ends(y, f, thresholds)
    return expit(-b) - expit(a)


def hessian(y, f, thresholds=THRESHOLDS):
    return sum(expit(x) * expit(-x) for x in ends(y, f, thresholds))


def larger_slope(y, f, thresholds=THRESHOLDS):
    a, b = ends(y, f, thresholds)
    return max(expit(-b), expit(a))


REFERENCES = (
    Reference(
        name="cumulative_logit",
        labels="classes",
        loss=loss,
        gradient=gradient,
        hessian=hessian,
        parameters=({}, {"thresholds": (-2.5, 4.0)}, {"thresholds": (0.0, 2.0**-20)}),
        predict=None,
        largest_term={"gradient": larger_slope},
    ),
)
