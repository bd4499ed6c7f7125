"""Huber's loss with the scale of the noise as one more unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import fastloss as fl

Vector = npt.NDArray[np.float64]


class HuberScale:
    """
    Mean of sigma + sigma * H(r / sigma), a convex function of the coefficients and sigma.

    H(z) is z**2 inside epsilon, else 2 * epsilon * abs(z) - epsilon**2. With delta = epsilon * sigma
    the mean is sigma + 2 / sigma * huber(delta). Its derivative by sigma needs the mean of max(abs(r) -
    delta, 0), which is the epsilon-insensitive loss, so nothing cancels. The unknowns are the
    coefficients, the intercept if there is one, and log(sigma), which needs no bound.

    Parameters
    ----------
    X, y, sample_weight : array
        The data.
    epsilon : float
        Where the square turns into the straight line, in units of sigma.
    l2 : float
        alpha over the sum of the weights: the penalty is l2 * sum(coef**2).
    fit_intercept : bool
        Whether there is an intercept.
    n_threads : int or None
        Threads.
    """

    n_outputs = 1

    def __init__(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        epsilon: float,
        l2: float,
        fit_intercept: bool,
        n_threads: int | None,
    ) -> None:
        self.X, self.y, self.sample_weight = X, y, sample_weight
        self.d = X.shape[1]
        self.epsilon, self.l2 = epsilon, l2
        self.fit_intercept, self.n_threads = fit_intercept, n_threads
        self.n_coef = self.d + fit_intercept
        # always with an intercept, which may stay 0
        self.objective = fl.LinearObjective(
            fl.Huber(), X, y, sample_weight, fit_intercept=True, n_threads=n_threads
        )
        self._last: tuple[Vector, float, Vector, float] | None = None
        self._sigma = 0.0

    def of_every(self, stride: int, one_thread: bool) -> HuberScale:
        """Return the same of every stride-th row, copied."""
        X, weights = self.X[::stride], self.sample_weight
        return HuberScale(
            X if hasattr(X, "indptr") else np.ascontiguousarray(X),
            np.ascontiguousarray(self.y[::stride]),
            None if weights is None else weights[::stride],
            self.epsilon,
            self.l2,
            self.fit_intercept,
            1 if one_thread else self.n_threads,
        )

    def _use_scale(self, sigma: float) -> None:
        """Let one pass compute both losses for a scale."""
        if sigma == self._sigma:
            return
        delta = self.epsilon * sigma
        self.objective._exchange(fl.Huber(delta), fl.EpsilonInsensitive(delta))
        self._sigma = sigma

    def _linear(self, unknowns: Vector) -> Vector:
        """Return coefficients and intercept."""
        linear = np.zeros(self.d + 1)
        linear[: self.n_coef] = unknowns[:-1]
        return linear

    def loss_gradient(self, unknowns: Vector) -> tuple[float, Vector]:
        """Return the value and its gradient."""
        with np.errstate(over="ignore"):
            sigma = float(np.exp(unknowns[-1]))
        if not 1e-140 < sigma < 1e140:
            return np.inf, np.full(len(unknowns), np.nan)
        linear = self._linear(unknowns)
        self._use_scale(sigma)
        loss, slopes = self.objective.loss_gradient(linear)
        excess = self.objective._mean_beside()
        coef = unknowns[: self.d]
        gradient = np.empty(len(unknowns))
        gradient[:-1] = (2 / sigma) * slopes[: self.n_coef]
        gradient[: self.d] += 2 * self.l2 * coef
        gradient[-1] = sigma - (2 / sigma) * loss + 2 * self.epsilon * excess
        self._last = (unknowns.copy(), loss, slopes, excess)
        return sigma + (2 / sigma) * loss + self.l2 * float(coef @ coef), gradient

    def hessian(self, unknowns: Vector) -> Vector:
        """Return the Hessian, without a term that vanishes at the optimum and may be negative."""
        sigma = float(np.exp(unknowns[-1]))
        delta = self.epsilon * sigma
        linear = self._linear(unknowns)
        if self._last is None or not np.array_equal(self._last[0], unknowns):
            self.loss_gradient(unknowns)
        assert self._last is not None
        _, loss, slopes, excess = self._last
        self._use_scale(sigma)
        outer_slopes, inside = self.objective.gradient_hessian(linear)
        n = self.n_coef
        out = np.empty((n + 1, n + 1))
        out[:-1, :-1] = (2 / sigma) * inside[:n, :n]
        out[range(self.d), range(self.d)] += 2 * self.l2
        out[:-1, -1] = out[-1, :-1] = (-2 / sigma) * (slopes - delta * outer_slopes)[:n]
        share_outside = 1.0 - inside[-1, -1]
        squares = 2 * (loss - delta * excess) - delta**2 * share_outside  # of the residuals inside
        falling = sigma - squares / sigma - self.epsilon**2 * sigma * share_outside
        out[-1, -1] = 2 * squares / sigma + max(falling, 0.0)
        return out
