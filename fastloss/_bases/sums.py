"""Sums of a loss over a part of the data, for engines that split it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LossSums:
    """
    What `partial` of a loss returns: float64 sums that merge by addition.

    Parameters
    ----------
    loss_sum : float
        Sum of weight times loss.
    weight_sum : float
        Sum of the weights, which has to be a float64; the number of samples where there are none.
    n_samples : int
        Number of samples.
    loss : object, optional
        The loss whose sums these are; those of another one are not merged with them.

    Examples
    --------
    >>> import fastloss as fl
    >>> loss = fl.SquaredError()
    >>> parts = [loss.partial([1.0], [3.0]), loss.partial([0.0, 1.0], [1.0, 1.0])]
    >>> sum(parts).mean() == loss([1.0, 0.0, 1.0], [3.0, 1.0, 1.0])
    True
    """

    loss_sum: float
    weight_sum: float
    n_samples: int
    loss: object = field(default=None, compare=False)

    def __add__(self, other: LossSums) -> LossSums:
        """Merge the sums of two parts; a ValueError if they are of different losses."""
        if not isinstance(other, LossSums):
            return NotImplemented
        if self.loss is not None and other.loss is not None and self.loss != other.loss:
            raise ValueError(f"sums of {self.loss!r} and of {other.loss!r}: expected one loss")
        return LossSums(
            self.loss_sum + other.loss_sum,
            self.weight_sum + other.weight_sum,
            self.n_samples + other.n_samples,
            other.loss if self.loss is None else self.loss,
        )

    def __radd__(self, other: object) -> LossSums:
        """Merge with the 0 that `sum` begins with."""
        return self if other == 0 and isinstance(other, int) else NotImplemented

    def mean(self) -> float:
        """
        Return the weighted mean loss; NaN, with a RuntimeWarning, if the weights sum to zero.

        An OverflowError if their sum is beyond float64: give `partial` smaller weights then.
        """
        if math.isinf(self.weight_sum):
            raise OverflowError(
                f"weight_sum = {self.weight_sum!r}: expected weights whose sum is a float64; "
                "divide all of them by one factor"
            )
        if self.weight_sum > 0:
            return self.loss_sum / self.weight_sum
        if self.n_samples and getattr(self.loss, "all_ignored", None) == "zero":
            return 0.0
        what = "samples whose weights sum to zero" if self.n_samples else "no samples"
        warnings.warn(f"mean of {what} is NaN", RuntimeWarning, stacklevel=2)
        return float("nan")

    def sum(self) -> float:
        """Return the weighted sum of the losses."""
        return self.loss_sum
