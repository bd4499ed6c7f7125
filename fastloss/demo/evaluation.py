"""From trained coefficients to numbers and remarks that a person can judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
from fastloss.demo import metrics
from fastloss.demo.tasks import Task

_TOP_SHARE = 0.05
_TOP_CLASSES = 3


@dataclass(frozen=True)
class Metric:
    """One number on the test days beside what no model at all would reach.

    Attributes
    ----------
    name : str
        What is measured.
    value : float
        The model's.
    reference : float
        That of `reference_name`.
    reference_name : str
        The trivial rule, or the truth, that the value is to be compared with.
    unit : {"percent", "minutes", "number"}
        How to print both.
    """

    name: str
    value: float
    reference: float
    reference_name: str
    unit: str


@dataclass(frozen=True)
class Evaluation:
    """Metrics on the test days and remarks in plain sentences."""

    metrics: tuple[Metric, ...]
    remarks: tuple[str, ...]


def evaluate(task: Task, coefficients: NDArray[np.float32]) -> Evaluation:
    """Evaluate coefficients on the test days, which training and stopping have never seen."""
    raw = task.design.test @ coefficients
    if task.kind == "binary":
        return _evaluate_binary(task, raw)
    if task.kind == "classes":
        return _evaluate_classes(task, raw)
    return _evaluate_minutes(task, raw)


def _evaluate_binary(task: Task, raw: NDArray[np.float32]) -> Evaluation:
    y = task.labels.test
    prevalence = float(np.mean(y, dtype=np.float64))
    probability = fl.get_loss(task.loss_name, **task.loss_params).predict(raw)
    mean_probability = float(np.mean(probability, dtype=np.float64))
    found = (
        Metric(
            "average precision",
            metrics.average_precision(y, raw),
            prevalence,
            "random order",
            "percent",
        ),
        Metric("ROC AUC", metrics.roc_auc(y, raw), 0.5, "random order", "number"),
        Metric(
            f"late among {_TOP_SHARE:.0%} riskiest",
            metrics.precision_of_top(y, raw, _TOP_SHARE),
            prevalence,
            "among all",
            "percent",
        ),
        Metric("mean probability", mean_probability, prevalence, "really late", "percent"),
    )
    pos_weight = task.loss_params.get("pos_weight", 1.0)
    if pos_weight == 1.0:
        return Evaluation(found, ())
    odds = probability.astype(np.float64) / (1.0 - probability) / pos_weight
    corrected = float(np.mean(odds / (1.0 + odds)))
    return Evaluation(
        found,
        (
            f"pos_weight={pos_weight:g} multiplies the odds: the predicted probabilities average "
            f"{mean_probability:.0%} where {prevalence:.1%} were late. They order the flights "
            f"but are not chances; with the odds divided by {pos_weight:g} they average "
            f"{corrected:.1%}",
        ),
    )


def _evaluate_classes(task: Task, raw: NDArray[np.float32]) -> Evaluation:
    y = task.labels.test
    frequency = np.bincount(task.labels.train, minlength=raw.shape[1])
    common = np.argsort(-frequency, kind="stable")[:_TOP_CLASSES]
    present = len(np.unique(y))
    return Evaluation(
        (
            Metric(
                "accuracy",
                metrics.accuracy(y, raw),
                float(np.mean(y == common[0])),
                f"always {task.class_names[common[0]]}",
                "percent",
            ),
            Metric(
                f"accuracy of the top {_TOP_CLASSES}",
                metrics.top_k_accuracy(y, raw, _TOP_CLASSES),
                float(np.mean(np.isin(y, common))),
                "always " + ", ".join(task.class_names[k] for k in common),
                "percent",
            ),
            Metric(
                "balanced accuracy",
                metrics.balanced_accuracy(y, raw),
                1.0 / present,
                f"always {task.class_names[common[0]]}",
                "percent",
            ),
        ),
        (),
    )


def _evaluate_minutes(task: Task, raw: NDArray[np.float32]) -> Evaluation:
    unit = task.minutes_per_unit
    y = task.labels.test * unit
    predicted = raw * unit
    median = float(np.median(task.labels.train) * unit)
    rule = f"always {median:.0f} min (median)"

    def middle_error(prediction: NDArray[Any] | float) -> float:
        return float(np.median(np.abs(y - prediction)))

    return Evaluation(
        (
            Metric(
                "mean absolute error",
                metrics.mean_absolute_error(y, predicted),
                metrics.mean_absolute_error(y, median),
                rule,
                "minutes",
            ),
            Metric(
                "median absolute error",
                middle_error(predicted),
                middle_error(median),
                rule,
                "minutes",
            ),
        ),
        (),
    )
