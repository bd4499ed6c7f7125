"""Losses of ordered classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastloss.losses._constants import Vector, log_odds
from fastloss.losses._parameters import HESSIANS, number_sequence, one_of, parameter
from fastloss.losses._rows import ClassLoss, log_frequencies


class Coral(ClassLoss):
    """
    CORAL: for each of C - 1 thresholds the log loss of "the class is above it", for ordered classes.

    sum over k of importance_k * (softplus(f_k) - [y > k] * f_k), in nats, with f = raw_prediction
    of C - 1 outputs, output k being the logit of y > k. Link: logit of each output. Labels: classes
    0 to C - 1, one more than outputs. The gradient is importance_k * (expit(f_k) - [y > k]), the
    Hessian's diagonal importance_k * expit(f_k) * expit(-f_k). Error at most 3 ULP, of the Hessian
    at most 3.5. `predict` gives P(y > k); in CORAL the outputs share one score and differ by a bias
    each, which keeps these in order.

    Parameters
    ----------
    importance : sequence of float, optional
        One factor of at least 0 a threshold, 1 by default.

    References
    ----------
    Cao, Mirjalili, Raschka, Rank Consistent Ordinal Regression for Neural Networks, 2020.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.Coral()([2], [[3.0, 0.0, -1.0]]), 4)
    1.055
    """

    __slots__ = ()
    name = "coral"
    importance = parameter("importance")

    def __init__(
        self, importance: Sequence[float] | npt.NDArray[np.floating] | None = None
    ) -> None:
        factors = (
            None if importance is None else number_sequence("importance", importance, 0.0, np.inf)
        )
        super().__init__(
            {"importance": factors},
            link="expit",
            per_output=None if factors is None else ("importance", factors),
            extra_classes=1,
        )

    def _per_class(self) -> int | None:
        return None if self.importance is None else len(self.importance) + 1

    def _fewer_outputs(self) -> int:
        return 1

    def _best_constants(self, frequencies: Vector) -> Vector:
        above = np.cumsum(frequencies[::-1])[::-1][1:]
        below = np.cumsum(frequencies)[:-1]
        return np.array([log_odds(*pair) for pair in zip(above, below, strict=True)])


class RankedProbabilityScore(ClassLoss):
    """
    Ranked probability score: the squared distance of cumulated probabilities, for ordered classes.

    sum over k < C - 1 of (P_k - [y <= k])**2 with P_k = p_0 + ... + p_k and p the softmax of
    raw_prediction along the class axis. A proper score, and one that counts how far off a wrong
    class is. Link: symmetric multinomial logit. Labels: classes 0 to C - 1. The gradient is 2 * p_j
    times the sum over k of (P_k - [y <= k]) * ([j <= k] - P_k). Error at most 10 ULP, of the Hessian
    at most 3: of both, whose terms cancel, of the sum of those of one sign. In float32 at most 1 ULP
    with up to 10 classes, 2 with 40, of the largest term alone: it is computed in float64. Where
    exp(f - max) is subnormal it has fewer digits itself, which the number of classes multiplies. The
    Hessian's diagonal may be negative. `predict` gives the softmax.

    hessian="bounded" reports the larger of that and its Gauss-Newton part, 2 * p_j**2 times the sum
    over k of ([j <= k] - P_k)**2: never negative.

    Parameters
    ----------
    hessian : {"exact", "bounded"}
        The second derivative, or an upper bound that never is negative.

    References
    ----------
    Epstein, A Scoring System for Probability Forecasts of Ranked Categories, 1969.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.RankedProbabilityScore()([0, 1], [[0.0, 0.0], [40.0, 0.0]], reduction="none")
    array([0.25, 1.  ])
    """

    __slots__ = ()
    name = "ranked_probability_score"
    hessian = parameter("hessian")

    def __init__(self, hessian: str = "exact") -> None:
        hessian = one_of("hessian", hessian, HESSIANS)
        super().__init__(
            {"hessian": hessian}, (-math.inf if hessian == "exact" else 0.0,), link="softmax"
        )

    def _best_constants(self, frequencies: Vector) -> Vector:
        return log_frequencies(frequencies)  # the score is proper
