"""Putting the methods in the place of scikit-learn's, and back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import sklearn

from fastloss._sklearn_version import series

# whose sklearn._loss and LinearModelLoss have been read, and whose tests pass
_KNOWN = ((1, 6), (1, 7), (1, 8), (1, 9))


class _Replaced(NamedTuple):
    owner: type
    name: str
    original: Callable[..., Any]
    replacement: Callable[..., Any]


_lock = threading.RLock()
_replaced: list[_Replaced] = []
_by_patch = False  # patch() was called, and unpatch() not yet
_contexts = 0  # how many patched() are open


def patch() -> None:
    """
    Make scikit-learn's own estimators compute with fastloss, in this process.

    Losses that scikit-learn evaluates in LogisticRegression, PoissonRegressor, GammaRegressor,
    TweedieRegressor, HistGradientBoosting and GradientBoosting estimators, in their cross-validated
    forms and in calibration run on the kernels of this package; the objectives of linear models read X
    once per evaluation. Names, parameters, results (to rounding) and pickles stay scikit-learn's.
    Calling it again changes nothing.

    Raises
    ------
    ImportError
        If the version of scikit-learn is none of those that are known: 1.6 to 1.9.

    See Also
    --------
    patched : the same for a block of code.

    Notes
    -----
    Methods of scikit-learn's loss objects are replaced, not the objects: those that exist compute
    with fastloss from now on, and those made now without it after `unpatch`. Calls that run in other
    threads meanwhile end with what they began with. Worker processes of joblib start without the patch:
    see docs/sklearn.md.

    Examples
    --------
    >>> import fastloss.sklearn
    >>> fastloss.sklearn.patch()
    >>> fastloss.sklearn.is_patched()
    True
    >>> fastloss.sklearn.unpatch()
    """
    global _by_patch
    with _lock:
        _apply()
        _by_patch = True


def unpatch() -> None:
    """
    Undo `patch`.

    Every method is scikit-learn's own again; within a ``with patched():`` block, at its end.

    Examples
    --------
    >>> import fastloss.sklearn
    >>> fastloss.sklearn.unpatch()
    >>> fastloss.sklearn.is_patched()
    False
    """
    global _by_patch
    with _lock:
        _by_patch = False
        _restore_unless_wanted()


@contextmanager
def patched() -> Iterator[None]:
    """
    Patch scikit-learn within a block of code, in all threads of the process.

    Blocks may be nested and overlap in several threads: the last that ends restores scikit-learn,
    unless `patch` has been called.

    Yields
    ------
    None
        Within the block.

    Raises
    ------
    ImportError
        As `patch`.

    Examples
    --------
    >>> import fastloss.sklearn
    >>> with fastloss.sklearn.patched():
    ...     fastloss.sklearn.is_patched()
    True
    """
    global _contexts
    with _lock:
        _apply()
        _contexts += 1
    try:
        yield
    finally:
        with _lock:
            _contexts -= 1
            _restore_unless_wanted()


def is_patched() -> bool:
    """
    Tell whether scikit-learn computes with fastloss.

    Returns
    -------
    bool
        Whether `patch`, or a block of `patched`, is in effect.

    Examples
    --------
    >>> import fastloss.sklearn
    >>> fastloss.sklearn.is_patched()
    False
    """
    return bool(_replaced)


def _check_version() -> None:
    installed = sklearn.__version__
    if series(installed) not in _KNOWN:
        known = ", ".join(f"{major}.{minor}" for major, minor in _KNOWN)
        raise ImportError(
            f"fastloss.sklearn.patch: scikit-learn {installed} is installed, and what is patched is "
            f"private there; known are the versions {known}"
        )


def _apply() -> None:
    if _replaced:
        return
    _check_version()
    # imported late: what they import is private to scikit-learn, and may be missing in others
    from sklearn._loss.loss import BaseLoss, HalfMultinomialLoss
    from sklearn.linear_model._linear_loss import LinearModelLoss

    from fastloss.sklearn import _linear, _losses

    wanted: list[tuple[type, str, Callable[..., Any]]] = [
        (BaseLoss, "loss", _losses.accelerated),
        (BaseLoss, "gradient", _losses.accelerated),
        (BaseLoss, "loss_gradient", _losses.accelerated),
        (BaseLoss, "gradient_hessian", _losses.accelerated),
        (HalfMultinomialLoss, "gradient_proba", _losses.accelerated),
        *((LinearModelLoss, name, _linear.accelerated) for name in _linear.METHODS),
    ]
    replacements = []
    for owner, name, accelerated in wanted:
        original = vars(owner)[name]
        replacements.append(_Replaced(owner, name, original, accelerated(original)))
    for item in replacements:
        setattr(item.owner, item.name, item.replacement)
    _replaced.extend(replacements)


def _restore_unless_wanted() -> None:
    if _by_patch or _contexts or not _replaced:
        return
    from fastloss.sklearn import _linear

    for item in _replaced:
        # what others have put on top since is theirs
        if vars(item.owner)[item.name] is item.replacement:
            setattr(item.owner, item.name, item.original)
    _replaced.clear()
    _linear.forget()
