"""Losses of counts and positive amounts: log link."""

import numpy as np
from mpmath import mp

from references.base import Reference

POWER = mp.mpf(1.5)  # the default


def poisson(y, f):
    return mp.exp(f) - y * f


def tweedie_labels(power=1.5, hessian="exact"):
    return "finite" if power <= 0 else "nonnegative" if power < 2 else "positive"


def tweedie_terms(y, f, power=POWER, hessian="exact"):
    """The two terms of the loss, whose difference it is; y times 0 or infinity has no term."""
    a, b = 2 - power, 1 - power
    if power == 1:
        return mp.exp(f), y * f
    if power == 2:
        return f, -y * mp.exp(-f)
    return mp.exp(a * f) / a, y * mp.exp(b * f) / b


def tweedie(y, f, power=POWER, hessian="exact"):
    one, other = tweedie_terms(y, f, power)
    return one - other


def tweedie_gradient(y, f, power=POWER, hessian="exact"):
    return mp.exp((2 - power) * f) - y * mp.exp((1 - power) * f)


def tweedie_hessian(y, f, power=POWER, hessian="exact"):
    a, b = 2 - power, 1 - power
    exact = a * mp.exp(a * f) - b * y * mp.exp(b * f)
    if hessian == "bounded" and not 1 <= power <= 2:
        return max(exact, mp.exp(a * f))
    return exact


def tweedie_hessian_term(y, f, power=POWER, hessian="exact"):
    a, b = 2 - power, 1 - power
    terms = abs(a * mp.exp(a * f)), abs(b * y * mp.exp(b * f))
    return max(*terms, tweedie_hessian(y, f, power, hessian))


def negative_binomial(y, f, theta=mp.one):
    return (y + 1 / theta) * mp.log(1 + theta * mp.exp(f)) - y * f


def negative_binomial_gradient(y, f, theta=mp.one):
    return (mp.exp(f) - y) / (1 + theta * mp.exp(f))


def negative_binomial_hessian(y, f, theta=mp.one):
    return (1 + theta * y) * mp.exp(f) / (1 + theta * mp.exp(f)) ** 2


def log_residual(y, f):
    return mp.log(1 + f) - mp.log(1 + y)


def above_minus_one(f):
    """Numbers above -1 from any: the others become their own magnitude."""
    return np.where(np.asarray(f) > -1, f, np.abs(f))


def deviance_terms(y, f, power=POWER, hessian="exact"):
    """The terms of half the deviance."""
    a, b = 2 - power, 1 - power
    if power == 0:
        return ((f - y) ** 2 / 2,)
    if power == 1:
        return y * mp.log(y / f) if y else mp.zero, f, -y
    if power == 2:
        return mp.log(f / y), y / f, -mp.one
    constant = y**a / (a * b) if y > 0 else mp.zero
    return f**a / a, -y * f**b / b, constant


def deviance_hessian_terms(y, f, power=POWER, hessian="exact"):
    if power == 0:
        return (mp.one,)
    scale = f ** (-power - 1)
    return (1 - power) * f * scale, power * y * scale


def deviance_hessian(y, f, power=POWER, hessian="exact"):
    exact = mp.fsum(deviance_hessian_terms(y, f, power))
    return max(exact, f**-power) if hessian == "bounded" and power != 1 else exact


def largest(terms):
    return lambda y, f, **params: max(map(abs, terms(y, f, **params)))


def positive(f):
    return np.where(np.asarray(f) == 0, 1, np.abs(f))


REFERENCES = (
    Reference(
        name="poisson",
        labels="nonnegative",
        loss=poisson,
        gradient=lambda y, f: mp.exp(f) - y,
        hessian=lambda y, f: mp.exp(f),
        predict=mp.exp,
        largest_term={
            "loss": lambda y, f: max(mp.exp(f), abs(y * f)),
            "gradient": lambda y, f: max(mp.exp(f), y),
        },
    ),
    Reference(
        name="gamma",
        labels="positive",
        loss=lambda y, f: f + y * mp.exp(-f),
        gradient=lambda y, f: 1 - y * mp.exp(-f),
        hessian=lambda y, f: y * mp.exp(-f),
        predict=mp.exp,
        largest_term={
            "loss": lambda y, f: max(abs(f), y * mp.exp(-f)),
            "gradient": lambda y, f: max(mp.one, y * mp.exp(-f)),
        },
    ),
    Reference(
        name="tweedie",
        labels="nonnegative",
        row="bounded",
        domain=tweedie_labels,
        loss=tweedie,
        gradient=tweedie_gradient,
        hessian=tweedie_hessian,
        parameters=(
            {},
            {"power": 1.0},
            {"power": 2.0},
            {"power": 0.0},
            {"power": 3.0},
            {"power": 1.9},
            {"power": 1.001},
            {"power": -0.7},
            {"power": 2.2},
            *({"power": power, "hessian": "bounded"} for power in (0.0, 1.0, 1.9, 3.0, -0.7, 2.2)),
        ),
        predict=mp.exp,
        largest_term={
            "loss": largest(tweedie_terms),
            "gradient": lambda y, f, power=POWER, hessian="exact": max(
                mp.exp((2 - power) * f), abs(y * mp.exp((1 - power) * f))
            ),
            "hessian": tweedie_hessian_term,
        },
    ),
    Reference(
        name="negative_binomial",
        labels="nonnegative",
        loss=negative_binomial,
        gradient=negative_binomial_gradient,
        hessian=negative_binomial_hessian,
        parameters=({}, {"theta": 0.37}, {"theta": 1e-6}, {"theta": 20.3}, {"theta": 1e9}),
        predict=mp.exp,
        largest_term={
            "loss": lambda y, f, theta=mp.one: max(
                (y + 1 / theta) * mp.log(1 + theta * mp.exp(f)), abs(y * f)
            ),
            "gradient": lambda y, f, theta=mp.one: max(mp.exp(f), y) / (1 + theta * mp.exp(f)),
        },
    ),
    Reference(
        name="squared_log_error",
        labels="above_minus_one",
        loss=lambda y, f, **params: log_residual(y, f) ** 2,
        gradient=lambda y, f, **params: 2 * log_residual(y, f) / (1 + f),
        hessian=lambda y, f, hessian="exact": (
            2 * max(1 - log_residual(y, f), hessian == "bounded" or -mp.inf) / (1 + f) ** 2
        ),
        parameters=({}, {"hessian": "bounded"}),
        largest_term={
            "hessian": lambda y, f, **params: (
                2 * max(mp.one, abs(log_residual(y, f))) / (1 + f) ** 2
            )
        },
        inside=above_minus_one,
        well_inside=lambda f: above_minus_one(f) + 1,
        has_limits=False,
        convex=False,
    ),
    Reference(
        name="tweedie_identity",
        labels="nonnegative",
        row="bounded",
        domain=tweedie_labels,
        loss=lambda y, f, **params: mp.fsum(deviance_terms(y, f, **params)),
        gradient=lambda y, f, power=POWER, hessian="exact": f**-power * (f - y),
        hessian=deviance_hessian,
        parameters=(
            {},
            {"power": 0.0},
            {"power": 1.0},
            {"power": 2.0},
            {"power": 3.0},
            {"power": 1.9},
            {"power": -1.3},
            *({"power": power, "hessian": "bounded"} for power in (0.0, 1.0, 1.5, 2.0, 3.0, -1.3)),
        ),
        largest_term={
            "loss": largest(deviance_terms),
            "hessian": largest(deviance_hessian_terms),
        },
        inside=positive,
        well_inside=lambda f: positive(f) + 1,
        has_limits=False,
    ),
)
