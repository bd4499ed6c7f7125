"""How large features are, so that methods without a Hessian need not care in which units."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_ROWS = 10_000  # of a dense array: enough to tell a scale; fewer where they are long
_NUMBERS = 1 << 22
_ENTRIES = 1 << 20  # of a sparse array, in one block


def mean_squares(X: Any, weights: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64]:
    """
    Return the weighted mean square of each feature.

    Parameters
    ----------
    X : array or CSR matrix, shape (n, d)
        Features. Of a dense array some rows are read, of a sparse one, whose features may be rare, all.
    weights : ndarray of float64 or None
        Weights of the samples: a sample of weight 2 counts as two of them.
    """
    n, d = X.shape
    if weights is None:
        weights = np.ones(n)
    if not hasattr(X, "indptr"):
        stride = max(n // _ROWS, n * d // _NUMBERS, 1)
        rows, weights = X[::stride], weights[::stride]
        return np.asarray(weights @ np.square(rows, dtype=np.float64) / weights.sum())
    total = np.zeros(d)
    size = max(_ENTRIES, 4 * d)
    row = 0
    while row < n:
        first = int(X.indptr[row])
        end = max(int(np.searchsorted(X.indptr, first + size, side="right")) - 1, row + 1)
        entries = slice(first, int(X.indptr[end]))
        squares = np.square(X.data[entries], dtype=np.float64)
        squares *= np.repeat(weights[row:end], np.diff(X.indptr[row : end + 1]))
        total += np.bincount(X.indices[entries], squares, minlength=d)
        row = end
    mean: npt.NDArray[np.float64] = total / weights.sum()
    return mean


def coefficient_scale(
    X: Any,
    weights: npt.NDArray[np.float64] | None,
    l2: float,
    shape: tuple[int, ...],
    curvature: float,
) -> npt.NDArray[np.float64]:
    """
    Return what coefficients are measured in: one over the root of the curvature of the objective.

    Parameters
    ----------
    X : array or CSR matrix, shape (n, d)
        Features.
    weights : ndarray of float64 or None
        Weights of the samples.
    l2 : float
        The L2 penalty.
    shape : tuple of int
        Of the coefficients, the last axis d or d + 1 with the intercept.
    curvature : float
        About that of the loss.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        squares = mean_squares(X, weights)
        if np.isinf(squares).any():
            refuse_too_large(X)
        diagonal = np.ones(shape[-1])
        diagonal[: X.shape[1]] = squares + l2 / curvature
        usable = np.isfinite(diagonal) & (diagonal > 0)
        scale = 1 / np.sqrt(np.where(usable, diagonal, 1.0))
    return np.broadcast_to(scale, shape).ravel()


def refuse_too_large(X: Any) -> None:
    """Name a finite number of X whose square, or a sum of such squares, may not be finite."""
    is_sparse = hasattr(X, "indptr")
    numbers = X.data if is_sparse else X
    if numbers.size == 0 or numbers.dtype.kind != "f":
        return
    count = X.shape[0] if numbers.dtype == np.float64 else 1  # float64 is what sums are in
    limit = float(np.sqrt(np.finfo(numbers.dtype).max / count))
    block = max(_NUMBERS // max(numbers[:1].size, 1), 1)
    for start in range(0, len(numbers), block):
        sizes = np.abs(numbers[start : start + block])
        if not sizes.max() > limit:
            continue
        place = np.unravel_index(int(sizes.argmax()), sizes.shape)
        if is_sparse:
            entry = start + int(place[0])
            i = int(np.searchsorted(X.indptr, entry, side="right")) - 1
            j, value = int(X.indices[entry]), X.data[entry]
        else:
            i, j = start + int(place[0]), int(place[1])
            value = X[i, j]
        if not np.isfinite(value):  # which has an error of its own
            return
        raise ValueError(
            f"X[{i}, {j}] = {value:g}: too large to be squared and summed in {numbers.dtype}; expected "
            f"sizes of at most {limit:.2g}: scale the columns of X"
        )
