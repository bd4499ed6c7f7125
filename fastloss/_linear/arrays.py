"""What a linear objective is given, checked: sparse X, penalties; and the softmax Hessian's factors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._core.arrays import array_of, refuse_masked

_Array = npt.NDArray[Any]


def checked_csr(
    X: Any, dtype: npt.DTypeLike | None = None
) -> tuple[_Array, _Array, _Array, int, int]:
    """
    Return data, indices, indptr, and the numbers of samples and features of a CSR matrix.

    The data becomes that dtype; None: the one that a dense X of its numbers would be computed in. The
    kernels go wherever the indices say: every one is looked at, once.
    """
    kind = getattr(X, "format", "csr")
    if kind != "csr":
        raise TypeError(f"X is sparse of format {kind!r}: expected 'csr', that is X.tocsr()")
    if not isinstance(X.shape, tuple | list) or len(X.shape) != 2 or min(X.shape) < 0:
        raise ValueError(f"X has shape {X.shape}: expected (n, d)")
    n, d = (int(length) for length in X.shape)
    data, entries, starts = (
        array_of(getattr(X, name), f"X.{name}") for name in ("data", "indices", "indptr")
    )
    for name, numbers in (("X.data", data), ("X.indices", entries)):
        if numbers.ndim != 1:
            raise ValueError(f"{name} has shape {numbers.shape}: expected one axis")
    native = data.dtype.newbyteorder("=")
    if native.kind == "f" and native.itemsize > 8:
        raise TypeError(
            f"X.data has dtype {data.dtype}: expected bool, an integer type, float16, float32 or "
            "float64"
        )
    if dtype is None:
        dtype = np.float32 if native in (np.float16, np.float32) else np.float64
    for name, numbers in (("X.indices", entries), ("X.indptr", starts)):
        if numbers.dtype.kind not in "iu":
            raise TypeError(f"{name} has dtype {numbers.dtype}: expected int32 or int64")
    data = np.require(data, dtype, ["C", "A"])
    narrow = entries.dtype.newbyteorder("=") == np.int32
    indices = np.require(entries, np.int32 if narrow else np.int64, ["C", "A"])
    indptr = np.require(starts, np.int64, ["C", "A"])
    if indptr.shape != (n + 1,):
        raise ValueError(f"X.indptr has shape {indptr.shape}: expected ({n + 1},)")
    falls = indptr[1:] < indptr[:-1]
    if falls.any():
        i = int(np.argmax(falls)) + 1
        raise ValueError(f"X.indptr[{i}] = {indptr[i]}: expected at least {indptr[i - 1]}")
    n_entries = min(data.size, indices.size)
    first, last = int(indptr[0]), int(indptr[n])
    if first < 0 or last > n_entries:
        i = 0 if first < 0 else n
        raise ValueError(f"X.indptr[{i}] = {indptr[i]}: expected 0 to {n_entries}")
    used = indices[first:last]
    # one pass: a negative index is a large one without its sign
    if used.size and int(used.view(f"u{used.itemsize}").max()) >= d:
        e = int(np.flatnonzero((used < 0) | (used >= d))[0]) + first
        i = int(np.searchsorted(indptr, e, side="right")) - 1
        raise ValueError(
            f"X.indices[{e}] = {indices[e]}: expected columns 0 to {d - 1}, in row {i} of X of shape "
            f"({n}, {d})"
        )
    return data, indices, indptr, n, d


def without_repeats(
    data: _Array, indices: _Array, indptr: _Array, n: int, d: int
) -> tuple[_Array, _Array, _Array, int, int]:
    """Return a checked CSR matrix whose rows meet each column once: entries of the same one added."""
    used = indices[indptr[0] : indptr[n]].astype(np.int64)
    rows = np.repeat(np.arange(n), np.diff(indptr))
    order = np.lexsort((used, rows))
    rows, used = rows[order], used[order]
    is_first = np.ones(used.size, bool)
    is_first[1:] = (rows[1:] != rows[:-1]) | (used[1:] != used[:-1])
    if is_first.all():
        return data, indices, indptr, n, d
    first = np.flatnonzero(is_first)
    sums = np.add.reduceat(data[indptr[0] : indptr[n]][order], first)
    starts = np.searchsorted(rows[first], np.arange(n + 1)).astype(np.int64)
    return sums, used[first].astype(indices.dtype), starts, n, d


def whole_classes(y: _Array, n_classes: int) -> tuple[_Array, _Array]:
    """Return labels as int64, 0 for those that are no class, and whether each is 0 to n_classes - 1."""
    if y.dtype.kind not in "biuf":
        raise TypeError(f"y has dtype {y.dtype}: expected class labels 0 to {n_classes - 1}")
    with np.errstate(invalid="ignore"):
        is_class = np.asarray((y >= 0) & (y < n_classes))
        classes = np.where(is_class, y, 0).astype(np.int64)
    # of the copy, for another thread may change y meanwhile: nothing beyond may become an index
    classes[(classes < 0) | (classes >= n_classes)] = 0
    return classes, is_class & (classes == y)


def renamed(error: Exception) -> Exception:
    """Return an error of a loss in the words of a linear model, whose labels are its y."""
    return type(error)(str(error).replace("y_true", "y"))


def checked_penalty(l2: Any, n_features: int, coef_shape: tuple[int, ...]) -> _Array | None:
    """Return the penalty as float64 that broadcasts with (n_outputs, d), None where it is 0."""
    refuse_masked(l2, "l2")
    numbers = np.asarray(l2)
    if numbers.dtype.kind not in "iuf":
        raise TypeError(f"l2 = {l2!r}: expected numbers of at least 0")
    shapes = [(), (n_features,), (*coef_shape[:-1], n_features)]
    if numbers.shape not in shapes:
        expected = " or ".join(str(shape) for shape in dict.fromkeys(shapes[1:]))
        raise ValueError(f"l2 has shape {numbers.shape}: expected a number or {expected}")
    numbers = numbers.astype(np.float64)
    wrong = np.argwhere(~((numbers >= 0) & (numbers < np.inf)))
    if len(wrong):
        index = tuple(int(i) for i in wrong[0])
        inside = f"[{', '.join(map(str, index))}]" if index else ""
        raise ValueError(f"l2{inside} = {numbers[index]}: expected a finite number of at least 0")
    return numbers if numbers.any() else None


def target_sums(y: _Array, n_classes: int, params: dict[str, Any]) -> _Array:
    """Return the sum of each sample's targets under a `CrossEntropy` of these parameters."""
    smoothing, ignored = params["label_smoothing"], params["ignore_index"]
    weights = np.ones(n_classes)
    if params["class_weight"] is not None:
        weights = np.array(params["class_weight"])
    if y.ndim == 2:
        return np.asarray((1 - smoothing) * (y @ weights) + smoothing * weights.mean())
    labels = y.astype(np.int64)
    counted = (labels >= 0) & (labels < n_classes)
    if ignored is not None:
        counted &= labels != ignored
    sums = weights[np.where(counted, labels, 0)]
    if params["weighted_smoothing"]:
        sums = (1 - smoothing) * sums + smoothing * weights.mean()
    return np.where(counted, sums, 0.0)
