"""Whether the derivatives that a loss returns are those of its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastloss._bases.pointwise import PointwiseLoss
from fastloss._bases.rows import RowLoss
from fastloss._core.arrays import array_of, refuse_masked
from fastloss._differences import Slopes, Vector, slopes

_RTOL = {"float32": 1e-4, "float64": 1e-6}
_SHOWN = 5
_LISTED = 20
# Each of C outputs is moved by itself, in arrays of n C: n C^2 is kept below this.
_WORK = 20_000_000
# A derivative that cancels is right to the last places of its terms, which it changes by within the
# scale of a raw prediction; and near zero it is known when its differences are to a thousandth of it.
_PLACES = 16
_NEAR_ZERO = 1e-3


class Differentiable(Protocol):
    """
    What a loss must have to be checked: the methods of every loss of this package.

    With weights they are called with the argument ``sample_weight``, too.
    """

    @property
    def loss(self) -> Callable[..., Any]:
        """Of (y_true, raw_prediction, reduction="none"): the loss per sample."""

    @property
    def gradient_hessian(self) -> Callable[..., Any]:
        """Of the same: gradient and Hessian per raw prediction."""


@dataclass(frozen=True)
class Comparison:
    """One derivative by the loss and by differences, for the raw predictions that were checked.

    Parameters
    ----------
    computed : ndarray
        What the loss returned.
    numerical : ndarray
        By differences.
    uncertainty : ndarray
        The estimated error of `numerical`.
    difference : ndarray
        How far the two lie apart. At a kink any slope between those of the two sides is right.
    wrong : ndarray of bool
        Where the difference is more than the tolerance and the uncertainty.
    undecided : ndarray of bool
        Where the uncertainty is above the tolerance, so that nothing can be said, or where an infinite
        derivative stands beside differences that grow without end.
    kink : ndarray of bool
        Where it is undecided because the loss, or its slope, has a kink there.
    method : str
        Which method of the loss returned it.
    """

    computed: Vector
    numerical: Vector
    uncertainty: Vector
    difference: Vector
    wrong: NDArray[np.bool_]
    undecided: NDArray[np.bool_]
    kink: NDArray[np.bool_]
    method: str = "gradient_hessian"

    @property
    def mostly_undecided(self) -> bool:
        """Whether nothing can be said of more than half, or there is nothing to be said anything of."""
        return 2 * int(self.undecided.sum()) > self.undecided.size or not self.undecided.size

    @property
    def max_relative_error(self) -> float:
        """The largest difference beyond uncertainty, over the larger of both; 0 if there is none."""
        errors = np.zeros(self.difference.shape)
        size = np.maximum(np.abs(self.computed), np.abs(self.numerical))
        some = ~self.undecided & (self.difference > 4 * self.uncertainty)
        with np.errstate(all="ignore"):
            errors[some] = self.difference[some] / size[some]
        errors[some & ~np.isfinite(errors)] = np.inf
        return float(errors.max(initial=0.0))


@dataclass(frozen=True)
class GradientCheck:
    """
    The outcome of `check_gradient`; true if nothing is wrong, and most of it could be decided.

    ``str()`` of it is a report for people.

    Parameters
    ----------
    loss : object
        The loss.
    y_true, raw_prediction : ndarray
        The samples that were checked, in float64.
    index : ndarray
        Their places in the flattened data (of the samples, where each has several raw predictions).
    gradient : Comparison
        The gradient, of raw_prediction's shape: of the method that is furthest off.
    hessian : Comparison or None
        The Hessian diagonal, None if it was not asked for, or is no derivative.
    outside : ndarray of bool
        Of each sample whether its loss is NaN at finite raw predictions: they are outside the domain.
    convention : str
        What the Hessian is instead of the derivative, if it was asked for and the loss's docs say so.
    """

    loss: object
    y_true: NDArray[Any]
    raw_prediction: Vector
    index: NDArray[np.intp]
    gradient: Comparison
    hessian: Comparison | None
    outside: NDArray[np.bool_]
    convention: str = ""

    @property
    def _comparisons(self) -> list[Comparison]:
        return [self.gradient] + ([self.hessian] if self.hessian is not None else [])

    @property
    def ok(self) -> bool:
        """Whether no derivative is wrong, and of each kind at least half could be decided, of some."""
        return not any(each.wrong.any() or each.mostly_undecided for each in self._comparisons)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        wrong = any(comparison.wrong.any() for comparison in self._comparisons)
        verdict = "WRONG" if wrong else "ok" if self.ok else "UNDECIDED"
        samples = "sample" if len(self.index) == 1 else "samples"
        lines = [f"{self.loss!r}: {verdict}, {len(self.index):,} {samples}"]
        if self.outside.any():
            first = int(np.argmax(self.outside))
            lines.append(
                f"{self.outside.sum():,} outside the domain of the loss, which is NaN there, as for "
                f"raw_prediction[{self.index[first]}] = {self.raw_prediction[first].tolist()!r}"
            )
        for name in ("gradient", "hessian"):
            comparison = getattr(self, name)
            if comparison is None:
                continue
            lines.append(
                f"{name} by {comparison.method}: {comparison.wrong.sum():,} wrong, "
                f"{comparison.undecided.sum():,} undecided "
                f"of {comparison.wrong.size:,}; largest relative error of what was decided "
                f"{comparison.max_relative_error:.1e}"
            )
            for where in np.argwhere(comparison.wrong)[:_SHOWN]:
                at = tuple(int(i) for i in where)
                sample = (int(self.index[at[0]]), *at[1:])
                lines.append(
                    f"  raw_prediction[{', '.join(map(str, sample))}] = "
                    f"{self.raw_prediction[at]:.17g}, y_true = {self.y_true[at[0]].tolist()}: "
                    f"{name} {comparison.computed[at]:.9g}, by differences "
                    f"{comparison.numerical[at]:.9g} ± {comparison.uncertainty[at]:.1e}"
                )
            for reason, some in (
                ("at a kink", comparison.undecided & comparison.kink),
                ("too uncertain", comparison.undecided & ~comparison.kink),
            ):
                if some.any():
                    lines.append(f"  undecided, {reason}: raw_prediction {self._places(some)}")
        if self.convention:
            lines.append(f"hessian: not compared, {self.convention}")
        return "\n".join(lines)

    def _places(self, some: NDArray[np.bool_]) -> str:
        """Return the indices of some raw predictions, the first of many."""
        places = [[int(self.index[at[0]]), *map(int, at[1:])] for at in np.argwhere(some)[:_LISTED]]
        more = int(some.sum()) - len(places)
        return ", ".join(map(str, places)) + (f" and {more:,} more" if more else "")


def check_gradient(
    loss: Differentiable,
    y_true: ArrayLike,
    raw_prediction: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    axis: int = -1,
    hessian: bool = False,
    rtol: float | None = None,
    max_samples: int = 1000,
    seed: int = 0,
) -> GradientCheck:
    """
    Compare the gradient of a loss with extrapolated differences of its values, on your data.

    Any object serves that has the methods ``loss`` and ``gradient_hessian`` with the argument
    ``reduction="none"`` (and ``sample_weight``, if weights are given): a loss of this package, a
    subclass of your own, or your custom objective; a sample's loss is to depend on its own raw
    predictions alone. Of a loss of this package and a subclass of one, the gradients of ``gradient``,
    ``loss_gradient`` and ``loss_gradient_hessian`` are compared as well.

    Parameters
    ----------
    loss : object
        The loss.
    y_true : array-like
        Labels, as the loss takes them.
    raw_prediction : array-like of float32 or float64
        Of y_true's shape, or with an axis of classes (outputs) more. The gradient is computed in
        this dtype, the differences in float64. Lists of integers are float64.
    sample_weight : array-like, optional
        Weights, of the shape of the losses of the samples: then those of weight times loss are checked.
    axis : int, default=-1
        The axis of the classes, for losses of several raw predictions a sample.
    hessian : bool, default=False
        Compare the Hessian diagonal with differences of the gradient, too; but not with
        ``hessian="bounded"``, nor that of a loss whose docs report one by convention (of
        `AbsoluteError`, the hinges, ...), which is no derivative: the report says so. At a kink of the
        loss it is undecided. That of your own loss counts as wrong where it is a substitute.
    rtol : float, optional
        The relative tolerance; 1e-6, in float32 1e-4.
    max_samples : int, default=1000
        Of longer data as many samples are drawn; fewer from about 140 classes on, as the work grows
        with their square.
    seed : int, default=0
        Of that draw.

    Returns
    -------
    GradientCheck
        True if nothing is wrong and at least half could be decided, and there was a sample; with all
        numbers, and a report as its ``str()``.

    Raises
    ------
    TypeError, ValueError
        If the loss refuses the data or lacks a method, or an argument is out of range.

    References
    ----------
    Ridders, Accurate computation of F'(x) and F'(x)F''(x), 1982.

    Examples
    --------
    >>> import fastloss as fl
    >>> bool(fl.check_gradient(fl.LogLoss(), [1, 0, 1], [0.3, -2.0, 40.0], hessian=True))
    True
    """
    if isinstance(loss, type):
        raise TypeError(f"loss = {loss!r} is a class: expected an instance, {loss.__name__}(...)")
    for method in ("loss", "gradient_hessian"):
        if not callable(getattr(loss, method, None)):
            raise TypeError(
                f"loss = {loss!r} has no method {method}: expected the methods loss and "
                "gradient_hessian, of (y_true, raw_prediction, reduction='none')"
            )
    refuse_masked(raw_prediction, "raw_prediction")
    f = np.asarray(raw_prediction)
    if not hasattr(raw_prediction, "dtype") and f.dtype.kind in "iu":  # as the losses take them
        f = f.astype(np.float64)
    if f.dtype not in (np.float32, np.float64):
        raise TypeError(f"raw_prediction has dtype {f.dtype}: expected float32 or float64")
    if max_samples < 1:
        raise ValueError(f"max_samples = {max_samples!r}: expected at least 1")
    if rtol is None:
        rtol = _RTOL[f.dtype.name]
    elif not rtol > 0:
        raise ValueError(f"rtol = {rtol!r}: expected a number greater than 0")
    y, f, rows = _as_samples(loss, array_of(y_true, "y_true"), f, axis)
    weights = None
    if sample_weight is not None:
        weights = _flat_weights(array_of(sample_weight, "sample_weight"), len(f))
    if rows:
        max_samples = min(max_samples, max(1, _WORK // max(1, f.shape[1]) ** 2))
    index = np.arange(len(f))
    if len(index) > max_samples:
        index = np.sort(np.random.default_rng(seed).choice(len(f), max_samples, replace=False))
        y, f = y[index], f[index]
        weights = None if weights is None else weights[index]
    exact = f.astype(np.float64)
    labels = y
    if y.dtype.kind == "f":
        labels = y.astype(f.dtype).astype(np.float64)  # what a loss in this dtype sees
    given: dict[str, Any] = {"reduction": "none"}
    seen = given
    if weights is not None:
        given = {"sample_weight": weights, "reduction": "none"}
        seen = given | {"sample_weight": weights.astype(f.dtype).astype(np.float64)}
    parts = loss.gradient_hessian(y, f.copy(), **given)
    if not isinstance(parts, tuple | list) or len(parts) != 2:
        raise TypeError(
            f"loss = {loss!r}: its gradient_hessian returned {type(parts).__name__}, expected two "
            "arrays, gradient and Hessian"
        )
    computed = [_floating(part) for part in parts]
    by_value = _each_output(lambda at, _: loss.loss(labels, at, **seen), exact, rows)
    gradients = {"gradient_hessian": computed[0]}
    if isinstance(loss, PointwiseLoss | RowLoss):  # others may take other arguments there
        gradients["gradient"] = _floating(loss.gradient(y, f.copy(), **given))
        gradients["loss_gradient"] = _floating(loss.loss_gradient(y, f.copy(), **given)[1])
        gradients["loss_gradient_hessian"] = _floating(
            loss.loss_gradient_hessian(y, f.copy(), **given)[1]
        )
    compared = []
    for method, one in gradients.items():
        _check_shape(loss, method, "gradient", one, f)
        compared.append(replace(_compare(one, by_value, rtol), method=method))
    gradient = max(
        compared,
        key=lambda one: (int(one.wrong.sum()), one.mostly_undecided, one.max_relative_error),
    )
    curvature = None
    convention = _convention(loss) if hessian else ""
    if hessian and not convention:
        _check_shape(loss, "gradient_hessian", "Hessian", computed[1], f)
    if (hessian and not convention) or gradient.undecided.any():

        def slope(at: Vector, column: int) -> Any:
            one = np.asarray(loss.gradient_hessian(labels, at, **seen)[0])
            return one[(..., column) if rows else ...]

        by_slope = _each_output(slope, exact, rows)
        if hessian and not convention:
            curvature = _undecided_at_kinks(_compare(computed[1], by_slope, rtol), by_value)
        gradient = replace(gradient, kink=gradient.kink | _kinks(by_slope))
    finite = np.isfinite(exact).all(axis=1) if rows else np.isfinite(exact)
    outside = finite & np.isnan(loss.loss(labels, exact, **seen))
    return GradientCheck(loss, labels, exact, index, gradient, curvature, outside, convention)


def _convention(loss: object) -> str:
    """Return what the Hessian of a loss of this package is, if not the second derivative."""
    if not isinstance(loss, PointwiseLoss | RowLoss):
        return ""
    inner = loss.params.get("loss", loss)  # of OneVsRest
    if inner.params.get("hessian") == "bounded":
        return "bounded: not a derivative"
    if getattr(inner, "_hessian_by_convention", False):
        return f"a convention of {type(inner).__name__}: not a derivative"
    return ""


def _undecided_at_kinks(curvature: Comparison, by_value: Slopes) -> Comparison:
    """Where the slope jumps there is no second derivative, whatever is returned for one."""
    kink = _kinks(by_value)
    return replace(
        curvature,
        wrong=curvature.wrong & ~kink,
        undecided=curvature.undecided | kink,
        kink=curvature.kink | kink,
    )


def _as_samples(
    loss: Differentiable, y: NDArray[Any], f: NDArray[Any], axis: int
) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """Return labels and predictions as (n,), or (n, C) with True where a sample has C of them."""
    if f.ndim == 0:
        y, f = y.reshape(1), f.reshape(1)
    if not -f.ndim <= axis < f.ndim:
        raise ValueError(f"axis = {axis}: raw_prediction has {f.ndim} dimensions")
    last = np.moveaxis(f, axis, -1)
    flat = last.reshape(-1, last.shape[-1]) if f.size else f.reshape(0, last.shape[-1])
    if y.shape == f.shape:
        labels = np.moveaxis(y, axis, -1).reshape(flat.shape)
        # a label for every raw prediction, or a distribution over the classes (on one axis of a sample)
        given = (y, f) if f.ndim == 1 else (labels, flat)
        found = np.shape(loss.loss(given[0], given[1].copy(), reduction="none"))
        if found != given[1].shape:
            # of another's loss a number for all is its mean, not the loss of one sample
            alone = f.ndim == 1 and not isinstance(loss, RowLoss)
            _check_losses(loss, found, given[1].shape[: None if alone else -1])
            return labels, flat, True
        return y.ravel(), f.ravel(), False
    if y.ndim == f.ndim > 1:  # a list of classes, say
        return np.moveaxis(y, axis, -1).reshape(len(flat), -1), flat, True
    if y.shape != last.shape[:-1]:
        raise ValueError(
            f"y_true has shape {y.shape}, raw_prediction has shape {f.shape}: they must be equal, "
            f"or y_true's without axis {axis}"
        )
    return y.ravel(), flat, True


def _floating(part: Any) -> NDArray[Any]:
    """Return what a loss returned as an array of floating-point numbers."""
    array = np.asarray(part)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _check_losses(loss: object, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        raise ValueError(
            f"loss = {loss!r}: its loss returned shape {found} for reduction='none', expected "
            f"{expected}, a loss for each sample"
        )


def _check_shape(loss: object, method: str, what: str, found: Vector, f: NDArray[Any]) -> None:
    if found.shape != f.shape:
        raise ValueError(
            f"loss = {loss!r}: its {method} returned a {what} of shape {found.shape}, expected "
            f"raw_prediction's {f.shape}"
        )


def _flat_weights(weights: NDArray[Any], n: int) -> NDArray[Any]:
    """Return one weight a sample; what they hold is for the loss to judge."""
    if weights.size != n:
        raise ValueError(
            f"sample_weight has shape {weights.shape}: expected a weight for each of {n} samples"
        )
    return weights.reshape(n)


def _each_output(function: Any, f: Vector, rows: bool) -> Slopes:
    """Return the slopes by each raw prediction, the other ones of its sample held."""
    if not rows:
        return slopes(lambda x: function(x, 0), f)
    columns = []
    for column in range(f.shape[1]):

        def moved(x: Vector, column: int = column) -> Any:
            at = f.copy()
            at[:, column] = x
            return function(at, column)

        columns.append(slopes(moved, f[:, column]))
    parts = ("value", "error", "left", "right", "limit", "unresolved", "change")
    return Slopes(*(np.stack([getattr(s, part) for s in columns], axis=1) for part in parts))


def _compare(computed: NDArray[Any], numerical: Slopes, rtol: float) -> Comparison:
    precision = np.finfo(computed.dtype)
    value = np.asarray(computed, dtype=np.float64)
    low = np.minimum(numerical.left, numerical.right)
    high = np.maximum(numerical.left, numerical.right)
    with np.errstate(all="ignore"):
        nearest = np.clip(value, low, high)
        difference = np.where(nearest == value, 0.0, np.abs(value - nearest))
        # beyond the range of its dtype infinity is right
        difference[np.isinf(value) & (np.abs(nearest) > precision.max)] = 0.0
        change = np.where(np.isfinite(numerical.change), numerical.change, 0.0)
        tolerance = rtol * np.maximum(np.abs(value), np.abs(nearest))
        tolerance = tolerance + rtol * _NEAR_ZERO * change
        cancelled = _PLACES * precision.eps * change
        # differences that grow without end tell of an infinite derivative, and cannot show it
        infinite = np.isinf(value) & (value == numerical.limit)
        unresolved = numerical.unresolved & np.isfinite(value)
        judged = np.isfinite(numerical.error) & ~infinite & ~unresolved
        # a number below the normal ones has fewer digits
        allowed = (
            rtol * np.maximum(np.abs(nearest), precision.tiny) + 4 * numerical.error + cancelled
        )
        wrong = judged & ~(difference <= allowed)
        undecided = ~wrong & ~(judged & (numerical.error <= tolerance)) & (difference != 0.0)
    return Comparison(
        value, numerical.value, numerical.error, difference, wrong, undecided, _kinks(numerical)
    )


def _kinks(numerical: Slopes) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return (np.abs(numerical.right - numerical.left) > 0.0) | numerical.unresolved  # not of NaN
