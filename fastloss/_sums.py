"""Sums of a loss over a part of the data, for engines that split it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LossSums:
    """
    What `partial` of a loss returns: float64 sums that merge by addition.

    Parameters
    ----------
    loss_sum : float
        Sum of weight times loss.
    weight_sum : float
        Sum of the weights; the number of samples where there are none.
    n_samples : int
        Number of samples.

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

    def __add__(self, other: LossSums) -> LossSums:
        """Merge the sums of two parts."""
        if not isinstance(other, LossSums):
            return NotImplemented
        return LossSums(
            self.loss_sum + other.loss_sum,
            self.weight_sum + other.weight_sum,
            self.n_samples + other.n_samples,
        )

    def __radd__(self, other: object) -> LossSums:
        """Merge with the 0 that `sum` begins with."""
        return self if other == 0 and isinstance(other, int) else NotImplemented

    def mean(self) -> float:
        """Return the weighted mean loss; NaN if the weights sum to zero."""
        return self.loss_sum / self.weight_sum if self.weight_sum > 0 else float("nan")

    def sum(self) -> float:
        """Return the weighted sum of the losses."""
        return self.loss_sum
