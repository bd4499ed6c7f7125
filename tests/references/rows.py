"""Losses of several outputs a sample, one sample at a time, as their definitions print them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp

ONE, TWO, HALF, MINUS_FOUR = mp.one, mp.mpf(2), mp.mpf(0.5), mp.mpf(-4)
TENTH, SEVEN_TENTHS = mp.mpf(0.1), mp.mpf(0.7)  # as float64 has them
QUANTILES = (TENTH, HALF, mp.mpf(0.9))


@dataclass(frozen=True, repr=False)
class RowReference:
    """
    One loss of several outputs.

    `evaluate(f, y, **params)` returns loss, gradient and Hessian diagonal of one sample, all exact, and
    the sizes of the largest terms of each, where terms cancel (None elsewhere). `kinks` tells how
    near a sample is to a point where a derivative jumps.
    """

    name: str
    labels: str  # "class", "value", "targets", "log_targets" or "sets"
    evaluate: Callable[..., Any]
    parameters: Callable[[int], tuple[dict[str, Any], ...]] = lambda n: ({},)
    outputs: tuple[int, ...] = (1, 2, 3, 5, 17)
    hessian_is_derivative: bool = True
    extra_classes: int = 0
    amplifies: bool = False  # a result may be a multiple of a probability
    kinks: Callable[..., list[Any]] = lambda f, y, **params: []

    def __repr__(self):
        return f"RowReference({self.name!r})"


def softmax(f):
    top = max(f)
    e = [mp.exp(x - top) for x in f]
    total = mp.fsum(e)
    return [x / total for x in e]


def others(values, k):
    return mp.fsum(values[:k] + values[k + 1 :])


def nll(f, y, class_weight=None):
    w = ONE if class_weight is None else class_weight[y]
    return -w * f[y], [-w * (k == y) for k in range(len(f))], [mp.zero] * len(f)


def coral(f, y, importance=None):
    weights = [ONE] * len(f) if importance is None else importance
    z = [(-x if y > k else x) for k, x in enumerate(f)]
    loss = mp.fsum(
        w * (max(x, mp.zero) + mp.log(1 + mp.exp(-abs(x)))) for w, x in zip(weights, z, strict=True)
    )
    s = [1 / (1 + mp.exp(-x)) for x in z]
    signs = [-1 if y > k else 1 for k in range(len(f))]
    gradient = [w * sign * x for w, sign, x in zip(weights, signs, s, strict=True)]
    hessian = [w * x / (1 + mp.exp(v)) for w, x, v in zip(weights, s, z, strict=True)]
    return loss, gradient, hessian


def multi_pinball(f, y, quantiles=QUANTILES):
    loss = mp.fsum(
        q * max(y - x, mp.zero) + (1 - q) * max(x - y, mp.zero)
        for q, x in zip(quantiles, f, strict=True)
    )
    gradient = [1 - q if x > y else -q for q, x in zip(quantiles, f, strict=True)]
    return loss, gradient, [ONE] * len(f)


def gaussian_nll(f, y, hessian="exact"):
    mean, s = f
    r, precision = mean - y, mp.exp(-s)
    square = r**2 * precision
    terms = max(abs(s), square) / 2, [None, max(ONE, square) / 2], [None, None]
    bend = max(ONE, square) / 2 if hessian == "bounded" else square / 2
    return (s + square) / 2, [r * precision, (1 - square) / 2], [precision, bend], terms


def gaussian_crps(f, y, hessian="exact"):
    mean, scale = f[0], mp.exp(f[1])
    w = (mean - y) / scale
    density, error = mp.npdf(w), mp.erf(w / mp.sqrt(2))
    half = 1 / mp.sqrt(mp.pi)
    slope = scale * (2 * density - half)
    terms = (
        None,
        [None, scale * max(2 * density, half)],
        [None, scale * max(2 * density * (1 + w**2), half)],
    )
    bends = [2 * density / scale, slope + 2 * scale * density * w**2]
    if hessian == "bounded":
        bends = [max(bends[0], half / scale), max(bends[1], half * scale / 2)]
    return scale * (w * error + 2 * density - half), [error, slope], bends, terms


def multiclass_hinge(f, y, margin=ONE, p=1, over_classes="mean"):
    n, p = 1 if over_classes == "sum" else len(f), int(p)
    slack = [max(mp.zero, margin - f[y] + x) if k != y else mp.zero for k, x in enumerate(f)]
    active = [mp.mpf(s > 0) for s in slack]
    first = [s if p == 2 else a for s, a in zip(slack, active, strict=True)]
    gradient = [p * x / n for x in first]
    gradient[y] = -others(gradient, y)
    hessian = [p * a / n for a in active]
    hessian[y] = others(hessian, y)
    return mp.fsum(s**p for s in slack) / n, gradient, hessian


def crammer_singer(f, y, margin=ONE):
    n = len(f)
    if n == 1:
        return mp.zero, [mp.zero], [mp.zero]
    rival = max((x, -k) for k, x in enumerate(f) if k != y)
    k = -rival[1]
    loss = max(mp.zero, margin - f[y] + f[k])
    gradient = [mp.zero] * n
    if loss > 0:
        gradient[k], gradient[y] = ONE, -ONE
    return loss, gradient, [abs(g) for g in gradient]


def multilabel_margin(f, y):
    n = len(f)
    inside = []
    for label in y:
        if label < 0:
            break
        inside.append(int(label))
    gradient, loss = [mp.zero] * n, mp.zero
    for j in inside:
        for k in range(n):
            if k not in inside and 1 - f[j] + f[k] > 0:
                loss += 1 - f[j] + f[k]
                gradient[k] += 1
                gradient[j] -= 1
    return loss / n, [g / n for g in gradient], [abs(g) / n for g in gradient]


def kl_divergence(f, y, log_target=False):
    q = [mp.exp(t) for t in y] if log_target else y
    logs = y if log_target else [mp.log(t) if t > 0 else mp.zero for t in q]
    terms = [t * (s - x) for t, s, x in zip(q, logs, f, strict=True) if t > 0]
    sizes = [max(abs(t * s), abs(t * x)) for t, s, x in zip(q, logs, f, strict=True) if t > 0] or [
        mp.zero
    ]
    n = len(f)
    return mp.fsum(terms), [-t for t in q], [mp.zero] * n, (max(sizes), [None] * n, [None] * n)


def jensen_shannon(f, y, hessian="exact"):
    p, q, n = softmax(f), y, len(f)
    m = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    a = [mp.log(x / z) / 2 for x, z in zip(p, m, strict=True)]
    b = [t * mp.log(t / z) / 2 if t > 0 else mp.zero for t, z in zip(q, m, strict=True)]
    products = [x * s for x, s in zip(p, a, strict=True)]
    mean = mp.fsum(products)
    r = [t / (t + x) for t, x in zip(q, p, strict=True)]
    share = mp.fsum(x * s for x, s in zip(p, r, strict=True))
    gradient = [x * (s - mean) for x, s in zip(p, a, strict=True)]
    bends = [
        p[k] * (1 - 2 * p[k]) * (a[k] - mean)
        + p[k] * ((1 - p[k]) * r[k] - p[k] * (r[k] - share)) / 2
        for k in range(n)
    ]
    largest = max(abs(x) for x in (*b, *products))
    # log(p / m) is only as good as p itself where p is near m
    gradient_terms = [p[k] * max(abs(a[k]), largest, HALF * (1 - r[k])) for k in range(n)]
    hessian_terms = [max(gradient_terms[k], p[k] * (1 - p[k]) * r[k], p[k] ** 2) for k in range(n)]
    loss_term = max([largest] + [x * (1 - s) for x, s in zip(p, r, strict=True)])
    if hessian == "bounded":  # of squares of slopes
        slopes = [[p[i] * ((i == k) - p[k]) for i in range(n)] for k in range(n)]
        squares = [mp.fsum(s[i] ** 2 * r[i] / p[i] for i in range(n)) / 2 for s in slopes]
        bends = [max(b, s) for b, s in zip(bends, squares, strict=True)]
    return mp.fsum(b) + mean, gradient, bends, (loss_term, gradient_terms, hessian_terms)


def sparsemax_projection(f):
    z = sorted(f, reverse=True)
    total = mp.zero
    for k, x in enumerate(z):
        if 1 + (k + 1) * x <= total + x:
            break
        total += x
        tau = (total - 1) / (k + 1)
    return [max(x - tau, mp.zero) for x in f], tau


def sparsemax(f, y):
    p, tau = sparsemax_projection(f)
    support = [k for k, x in enumerate(p) if x > 0]
    loss = mp.fsum(f[k] ** 2 - tau**2 for k in support) / 2 + HALF - f[y]
    gradient = [x - (k == y) for k, x in enumerate(p)]
    bend = 1 - ONE / len(support)
    hessian = [bend if x > 0 else mp.zero for x in p]
    n = len(f)
    return loss, gradient, hessian, (max(ONE, loss), [ONE] * n, [None] * n)


def _softmax_parts(f, y):
    p = softmax(f)
    q = others(p, y)
    top = max(f)
    log_p = f[y] - top - mp.log(mp.fsum(mp.exp(x - top) for x in f))
    rest = [others(p, k) for k in range(len(p))]
    gap = [-q if k == y else x for k, x in enumerate(p)]
    return p, q, -log_p, rest, gap


def symmetric_cross_entropy(f, y, alpha=TENTH, beta=ONE, log_zero=MINUS_FOUR, hessian="exact"):
    p, q, log_loss, rest, gap = _softmax_parts(f, y)
    part = -beta * log_zero * p[y]
    first = [x * s * (alpha + part) for x, s in zip(p, rest, strict=True)]
    second = [part * g**2 if hessian == "exact" else mp.zero for g in gap]
    n = len(f)
    return (
        alpha * log_loss - beta * log_zero * q,
        [g * (alpha + part) for g in gap],
        [a - b for a, b in zip(first, second, strict=True)],
        (None, [None] * n, [max(a, b) for a, b in zip(first, second, strict=True)]),
    )


def multiclass_generalized_ce(f, y, q=SEVEN_TENTHS, hessian="exact"):
    p, _, log_loss, rest, gap = _softmax_parts(f, y)
    weight = mp.exp(-q * log_loss)
    first = [weight * x * s for x, s in zip(p, rest, strict=True)]
    second = [weight * q * g**2 if hessian == "exact" else mp.zero for g in gap]
    n = len(f)
    return (
        -mp.expm1(-q * log_loss) / q,
        [weight * g for g in gap],
        [a - b for a, b in zip(first, second, strict=True)],
        (None, [None] * n, [max(a, b) for a, b in zip(first, second, strict=True)]),
    )


def multiclass_focal(f, y, gamma=TWO, alpha=None, hessian="exact"):
    p, q, log_loss, rest, gap = _softmax_parts(f, y)
    a = ONE if alpha is None else alpha[y]
    n = len(f)
    if q == 0:  # a single class
        power = ONE if gamma == 0 else mp.zero
        return a * power * log_loss, [mp.zero] * n, [mp.zero] * n
    h = q + gamma * p[y] * log_loss
    slope = a * q ** (gamma - 1)
    gradient = [slope * h * g for g in gap]
    bend = q * log_loss - 2 * q - (gamma - 1) * p[y] * log_loss
    first = [slope * h * x * s for x, s in zip(p, rest, strict=True)]
    scale = a * p[y] * gamma * q ** (gamma - 2)
    second = [scale * g**2 * bend for g in gap]
    if hessian == "bounded":
        second = [min(s, mp.zero) for s in second]
    parts = max(q * abs(log_loss), 2 * q, abs((gamma - 1) * p[y] * log_loss))
    terms = [max(b, scale * g**2 * parts) for b, g in zip(first, gap, strict=True)]
    return (
        a * q**gamma * log_loss,
        gradient,
        [b - c for b, c in zip(first, second, strict=True)],
        (None, [None] * n, terms),
    )


def ranked_probability_score(f, y, hessian="exact"):
    p, n = softmax(f), len(f)
    below = [mp.fsum(p[: k + 1]) for k in range(n)]
    above = [mp.fsum(p[k + 1 :]) for k in range(n)]
    d = [below[k] if k < y else -above[k] for k in range(n - 1)]
    gradient, bends, gradient_terms, hessian_terms = [], [], [], []
    for j in range(n):
        terms = [2 * p[j] * d[k] * (above[k] if j <= k else -below[k]) for k in range(n - 1)]
        squares = mp.fsum((above[k] if j <= k else below[k]) ** 2 for k in range(n - 1))
        g = mp.fsum(terms)
        size = max([abs(t) for t in terms] or [mp.zero])
        gradient.append(g)
        gradient_terms.append(size)
        bent = (1 - 2 * p[j]) * g
        bends.append(2 * p[j] ** 2 * squares + (max(bent, 0) if hessian == "bounded" else bent))
        hessian_terms.append(max(size, 2 * p[j] ** 2 * squares))
    return mp.fsum(x**2 for x in d), gradient, bends, (None, gradient_terms, hessian_terms)


def either(n):
    """Parameter sets of the losses that have none but the choice of the Hessian."""
    return {}, {"hessian": "bounded"}


ROW_REFERENCES = (
    RowReference(
        "nll",
        "class",
        nll,
        parameters=lambda n: ({}, {"class_weight": tuple(0.375 * (k + 1) for k in range(n))}),
    ),
    RowReference(
        "coral",
        "class",
        coral,
        parameters=lambda n: ({}, {"importance": tuple(0.3 * (k + 1) for k in range(n))}),
        extra_classes=1,
    ),
    RowReference(
        "multi_pinball",
        "value",
        multi_pinball,
        parameters=lambda n: (
            ({},) if n == 3 else ({"quantiles": tuple((k + 0.5) / n for k in range(n))},)
        ),
        hessian_is_derivative=False,
        kinks=lambda f, y, **params: [abs(x - y) for x in f],
    ),
    RowReference("gaussian_nll", "value", gaussian_nll, outputs=(2,), parameters=either),
    RowReference("gaussian_crps", "value", gaussian_crps, outputs=(2,), parameters=either),
    RowReference(
        "multiclass_hinge",
        "class",
        multiclass_hinge,
        parameters=lambda n: (
            {},
            {"p": 2},
            {"margin": 0.25},
            {"margin": 7.0, "p": 2},
            {"over_classes": "sum"},
            {"margin": 0.3, "p": 2, "over_classes": "sum"},
        ),
        hessian_is_derivative=False,
        kinks=lambda f, y, margin=ONE, **_: [abs(margin - f[y] + x) for x in f],
    ),
    RowReference(
        "crammer_singer",
        "class",
        crammer_singer,
        parameters=lambda n: ({}, {"margin": 0.25}),
        hessian_is_derivative=False,
        kinks=lambda f, y, margin=ONE: (
            [abs(margin - f[y] + x) for x in f]
            + [abs(x - z) for k, x in enumerate(f) for z in f[:k]]
        ),
    ),
    RowReference(
        "multilabel_margin",
        "sets",
        multilabel_margin,
        hessian_is_derivative=False,
        kinks=lambda f, y: [abs(1 - x + z) for x in f for z in f],
    ),
    RowReference("kl_divergence", "targets", kl_divergence),
    RowReference(
        "kl_divergence",
        "log_targets",
        kl_divergence,
        parameters=lambda n: ({"log_target": True},),
    ),
    RowReference("jensen_shannon", "targets", jensen_shannon, amplifies=True, parameters=either),
    RowReference(
        "sparsemax",
        "class",
        sparsemax,
        kinks=lambda f, y: [abs(x - sparsemax_projection(f)[1]) for x in f],
    ),
    RowReference(
        "symmetric_cross_entropy",
        "class",
        symmetric_cross_entropy,
        parameters=lambda n: (
            {},
            {"alpha": 1.0, "beta": 0.3, "log_zero": -6.0},
            {"alpha": 0.0},
            {"hessian": "bounded"},
            {"alpha": 0.0, "hessian": "bounded"},
        ),
    ),
    RowReference(
        "multiclass_generalized_ce",
        "class",
        multiclass_generalized_ce,
        parameters=lambda n: (
            {},
            {"q": 1.0},
            {"q": 0.01},
            {"hessian": "bounded"},
            {"q": 1.0, "hessian": "bounded"},
        ),
    ),
    RowReference(
        "multiclass_focal",
        "class",
        multiclass_focal,
        amplifies=True,
        parameters=lambda n: (
            {},
            {"gamma": 0.0},
            {"gamma": 0.5},
            {"gamma": 5.0, "alpha": tuple(0.3 * (k + 1) for k in range(n))},
            {"hessian": "bounded"},
        ),
    ),
    RowReference("ranked_probability_score", "class", ranked_probability_score, parameters=either),
)

#: Every one with every number of outputs and parameter set, for pytest.mark.parametrize.
ROW_CASES = [
    (reference, n, params)
    for reference in ROW_REFERENCES
    for n in reference.outputs
    for params in reference.parameters(n)
]


def exact_label(labels, y):
    """A sample's label as `evaluate` wants it."""
    if labels == "class":
        return int(y)
    if labels == "value":
        return mp.mpf(float(y))
    return [mp.mpf(float(t)) for t in y]


def exact_parameters(params):
    """Parameters as exact numbers, what is none as it is."""
    result = {}
    for key, value in params.items():
        if isinstance(value, tuple):
            result[key] = tuple(mp.mpf(v) for v in value)
        else:
            result[key] = mp.mpf(value) if isinstance(value, float) else value
    return result


def exact(reference, y, f, params):
    """Loss, gradient, Hessian and their largest terms of one sample."""
    result = reference.evaluate(
        [mp.mpf(float(x)) for x in f], exact_label(reference.labels, y), **exact_parameters(params)
    )
    if len(result) == 3:
        n = len(f)
        return (*result, (None, [None] * n, [None] * n))
    return result


def row_labels(reference, n_outputs, n, rng, dtype=np.float64):
    """Ordinary labels of n samples."""
    if reference.labels == "class":
        return rng.integers(0, n_outputs + reference.extra_classes, n)
    if reference.labels == "value":
        return rng.normal(size=n).astype(dtype)
    if reference.labels == "sets":
        y = np.full((n, n_outputs), -1)
        for row in y:
            size = rng.integers(0, n_outputs + 1)
            row[:size] = rng.permutation(n_outputs)[:size]
        return y
    targets = rng.random((n, n_outputs)) ** 3
    targets[rng.random(targets.shape) < 0.2] = 0.0
    total = targets.sum(axis=1, keepdims=True)
    targets = np.where(total > 0, targets / np.where(total > 0, total, 1), 1 / n_outputs)
    if reference.labels == "log_targets":
        with np.errstate(divide="ignore"):
            targets = np.log(targets)
    return targets.astype(dtype)


def row_samples(reference, n_outputs, dtype, seed=0):
    """Ordinary predictions, sure ones, far ones, equal ones."""
    rng = np.random.default_rng([seed, n_outputs, len(reference.name)])
    count = 40 if n_outputs <= 5 else 12
    rows = []
    for scale in (1e-3, 1.0, 5.0, 30.0, 200.0 if dtype == np.float64 else 60.0):
        rows.append(rng.normal(size=(count, n_outputs)) * scale)
    rows.append(rng.normal(size=(count, n_outputs)) + 100.0)
    rows.append(np.zeros((3, n_outputs)))
    f = np.concatenate(rows).astype(dtype)
    if reference.name in ("gaussian_nll", "gaussian_crps"):
        f[:, 1] = np.clip(f[:, 1], -40, 40)  # variances whose precision is a normal number
    return row_labels(reference, n_outputs, len(f), rng, dtype), f
