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


@pytest.mark.parametrize("gamma", [4.571, 4.3, 1.1, 0.7, 2.0000000001, 17.3])
def test_multiclass_focal_powers(gamma: float) -> None:
    mpmath = pytest.importorskip("mpmath")
    rng = np.random.default_rng(1)
    raw = np.concatenate([
        rng.normal(size=(100, 3)) * 5,
        np.linspace(0, 80 / gamma, 40)[:, None] * np.array([0.0, 1.0, 0.0]),
    ]).astype(np.float32)  # fmt: skip
    raw[0] = -1.1589378118515015, 5.509554862976074, -30.0
    labels = np.full(len(raw), 1)
    loss, gradient = fl.MulticlassFocal(gamma=gamma).loss_gradient(labels, raw, reduction="none")
    with mpmath.workprec(400):
        for i, row in enumerate(raw):
            e = [mpmath.exp(mpmath.mpf(float(x))) for x in row]
            p, q = e[1] / sum(e), (e[0] + e[2]) / sum(e)
            value = -(q**gamma) * mpmath.log(p)
            slope = -(q**gamma) * (q - gamma * p * mpmath.log(p))
            for computed, expected in ((loss[i], value), (gradient[i, 1], slope)):
                if abs(expected) > 2.0**-100:
                    spacing = mpmath.ldexp(1, int(mpmath.frexp(expected)[1]) - 24)
                    error = abs(mpmath.mpf(float(computed)) - expected) / spacing
                    assert error <= (14.5 if gamma < 5 else 40), (gamma, row, float(error))


def scores(rng: np.random.Generator, margin: float, n: int) -> Any:
    """float32 scores of three classes, of which the second or third is about a margin behind."""
    f = (rng.normal(size=(n, 3)) * 10.0 ** rng.uniform(-3, 1)).astype(np.float32)
    f[:, 1] = f[:, 0] - margin * (1 + 10.0 ** rng.uniform(-9, -2, n) * rng.choice([-1, 1], n))
    f[:, 2] = f[:, 0] - 2 * margin
    return f


def test_crammer_singer_margins() -> None:
    rng = np.random.default_rng(2)
    given = [(m, scores(rng, m, 40)) for m in 10.0 ** rng.uniform(-3, 2, 60)]
    given.append((45.27364571225183, np.array([[0.10204789787530899, -45.17159652709961]], "f4")))
    for margin, f in given:
        loss = fl.CrammerSinger(margin=margin).loss(np.zeros(len(f), int), f, reduction="none")
        for computed, row in zip(loss, f, strict=True):
            rival = max(exact(x) for x in row[1:])
            expected = max(Fraction(0), exact(margin) - exact(row[0]) + rival)
            assert ulps(computed, expected) <= 1, (margin, row)


@pytest.mark.parametrize("p", [1, 2])
def test_multiclass_hinge_margins(p: int) -> None:
    rng = np.random.default_rng(3)
    for margin in 10.0 ** rng.uniform(-3, 2, 60):
        f = scores(rng, margin, 40)
        loss, gradient = fl.MulticlassHinge(margin=margin, p=p).loss_gradient(
            np.zeros(len(f), int), f, reduction="none"
        )
        for i, row in enumerate(f):
            terms = [max(Fraction(0), exact(margin) - exact(row[0]) + exact(x)) for x in row[1:]]
            slopes = [p * t / 3 if p == 2 else Fraction(t > 0) / 3 for t in terms]
            assert ulps(loss[i], sum(t**p for t in terms) / 3) <= 3.5, (margin, row)
            for k, slope in enumerate([-sum(slopes), *slopes]):
                assert ulps(gradient[i, k], slope) <= 3.5, (margin, row, k)
