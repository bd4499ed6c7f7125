"""Checks of arguments for what is written in Python on top of the compiled losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._core.arrays import refuse_masked

_Array = npt.NDArray[Any]


def split_out(out: Any, parts: tuple[str, ...]) -> dict[str, _Array | None]:
    """Return the places that a caller provided, by the names of what is wanted."""
    if out is None:
        return dict.fromkeys(parts)
    if len(parts) == 1:
        if isinstance(out, tuple):
            raise TypeError("out: expected one array, got a tuple")
        return {parts[0]: out}
    if not isinstance(out, tuple):
        raise TypeError(f"out: expected a tuple of {len(parts)}, got {type(out).__name__}")
    if len(out) != len(parts):
        raise ValueError(f"out has {len(out)} entries: expected {len(parts)}")
    return dict(zip(parts, out, strict=True))


def as_float_array(raw_prediction: npt.ArrayLike) -> _Array:
    """Return predictions as an array of float32 or float64, without a copy of one that is."""
    refuse_masked(raw_prediction, "raw_prediction")
    array = np.asarray(raw_prediction)
    if not hasattr(raw_prediction, "dtype") and array.dtype.kind in "iu":
        array = array.astype(np.float64)
    native = array.dtype.newbyteorder("=")
    if native not in (np.float32, np.float64):
        raise TypeError(f"raw_prediction has dtype {array.dtype}: expected float32 or float64")
    return array.astype(native, copy=False)


def checked_class_labels(y_true: _Array, n_classes: int, name: str) -> _Array:
    """Return class labels as int64, or raise an error that names the first that is none."""
    if y_true.dtype.kind not in "biuf":
        raise TypeError(f"y_true has dtype {y_true.dtype}: expected numbers")
    with np.errstate(invalid="ignore"):
        wrong = ~((y_true >= 0) & (y_true < n_classes) & (y_true == np.floor(y_true)))
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        inside = f"[{', '.join(map(str, index))}]" if index else ""
        raise ValueError(
            f"y_true{inside} = {y_true[index].item()!r}: {name} expects class labels 0 to "
            f"{n_classes - 1}"
        )
    return y_true.astype(np.int64, copy=False)
