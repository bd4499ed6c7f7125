"""What a reference says of a pointwise loss, and samples for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mpmath import mp

Formula = Callable[..., Any]  # (y, f, **params) -> mpf, all arguments exact

#: Bits at which 1 + e^-|f| still holds every normal result of the dtype to more than its precision.
PRECISION = {"float32": 400, "float64": 1300}


def identity(f):
    return f


def exactly(params):
    """Parameters as exact numbers, or tuples of these; a word, or None, stays what it is."""

    def exact(value):
        if isinstance(value, tuple):
            return tuple(map(exact, value))
        return value if value is None or isinstance(value, str) else mp.mpf(value)

    return {key: exact(value) for key, value in params.items()}


@dataclass(frozen=True, repr=False)
class Reference:
    """
    One pointwise loss.

    `jump` gives the relative distance of (y, f) from the nearest point where the Hessian jumps, if
    rounding may decide on which side of it a sample lies. `largest_term` gives, for an operation
    whose result is a sum with cancelling terms, the size of the largest: its error is in ULP of
    that. `excluded` tells where the class's docs promise no bound, `smallest_factor` gives a factor
    that the others bring back among the normal numbers: where it is subnormal, it has fewer digits.
    `row` is the label domain in losses.def where it is not that of the default parameters,
    `labels`; `domain` gives it for any. `inside` maps any raw predictions to where the loss is
    defined, `well_inside` to where its third derivative is not large either.
    """

    name: str
    labels: str  # a label domain of losses.def, in lower case
    loss: Formula
    gradient: Formula
    hessian: Formula
    # away from kinks; else a convention of the docs; may depend on the parameters
    hessian_is_derivative: bool | Callable[..., bool] = True
    convex: bool = True
    parameters: tuple[dict[str, Any], ...] = ({},)
    predict: Callable[[Any], Any] | None = identity  # None: several numbers a sample
    kinks: Formula = field(
        default=lambda y, f, **params: []
    )  # arguments f where a derivative jumps
    jump: Formula | None = None
    largest_term: dict[str, Formula] = field(default_factory=dict)
    excluded: Callable[[float, Any, dict[str, Any]], bool] = lambda f, dtype, params: False
    row: str | None = None
    domain: Callable[..., str] | None = None
    inside: Callable[[Any], Any] = identity
    well_inside: Callable[[Any], Any] = identity
    has_limits: bool = True  # of the default at infinity, which the growth to 2**12 tells
    smallest_factor: Formula | None = None

    def __repr__(self):
        return f"Reference({self.name!r})"

    def labels_for(self, params: dict[str, float]) -> str:
        return self.domain(**params) if self.domain else self.labels

    def hard(self, y):
        """Labels 0 and 1, or what a domain without 0 has instead."""
        return np.asarray(y) + (self.labels == "positive")

    def formula(self, operation: str) -> Formula:
        return {"loss": self.loss, "gradient": self.gradient, "hessian": self.hessian}[operation]

    def has_true_hessian(self, params) -> bool:
        if params.get("hessian") == "bounded":
            return False
        if callable(self.hessian_is_derivative):
            return self.hessian_is_derivative(**params)
        return self.hessian_is_derivative

    def evaluate(self, operation, y, f, params):
        """Exact results as a list of mpf, of flat arrays of numbers."""
        return self._evaluate(self.formula(operation), y, f, params)

    @staticmethod
    def _evaluate(formula, y, f, params):
        exact = exactly(params)
        return [
            formula(mp.mpf(float(yi)), mp.mpf(float(fi)), **exact)
            for yi, fi in zip(np.ravel(y), np.ravel(f), strict=True)
        ]

    def float64(self, operation, y, f, params):
        """The same as float64 in y's shape, for tests that do not ask for the last bits."""
        return self.float64_of(self.formula(operation), y, f, params)

    def float64_of(self, formula, y, f, params):
        """Any formula of the sample as float64 in y's shape."""
        with mp.workprec(PRECISION["float64"]):
            values = [float(value) for value in self._evaluate(formula, y, f, params)]
        return np.array(values, dtype=np.float64).reshape(np.shape(y))


def labels_of(domain: str, rng: np.random.Generator, n: int) -> np.ndarray:
    """Ordinary labels of a domain."""
    if domain == "binary":
        return rng.integers(0, 2, n).astype(np.float64)
    if domain == "classes":
        return rng.integers(0, 3, n).astype(np.float64)
    if domain == "unit_interval":
        return np.where(rng.random(n) < 0.6, rng.integers(0, 2, n), rng.random(n))
    if domain == "nonnegative":
        return rng.poisson(2.0, n).astype(np.float64)
    if domain == "positive":
        return rng.gamma(2.0, 1.0, n)
    if domain == "above_minus_one":
        return rng.poisson(2.0, n) - 0.9 * (rng.random(n) < 0.3)
    if domain == "finite":
        return rng.normal(size=n)
    raise ValueError(domain)


def _log_spaced(rng, n, low, high, dtype):
    """Random signs, magnitudes with uniform binary exponents in [low, high)."""
    exponents = rng.uniform(low, high, n)
    with np.errstate(under="ignore"):
        magnitudes = np.exp2(exponents.astype(np.float64)).astype(dtype)
    return magnitudes * rng.choice(np.array([-1, 1], dtype=dtype), n)


def edge_labels(domain: str, rng: np.random.Generator, n: int, dtype) -> np.ndarray:
    """Labels of a domain up to its edges, in dtype."""
    info = np.finfo(dtype)
    if domain == "binary":
        return rng.integers(0, 2, n).astype(dtype)
    if domain == "classes":
        return rng.integers(0, 3, n).astype(dtype)
    if domain == "unit_interval":
        near_one = dtype(1) - dtype(info.epsneg) * rng.integers(1, 20, n).astype(dtype)
        near_zero = np.abs(_log_spaced(rng, n, info.minexp, 0, dtype))
        inside = rng.random(n).astype(dtype)
        return np.choose(rng.integers(0, 3, n), [near_one, near_zero, inside])
    wide = _log_spaced(rng, n, info.minexp, info.maxexp - 1, dtype)
    if domain == "above_minus_one":
        near_minus_one = dtype(info.epsneg) * rng.integers(1, 20, n).astype(dtype) - dtype(1)
        return np.where(rng.random(n) < 0.3, near_minus_one, np.where(wide > -1, wide, -wide))
    return wide if domain == "finite" else np.abs(wide)


def samples(
    reference: Reference, params: dict[str, Any], dtype, seed: int = 0, n: int = 60
) -> tuple[np.ndarray, np.ndarray]:
    """
    Labels and raw predictions of one dtype: ordinary ones, all magnitudes, kinks, tails, edges.
    """
    dtype = np.dtype(dtype).type
    rng = np.random.default_rng([seed, len(reference.name), len(params)])
    info = np.finfo(dtype)
    # where e^f overflows, where it turns subnormal, and what training meets
    top, bottom = np.log(float(info.max)), np.log(float(info.tiny))
    tails = np.array(
        [0.0, -0.0, 1e-3, 1, 10, 17, 18, 34, 40, 80, 87, 88, 100, 700, 708, 709, 745, 1e4, 1e30]
        + [top * (1 - k * info.eps) for k in range(1, 4)]
        + [-bottom * (1 - k * info.eps) for k in range(1, 4)]
    )
    tails = np.concatenate([tails, -tails]).astype(dtype)
    domain = reference.labels_for(params)
    labels, raw = [], []

    def add(y, f):
        y, f = np.broadcast_arrays(np.asarray(y, dtype=dtype), np.asarray(f, dtype=dtype))
        labels.append(y)
        raw.append(reference.inside(f).astype(dtype))

    ordinary = labels_of(domain, rng, n).astype(dtype)
    add(ordinary, rng.uniform(-5, 5, n))
    add(labels_of(domain, rng, n), rng.uniform(bottom, top, n))
    add(edge_labels(domain, rng, n, dtype), rng.uniform(-20, 20, n))
    add(labels_of(domain, rng, n), _log_spaced(rng, n, info.minexp, info.maxexp, dtype))
    add(
        edge_labels(domain, rng, n, dtype),
        _log_spaced(rng, n, info.minexp, info.maxexp, dtype),
    )
    for y in {
        "binary": [0, 1],
        "classes": [0, 1, 2],
        "unit_interval": [0, 1, 0.25],
        "positive": [0.25, 1, 3.5],
    }.get(domain, [0, 1, 3.5]):
        add(np.full(len(tails), y), tails)
    if domain in ("finite", "above_minus_one"):
        # residuals of all sizes about the label, and none at all
        y = labels_of(domain, rng, n).astype(dtype)
        add(y, y + _log_spaced(rng, n, -60, 4, dtype))
        add(y[:4], y[:4])
    exact = exactly(params)
    for y in ordinary[:4]:
        with mp.workprec(200):
            kinks = [float(kink) for kink in reference.kinks(mp.mpf(float(y)), None, **exact)]
        for kink in np.array(kinks, dtype=dtype):
            for steps in (-3, -1, 0, 1, 3):
                add([y], [kink + dtype(steps) * np.spacing(kink)])
    return np.concatenate(labels), np.concatenate(raw)
