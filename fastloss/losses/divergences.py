"""Divergences of a predicted distribution from a given one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss.losses._constants import EPSILON, Vector, log_or_least
from fastloss.losses._minimise import minimise
from fastloss.losses._parameters import HESSIANS, one_of, parameter, truth
from fastloss.losses._rows import TargetsLoss, row_objective
from fastloss.losses._simplex import divergence_slopes, simplex_optimum, with_absent

#: Logarithm of a probability beyond which no sum of them changes.
_LEAST = -700.0


class KLDivergence(TargetsLoss):
    """
    Kullback-Leibler divergence: sum over k of q_k * (log(q_k) - f_k), f being log-probabilities.

    In nats; torch's ``kl_div`` with reduction "batchmean" is the mean. q = y_true, and a target of
    0 counts 0. raw_prediction stands for log-probabilities (of a log-softmax, say) and is not
    normalised. Link: log. Labels: rows of targets, finite and not negative; with log_target their
    logarithms, -inf for 0. The gradient is -q_k, the Hessian 0. Error at most 3 ULP of the largest
    of the terms q_k * log(q_k) and q_k * f_k. `predict` gives exp(raw_prediction).

    Parameters
    ----------
    log_target : bool
        Whether y_true holds logarithms.

    References
    ----------
    Kullback, Leibler, On Information and Sufficiency, 1951.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> round(fl.KLDivergence()([[0.5, 0.5]], np.log([[0.75, 0.25]])), 4)
    0.1438
    """

    __slots__ = ()
    name = "kl_divergence"
    log_target = parameter("log_target")

    def __init__(self, log_target: bool = False) -> None:
        log_target = truth("log_target", log_target)
        super().__init__(
            {"log_target": log_target},
            kernel="log_kl_divergence" if log_target else None,
            link="exp",
        )

    def _best_constants(self, labels: npt.NDArray[Any], weights: Vector) -> Vector:
        """Of all log-probabilities: the logarithm of the mean target, normalised."""
        targets = labels.astype(np.float64)
        mean = weights @ (np.exp(targets) if self.log_target else targets)
        if not mean.sum() > 0:
            raise ValueError("y_true: expected a target greater than 0")
        return log_or_least(mean / mean.sum())


class JensenShannon(TargetsLoss):
    """
    Jensen-Shannon divergence of y_true and the softmax of raw_prediction, in nats.

    (KL(q, m) + KL(p, m)) / 2 with q = y_true, p the softmax along the class axis and m = (p + q) /
    2: symmetric, and at most log 2 for distributions. Link: symmetric multinomial logit. Labels:
    rows of probabilities, finite and not negative. With a_k = log(p_k / m_k) / 2 and A its mean
    under p the gradient is p_k * (a_k - A). The Hessian's diagonal may be negative. Error at most 6
    ULP of the largest term, where the terms cancel; a probability that is subnormal has fewer
    digits itself, which a factor shows. `predict` gives the softmax.

    hessian="bounded" reports the larger of the Hessian and its Gauss-Newton part p_k / 2 * ((1 -
    p_k)**2 * r_k + p_k * sum over i != k of p_i * r_i), with r_i = q_i / (p_i + q_i): never negative.
    Where the Hessian's terms cancel, what is left of them may be above it.

    Parameters
    ----------
    hessian : {"exact", "bounded"}
        The second derivative, or an upper bound that never is negative.

    References
    ----------
    Lin, Divergence Measures Based on the Shannon Entropy, 1991.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.JensenShannon()([[1.0, 0.0]], [[0.0, 0.0]]), 4)
    0.2158
    """

    __slots__ = ()
    name = "jensen_shannon"
    hessian = parameter("hessian")

    def __init__(self, hessian: str = "exact") -> None:
        hessian = one_of("hessian", hessian, HESSIANS)
        super().__init__({"hessian": hessian}, (float(hessian == "bounded"),), link="softmax")

    def _best_constants(self, labels: npt.NDArray[Any], weights: Vector) -> Vector:
        targets = labels.astype(np.float64)[weights > 0]
        weights = weights[weights > 0]
        mean = weights @ targets
        present = mean > 0
        if not present.any():
            return np.zeros(len(mean))
        # of each probability the divergence is convex
        slopes = divergence_slopes(targets[:, present], weights)
        leader = int(np.argmax(mean[present]))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            best = simplex_optimum(slopes, int(present.sum()), leader)
        if not np.isfinite(best).all():
            # of targets that do not sum to 1 one class may take all, where no slopes are equal
            start = np.log(np.maximum(mean, EPSILON * mean.max()) / mean.max())
            return minimise(row_objective(self, targets, weights), start - start.mean())
        # a class of hardly any weight wants a probability that is 0 to float64
        return with_absent(np.maximum(best, _LEAST), present)
