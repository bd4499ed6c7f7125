"""The four questions that the demo puts to the flights, as arrays ready for training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
from fastloss.demo.features import Design, Split, carrier_design, delay_design
from fastloss.demo.flights import Flights

VERY_LATE_MINUTES = 120.0


@dataclass(frozen=True)
class Labels:
    """What is to be predicted, for the rows of a `Design`.

    Attributes
    ----------
    train, validation, test : ndarray of shape (n_samples,)
        float32 for the binary and the regression tasks, int64 for classes.
    """

    train: NDArray[Any]
    validation: NDArray[Any]
    test: NDArray[Any]


@dataclass(frozen=True)
class Task:
    """A linear model to be trained.

    Attributes
    ----------
    key : str
        Short name, for files and options.
    title : str
        What is predicted, in words.
    kind : {"binary", "classes", "minutes"}
        Which metrics apply.
    loss_name, loss_params : str, dict
        The loss, as for ``fl.get_loss``.
    lr : float
        Learning rate.
    design : Design
        The features.
    labels : Labels
        The labels.
    initial_coefficients : ndarray of float32 of shape (n_features,) or (n_features, n_classes)
        Zero but for the intercept, which starts at the best constant prediction.
    n_excluded : int
        Flights left out because they have no label.
    minutes_per_unit : float
        For "minutes": the labels are minutes divided by this.
    class_names : tuple of str
        For "classes".
    """

    key: str
    title: str
    kind: str
    loss_name: str
    loss_params: dict[str, float]
    lr: float
    design: Design
    labels: Labels
    initial_coefficients: NDArray[np.float32]
    n_excluded: int = 0
    minutes_per_unit: float = 1.0
    class_names: tuple[str, ...] = field(default=())

    @property
    def loss_label(self) -> str:
        """The loss with the parameters that are not at their default, as one writes it."""
        name = type(fl.get_loss(self.loss_name, **self.loss_params)).__name__
        return f"{name}({', '.join(f'{k}={v:g}' for k, v in self.loss_params.items())})"

    @property
    def loss_unit(self) -> str:
        """The unit in which the loss is measured."""
        return f"({self.minutes_per_unit:.1f} min)²" if self.kind == "minutes" else "nats"


def make_tasks(flights: Flights, split: Split) -> Iterator[Task]:
    """Yield the tasks one after the other; the big matrices of one may be freed before the next.

    Parameters
    ----------
    flights : Flights
        All scheduled flights.
    split : Split
        Rows of the three parts.

    Yields
    ------
    Task
        "late", "late_weighted", "delay" (which share one design) and "carrier".
    """
    delay = flights.numbers["arr_delay"]
    landed = ~np.isnan(delay)
    # A cancelled or diverted flight has no arrival delay: neither late nor on time.
    known = split.where(landed)
    excluded = sum(map(len, (split.train, split.validation, split.test))) - sum(
        map(len, (known.train, known.validation, known.test))
    )
    design = delay_design(flights, known)
    yield from _late_tasks(delay, known, design, excluded)
    yield _delay_task(delay, known, design, excluded)
    del design
    yield _carrier_task(flights, split)


def _late_tasks(
    delay: NDArray[np.float64], split: Split, design: Design, n_excluded: int
) -> Iterator[Task]:
    """Two hours late or not, as it stands and with the rare class weighted up."""
    labels = _labels((delay > VERY_LATE_MINUTES).astype(np.float32), split)
    prevalence = float(labels.train.mean(dtype=np.float64))
    balance = float(round((1.0 - prevalence) / max(prevalence, 1.0 / len(labels.train))))
    for key, params in (("late", {}), ("late_weighted", {"pos_weight": balance})):
        yield Task(
            key=key,
            title="more than two hours late" + (", weighted" if params else ""),
            kind="binary",
            loss_name="log_loss",
            loss_params=params,
            lr=0.015 if params else 0.15,
            design=design,
            labels=labels,
            initial_coefficients=_start(design, fl.LogLoss(**params), labels.train),
            n_excluded=n_excluded,
        )


def _delay_task(delay: NDArray[np.float64], split: Split, design: Design, n_excluded: int) -> Task:
    """Minutes of delay, in units of a robust standard deviation (1.4826 MAD)."""
    train = delay[split.train]
    unit = float(1.4826 * np.median(np.abs(train - np.median(train))))
    labels = _labels((delay / unit).astype(np.float32), split)
    delta = 0.5
    return Task(
        key="delay",
        title="arrival delay in minutes",
        kind="minutes",
        loss_name="huber",
        loss_params={"delta": delta},
        lr=0.03,
        design=design,
        labels=labels,
        initial_coefficients=_start(design, fl.Huber(delta), labels.train),
        n_excluded=n_excluded,
        minutes_per_unit=unit,
    )


def _carrier_task(flights: Flights, split: Split) -> Task:
    """Which of the 16 airlines, from timetable and route."""
    names, code = np.unique(flights.text["carrier"], return_inverse=True)
    labels = _labels(code.astype(np.int64), split)
    design = carrier_design(flights, split)
    start = np.zeros((len(design.names), len(names)), np.float32)
    # A class without a training flight still gets a finite start.
    share = (np.bincount(labels.train, minlength=len(names)) + 1.0) / (
        len(labels.train) + len(names)
    )
    start[0] = np.log(share)
    return Task(
        key="carrier",
        title=f"airline, one of {len(names)}",
        kind="classes",
        loss_name="cross_entropy",
        loss_params={},
        lr=2.0,
        design=design,
        labels=labels,
        initial_coefficients=start,
        class_names=tuple(name.decode() for name in names.tolist()),
    )


def _labels(values: NDArray[Any], split: Split) -> Labels:
    """Cut the labels of all flights into the three parts."""
    return Labels(values[split.train], values[split.validation], values[split.test])


def _start(
    design: Design, loss: fl.LogLoss | fl.Huber, y_train: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Coefficients of the best constant prediction."""
    start = np.zeros(len(design.names), np.float32)
    start[0] = loss.initial_prediction(y_train)
    return start
