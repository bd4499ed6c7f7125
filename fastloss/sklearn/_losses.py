"""
The losses of sklearn._loss, computed by the kernels of this package.

A loss object of scikit-learn has a compiled part, ``closs``; its methods allocate what the caller did
not provide, drop an axis of length 1, and call that part. So the methods stay scikit-learn's: they
are run on a stand-in for the object, whose ``closs`` asks a kernel first and, where the kernel does not
take the arguments, the compiled part itself. Then results and errors are scikit-learn's.

Kernels run on one thread. Those of a parallel region wait for the next one spinning, for some
milliseconds, and scikit-learn's wheels have an OpenMP of their own: each would take the cores from the
other's threads, in boosting several times an iteration, for longer than a loss takes. So where
scikit-learn asks for more threads than one of ours does the work of, it computes itself.

Not here: squared, absolute and Huber errors, which are bound by memory in scikit-learn as well and
where the gradient of the absolute error differs at 0; and Tweedie deviances with identity link, whose
values at predictions that are not positive, where no deviance is defined, would differ.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn._loss import _loss as compiled

from fastloss.losses import CrossEntropy, Exponential, Gamma, LogLoss, Pinball, Poisson, Tweedie

_SIMPLE: dict[type, Any] = {
    compiled.CyExponentialLoss: Exponential(),
    compiled.CyHalfBinomialLoss: LogLoss(),
    compiled.CyHalfGammaLoss: Gamma(),
    compiled.CyHalfMultinomialLoss: CrossEntropy(),
    compiled.CyHalfPoissonLoss: Poisson(),
}
_WIDE, _NARROW = np.dtype(np.float64), np.dtype(np.float32)
# How many of scikit-learn's threads one of ours is worth, by the dtype of predictions: about the least
# of the losses, measured on one machine with gradients and Hessians of 100,000 samples.
_THREADS_WORTH = {_WIDE: 3, _NARROW: 7}


@functools.lru_cache(maxsize=64)
def _tweedie(power: float) -> Any:
    """Return the loss of a power, None where scikit-learn's has other terms or no distribution."""
    try:
        return None if power == 0 else Tweedie(power)
    except ValueError:
        return None


@functools.lru_cache(maxsize=64)
def _pinball(quantile: float) -> Any:
    return Pinball(quantile)


def kernel_of(closs: Any) -> Any:
    """Return the loss of this package that has the formula of a compiled part, or None."""
    kind = type(closs)
    if kind is compiled.CyHalfTweedieLoss:
        return _tweedie(closs.power)
    if kind is compiled.CyPinballLoss:
        return _pinball(closs.quantile)
    return _SIMPLE.get(kind)


class _Closs:
    """Of the interface of ``closs``: a kernel, and the compiled part for all that it does not take."""

    __slots__ = ("_compiled", "_kernel")

    def __init__(self, kernel: Any, compiled_part: Any) -> None:
        self._kernel = kernel
        self._compiled = compiled_part

    def loss(self, **arguments: Any) -> None:
        if not self._run(arguments, loss="loss_out"):
            self._compiled.loss(**arguments)

    def gradient(self, **arguments: Any) -> None:
        if not self._run(arguments, gradient="gradient_out"):
            self._compiled.gradient(**arguments)

    def loss_gradient(self, **arguments: Any) -> None:
        if not self._run(arguments, loss="loss_out", gradient="gradient_out"):
            self._compiled.loss_gradient(**arguments)

    def gradient_hessian(self, **arguments: Any) -> None:
        if not self._run(arguments, gradient="gradient_out", hessian="hessian_out"):
            self._compiled.gradient_hessian(**arguments)

    def gradient_proba(self, **arguments: Any) -> None:
        proba, gradient = arguments["proba_out"], arguments["gradient_out"]
        fits = isinstance(proba, np.ndarray) and proba.dtype == arguments["raw_prediction"].dtype
        if (
            not fits
            or np.may_share_memory(proba, arguments["raw_prediction"])
            or (isinstance(gradient, np.ndarray) and np.may_share_memory(proba, gradient))
            or not self._run(arguments, gradient="gradient_out")
            or not self._predict(arguments["raw_prediction"], proba)
        ):
            self._compiled.gradient_proba(**arguments)

    def _run(self, arguments: dict[str, Any], **parts: str) -> bool:
        """Tell whether a kernel has stored the parts, each in the argument of the name given."""
        y, f, w = arguments["y_true"], arguments["raw_prediction"], arguments["sample_weight"]
        out = tuple(arguments[name] for name in parts.values())
        if not _are_taken(y, f, w, out):
            return False
        try:
            if arguments["n_threads"] > _THREADS_WORTH[f.dtype]:
                return False
            self._kernel._samplewise(tuple(parts), y, f, w, out, 1)
        except (TypeError, ValueError):  # say, a label outside the domain, or a negative weight
            return False
        return True

    def _predict(self, raw_prediction: Any, out: Any) -> bool:
        try:
            self._kernel.predict(raw_prediction, out=out, n_threads=1)
        except (TypeError, ValueError):
            return False
        return True


def _are_taken(y: Any, f: Any, w: Any, out: tuple[Any, ...]) -> bool:
    """Tell whether scikit-learn takes these arrays as they are, and the kernels likewise."""
    arrays = (y, f, *out) if w is None else (y, f, w, *out)
    if not all(isinstance(array, np.ndarray) for array in arrays):
        return False
    dtype, stored = f.dtype, out[0].dtype
    if dtype != _WIDE and dtype != _NARROW:
        return False
    if stored != dtype and stored != _NARROW:
        return False  # float32 stored as float64: scikit-learn computes that in float64
    for array in arrays:
        if not array.dtype.isnative or (array.ndim == 1 and not array.flags.c_contiguous):
            return False
    return (
        y.dtype == dtype
        and (w is None or w.dtype == dtype)
        and all(array.dtype == stored for array in out)
    )


class _StandIn:
    """What scikit-learn's methods need of a loss object."""

    __slots__ = ("closs",)

    def __init__(self, closs: _Closs) -> None:
        self.closs = closs


def accelerated(original: Callable[..., Any]) -> Callable[..., Any]:
    """
    Return a method of a loss object, run on a stand-in where there is a kernel.

    Parameters
    ----------
    original : function
        Of scikit-learn: ``loss``, ``gradient``, ``loss_gradient``, ``gradient_hessian`` or
        ``gradient_proba``.

    Returns
    -------
    function
        With the signature, the name and the docstring of the original.
    """

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        closs = self.closs
        kernel = kernel_of(closs)
        if kernel is not None:
            self = _StandIn(_Closs(kernel, closs))
        return original(self, *args, **kwargs)

    return method
