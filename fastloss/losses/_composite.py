"""Checks of arguments for what is written in Python on top of the compiled losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

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
    array = np.asarray(raw_prediction)
    if not hasattr(raw_prediction, "dtype") and array.dtype.kind in "iu":
        array = array.astype(np.float64)
    native = array.dtype.newbyteorder("=")
    if native not in (np.float32, np.float64):
        raise TypeError(f"raw_prediction has dtype {array.dtype}: expected float32 or float64")
    return array.astype(native, copy=False)


def overlaps(a: _Array, b: _Array) -> bool:
    """Return whether two arrays share memory, or might: the question can be hard."""
    try:
        return bool(np.shares_memory(a, b, max_work=100_000))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


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


def check_place(
    argument: str,
    place: object,
    shape: tuple[int, ...],
    f: _Array,
    taken: list[tuple[_Array | None, str]],
) -> None:
    """Refuse an output that does not fit, is read-only, or shares memory with what is taken."""
    if not isinstance(place, np.ndarray):
        raise TypeError(f"{argument}: expected a NumPy array, got {type(place).__name__}")
    native = f.dtype.newbyteorder("=")
    if place.dtype.newbyteorder("=") != native:
        raise TypeError(f"{argument} has dtype {place.dtype}: expected {native}")
    if place.shape != shape:
        raise ValueError(f"{argument} has shape {place.shape}: expected {shape}")
    if not place.flags.writeable:
        raise ValueError(f"{argument} is read-only: expected a writeable array")
    if any(
        step == 0 and length > 1 for step, length in zip(place.strides, place.shape, strict=True)
    ):
        raise ValueError(
            f"{argument} overlaps itself (strides {place.strides}): expected one place in memory an "
            "element"
        )
    for other, name in taken:
        if other is not None and overlaps(place, other):
            raise ValueError(f"{argument} overlaps {name} in memory: expected separate arrays")
