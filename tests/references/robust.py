"""Robust losses of a residual r = f - y that are convex: identity link."""

from mpmath import mp

from references.base import Reference


def huber(y, f, delta=mp.one):
    size = abs(f - y)
    return size**2 / 2 if size <= delta else delta * (size - delta / 2)


def huber_gradient(y, f, delta=mp.one):
    return min(max(f - y, -delta), delta)


REFERENCES = (
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
)
