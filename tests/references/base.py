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


def exact_params(params):
    """Parameters as mpf, but for words and None."""
    return {
        key: value if value is None or isinstance(value, str) else mp.mpf(value)
        for key, value in params.items()
    }


@dataclass(frozen=True, repr=False)
class Reference:
    """
    One pointwise loss.

    `jump` gives the relative distance of (y, f) from the nearest point where the Hessian jumps, if
    rounding may decide on which side of it a sample lies. `largest_term` gives, for an operation
    whose result is a sum with cancelling terms, the size of the largest: its error is in ULP of
    that. `excluded` tells where the class's docs promise no bound, `smallest_factor` gives a factor
    that the others bring back among the normal numbers: where it is subnormal, it has fewer digits.
    """

    name: str
    labels: str  # "finite", "nonnegative", "unit_interval" or "binary"
    loss: Formula
    gradient: Formula
    hessian: Formula
    hessian_is_derivative: bool = True  # away from kinks; else a convention of the docs
    parameters: tuple[dict[str, float], ...] = ({},)
    predict: Callable[[Any], Any] = identity
    kinks: Formula = field(
        default=lambda y, f, **params: []
    )  # arguments f where a derivative jumps
    jump: Formula | None = None
    largest_term: dict[str, Formula] = field(default_factory=dict)
    smallest_factor: Formula | None = None
    excluded: Callable[[float, Any, dict[str, float]], bool] = lambda f, dtype, params: False

    def __repr__(self):
        return f"Reference({self.name!r})"

    def has_true_hessian(self, params):
        return self.hessian_is_derivative and params.get("hessian") != "bounded"

    def formula(self, operation: str) -> Formula:
        return {"loss": self.loss, "gradient": self.gradient, "hessian": self.hessian}[operation]

    def evaluate(self, operation, y, f, params):
        """Exact results as a list of mpf, of flat arrays of numbers."""
        return self._evaluate(self.formula(operation), y, f, params)

    @staticmethod
    def _evaluate(formula, y, f, params):
        exact = exact_params(params)
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
    if domain == "unit_interval":
        return np.where(rng.random(n) < 0.6, rng.integers(0, 2, n), rng.random(n))
    if domain == "nonnegative":
        return rng.poisson(2.0, n).astype(np.float64)
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
    if domain == "unit_interval":
        near_one = dtype(1) - dtype(info.epsneg) * rng.integers(1, 20, n).astype(dtype)
        near_zero = np.abs(_log_spaced(rng, n, info.minexp, 0, dtype))
        inside = rng.random(n).astype(dtype)
        return np.choose(rng.integers(0, 3, n), [near_one, near_zero, inside])
    wide = _log_spaced(rng, n, info.minexp, info.maxexp - 1, dtype)
    return np.abs(wide) if domain == "nonnegative" else wide


def samples(
    reference: Reference, params: dict[str, float], dtype, seed: int = 0, n: int = 60
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
    labels, raw = [], []

    def add(y, f):
        y, f = np.broadcast_arrays(np.asarray(y, dtype=dtype), np.asarray(f, dtype=dtype))
        labels.append(y)
        raw.append(f)

    ordinary = labels_of(reference.labels, rng, n).astype(dtype)
    add(ordinary, rng.uniform(-5, 5, n))
    add(labels_of(reference.labels, rng, n), rng.uniform(bottom, top, n))
    add(edge_labels(reference.labels, rng, n, dtype), rng.uniform(-20, 20, n))
    add(labels_of(reference.labels, rng, n), _log_spaced(rng, n, info.minexp, info.maxexp, dtype))
    add(
        edge_labels(reference.labels, rng, n, dtype),
        _log_spaced(rng, n, info.minexp, info.maxexp, dtype),
    )
    for y in {"binary": [0, 1], "unit_interval": [0, 1, 0.25]}.get(reference.labels, [0, 1, 3.5]):
        add(np.full(len(tails), y), tails)
    if reference.labels == "finite":
        # residuals of all sizes about the label, and none at all
        y = rng.normal(size=n).astype(dtype)
        add(y, y + _log_spaced(rng, n, -60, 4, dtype))
        add(y[:4], y[:4])
    exact = exact_params(params)
    for y in ordinary[:4]:
        with mp.workprec(200):
            kinks = [float(kink) for kink in reference.kinks(mp.mpf(float(y)), None, **exact)]
        for kink in np.array(kinks, dtype=dtype):
            for steps in (-3, -1, 0, 1, 3):
                add([y], [kink + dtype(steps) * np.spacing(kink)])
    return np.concatenate(labels), np.concatenate(raw)
