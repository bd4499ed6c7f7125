"""fastloss against NumPy on one task: the two runs and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from fastloss.demo.evaluation import Evaluation
from fastloss.demo.training import Run


@dataclass(frozen=True)
class Timing:
    """Milliseconds of an epoch and of its parts.

    Other work on the machine can only add to them, so they are the means over the fastest quarter
    of the epochs.

    Attributes
    ----------
    epoch : float
        The whole epoch, validation included.
    loss : float
        Inside the loss functions.
    step : float
        Inside the SGD step.
    """

    epoch: float
    loss: float
    step: float

    @classmethod
    def of(cls, run: Run) -> Timing:
        """Take the means over the fastest quarter of the epochs of a run."""
        by_time = sorted(range(run.epochs), key=run.epoch_seconds.__getitem__)
        fastest = by_time[: max(1, run.epochs // 4)]

        def mean(seconds: list[float]) -> float:
            return 1e3 * fmean(seconds[epoch] for epoch in fastest)

        return cls(mean(run.epoch_seconds), mean(run.loss_seconds), mean(run.step_seconds))

    @property
    def loss_and_step(self) -> float:
        """The part that fastloss replaces."""
        return self.loss + self.step

    @property
    def products(self) -> float:
        """The rest: the matrix products, by the same BLAS on both sides, and the Python loop."""
        return self.epoch - self.loss_and_step


@dataclass(frozen=True)
class TaskFacts:
    """What the reports say about a task, without its arrays."""

    key: str
    title: str
    loss_label: str
    loss_unit: str
    lr: float
    n_train: int
    n_validation: int
    n_test: int
    n_features: int
    n_excluded: int


@dataclass(frozen=True)
class TaskResult:
    """All about one task.

    Attributes
    ----------
    facts : TaskFacts
        Sizes and settings.
    native, numpy : Run
        The two trainings: the same start, batches and number of epochs.
    evaluation : Evaluation
        Metrics of the best coefficients of the native run.
    """

    facts: TaskFacts
    native: Run
    numpy: Run
    evaluation: Evaluation

    @property
    def native_timing(self) -> Timing:
        """Times of fastloss."""
        return Timing.of(self.native)

    @property
    def numpy_timing(self) -> Timing:
        """Times of NumPy."""
        return Timing.of(self.numpy)

    @property
    def epoch_ratio(self) -> float:
        """How many times as long NumPy takes for an epoch."""
        return self.numpy_timing.epoch / self.native_timing.epoch

    @property
    def loss_and_step_ratio(self) -> float:
        """How many times as long NumPy takes for losses and steps."""
        return self.numpy_timing.loss_and_step / self.native_timing.loss_and_step

    @property
    def final_difference(self) -> float:
        """Validation loss after the last epoch, NumPy minus fastloss."""
        return self.numpy.validation_loss[-1] - self.native.validation_loss[-1]
