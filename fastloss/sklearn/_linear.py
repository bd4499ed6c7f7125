"""
scikit-learn's LinearModelLoss on a `LinearObjective`: one pass over X where there were several.

The objective of the last data is kept for each LinearModelLoss, since making one checks all labels and
weights. A method whose arguments an objective does not take is left to scikit-learn.

How many threads an objective uses depends on how long a pass takes, since the end of one leaves its
threads spinning for some milliseconds, on cores that the BLAS threads of the solver may want.
"""

from __future__ import annotations

import functools
import math
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from joblib.parallel import get_active_backend
from scipy import sparse
from sklearn._loss import loss as sk
from sklearn.linear_model._linear_loss import LinearModelLoss

from fastloss._core.runtime import get_num_threads
from fastloss._linear.objective import LinearObjective
from fastloss.losses import HalfSquaredError
from fastloss.sklearn._losses import kernel_of

# exactly these: a subclass may compute something else
_LOSSES = (
    sk.HalfBinomialLoss,
    sk.HalfGammaLoss,
    sk.HalfMultinomialLoss,
    sk.HalfPoissonLoss,
    sk.HalfSquaredError,
    sk.HalfTweedieLoss,
)
_SQUARED = HalfSquaredError()
_REALS = (np.dtype(np.float32), np.dtype(np.float64))

# All of these are about where the gain begins, measured on one machine.
# Nanoseconds of a pass on one thread: from these on it is worth what its threads cost others,
_LONG_PASS = 8e6
# and of each thread, at least.
_THREAD_SHARE = 1e5
# Fewer threads gain less than that, against products that BLAS makes on as many, unless these are
# bound by arithmetic: so many outputs of so many features.
_FEW_THREADS, _SEVERAL_OUTPUTS, _MANY_FEATURES = 4, 4, 100
# Against SciPy's products of CSR, which one thread makes, they have nothing to catch up with: such
# passes must be longer by this factor.
_LONGER = 3


class _Kept:
    """An objective, and what it was made of."""

    __slots__ = ("objective", "of", "weight_sum")

    def __init__(self, of: tuple[Any, ...], objective: Any, weight_sum: float | None) -> None:
        self.of = of
        self.objective = objective
        self.weight_sum = weight_sum

    def fits(self, of: tuple[Any, ...], weight_sum: float | None) -> bool:
        """Tell whether it is made of these very objects, and the weights still add up."""
        return (
            len(of) == len(self.of)
            and all(
                a is b or (isinstance(a, (int, float)) and type(a) is type(b) and a == b)
                for a, b in zip(of, self.of, strict=True)
            )
            and self.weight_sum == weight_sum
        )


_kept: weakref.WeakKeyDictionary[Any, _Kept] = weakref.WeakKeyDictionary()


def forget() -> None:
    """Let go of all objectives."""
    _kept.clear()


def objective_of(model: Any, X: Any, y: Any, sample_weight: Any, l2: Any) -> Any:
    """Return the objective of these data, None where scikit-learn has to compute it itself."""
    base_loss = model.base_loss
    if type(model) is not LinearModelLoss or type(base_loss) not in _LOSSES:
        return None
    if not _are_taken(X, y, sample_weight):
        return None
    parts = (X.data, X.indices, X.indptr, X.shape) if sparse.issparse(X) else (X, *X.shape)
    power = getattr(base_loss.closs, "power", None)
    penalty, intercept = float(l2), bool(model.fit_intercept)
    of = (*parts, y, sample_weight, penalty, intercept, type(base_loss), power, base_loss.n_classes)
    weight_sum = None if sample_weight is None else float(np.sum(sample_weight))
    kept = _kept.get(model)
    if kept is None or not kept.fits(of, weight_sum):
        objective = _make(base_loss, X, y, sample_weight, penalty, intercept)
        kept = _kept[model] = _Kept(of, objective, weight_sum)
    return kept.objective


def _are_taken(X: Any, y: Any, sample_weight: Any) -> bool:
    values = X
    if sparse.issparse(X):
        if X.format != "csr":
            return False
        values = X.data
    arrays = (values, y) if sample_weight is None else (values, y, sample_weight)
    return all(isinstance(array, np.ndarray) for array in arrays) and (
        values.dtype in _REALS
        and X.ndim == 2
        and all(array.dtype == values.dtype and array.dtype.isnative for array in arrays)
    )


def _thread_count(X: Any, n_outputs: int) -> int:
    """Return with how many threads an objective is at least as fast as scikit-learn, also beside it."""
    limit = get_num_threads()
    if limit == 1 or _is_beside_others():
        return 1
    # of one pass, measured on an x86-64 of 2024
    n, d = X.shape
    if sparse.issparse(X):
        time = X.nnz * (0.8 + 0.5 * n_outputs) + n * n_outputs
        is_worth_it = time >= _LONG_PASS * (1 if limit >= _FEW_THREADS else _LONGER)
    else:
        time = X.size * X.itemsize * (0.05 + 0.01 * n_outputs) + n * n_outputs
        is_computed = n_outputs >= _SEVERAL_OUTPUTS and d >= _MANY_FEATURES
        is_worth_it = time >= _LONG_PASS or limit >= _FEW_THREADS or is_computed
    return min(limit, max(math.floor(time / _THREAD_SHARE), 1)) if is_worth_it else 1


def _is_beside_others() -> bool:
    """Tell whether this is one of joblib's worker threads: each would have threads of its own."""
    in_worker = get_active_backend()[0].nesting_level > 0
    return in_worker and threading.current_thread() is not threading.main_thread()


def _make(base_loss: Any, X: Any, y: Any, sample_weight: Any, l2: float, intercept: bool) -> Any:
    """Return an objective, or None where the data are none for it, as labels outside the domain."""
    loss = _SQUARED if type(base_loss) is sk.HalfSquaredError else kernel_of(base_loss.closs)
    if loss is None:
        return None
    n_outputs = base_loss.n_classes if base_loss.is_multiclass else None
    try:
        objective = LinearObjective(
            loss,
            X,
            y,
            sample_weight,
            l2=l2,
            fit_intercept=intercept,
            n_threads=_thread_count(X, n_outputs or 1),
            n_outputs=n_outputs,
        )
    except (TypeError, ValueError):
        return None
    return objective if objective.weight_sum > 0 else None


def _as_matrix(objective: Any, coef: Any) -> Any:
    """Return coefficients in the shape of the objective; scikit-learn flattens column by column."""
    if coef.ndim == 1 and len(objective.coef_shape) == 2:
        return coef.reshape(objective.coef_shape, order="F")
    return coef


def _as_given(gradient: Any, coef: Any) -> Any:
    """Return a gradient in the shape and order in which coefficients came."""
    return gradient.ravel(order="F") if coef.ndim == 1 else np.asfortranarray(gradient)


def _value(objective: Any, coef: Any) -> Any:
    return objective.loss(_as_matrix(objective, coef))


def _value_gradient(objective: Any, coef: Any) -> Any:
    value, gradient = objective.loss_gradient(_as_matrix(objective, coef))
    return value, _as_given(gradient, coef)


def _gradient(objective: Any, coef: Any) -> Any:
    return _value_gradient(objective, coef)[1]


def _gradient_product(objective: Any, coef: Any) -> Any:
    gradient = _gradient(objective, coef)
    at = _as_matrix(objective, coef).copy()

    def hessp(s: Any) -> Any:
        return _as_given(objective.hessian_product(at, _as_matrix(objective, s)), s)

    return gradient, hessp


_EVALUATIONS = {
    "loss": _value,
    "gradient": _gradient,
    "loss_gradient": _value_gradient,
    "gradient_hessian_product": _gradient_product,
}
METHODS = tuple(_EVALUATIONS)


def accelerated(original: Callable[..., Any]) -> Callable[..., Any]:
    """
    Return a method of LinearModelLoss that evaluates an objective where it can.

    Parameters
    ----------
    original : function
        Of a name in `METHODS`.

    Returns
    -------
    function
        With the signature, the name and the docstring of the original.
    """
    evaluate = _EVALUATIONS[original.__name__]

    @functools.wraps(original)
    def method(
        self: Any,
        coef: Any,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        l2_reg_strength: float = 0.0,
        n_threads: int = 1,
        **others: Any,
    ) -> Any:
        # a prediction that the caller has already made spares half of the work
        if others.get("raw_prediction") is None and isinstance(coef, np.ndarray):
            objective = objective_of(self, X, y, sample_weight, l2_reg_strength)
            if objective is not None:
                try:
                    return evaluate(objective, coef)
                except (TypeError, ValueError):  # the labels have changed, say
                    _kept.pop(self, None)
        return original(self, coef, X, y, sample_weight, l2_reg_strength, n_threads, **others)

    return method
