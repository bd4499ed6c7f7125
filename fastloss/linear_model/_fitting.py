"""From an objective to coefficients: which solver, what is reported, what is warned of."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import assert_all_finite
from threadpoolctl import ThreadpoolController

from fastloss.linear_model._head_start import HeadStart, head_start
from fastloss.linear_model._progress import Callback, Convergence, Monitor
from fastloss.linear_model._scaling import coefficient_scale, refuse_too_large
from fastloss.linear_model._solvers import (
    NotFiniteError,
    Solution,
    StopFit,
    lbfgs,
    newton,
    owlqn,
    piecewise_linear,
    proximal_newton,
)
from fastloss.linear_model._solvers.solution import INTERRUPTED, NOT_LOWER, STOPPED

_NEWTON_COEFFICIENTS = 2000  # beyond, forming and factoring the Hessian costs more than L-BFGS
_PROXIMAL_COEFFICIENTS = 100  # beyond, OWL-QN's many gradients cost less than a few Hessians
_SCIPY_COEFFICIENTS = 2000  # beyond, SciPy's L-BFGS-B spends long on bounds that there are none of
_INTERIOR_COEFFICIENTS = 5000
_HESSIAN_COEFFICIENTS = 300  # beyond, one costs L-BFGS as much as it is likely to spare
_BLAS_NUMBERS = 100_000  # entries of X from which an iteration costs more than limiting BLAS


@dataclass(frozen=True)
class Settings:
    """How to solve: the parameters of an estimator that are about it alone."""

    solver: str
    tol: float
    max_iter: int
    verbose: int
    callback: Callback | None
    title: str


@dataclass(frozen=True)
class Fitted:
    """Coefficients, the intercept last, and how the solver got there."""

    coef: npt.NDArray[np.float64]
    n_iter: int
    convergence: Convergence


@contextmanager
def closing(callback: Callback | None) -> Iterator[None]:
    """Call the method close of a callback at the end, if it has one."""
    if callback is not None and not callable(callback):
        raise TypeError(f"callback = {callback!r}: expected a callable or None")
    try:
        yield
    finally:
        close = getattr(callback, "close", None)
        if close is not None:
            close()


def minimise(
    objective: Any,
    start: npt.NDArray[np.float64],
    settings: Settings,
    X: Any,
    *,
    weights: npt.NDArray[np.float64] | None = None,
    l1: npt.NDArray[np.float64] | None = None,
    l2: float = 0.0,
    curvature: float = 1.0,
    smooth: bool = True,
    report_shape: tuple[int, ...] | None = None,
    cold: Callable[[], npt.NDArray[np.float64]] | None = None,
    ahead: HeadStart | None = None,
    convex: bool = False,
) -> Fitted:
    """
    Minimise an objective plus an L1 penalty.

    Parameters
    ----------
    objective : object
        With loss_gradient(coef) and, for Newton's method, hessian(coef), on flat vectors.
    start : ndarray of float64
        Coefficients to start from; those returned have its shape.
    settings : Settings
        Which solver, and how long.
    X : array or sparse matrix
        The data, looked at if the objective is not finite where the solver starts.
    weights : ndarray of float64, optional
        Weights of the samples.
    l1 : ndarray of float64, optional
        L1 penalty of each coefficient, in the shape of `start`.
    l2 : float, default=0.0
        The L2 penalty that is part of the objective.
    curvature : float, default=1.0
        About the second derivative of the loss, for methods that have no Hessian.
    smooth : bool, default=True
        Whether the loss has a gradient without jumps: else it has not converged where it only falls no
        further.
    report_shape : tuple of int, optional
        Shape of the coefficients given to the callback, if they are only the first ones.
    cold : callable, optional
        Returns where to start if the objective is not finite at `start`, that of a warm start.
    ahead : HeadStart, optional
        What is known of the objective at `start`.
    convex : bool, default=False
        Whether the objective has one optimum alone, wherever it starts: then it may be with some of the
        samples, unless this is a warm start.
    """
    monitor = _monitor(settings, report_shape or start.shape)
    flat = np.ascontiguousarray(start, np.float64).ravel()
    options: dict[str, Any] = {
        "tol": settings.tol,
        "max_iter": settings.max_iter,
        "precision": float(np.finfo(X.dtype).eps),
        "report": monitor,
    }
    try:
        with one_blas_thread(X.size):
            curved = smooth and getattr(objective, "n_outputs", 1) == 1
            penalised = l1 is not None and bool(l1.any())
            newtonian = (
                curved
                and settings.solver == "newton-cholesky"
                and not penalised
                and flat.size <= _NEWTON_COEFFICIENTS
            )

            def scale() -> npt.NDArray[np.float64]:
                return coefficient_scale(X, weights, l2, start.shape, curvature)

            # a Hessian of dense X costs about a fifth as many passes as there are coefficients
            few = curved and flat.size <= _HESSIAN_COEFFICIENTS and not issparse(X)
            patient: dict[str, Any] = (
                {"hessian": objective.hessian, "patience": 20 + flat.size // 5} if few else {}
            )

            def rest(coef: npt.NDArray[np.float64], most: int, report: Any) -> Solution:
                return lbfgs(
                    objective.loss_gradient,
                    coef,
                    tol=settings.tol,
                    max_iter=most,
                    scale=scale(),
                    precision=options["precision"],
                    report=report,
                    **patient,
                )

            if convex and few and not penalised and cold is None and settings.max_iter > 0:
                try:
                    ahead = head_start(objective, flat, X.shape[0], options["precision"])
                except KeyboardInterrupt:
                    return unfitted(start, INTERRUPTED, settings)
            flat, evaluated, hessian, _ = ahead or HeadStart(flat)
            if newtonian or hessian is not None:
                solution = newton(
                    objective,
                    flat,
                    **options,
                    rest=rest,
                    hessian=hessian,
                    forms_hessians=newtonian,
                    evaluated=evaluated,
                )
            else:
                options["scale"] = scale()
                most = 0 if settings.solver == "lbfgs" else _PROXIMAL_COEFFICIENTS
                if not penalised and flat.size <= _SCIPY_COEFFICIENTS:
                    solution = lbfgs(objective.loss_gradient, flat, **options, **patient)
                elif l1 is None:
                    solution = owlqn(objective.loss_gradient, flat, np.zeros(flat.size), **options)
                elif curved and flat.size <= most:
                    solution = proximal_newton(objective, flat, l1.ravel(), **options)
                else:
                    solution = owlqn(objective.loss_gradient, flat, l1.ravel(), **options)
    except NotFiniteError as error:
        if cold is not None:
            return minimise(
                objective,
                cold(),
                settings,
                X,
                weights=weights,
                l1=l1,
                l2=l2,
                curvature=curvature,
                smooth=smooth,
                report_shape=report_shape,
            )
        assert_all_finite(X, input_name="X")
        refuse_too_large(X)
        raise ValueError(str(error)) from None
    if not solution.converged and solution.reason not in (INTERRUPTED, STOPPED):
        refuse_too_large(X)
    stuck = solution.converged or solution.reason == NOT_LOWER
    if stuck and not smooth and solution.gradient_norm > settings.tol:
        solution = replace(
            solution,
            converged=False,
            reason="the loss has kinks, at which the steps stop short of the optimum",
        )
    return _conclude(solution, monitor, start.shape, settings)


def minimise_lines(
    lines: tuple[Any, Any, Any],
    X: Any,
    sample_weight: npt.NDArray[np.float64] | None,
    settings: Settings,
    *,
    l1: float,
    l2: float,
    fit_intercept: bool,
) -> Fitted:
    """
    Minimise the weighted mean of a loss of straight lines plus penalties, by interior points.

    Parameters
    ----------
    lines : tuple of ndarray
        Target, low and high, as `straight_lines` returns them.
    X : array or sparse matrix
        Features.
    sample_weight : ndarray of float64 or None
        Weights, not all 0.
    settings : Settings
        Where tol is that of the duality gap.
    l1, l2 : float
        Penalties of all coefficients but the intercept.
    fit_intercept : bool
        Whether there is an intercept.
    """
    assert_all_finite(X, input_name="X")
    n, d = X.shape
    parts = [np.asarray(part, np.float64).reshape(-1, n) for part in lines]
    share = np.full(n, 1 / n)
    if sample_weight is not None:
        used = sample_weight > 0
        if not used.all():
            X, parts, sample_weight = X[used], [p[:, used] for p in parts], sample_weight[used]
        share = sample_weight / sample_weight.sum()
    target, low, high = parts[0].ravel(), (parts[1] * share).ravel(), (parts[2] * share).ravel()
    n_coef = d + fit_intercept
    monitor = _monitor(settings, (n_coef,))
    penalised = np.arange(n_coef) < d
    try:
        with one_blas_thread(X.size):
            solution = piecewise_linear(
                X,
                target,
                low,
                high,
                l1=np.where(penalised, l1, 0.0),
                l2=np.where(penalised, l2, 0.0),
                fit_intercept=fit_intercept,
                tol=settings.tol,
                max_iter=settings.max_iter,
                report=monitor,
            )
    except NotFiniteError:
        refuse_too_large(X)
        raise
    return _conclude(solution, monitor, (n_coef,), settings)


def conclude(
    coef: npt.NDArray[np.float64], objective: float, reason: str, settings: Settings
) -> Fitted:
    """Return coefficients that an equation gave, reported as if by one iteration."""
    monitor = _monitor(settings, coef.shape)
    try:
        for iteration in (0, 1):
            monitor(iteration, objective, 0.0, coef)
    except StopFit:
        pass
    return _conclude(Solution(coef, objective, 0.0, 1, True, reason), monitor, coef.shape, settings)


def unfitted(coef: npt.NDArray[np.float64], reason: str, settings: Settings) -> Fitted:
    """Return coefficients to start from, of a fit that ended before its first iteration."""
    nothing = np.empty(0)
    return Fitted(coef, 0, Convergence(nothing, nothing, nothing, False, reason, settings.tol))


def ended_by_user(fitted: Fitted) -> bool:
    """Return whether Ctrl-C or the callback ended a fit."""
    return fitted.convergence.reason in (INTERRUPTED, STOPPED)


def fits_interior_point(n_features: int) -> bool:
    """Return whether the interior point method's square matrix is of a bearable size."""
    return n_features <= _INTERIOR_COEFFICIENTS


def warn_unless_converged(name: str, fitted: Fitted) -> None:
    """Warn of a fit that ended early, and say why."""
    record = fitted.convergence
    if record.converged or record.reason == STOPPED:
        return
    if record.reason == INTERRUPTED:
        message = (
            f"{name}: interrupted after {fitted.n_iter} iterations; the best coefficients so far "
            f"are kept"
        )
    else:
        message = (
            f"{name}: not converged after {fitted.n_iter} iterations: {record.reason}; "
            f"gradient norm {_last(record):.3g}, tol {record.tol:g}"
        )
    warnings.warn(message, ConvergenceWarning, stacklevel=3)


def _last(record: Convergence) -> float:
    return float(record.gradient_norm[-1]) if len(record.gradient_norm) else np.nan


def _monitor(settings: Settings, shape: tuple[int, ...]) -> Monitor:
    return Monitor(
        settings.callback,
        settings.verbose,
        settings.tol,
        settings.max_iter,
        shape,
        settings.title,
    )


def _conclude(
    solution: Solution, monitor: Monitor, shape: tuple[int, ...], settings: Settings
) -> Fitted:
    n_iter = min(solution.n_iter, settings.max_iter)
    convergence = monitor.close(solution.converged, solution.reason)
    return Fitted(solution.coef.reshape(shape), n_iter, convergence)


def one_blas_thread(size: int) -> Any:
    """
    Keep BLAS to one thread where X has so many entries.

    After a threaded call its workers spin for a while, and take the cores from the kernels.
    """
    return _blas().limit(limits=1, user_api="blas") if size > _BLAS_NUMBERS else nullcontext()


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()  # looking for the libraries takes a millisecond
