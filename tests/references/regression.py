"""Losses of a residual r = f - y: identity link."""

from mpmath import mp

from references.base import Reference

HALF = mp.mpf(0.5)


def pinball(y, f, quantile=HALF):
    return quantile * max(y - f, mp.zero) + (1 - quantile) * max(f - y, mp.zero)


def pinball_gradient(y, f, quantile=HALF):
    return 1 - quantile if f > y else -quantile


def expectile_factor(y, f, alpha=HALF):
    return 1 - alpha if f > y else alpha


def excess(y, f, epsilon):
    return max(abs(f - y) - epsilon, mp.zero)


def relative(y, eps):
    return 1 / max(abs(y), eps)


TENTH, MILLIONTH = mp.mpf(0.1), mp.mpf(1e-7)  # the floats that the defaults are

REFERENCES = (
    Reference(
        name="squared_error",
        labels="finite",
        loss=lambda y, f: (f - y) ** 2,
        gradient=lambda y, f: 2 * (f - y),
        hessian=lambda y, f: mp.mpf(2),
    ),
    Reference(
        name="half_squared_error",
        labels="finite",
        loss=lambda y, f: (f - y) ** 2 / 2,
        gradient=lambda y, f: f - y,
        hessian=lambda y, f: mp.one,
    ),
    Reference(
        name="absolute_error",
        labels="finite",
        loss=lambda y, f: abs(f - y),
        gradient=lambda y, f: mp.sign(f - y),
        hessian=lambda y, f: mp.one,
        hessian_is_derivative=False,
        kinks=lambda y, f: [y],
    ),
    Reference(
        name="pinball",
        labels="finite",
        loss=pinball,
        gradient=pinball_gradient,
        hessian=lambda y, f, quantile=None: mp.one,
        hessian_is_derivative=False,
        parameters=({}, {"quantile": 0.1}, {"quantile": 0.999}),
        kinks=lambda y, f, quantile=None: [y],
    ),
    Reference(
        name="expectile",
        labels="finite",
        loss=lambda y, f, **params: expectile_factor(y, f, **params) * (f - y) ** 2,
        gradient=lambda y, f, **params: 2 * expectile_factor(y, f, **params) * (f - y),
        hessian=lambda y, f, **params: 2 * expectile_factor(y, f, **params),
        parameters=({}, {"alpha": 0.1}, {"alpha": 0.999}),
        kinks=lambda y, f, **params: [y],
    ),
    Reference(
        name="epsilon_insensitive",
        labels="finite",
        loss=lambda y, f, epsilon=TENTH: excess(y, f, epsilon),
        gradient=lambda y, f, epsilon=TENTH: mp.sign(f - y) * (abs(f - y) > epsilon),
        hessian=lambda y, f, epsilon=TENTH: mp.mpf(abs(f - y) > epsilon),
        hessian_is_derivative=False,
        parameters=({}, {"epsilon": 0.0}, {"epsilon": 0.37}, {"epsilon": 20.0}),
        kinks=lambda y, f, epsilon=TENTH: [y - epsilon, y + epsilon],
    ),
    Reference(
        name="squared_epsilon_insensitive",
        labels="finite",
        loss=lambda y, f, epsilon=TENTH: excess(y, f, epsilon) ** 2,
        gradient=lambda y, f, epsilon=TENTH: 2 * mp.sign(f - y) * excess(y, f, epsilon),
        hessian=lambda y, f, epsilon=TENTH: 2 * mp.mpf(abs(f - y) > epsilon),
        parameters=({}, {"epsilon": 0.0}, {"epsilon": 0.37}, {"epsilon": 20.0}),
        kinks=lambda y, f, epsilon=TENTH: [y - epsilon, y + epsilon],
    ),
    Reference(
        name="absolute_percentage_error",
        labels="finite",
        loss=lambda y, f, eps=MILLIONTH: abs(f - y) * relative(y, eps),
        gradient=lambda y, f, eps=MILLIONTH: mp.sign(f - y) * relative(y, eps),
        hessian=lambda y, f, eps=MILLIONTH: relative(y, eps),
        hessian_is_derivative=False,
        parameters=({}, {"eps": 0.37}),
        kinks=lambda y, f, **params: [y],
    ),
)
