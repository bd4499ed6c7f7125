"""When to stop, and what to call it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Reason = Literal["overfitting", "plateau", "diverged", "epoch limit"]


@dataclass(frozen=True)
class Verdict:
    """Why training ended.

    Attributes
    ----------
    reason : {"overfitting", "plateau", "diverged", "epoch limit"}
        "overfitting": the validation loss rose while the training loss went on falling.
        "plateau": neither loss moved noticeably any more.
        "diverged": a loss was not finite, or both losses rose.
        "epoch limit": none of these within the epochs allowed.
    best_epoch : int
        The epoch with the lowest validation loss, counted from 1; 0 if no epoch had a finite one.
    message : str
        The same in a plain sentence.
    """

    reason: Reason
    best_epoch: int
    message: str


class OverfitDetector:
    """Follows training and validation loss, epoch by epoch.

    The validation loss of mini-batch SGD jitters by one or two parts in a thousand from epoch to
    epoch. So a rise counts only when the mean of the last `patience` epochs is above the best by
    `min_rise`, and a standstill only after twice as many epochs.

    Parameters
    ----------
    patience : int, default=5
        Overfitting is told at the earliest so many epochs after the best one, a plateau after
        twice as many.
    min_rise : float, default=0.01
        The relative rise above the best validation loss that is called overfitting.
    min_fall : float, default=0.001
        A relative fall of both losses by less than this over ``2 * patience`` epochs is called a
        plateau.
    """

    def __init__(self, patience: int = 5, min_rise: float = 0.01, min_fall: float = 0.001) -> None:
        if patience < 1:
            raise ValueError(f"patience = {patience}: at least 1 epoch is expected")
        self.patience = patience
        self.min_rise = min_rise
        self.min_fall = min_fall
        self.train_losses: list[float] = []
        self.validation_losses: list[float] = []
        self.best_epoch = 0

    @property
    def best_loss(self) -> float:
        """The lowest validation loss so far, infinite before the first epoch."""
        return self.validation_losses[self.best_epoch - 1] if self.best_epoch else math.inf

    def update(self, train_loss: float, validation_loss: float) -> Verdict | None:
        """Take the losses of one epoch and say whether to stop.

        Parameters
        ----------
        train_loss, validation_loss : float
            The losses after this epoch.

        Returns
        -------
        Verdict or None
            None to go on.
        """
        self.train_losses.append(train_loss)
        self.validation_losses.append(validation_loss)
        epoch = len(self.validation_losses)
        if not (math.isfinite(train_loss) and math.isfinite(validation_loss)):
            return self._verdict(
                "diverged",
                f"diverged: the loss of epoch {epoch} is not finite, the steps are too long",
            )
        if validation_loss < self.best_loss:
            self.best_epoch = epoch
        return self._judge_rise(epoch) or self._judge_standstill(epoch)

    def at_limit(self) -> Verdict:
        """Return the verdict when the epochs allowed are used up."""
        epochs = len(self.validation_losses)
        if self.best_epoch == epochs:
            end = "the validation loss was still falling"
        else:
            end = (
                f"the validation loss was lowest after epoch {self.best_epoch} and has not stayed "
                f"{self.min_rise:.0%} above that for {self.patience} epochs"
            )
        return self._verdict("epoch limit", f"no overfitting within {epochs} epochs: {end}")

    def _judge_rise(self, epoch: int) -> Verdict | None:
        """Compare the last `patience` epochs with the best one, if all of them came after it."""
        if epoch - self.best_epoch < self.patience:
            return None
        recent = self.validation_losses[-self.patience :]
        rise = sum(recent) / self.patience - self.best_loss
        if rise < self.min_rise * abs(self.best_loss):
            return None
        percent = f"{rise / abs(self.best_loss):.1%} " if self.best_loss else ""
        if self.train_losses[-1] >= self.train_losses[self.best_epoch - 1]:
            return self._verdict(
                "diverged",
                f"unstable: after epoch {self.best_epoch} training and validation loss both rose, "
                f"the steps are too long",
            )
        return self._verdict(
            "overfitting",
            f"overfitting starts after epoch {self.best_epoch}: since then the training loss went "
            f"on falling but the validation loss rose, by {percent}over the last {self.patience} "
            f"epochs; stopped after epoch {epoch}, kept the coefficients of epoch "
            f"{self.best_epoch}",
        )

    def _judge_standstill(self, epoch: int) -> Verdict | None:
        """Look whether neither loss has fallen over ``2 * patience`` epochs.

        While the training loss still falls the model still changes, and a flat validation loss may
        yet turn either way.
        """
        window = 2 * self.patience
        if epoch <= window:
            return None
        for losses in (self.train_losses, self.validation_losses):
            lowest = min(losses)
            if min(losses[:-window]) - lowest >= self.min_fall * abs(lowest):
                return None
        return self._verdict(
            "plateau",
            f"no overfitting: over the last {window} epochs training and validation loss fell by "
            f"less than {self.min_fall:.1%} and did not rise; stopped after epoch {epoch}, kept "
            f"the coefficients of epoch {self.best_epoch}",
        )

    def _verdict(self, reason: Reason, message: str) -> Verdict:
        """Add the best epoch."""
        return Verdict(reason, self.best_epoch, message)
