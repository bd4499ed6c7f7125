"""Sums of a linear objective over a part of the data, for engines that split it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class LinearSums:
    """
    What `LinearObjective.partial` returns: float64 sums that merge by addition.

    Parameters
    ----------
    loss_sum : float
        Sum of weight times loss.
    weight_sum : float
        What the mean divides by: the sum of the weights, for most losses.
    gradient_sum : ndarray
        Sum of weight times gradient, of the objective's ``coef_shape``.
    n_samples : int
        Number of samples.
    fit_intercept : bool, default=True
        Whether the last coefficient (of each output) is an intercept.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> X, y, coef = np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 2.0, 3.0]), np.ones(2)
    >>> parts = [fl.LinearObjective("squared_error", X[i:], y[i:]) for i in (0, 1)]
    >>> merged = sum(part.partial(coef) for part in parts)
    >>> merged.n_samples, merged.finish(coef, l2=1.0)[0]
    (5, 2.7)
    """

    loss_sum: float
    weight_sum: float
    gradient_sum: npt.NDArray[np.float64]
    n_samples: int
    fit_intercept: bool = True

    def __add__(self, other: LinearSums) -> LinearSums:
        """Merge the sums of two parts."""
        if not isinstance(other, LinearSums):
            return NotImplemented
        if self.gradient_sum.shape != other.gradient_sum.shape:
            raise ValueError(
                f"gradient_sum has shape {self.gradient_sum.shape}, the other "
                f"{other.gradient_sum.shape}: they must be equal"
            )
        if self.fit_intercept != other.fit_intercept:
            raise ValueError(
                "fit_intercept: the sums of one objective have an intercept, the other's not"
            )
        return LinearSums(
            self.loss_sum + other.loss_sum,
            self.weight_sum + other.weight_sum,
            self.gradient_sum + other.gradient_sum,
            self.n_samples + other.n_samples,
            self.fit_intercept,
        )

    def __radd__(self, other: object) -> LinearSums:
        """Merge with the 0 that `sum` begins with."""
        return self if other == 0 and isinstance(other, int) else NotImplemented

    def finish(
        self, coef: npt.ArrayLike, *, l2: npt.ArrayLike = 0.0, fit_intercept: bool | None = None
    ) -> tuple[float, npt.NDArray[np.float64]]:
        """
        Return value and gradient of all samples together.

        Parameters
        ----------
        coef : array-like
            The coefficients that the sums were taken at, in that shape or flat.
        l2 : float or array-like
            The penalty, as `LinearObjective` takes it.
        fit_intercept : bool, optional
            Whether the last coefficient (of each output) is an intercept, which is not penalised; by
            default as the objective says.

        Returns
        -------
        tuple of (float, ndarray)
            The weighted mean loss plus the penalty, and its gradient; NaN if the weights sum to zero.
        """
        at: npt.NDArray[Any] = np.asarray(coef, dtype=np.float64)
        if at.size != self.gradient_sum.size:
            raise ValueError(f"coef has shape {at.shape}: expected {self.gradient_sum.shape}")
        total = self.weight_sum if self.weight_sum > 0 else float("nan")
        matrix, gradient = at.reshape(self.gradient_sum.shape), self.gradient_sum / total
        if fit_intercept is None:
            fit_intercept = self.fit_intercept
        penalised = (..., slice(None, -1 if fit_intercept else None))
        slope = np.asarray(l2, dtype=np.float64) * matrix[penalised]
        gradient[penalised] += slope
        value = self.loss_sum / total + 0.5 * float((slope * matrix[penalised]).sum())
        return value, gradient.reshape(at.shape)
