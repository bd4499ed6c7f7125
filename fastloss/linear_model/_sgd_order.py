"""The order in which a small data set is visited, which depends on its samples alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_ROWS = 4096  # beyond, sorting would cost as much as epochs do
_NUMBERS = 1 << 16
_VISITS = 4 * _ROWS


def canonical_order(
    X: Any, y: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64] | None] | None:
    """
    Return rows sorted by a hash of their contents, and their weights; None if there are too many.

    A row of weight 2 stands there twice, one of weight 0 not at all: what is learnt from integral
    weights is, to the bit, what is learnt from repeated samples, in whichever order they come.

    Parameters
    ----------
    X : array or CSR matrix, shape (n, d)
        Features, float32 or float64.
    y : ndarray of shape (n,)
        Labels or targets.
    weights : ndarray of float64 or None
        Weights of the samples.
    """
    size = X.data.size if hasattr(X, "indptr") else X.size
    if X.shape[0] > _ROWS or size > _NUMBERS:
        return None
    order: npt.NDArray[np.intp] = np.argsort(_hash_rows(X, y), kind="stable")
    if weights is None:
        return order, None
    sorted_weights = weights[order]
    if np.array_equal(sorted_weights, np.floor(sorted_weights)):
        total = sorted_weights.sum()
        if total <= _VISITS:
            return np.repeat(order, sorted_weights.astype(np.intp)), None
    return order[sorted_weights > 0], weights


def _hash_rows(X: Any, y: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Return a hash of each row and its label, in integers: the order of a sum does not matter."""
    d = X.shape[1]
    factors = _mix(np.arange(1, d + 2, dtype=np.uint64)) | np.uint64(1)
    if hasattr(X, "indptr"):
        terms = _mix(_bits(X.data))  # of 0 it is 0, as if it were not stored
        terms *= factors[X.indices]
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
        keys = sums[X.indptr[1:]] - sums[X.indptr[:-1]]
    else:
        terms = _mix(_bits(X))
        terms *= factors[:d]
        keys = terms.sum(axis=1, dtype=np.uint64)
    last: npt.NDArray[np.uint64] = _mix(_bits(np.asarray(y, np.float64))) * factors[d]
    last += keys
    return last


def _bits(values: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Return the bits of numbers, in a new array."""
    values = np.ascontiguousarray(values + 0.0)  # -0.0 is 0.0
    bits: npt.NDArray[np.uint64] = values.view(f"u{values.dtype.itemsize}")
    return bits.astype(np.uint64, copy=False)


def _mix(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread each bit over all, in place (Stafford's mixer 13, the finalizer of splitmix64)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        bits ^= bits >> np.uint64(shift)
        if factor > 1:
            bits *= np.uint64(factor)
    return bits
