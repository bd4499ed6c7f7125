"""Hessians of the losses of several outputs a sample, times a vector: sample by sample, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._linear.arrays import target_sums

_Array = npt.NDArray[Any]
_Product = Callable[[Any, _Array, _Array, _Array], _Array]


def curvature_product(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    """
    Return each sample's Hessian at the raw predictions f times u, both of shape (n, n_outputs).

    Parameters
    ----------
    loss : RowLoss
        One that `has_curvature`.
    y : ndarray
        Its labels, which are valid.
    f, u : ndarray of float64
        Raw predictions and what the Hessians are multiplied with.
    """
    with np.errstate(all="ignore"):  # what is not finite is data
        return _PRODUCTS[loss.name](loss, y, f, u)


def has_curvature(loss: Any) -> bool:
    """Return whether a loss has a Hessian; those made of planes have none that tells anything."""
    if loss.name == "multiclass_hinge":
        return bool(loss.p == 2)
    return loss.name in _PRODUCTS


def _softmax(f: _Array) -> tuple[_Array, _Array]:
    """Return probabilities, and the logarithm of the sum of exp(f)."""
    top = f.max(axis=1, keepdims=True)
    p = np.exp(f - top)
    total = p.sum(axis=1, keepdims=True)
    return p / total, top + np.log(total)


def _dot(a: _Array, b: _Array) -> _Array:
    return np.asarray((a * b).sum(axis=1, keepdims=True))


def _cross_entropy(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    params = loss.params
    if params["logit_adjustment"] is not None:
        f = f + np.asarray(params["logit_adjustment"])
    p, log_sum = _softmax(f)
    mean = _dot(p, u)
    spread = p * (u - mean)
    z = np.full((len(f), 1), 2.0 * params["z_loss"])
    if y.ndim == 1 and params["ignore_index"] is not None:
        z[y == params["ignore_index"]] = 0.0
    share = target_sums(y, f.shape[1], params).reshape(-1, 1)
    return np.asarray((share + z * log_sum) * spread + z * mean * p)


def _of_log_loss(
    y: _Array, f: _Array, u: _Array, slopes: Callable[[_Array, _Array, _Array], tuple[Any, Any]]
) -> _Array:
    """
    Return the product of a loss that is a function of l = -log(p_y).

    `slopes` returns its first and second derivative by l, of p_y, 1 - p_y and l. The gradient of l is
    p - [k = y], its Hessian that of the softmax.
    """
    p, log_sum = _softmax(f)
    at = y.astype(np.intp)[:, None]
    l = log_sum - np.take_along_axis(f, at, 1)  # noqa: E741
    e = p.copy()
    np.put_along_axis(e, at, 0.0, 1)
    q = e.sum(axis=1, keepdims=True)
    np.put_along_axis(e, at, -q, 1)
    first, second = slopes(np.take_along_axis(p, at, 1), q, l)
    return np.asarray(first * p * (u - _dot(p, u)) + second * _dot(e, u) * e)


def _multiclass_focal(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    gamma = loss.gamma

    p, log_sum = _softmax(f)
    at = y.astype(np.intp)[:, None]
    share = p.copy()
    np.put_along_axis(share, at, 0.0, 1)
    q = share.sum(axis=1, keepdims=True)
    # of the others, so that no power of q is less than gamma: q may be 0
    share = np.where(q > 0, share / q, 0.0)
    p_y = np.take_along_axis(p, at, 1)
    l = np.where(  # noqa: E741
        q < 0.5, -np.log1p(-q), log_sum - np.take_along_axis(f, at, 1)
    )
    factor = q**gamma
    if loss.alpha is not None:
        factor = factor * np.asarray(loss.alpha)[at]
    slope = factor * (q + gamma * p_y * l)
    mean = _dot(share, u)
    own = np.take_along_axis(u, at, 1) - mean
    product = slope * share * (u - _dot(p, u))
    np.put_along_axis(product, at, slope * p_y * own, 1)
    bend = 2 * q + (gamma - 1) * p_y * l - q * l
    if loss.hessian == "bounded":
        bend = np.maximum(bend, 0.0)
    np.put_along_axis(share, at, -1.0, 1)
    return np.asarray(product - factor * gamma * p_y * bend * own * share)


def _multiclass_generalized_ce(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    def slopes(p: _Array, q: _Array, l: _Array) -> tuple[Any, Any]:  # noqa: E741
        power = np.exp(-loss.q * l)
        return power, (0.0 if loss.hessian == "bounded" else -loss.q * power)

    return _of_log_loss(y, f, u, slopes)


def _symmetric_cross_entropy(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    def slopes(p: _Array, q: _Array, l: _Array) -> tuple[Any, Any]:  # noqa: E741
        part = -loss.beta * loss.log_zero * p
        return loss.alpha + part, (0.0 if loss.hessian == "bounded" else -part)

    return _of_log_loss(y, f, u, slopes)


def _ranked_probability_score(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    p, _ = _softmax(f)
    moved = p * (u - _dot(p, u))
    # the score is the sum of squares of d, whose last entry is 0
    d = np.cumsum(p, axis=1) - (np.arange(f.shape[1]) >= y[:, None])
    d_moved = np.cumsum(moved, axis=1)
    d[:, -1] = d_moved[:, -1] = 0.0
    c = 2 * np.cumsum(d[:, ::-1], axis=1)[:, ::-1]
    c_moved = 2 * np.cumsum(d_moved[:, ::-1], axis=1)[:, ::-1]
    if loss.hessian == "bounded":
        more = np.maximum((1 - 2 * p) * p * (c - _dot(p, c)), 0.0) * u
        return np.asarray(p * (c_moved - _dot(p, c_moved)) + more)
    mean_moved = _dot(moved, c) + _dot(p, c_moved)
    return np.asarray(moved * (c - _dot(p, c)) + p * (c_moved - mean_moved))


def _sparsemax(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    ordered = -np.sort(-f, axis=1)
    ranks = np.arange(1, f.shape[1] + 1)
    sums = np.cumsum(ordered, axis=1)
    size = np.maximum((1 + ranks * ordered > sums).sum(axis=1, keepdims=True), 1)
    threshold = (np.take_along_axis(sums, size - 1, 1) - 1) / size
    inside = f > threshold
    return np.where(inside, u - _dot(inside, u) / size, 0.0)


def _multiclass_hinge(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    at = y.astype(np.intp)[:, None]
    active = loss.margin - np.take_along_axis(f, at, 1) + f > 0
    np.put_along_axis(active, at, False, 1)
    n = 1 if loss.over_classes == "sum" else f.shape[1]
    out = 2 / n * np.where(active, u - np.take_along_axis(u, at, 1), 0.0)
    np.put_along_axis(out, at, -out.sum(axis=1, keepdims=True), 1)
    return np.asarray(out)


def _jensen_shannon(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    p, log_sum = _softmax(f)
    # 0.5 * log(2 p / (p + y)); p may be 0
    a = np.where(y > 0, 0.5 * (f - log_sum - np.log(0.5 * (p + y))), 0.5 * np.log(2))
    relative = u - _dot(p, u)
    moved = p * relative
    a_moved = 0.5 * np.where(y > 0, y / (p + y), 0.0) * relative
    if loss.hessian == "bounded":
        more = np.maximum((1 - 2 * p) * p * (a - _dot(p, a)), 0.0) * u
        return np.asarray(p * (a_moved - _dot(p, a_moved)) + more)
    mean_moved = _dot(moved, a) + _dot(p, a_moved)
    return np.asarray(moved * (a - _dot(p, a)) + p * (a_moved - mean_moved))


def _gaussian_nll(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    r, precision = f[:, 0] - y, np.exp(-f[:, 1])
    if loss.hessian == "bounded":
        own = 0.5 * np.maximum(r * r * precision, 1.0)
        return np.stack([precision * u[:, 0], own * u[:, 1]], axis=1)
    cross = -r * precision
    mean = precision * u[:, 0] + cross * u[:, 1]
    return np.stack([mean, cross * u[:, 0] + 0.5 * r * r * precision * u[:, 1]], axis=1)


def _gaussian_crps(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    scale = np.exp(f[:, 1])
    w = (f[:, 0] - y) / scale
    density = np.exp(-0.5 * w * w) / np.sqrt(2 * np.pi)
    cross = -2 * density * w
    own = scale * (2 * density * (1 + w * w) - 1 / np.sqrt(np.pi))
    if loss.hessian == "bounded":
        least = np.stack([1 / scale, 0.5 * scale], axis=1) / np.sqrt(np.pi)
        return np.asarray(np.maximum(np.stack([2 * density / scale, own], axis=1), least) * u)
    return np.stack(
        [2 * density / scale * u[:, 0] + cross * u[:, 1], cross * u[:, 0] + own * u[:, 1]], axis=1
    )


def _coral(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    _, hessian = loss.gradient_hessian(y, f, reduction="none")
    return np.asarray(hessian * u)


def _none(loss: Any, y: _Array, f: _Array, u: _Array) -> _Array:
    """Return 0, for losses that are linear."""
    return np.zeros_like(u)


_PRODUCTS: dict[str, _Product] = {
    "coral": _coral,
    "cross_entropy": _cross_entropy,
    "gaussian_crps": _gaussian_crps,
    "gaussian_nll": _gaussian_nll,
    "jensen_shannon": _jensen_shannon,
    "kl_divergence": _none,
    "multiclass_focal": _multiclass_focal,
    "multiclass_generalized_ce": _multiclass_generalized_ce,
    "multiclass_hinge": _multiclass_hinge,
    "nll": _none,
    "ranked_probability_score": _ranked_probability_score,
    "sparsemax": _sparsemax,
    "symmetric_cross_entropy": _symmetric_cross_entropy,
}
