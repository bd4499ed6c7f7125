"""float32 results of parameters that are no float32: the exact ones of the parameter as it is given."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import fastloss as fl


def exact(x: Any) -> Fraction:
    return Fraction(float(x))


def ulps(computed: Any, expected: Fraction) -> float:
    """The error in units in the last place of the expected number as a float32."""
    if expected == 0:
        return 0.0 if computed == 0 else math.inf
    spacing = math.ldexp(1.0, max(math.frexp(float(expected))[1] - 24, -149))
    return float(abs(exact(computed) - expected) / exact(spacing))


def residuals(rng: np.random.Generator, threshold: float, n: int) -> tuple[Any, Any]:
    """float32 labels and predictions whose residuals are near +-threshold."""
    y = (rng.normal(size=n) * 10.0 ** rng.uniform(-3, 1)).astype(np.float32)
    beside = threshold * (1 + 10.0 ** rng.uniform(-9, -2, n) * rng.choice([-1, 1], n))
    return y, (y + rng.choice([-1, 1], n) * beside).astype(np.float32)


@pytest.mark.parametrize(
    ("cls", "bounds"),
    [(fl.EpsilonInsensitive, (2.0, 0.0)), (fl.SquaredEpsilonInsensitive, (3.0, 3.0))],
)
def test_where_the_distance_to_epsilon_cancels(cls: Any, bounds: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    drawn = [float(epsilon) for epsilon in 10.0 ** rng.uniform(-3, 2, 60)]
    given = [(epsilon, *residuals(rng, epsilon, 40)) for epsilon in drawn]
    for epsilon, y, f in [
        (96.96973784589869, [-0.013469696044921875], [-96.98320770263672]),
        (21.852805099233663, [-5.693631172180176], [16.1591739654541]),
    ]:
        given.append((epsilon, np.array(y, np.float32), np.array(f, np.float32)))
    for epsilon, y, f in given:
        loss, gradient = cls(epsilon=epsilon).loss_gradient(y, f, reduction="none")
        for i in range(len(y)):
            r = exact(f[i]) - exact(y[i])
            excess, sign = max(Fraction(0), abs(r) - exact(epsilon)), 1 if r > 0 else -1
            if cls is fl.EpsilonInsensitive:
                expected = excess, Fraction(sign * (excess > 0))
            else:
                expected = excess**2, 2 * sign * excess
            assert ulps(loss[i], expected[0]) <= bounds[0], (epsilon, y[i], f[i])
            assert ulps(gradient[i], expected[1]) <= bounds[1], (epsilon, y[i], f[i])


@pytest.mark.parametrize("cls", [fl.EpsilonInsensitive, fl.SquaredEpsilonInsensitive])
@pytest.mark.parametrize("epsilon", [1e39, 1e300, float(np.finfo(np.float64).max)])
def test_an_epsilon_beyond_float32_costs_nothing(cls: Any, epsilon: float) -> None:
    y, f = np.zeros(3, np.float32), np.array([0.0, 1.0, -3e38], np.float32)
    for result in cls(epsilon=epsilon).loss_gradient_hessian(y, f, reduction="none"):
        assert not result.any()
