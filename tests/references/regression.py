"""Losses of a residual r = f - y: identity link."""

from mpmath import mp

from references.base import Reference

HALF = mp.mpf(0.5)


def huber(y, f, delta=mp.one):
    size = abs(f - y)
    return size**2 / 2 if size <= delta else delta * (size - delta / 2)


def huber_gradient(y, f, delta=mp.one):
    return min(max(f - y, -delta), delta)


def pinball(y, f, quantile=HALF):
    return quantile * max(y - f, mp.zero) + (1 - quantile) * max(f - y, mp.zero)


def pinball_gradient(y, f, quantile=HALF):
    return 1 - quantile if f > y else -quantile


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
        name="huber",
        labels="finite",
        loss=huber,
        gradient=huber_gradient,
        hessian=lambda y, f, delta=mp.one: mp.mpf(abs(f - y) <= delta),
        parameters=({}, {"delta": 1.35}, {"delta": 0.01}, {"delta": 1e3}),
        kinks=lambda y, f, delta=mp.one: [y - delta, y + delta],
        jump=lambda y, f, delta=mp.one: (abs(f - y) - delta) / delta,
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
)
