"""Losses of counts and positive amounts: log link."""

from mpmath import mp

from references.base import Reference


def poisson(y, f):
    return mp.exp(f) - y * f


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
)
