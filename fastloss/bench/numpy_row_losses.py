"""Losses of several outputs a sample as a good NumPy user writes them; see numpy_losses.py.

With loss and gradient, which is what training asks for; the Hessian's diagonal is left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastloss.bench.workloads import wants

Array = NDArray[Any]


def _results(operation: str, n: int, loss: Array, gradient: Array) -> tuple[Any, ...]:
    """Return what the operation names; `loss` has one number a sample."""
    want_loss, want_gradient, _ = wants(operation)
    values: list[Any] = []
    if want_loss:
        values.append(np.mean(loss))
    if want_gradient:
        values.append(gradient * (1 / n))
    return tuple(values)


def _softmax(f: Array) -> Array:
    e: Array = np.exp(f - f.max(axis=1, keepdims=True))
    e /= e.sum(axis=1, keepdims=True)
    return e


def nll(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of -f_y."""
    rows = np.arange(len(y))
    gradient = np.zeros_like(f)
    gradient[rows, y] = -1
    return _results(operation, len(y), -f[rows, y], gradient)


def coral(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the sum of the log losses of y > k."""
    above = y[:, None] > np.arange(f.shape[1])
    loss = np.logaddexp(0, f) - above * f
    return _results(operation, len(y), loss.sum(axis=1), 1 / (1 + np.exp(-f)) - above)


def one_vs_rest(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the sum of the log losses of y = k."""
    here = y[:, None] == np.arange(f.shape[1])
    loss = np.logaddexp(0, f) - here * f
    return _results(operation, len(y), loss.sum(axis=1), 1 / (1 + np.exp(-f)) - here)


def multi_pinball(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the sum over the quantiles 0.1, 0.5, 0.9."""
    q = np.array([0.1, 0.5, 0.9], dtype=f.dtype)
    r = f - y[:, None]
    slope = np.where(r > 0, 1 - q, -q)
    return _results(operation, len(y), (slope * r).sum(axis=1), slope)


def gaussian_nll(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of (s + r² e^-s)/2."""
    s, r = f[:, 1], f[:, 0] - y
    precision = np.exp(-s)
    square = r * r * precision
    gradient = np.stack([r * precision, 0.5 - 0.5 * square], axis=1)
    return _results(operation, len(y), 0.5 * (s + square), gradient)


def gaussian_crps(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the score of N(f_0, e^f_1); SciPy has the error function."""
    from scipy.special import erf

    scale, r = np.exp(f[:, 1]), f[:, 0] - y
    w = r / scale
    error = erf(w * np.sqrt(f.dtype.type(0.5)))
    rest = scale * (np.sqrt(2 / np.pi).astype(f.dtype) * np.exp(-0.5 * w * w) - 1 / np.sqrt(np.pi))
    return _results(operation, len(y), r * error + rest, np.stack([error, rest], axis=1))


def multiclass_hinge(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the mean over classes of max(0, 1 - f_y + f_k)."""
    rows, n = np.arange(len(y)), f.shape[1]
    slack = np.maximum(1 - f[rows, y][:, None] + f, 0)
    slack[rows, y] = 0
    gradient = (slack > 0).astype(f.dtype) / n
    gradient[rows, y] = -gradient.sum(axis=1)
    return _results(operation, len(y), slack.sum(axis=1) / n, gradient)


def multilabel_margin(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the sum over j in the set and k outside of max(0, 1 - f_j + f_k), over C."""
    n = f.shape[1]
    inside = np.zeros((len(y), n + 1), dtype=f.dtype)
    inside[np.arange(len(y))[:, None], y] = 1  # the -1 behind a set: the last column
    inside = inside[:, :n]
    slack = f[:, None, :] - f[:, :, None]
    slack += 1
    np.maximum(slack, 0, out=slack)
    slack *= inside[:, :, None]
    slack *= (1 - inside)[:, None, :]
    active = slack > 0
    gradient = (active.sum(axis=1) - active.sum(axis=2)).astype(f.dtype) / n
    return _results(operation, len(y), slack.sum(axis=(1, 2)) / n, gradient)


def crammer_singer(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of max(0, 1 - f_y + the largest other)."""
    rows = np.arange(len(y))
    others = f.copy()
    others[rows, y] = -np.inf
    rival = others.argmax(axis=1)
    slack = np.maximum(1 - f[rows, y] + others[rows, rival], 0)
    gradient = np.zeros_like(f)
    gradient[rows, rival] = slack > 0
    gradient[rows, y] = -(slack > 0).astype(f.dtype)
    return _results(operation, len(y), slack, gradient)


def kl_divergence(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the sum of q (log q - f)."""
    return _results(operation, len(y), (y * (np.log(y) - f)).sum(axis=1), -y)


def jensen_shannon(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the divergence of y and the softmax."""
    p = _softmax(f)
    log_m = np.log(0.5 * (p + y))
    a = 0.5 * (np.log(p) - log_m)
    of_p = (p * a).sum(axis=1)
    loss = of_p + 0.5 * (y * (np.log(y) - log_m)).sum(axis=1)
    return _results(operation, len(y), loss, p * (a - of_p[:, None]))


def sparsemax(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of -f_y + the sum over the support of (f² - tau²)/2 + 1/2."""
    rows = np.arange(len(y))
    z = -np.sort(-f, axis=1)
    sums = z.cumsum(axis=1)
    size = np.arange(1, f.shape[1] + 1)
    support = (1 + size * z > sums).sum(axis=1)
    tau = (sums[rows, support - 1] - 1) / support
    p = np.maximum(f - tau[:, None], 0)
    loss = 0.5 * np.where(p > 0, f * f - tau[:, None] ** 2, 0).sum(axis=1) + 0.5 - f[rows, y]
    p[rows, y] -= 1
    return _results(operation, len(y), loss, p)


def _of_label(y: Array, f: Array) -> tuple[Array, Array, Array, Array]:
    """Return p of the label, -log of it, p - [k = y] and the rows."""
    rows = np.arange(len(y))
    p = _softmax(f)
    at = p[rows, y]
    p[rows, y] -= 1
    return at, -np.log(at), p, rows


def symmetric_cross_entropy(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of -0.1 log p_y + 4 (1 - p_y)."""
    at, log_loss, gap, _ = _of_label(y, f)
    gradient = gap * (0.1 + 4 * at)[:, None]
    return _results(operation, len(y), 0.1 * log_loss + 4 * (1 - at), gradient)


def multiclass_generalized_ce(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of (1 - p_y^0.7)/0.7."""
    at, _, gap, _ = _of_label(y, f)
    power = at**0.7
    return _results(operation, len(y), (1 - power) / 0.7, gap * power[:, None])


def multiclass_focal(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of -(1 - p_y)² log p_y."""
    at, log_loss, gap, _ = _of_label(y, f)
    q = 1 - at
    gradient = gap * (q * (q + 2 * at * log_loss))[:, None]
    return _results(operation, len(y), q * q * log_loss, gradient)


def ranked_probability_score(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the sum of (P_k - [y <= k])²."""
    p = _softmax(f)
    below = p.cumsum(axis=1)[:, :-1]
    d = below - (y[:, None] <= np.arange(f.shape[1] - 1))
    after = np.zeros_like(f)
    after[:, :-1] = d[:, ::-1].cumsum(axis=1)[:, ::-1]
    gradient = 2 * p * (after - (d * below).sum(axis=1, keepdims=True))
    return _results(operation, len(y), (d * d).sum(axis=1), gradient)


def cumulative_logit(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of -log(expit(upper - f) - expit(lower - f)), thresholds -1 and 1."""
    ends = np.array([-np.inf, -1, 1, np.inf], dtype=f.dtype)
    under, over = (1 / (1 + np.exp(f - ends[y + k])) for k in (0, 1))
    return _results(operation, len(y), -np.log(over - under), (1 - over) - under)


ROW_LOSSES = (
    coral,
    crammer_singer,
    cumulative_logit,
    gaussian_crps,
    gaussian_nll,
    jensen_shannon,
    kl_divergence,
    multi_pinball,
    multiclass_focal,
    multiclass_generalized_ce,
    multiclass_hinge,
    multilabel_margin,
    nll,
    one_vs_rest,
    ranked_probability_score,
    sparsemax,
    symmetric_cross_entropy,
)
