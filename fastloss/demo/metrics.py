"""Metrics that a person needs to judge a model, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]


def _descending(y_true: NDArray[Any], score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """True and false positives at each distinct threshold, from the highest score down."""
    order = np.argsort(-score, kind="stable")
    positive = np.asarray(y_true)[order].astype(np.float64)
    last_of_tie = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    true_positives = np.cumsum(positive)[last_of_tie]
    return true_positives, 1.0 + last_of_tie - true_positives


def average_precision(y_true: NDArray[Any], score: FloatArray) -> float:
    """Area under the precision-recall curve, as a step function.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Labels 0 and 1.
    score : ndarray of shape (n_samples,)
        Any increasing function of the predicted probability.

    Returns
    -------
    float
        Between the prevalence (a random order, in expectation) and 1; NaN without positives.
    """
    tp, fp = _descending(y_true, score)
    if tp[-1] == 0:
        return float("nan")
    return float(np.sum(np.diff(tp, prepend=0.0) * tp / (tp + fp)) / tp[-1])


def roc_auc(y_true: NDArray[Any], score: FloatArray) -> float:
    """Probability that a random positive scores above a random negative, ties counting one half.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Labels 0 and 1.
    score : ndarray of shape (n_samples,)
        Any increasing function of the predicted probability.

    Returns
    -------
    float
        0.5 for a random order; NaN when one of the classes is absent.
    """
    tp, fp = _descending(y_true, score)
    if tp[-1] == 0 or fp[-1] == 0:
        return float("nan")
    tp, fp = np.append(0.0, tp), np.append(0.0, fp)
    return float(np.sum(np.diff(fp) * (tp[1:] + tp[:-1])) / (2.0 * tp[-1] * fp[-1]))


def precision_of_top(y_true: NDArray[Any], score: FloatArray, share: float) -> float:
    """Share of positives among the `share` of samples with the highest scores (at least one)."""
    count = max(1, round(share * len(score)))
    top = np.argpartition(-score, count - 1)[:count]
    return float(np.mean(np.asarray(y_true)[top]))


def accuracy(y_true: NDArray[np.integer[Any]], raw_prediction: FloatArray) -> float:
    """Share of samples whose class has the highest score."""
    return float(np.mean(raw_prediction.argmax(axis=1) == y_true))


def balanced_accuracy(y_true: NDArray[np.integer[Any]], raw_prediction: FloatArray) -> float:
    """Mean over the classes that occur of the share of their samples that is recognised."""
    n_classes = raw_prediction.shape[1]
    hit = raw_prediction.argmax(axis=1) == y_true
    count = np.bincount(y_true, minlength=n_classes)
    hits = np.bincount(y_true, weights=hit, minlength=n_classes)
    return float(np.mean(hits[count > 0] / count[count > 0]))


def top_k_accuracy(y_true: NDArray[np.integer[Any]], raw_prediction: FloatArray, k: int) -> float:
    """Share of samples whose class is among the `k` highest scores.

    A tie with the score of the true class counts against it.
    """
    own = np.take_along_axis(raw_prediction, y_true[:, None], axis=1)
    return float(np.mean(np.sum(raw_prediction >= own, axis=1) <= k))


def mean_absolute_error(y_true: FloatArray, prediction: FloatArray | float) -> float:
    """Mean of the absolute differences, in the unit of `y_true`."""
    return float(np.mean(np.abs(y_true - prediction), dtype=np.float64))
