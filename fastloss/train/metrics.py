"""Numbers by which a person judges a model, beside what the best constant would reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from fastloss.linear_model._losses import CLASSES
from fastloss.train.problem import Part, Problem

_TOP = 3  # of more than twice as many classes


@dataclass(frozen=True)
class Metric:
    """
    One number.

    Attributes
    ----------
    name : str
        What is measured.
    validation, training : float
        On the rows held out, and on those trained on.
    constant : float
        That of the best model without features on the rows held out; NaN where there is none.
    better : {"higher", "lower", "near"}
        Which numbers are good; "near" the constant's.
    """

    name: str
    validation: float
    training: float
    constant: float
    better: str


def evaluate(problem: Problem, estimator: Any) -> list[Metric]:
    """
    Return the metrics that fit the loss.

    Parameters
    ----------
    problem : Problem
        The rows.
    estimator : estimator
        Fitted to them.
    """
    measure = _of_numbers if problem.classes is None else _of_classes
    on_validation = list(measure(problem, estimator, problem.validation))
    on_training = list(measure(problem, estimator, problem.training))
    return [
        Metric(name, value, other[1], constant, better)
        for (name, value, constant, better), other in zip(on_validation, on_training, strict=True)
    ]


_Found = Iterator[tuple[str, float, float, str]]  # name, value, that of the best constant, better


def _of_classes(problem: Problem, estimator: Any, part: Part) -> _Found:
    classes = problem.classes
    assert classes is not None
    two = len(classes) == 2
    weights = part.weights
    yield from _loss_of_classes(problem, estimator, part, two=two)
    has_probabilities = hasattr(estimator, "predict_proba")
    frequency = _shares(problem.training, len(classes))
    if two:
        score = estimator.decision_function(part.X)
        positives = _shares(part, 2)[1]
        precision = sk.average_precision_score(part.codes, score, sample_weight=weights)
        yield "average precision", precision, positives, "higher"
        yield "ROC AUC", sk.roc_auc_score(part.codes, score, sample_weight=weights), 0.5, "higher"
    if has_probabilities:
        probability = estimator.predict_proba(part.X).astype(np.float64)
        probability /= probability.sum(axis=1, keepdims=True)  # of float32
        constant = np.broadcast_to(frequency, probability.shape)
        if (
            estimator.loss_.name not in ("log_loss", "cross_entropy")
            or estimator.loss_ != type(estimator.loss_)()
        ):
            yield (
                "log loss",
                _log_loss(part, probability),
                _log_loss(part, constant),
                "lower",
            )
    predicted = np.searchsorted(classes, estimator.predict(part.X))
    common = np.full(len(part.codes), frequency.argmax())
    for name, score_of in (
        ("accuracy", sk.accuracy_score),
        ("balanced accuracy", _balanced_accuracy),
    ):
        value = score_of(part.codes, predicted, sample_weight=weights)
        constant_value = score_of(part.codes, common, sample_weight=weights)
        yield name, value, constant_value, "higher"
    if len(classes) > 2 * _TOP:
        raw = estimator.decision_function(part.X)
        yield (
            f"accuracy of the top {_TOP}",
            _top(part, raw),
            _top(part, np.broadcast_to(frequency, raw.shape)),
            "higher",
        )


def _loss_of_classes(problem: Problem, estimator: Any, part: Part, *, two: bool) -> _Found:
    loss = estimator.loss_
    several = loss.name in CLASSES
    if not two and not several:
        return  # a loss a class: the curves show them
    raw = estimator.decision_function(part.X)
    if two:
        raw = raw + estimator._threshold()
    training = problem.training
    start = loss.initial_prediction(training.codes, training.weights)
    if several and two:
        raw = np.column_stack([-raw / 2, raw / 2])
    constant = np.broadcast_to(np.asarray(start, np.float64), raw.shape)
    yield (
        f"loss ({loss.name})",
        loss.loss(part.codes, raw, part.weights),
        loss.loss(part.codes, np.ascontiguousarray(constant), part.weights),
        "lower",
    )


def _of_numbers(problem: Problem, estimator: Any, part: Part) -> _Found:
    loss, y, weights = estimator.loss_, part.codes, part.weights
    training = problem.training
    start = loss.initial_prediction(training.codes, training.weights)
    raw = np.asarray(estimator._raw_prediction(part.X), np.float64)
    constant_raw = np.full(len(y), start)
    predicted, constant = np.asarray(loss.predict(raw)), np.asarray(loss.predict(constant_raw))

    def both(name: str, measure: Callable[..., float], better: str = "lower") -> Any:
        return name, measure(y, predicted), measure(y, constant), better

    yield (
        f"loss ({loss.name})",
        loss.loss(y, raw, weights),
        loss.loss(y, constant_raw, weights),
        "lower",
    )
    power = {"poisson": 1.0, "gamma": 2.0}.get(loss.name, getattr(loss, "power", None))
    if power is not None:
        yield both("mean deviance", lambda y, p: _deviance(y, p, weights, power))
    if loss.name == "pinball":
        share = float(np.average(y <= predicted, weights=weights))
        yield "share at most the prediction", share, float(loss.quantile), "near"
    yield both("mean absolute error", lambda y, p: float(np.average(abs(y - p), weights=weights)))
    yield both(
        "root mean squared error",
        lambda y, p: float(np.sqrt(np.average((y - p) ** 2, weights=weights))),
    )
    mean = np.average(y, weights=weights)
    spread = float(np.average((y - mean) ** 2, weights=weights))
    if spread > 0:
        yield both(
            "R²",
            lambda y, p: 1.0 - float(np.average((y - p) ** 2, weights=weights)) / spread,
            "higher",
        )
    else:
        yield "R²", np.nan, np.nan, "higher"


def _shares(part: Part, n_classes: int) -> NDArray[np.float64]:
    counts = np.bincount(part.codes, weights=part.weights, minlength=n_classes)
    return np.asarray(counts / counts.sum(), np.float64)


def _log_loss(part: Part, probability: NDArray[Any]) -> float:
    """Return the mean of -log of each row's class, as `sklearn.metrics.log_loss` bounds it."""
    own = np.take_along_axis(probability, part.codes[:, None], axis=1)[:, 0]
    least = np.finfo(np.float64).eps
    return float(np.average(-np.log(np.clip(own, least, 1.0 - least)), weights=part.weights))


def _balanced_accuracy(codes: Any, predicted: Any, sample_weight: Any) -> float:
    """Return the mean recall over the classes that occur."""
    hits = np.bincount(codes, weights=(codes == predicted) * _ones(codes, sample_weight))
    totals = np.bincount(codes, weights=sample_weight)
    return float(np.mean(hits[totals > 0] / totals[totals > 0]))


def _ones(codes: Any, sample_weight: Any) -> Any:
    return np.ones(len(codes)) if sample_weight is None else sample_weight


def _top(part: Part, raw: NDArray[Any]) -> float:
    """Return how often the class is among the highest scores; ties count for it in their order."""
    best = np.argsort(-raw, axis=1, kind="stable")[:, :_TOP]
    return float(np.average((best == part.codes[:, None]).any(axis=1), weights=part.weights))


def _deviance(y: Any, predicted: Any, weights: Any, power: float) -> float:
    if power > 0 and not (predicted > 0).all():
        return np.nan  # identity link: means that are none
    return float(sk.mean_tweedie_deviance(y, predicted, sample_weight=weights, power=power))
