"""What a fit by epochs records: losses, scores, learning rates, where overfitting starts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastloss.linear_model._progress import FitProgress, told_briefly
from fastloss.linear_model._sgd_plot import plot_history

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_LINES = 100_000  # that calls of partial_fit leave
_RISE = 1e-3  # share of the lowest validation loss by which a higher one counts as risen


@dataclass(frozen=True, slots=True)
class EpochProgress(FitProgress):
    """
    What a callback is given after each epoch: a `FitProgress` whose iterations are epochs.

    Attributes
    ----------
    iteration : int
        Epochs made.
    objective : float
        Training loss plus penalty.
    gradient_norm : float
        NaN: no gradient over all samples is formed.
    coef : ndarray, shape (d[+1],) or (C, d[+1])
        Coefficients, the intercept last; a copy.
    seconds : float
        Since the fit started.
    tol : float
        The tolerance; 0 for None.
    max_iter : int
        Epochs at most.
    train_loss : float
        Weighted mean loss of the training samples, each at the coefficients just before its step.
    validation_loss, validation_score : float
        Those of the validation samples after the epoch; NaN if there are none.
    learning_rate : float
        That of the last step.
    """

    train_loss: float
    validation_loss: float
    validation_score: float
    learning_rate: float


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """
    How a fit went, epoch by epoch: the attribute `history_` of `SGDClassifier` and `SGDRegressor`.

    A call of `partial_fit` that learns is an epoch, too; its seconds are added to those before. After
    100,000 epochs such a call leaves the last 50,000, and ``best_epoch``, ``overfitting_epoch`` and
    ``overfitting`` None, so that a stream without end takes no more memory.

    Attributes
    ----------
    train_loss : ndarray of float64
        Weighted mean loss of the training samples, each at the coefficients just before its step.
    objective : ndarray of float64
        The same plus the penalty after the epoch.
    validation_loss : ndarray of float64
        Weighted mean loss of the validation samples after the epoch; NaN if there are none.
    validation_score : ndarray of float64
        What early stopping went by, higher being better; NaN if there is none.
    learning_rate : ndarray of float64
        That of the last step of the epoch.
    seconds : ndarray of float64
        Since the fit started, at the end of the epoch.
    best_epoch : int or None
        The epoch, from 1, whose validation score, or loss if there is no score, is best.
    overfitting_epoch : int or None
        The epoch, from 1, since which the validation loss has risen while the training loss fell.
    overfitting : str or None
        The same in words.
    converged : bool
        Whether the stop criterion was met.
    reason : str
        Why the fit ended.
    """

    train_loss: npt.NDArray[np.float64]
    objective: npt.NDArray[np.float64]
    validation_loss: npt.NDArray[np.float64]
    validation_score: npt.NDArray[np.float64]
    learning_rate: npt.NDArray[np.float64]
    seconds: npt.NDArray[np.float64]
    best_epoch: int | None
    overfitting_epoch: int | None
    overfitting: str | None
    converged: bool
    reason: str

    def __len__(self) -> int:
        return len(self.train_loss)

    def __repr__(self) -> str:
        """Return a line: the last losses, the epochs that stand out, and why the fit ended."""
        return told_briefly(self, f"epochs={len(self)}", ("train_loss", "validation_loss"))

    def plot(self, title: str = "") -> Figure:
        """
        Draw the learning curve.

        Training and validation loss by epochs, beside them the validation score if there is one; the
        best epoch is marked, and the epochs that overfit. Needs matplotlib, which is in the extra
        ``fastloss[demo]``.

        Parameters
        ----------
        title : str
            What stands above.

        Returns
        -------
        matplotlib.figure.Figure
            With a canvas of its own: ``figure.savefig("fit.png")``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return plot_history(self, title)


@dataclass
class Recorder:
    """Take down one line per epoch, and notice when overfitting starts."""

    title: str
    verbose: int
    patience: int
    lines: list[list[float]] = field(default_factory=list)
    overfitting_epoch: int | None = None
    overfitting: str | None = None
    best_epoch: int | None = None  # by the score, or else by the validation loss
    lowest_epoch: int | None = None  # by the validation loss
    converged: bool = False
    reason: str = ""
    headed: bool = False  # whether the head of the table is printed
    _history: History | None = None  # of these lines, once it was asked for

    def add(
        self,
        train_loss: float,
        objective: float,
        validation_loss: float,
        validation_score: float,
        learning_rate: float,
        seconds: float,
    ) -> None:
        """Record an epoch, and print it if asked to."""
        self._history = None
        self.lines.append(
            [train_loss, objective, validation_loss, validation_score, learning_rate, seconds]
        )
        if self.verbose:
            self.begin()
            print(
                f"{len(self.lines):5d}  {train_loss:<14.8g}  {objective:<14.8g}  "
                f"{_shown(validation_loss, '15.8g')}  {_shown(validation_score, '8.5g')}  "
                f"{learning_rate:<13.4g}  {seconds:.3f}"
            )
        if math.isnan(validation_loss):
            return
        best = self.best_epoch
        if best is None or self._badness(-1) < self._badness(best - 1):
            self.best_epoch = len(self.lines)
        told = self.overfitting_epoch
        self._watch()
        if self.verbose and self.overfitting is not None and told != self.overfitting_epoch:
            print(self.overfitting)

    def begin(self) -> None:
        """Print the head of the table, if that has not been done."""
        if not self.headed:
            self.headed = True
            print(
                f"{self.title}\nepoch  training loss   objective       validation loss  "
                f"score     learning rate  seconds"
            )

    def forget_older(self) -> None:
        """Keep half of the most lines, the last ones, once there are more; nothing points at them."""
        if len(self.lines) <= _MOST_LINES:
            return
        del self.lines[: -(_MOST_LINES // 2)]
        self.best_epoch = self.lowest_epoch = self.overfitting_epoch = self.overfitting = None
        self._history = None

    def close(self, converged: bool, reason: str) -> None:
        """Say that the fit has ended, and how."""
        if self.verbose:
            print(f"{'converged' if converged else 'not converged'}: {reason}")
        self.converged, self.reason = converged, reason
        self._history = None

    def history(self) -> History:
        """Return the record."""
        if self._history is None:
            columns = np.array(self.lines, np.float64).reshape(-1, 6).T.copy()
            self._history = History(
                columns[0],
                columns[1],
                columns[2],
                columns[3],
                columns[4],
                columns[5],
                self.best_epoch,
                self.overfitting_epoch,
                self.overfitting,
                self.converged,
                self.reason,
            )
        return self._history

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {
            "lines": self.lines,
            "overfitting_epoch": self.overfitting_epoch,
            "overfitting": self.overfitting,
            "best_epoch": self.best_epoch,
            "lowest_epoch": self.lowest_epoch,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.lines = [list(map(float, line)) for line in state["lines"]]
        self.overfitting_epoch = state["overfitting_epoch"]
        self.overfitting = state["overfitting"]
        self.best_epoch, self.lowest_epoch = state["best_epoch"], state["lowest_epoch"]

    def _badness(self, epoch: int) -> float:
        """Return what is lowest in the best epoch."""
        loss, score = self.lines[epoch][2:4]
        return loss if math.isnan(score) else -score

    def _watch(self) -> None:
        """Notice that the validation loss has been above its lowest while the training loss fell."""
        epoch = len(self.lines)
        train, _, validation = self.lines[-1][:3]
        if self.lowest_epoch is None or validation < self.lines[self.lowest_epoch - 1][2]:
            self.lowest_epoch = epoch
            self.overfitting_epoch = self.overfitting = None  # it was a bump
            return
        train_then, _, lowest = self.lines[self.lowest_epoch - 1][:3]
        waited = epoch - self.lowest_epoch
        risen = validation > lowest + _RISE * abs(lowest)
        if (
            self.overfitting_epoch is None
            and waited >= self.patience
            and risen
            and train < train_then
        ):
            self.overfitting_epoch = self.lowest_epoch
            self.overfitting = (
                f"overfitting since epoch {self.lowest_epoch}: in the {waited} epochs since then the "
                f"validation loss has risen from {lowest:.6g} to {validation:.6g}, while the "
                f"training loss fell from {train_then:.6g} to {train:.6g}"
            )


@dataclass
class Stopping:
    """Whether a value that should fall has not fallen by tol for some epochs."""

    tol: float | None
    patience: int
    best: float = math.inf
    count: int = 0

    def __call__(self, value: float) -> bool:
        """Take the value of an epoch, and return whether it is time to stop."""
        if self.tol is not None and not value <= self.best - self.tol:
            self.count += 1
        else:
            self.count = 0
        if value < self.best:
            self.best = value
        return self.count >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"best": self.best, "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.best, self.count = float(state["best"]), int(state["count"])


def _shown(value: float, form: str) -> str:
    width = int(form.split(".")[0])
    return "-".ljust(width) if math.isnan(value) else format(value, "<" + form)
