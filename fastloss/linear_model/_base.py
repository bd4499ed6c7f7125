"""What all estimators share: validation, weights, raw predictions."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import RegressorMixin, is_regressor
from sklearn.utils import check_array, metadata_routing
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from fastloss._core.arrays import refuse_masked
from fastloss._linear.arrays import checked_csr, renamed
from fastloss.linear_model._fitting import Fitted, Settings
from fastloss.linear_model._inner_parameters import InnerParameters
from fastloss.linear_model._parameters import integer, nonnegative, one_of, threads, verbosity
from fastloss.linear_model._progress import Callback, Convergence

_FLOATS = (np.float64, np.float32)


class LinearModel(InnerParameters):
    """Base of the estimators: features dense or CSR, float64 or float32."""

    # the callback belongs to one call, and is not routed
    __metadata_request__fit = {"callback": metadata_routing.UNUSED}  # noqa: RUF012

    coef_: npt.NDArray[Any]
    intercept_: Any
    fit_intercept: bool

    def _validate_training(self, X: Any, y: Any, sample_weight: Any, *, numeric: bool) -> Any:
        """
        Return X, y, weights (None if there are none) and their exponent, checked; X may not be finite.

        The weights are those given over 2**exponent, the largest of them in [0.5, 1).
        """
        # The first evaluation of the objective finds what is not finite in X, and saves a pass.
        X, y = validated(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=_FLOATS,
            ensure_all_finite=False,
            y_numeric=numeric,
        )
        exponent = 0
        if sample_weight is not None:
            sample_weight, exponent = in_range(check_weights(sample_weight, X))
        if numeric:
            with np.errstate(over="ignore"):  # beyond float32's numbers, the loss refuses infinity
                y = np.asarray(y, X.dtype)
        return X, y, sample_weight, exponent

    def _raw_prediction(self, X: Any) -> npt.NDArray[Any]:
        """Return X @ coef_ + intercept_, of shape (n,) or (n, C)."""
        check_is_fitted(self)
        X = validated(self, X, accept_sparse="csr", dtype=_FLOATS, reset=False)
        raw = safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_
        return np.asarray(raw)

    def _settings(
        self, solvers: tuple[str, ...], callback: Callback | None, least_iter: int = 0
    ) -> Settings:
        """Return the parameters solver, tol, max_iter and verbose, checked."""
        given: Any = self
        return Settings(
            one_of("solver", given.solver, solvers),
            nonnegative("tol", given.tol),
            integer("max_iter", given.max_iter, least_iter),
            verbosity(given.verbose),
            callback,
            type(self).__name__,
        )

    def _cold(
        self,
        loss: Any,
        n_features: int,
        y: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None,
    ) -> npt.NDArray[np.float64]:
        """Return no slopes, and the best constant as intercept."""
        start = np.zeros(n_features + bool(self.fit_intercept))
        if self.fit_intercept:
            try:
                start[-1] = loss.initial_prediction(y, weights)
            except (TypeError, ValueError) as error:
                raise renamed(error) from None
        return start

    def _n_threads(self) -> int | None:
        return threads(getattr(self, "n_jobs", None))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class SparseCoef:
    """What the estimators offer whose coef_ may be sparse."""

    coef_: Any  # an array, or a CSR matrix

    def densify(self) -> Self:
        """
        Make coef_ a dense array again.

        Returns
        -------
        self
            The estimator.
        """
        check_is_fitted(self)
        if sparse.issparse(self.coef_):
            dense = self.coef_.toarray()
            self.coef_ = dense.ravel() if is_regressor(self) else dense
        return self

    def sparsify(self) -> Self:
        """
        Make coef_ a CSR matrix, which pays where an L1 penalty has left few coefficients.

        Returns
        -------
        self
            The estimator.
        """
        check_is_fitted(self)
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self


class Regressor(RegressorMixin):  # type: ignore[misc]
    """What scikit-learn's regressors have, without what is under a mask."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """
        Return R², the share of the variance of y that the model explains.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the samples.

        Returns
        -------
        float
            1 at best; 0 for a model that knows the mean alone.
        """
        refuse_masked(y, "y")
        refuse_masked(sample_weight, "sample_weight")
        return float(super().score(X, y, sample_weight))


class LinearRegressorBase(Regressor, LinearModel):
    """Base of the regressors: coef_ of shape (n_features,), intercept_ a number."""

    n_iter_: int
    convergence_: Convergence

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """
        Predict the target.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions.
        """
        return self._raw_prediction(X)

    def _warm_coef(self, n_features: int) -> npt.NDArray[np.float64] | None:
        """Return the coefficients of the last fit, the intercept last, if it had as many."""
        if not hasattr(self, "coef_") or self.coef_.shape != (n_features,):
            return None
        coef = self.coef_.astype(np.float64)
        return np.append(coef, self.intercept_) if self.fit_intercept else coef

    def _keep(self, fitted: Fitted, dtype: Any) -> None:
        """Set the attributes of a fitted estimator."""
        self._set_coef(fitted.coef, dtype)
        self.n_iter_ = fitted.n_iter
        self.convergence_ = fitted.convergence

    def _set_coef(self, coef: npt.NDArray[np.float64], dtype: Any) -> None:
        coef = coef.astype(dtype)
        self.coef_ = coef[:-1].copy() if self.fit_intercept else coef
        self.intercept_ = coef[-1] if self.fit_intercept else 0.0


def validated(estimator: Any, X: Any, *y: Any, **options: Any) -> Any:
    """
    Return X, or X and y, as scikit-learn's `validate_data` does.

    That would unmask masked arrays, and lets CSR matrices pass whose entries are in no column.
    """
    refuse_masked(X, "X")
    for labels in y:
        refuse_masked(labels, "y")
    checked = validate_data(estimator, X, *y, **options)
    matrix = checked[0] if isinstance(checked, tuple) else checked
    if sparse.issparse(matrix):
        checked_csr(matrix)  # SciPy's products go wherever its indices say
    return checked


def in_range(
    weights: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], int]:
    """
    Return weights over 2**exponent, the largest of them in [0.5, 1), and the exponent.

    A weighted mean does not see it; float32 and sums of weights cannot hold all that float64 can.
    """
    exponent = int(np.frexp(weights.max())[1])
    return np.ldexp(weights, -exponent), exponent


def over_power(value: float, exponent: int) -> float:
    """Return value / 2**exponent, which may be infinite or 0."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.ldexp(np.float64(value), -exponent))


def check_weights(sample_weight: Any, X: Any) -> npt.NDArray[np.float64]:
    """Return sample weights as a float64 array; a number stands for that weight of every sample."""
    refuse_masked(sample_weight, "sample_weight")
    if np.isscalar(sample_weight):
        sample_weight = np.full(X.shape[0], sample_weight)
    weights = check_array(
        sample_weight,
        dtype=np.float64,
        ensure_2d=False,
        ensure_min_samples=0,
        input_name="sample_weight",
    )
    if weights.ndim != 1:
        raise ValueError(f"sample_weight has shape {weights.shape}: expected (n_samples,)")
    check_consistent_length(weights, X)
    negative = np.flatnonzero(weights < 0)
    if len(negative):
        i = negative[0]
        raise ValueError(
            f"sample_weight[{i}] = {weights[i]}: expected finite numbers of at least 0"
        )
    if not weights.any():
        raise ValueError("sample_weight: all weights are zero; expected one greater than 0")
    return np.asarray(weights, np.float64)
