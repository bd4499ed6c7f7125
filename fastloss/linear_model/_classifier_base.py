"""What the classifiers share: scores, predictions, sparse coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import ClassifierMixin

import fastloss as fl
from fastloss._core.arrays import refuse_masked
from fastloss.linear_model._base import LinearModel, SparseCoef
from fastloss.linear_model._losses import CLASSES


class LinearClassifierBase(ClassifierMixin, SparseCoef, LinearModel):  # type: ignore[misc]
    """Base of the classifiers: coef_ of shape (1, d) for two classes, (C, d) for more."""

    classes_: npt.NDArray[Any]
    coef_: Any  # may be sparse

    def decision_function(self, X: Any) -> npt.NDArray[Any]:
        """
        Return raw predictions.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Of two classes one score, above 0 where ``classes_[1]`` is the more probable.
        """
        raw = self._raw_prediction(X)
        return raw.reshape(-1) - self._threshold() if raw.shape[1] == 1 else raw

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """
        Predict classes.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            The most probable class of each sample.
        """
        raw = self.decision_function(X)
        chosen = raw > 0 if raw.ndim == 1 else raw.argmax(axis=1)
        return self.classes_[chosen.astype(np.intp)]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """
        Return the accuracy.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Classes.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the samples.

        Returns
        -------
        float
            The share of the samples, by their weights, whose class is predicted.
        """
        refuse_masked(y, "y")
        refuse_masked(sample_weight, "sample_weight")
        return float(super().score(X, y, sample_weight))

    def _threshold(self) -> float:
        """Return the raw prediction above which a sample is of the second of two classes."""
        return 0.0

    def _warm_coef(self, shape: tuple[int, ...]) -> npt.NDArray[np.float64] | None:
        """Return the coefficients of the last fit, the intercept last, if they have this shape."""
        if not hasattr(self, "coef_"):
            return None
        dense = self.coef_.toarray() if sparse.issparse(self.coef_) else self.coef_
        if self.fit_intercept:
            dense = np.column_stack([dense, np.broadcast_to(self.intercept_, len(dense))])
        return dense.astype(np.float64) if dense.shape == shape else None

    def _set_coef(self, coef: npt.NDArray[np.float64], dtype: Any) -> None:
        coef = coef.astype(dtype)
        if self.fit_intercept:
            self.coef_, self.intercept_ = coef[:, :-1].copy(), coef[:, -1].copy()
        else:
            self.coef_, self.intercept_ = coef, np.zeros(len(coef), dtype)


def probabilities(loss: Any, raw: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return probabilities of classes by raw predictions, of two classes those of the second."""
    if loss.name in CLASSES:
        return np.asarray(
            loss.predict(np.column_stack([-raw / 2, raw / 2]) if raw.ndim == 1 else raw)
        )
    if loss.name == "modified_huber":  # Zhang, Statistical behavior and consistency, 2004
        share = (np.clip(raw, -1, 1) + 1) / 2
    else:
        share = np.asarray(loss.predict(raw))
    if raw.ndim == 1:
        return np.column_stack([1 - share, share])
    total = share.sum(axis=1, keepdims=True)
    whole = np.where(total > 0, share / np.where(total > 0, total, 1), 1 / raw.shape[1])
    return np.asarray(whole, raw.dtype)


def log_softmax(raw: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the logarithms of probabilities; a single score is that of the second of two classes."""
    if raw.ndim == 1:
        raw = np.column_stack([np.zeros_like(raw), raw])
    best = raw.argmax(axis=1)
    top = -fl.CrossEntropy().loss(best, raw, reduction="none")
    # neither of the two is positive: nothing cancels
    out: npt.NDArray[Any] = raw - np.take_along_axis(raw, best[:, None], axis=1)
    out += top[:, None]
    return out
