"""Which loss is for what: numbers, two classes, several classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fastloss as fl
from fastloss.losses.registry import available_losses, get_loss, not_a_loss, unknown_loss

TWO_CLASSES = frozenset(
    {
        "asymmetric",
        "c_log_log",
        "exponential",
        "focal",
        "generalized_cross_entropy",
        "hinge",
        "log_loss",
        "modified_huber",
        "poly1",
        "probit",
        "smooth_hinge",
        "squared_hinge",
    }
)
CLASSES = frozenset(
    {
        "crammer_singer",
        "cross_entropy",
        "multiclass_focal",
        "multiclass_generalized_ce",
        "multiclass_hinge",
        "ranked_probability_score",
        "sparsemax",
        "symmetric_cross_entropy",
    }
)
NUMBERS = frozenset(
    {
        "absolute_error",
        "absolute_percentage_error",
        "barron_robust",
        "cauchy",
        "epsilon_insensitive",
        "expectile",
        "fair",
        "gamma",
        "geman_mc_clure",
        "half_squared_error",
        "huber",
        "log_cosh",
        "lq",
        "negative_binomial",
        "pinball",
        "poisson",
        "pseudo_huber",
        "smooth_l1",
        "squared_epsilon_insensitive",
        "squared_error",
        "squared_log_error",
        "student_t",
        "tukey",
        "tweedie",
        "tweedie_identity",
        "welsch",
        "wing",
    }
)
# Their outputs are not one number or one score a class, or have to be probabilities, which no line
# stays within; the perceptron loss is least at coefficients 0.
OTHERS = frozenset(
    {
        "binary_cross_entropy",
        "coral",
        "cumulative_logit",
        "gaussian_crps",
        "gaussian_nll",
        "jensen_shannon",
        "kl_divergence",
        "multi_pinball",
        "multilabel_margin",
        "nll",
        "one_vs_rest",
        "perceptron",
    }
)
# whose gradient jumps, so that it does not go to 0 at an optimum
KINKED = frozenset(
    {
        "absolute_error",
        "absolute_percentage_error",
        "crammer_singer",
        "epsilon_insensitive",
        "hinge",
        "multiclass_hinge",
        "pinball",
        "wing",
    }
)
# smooth, of one output, and convex in the raw prediction whatever their parameters
_CONVEX = frozenset(
    {
        "c_log_log",
        "expectile",
        "exponential",
        "fair",
        "gamma",
        "half_squared_error",
        "huber",
        "log_cosh",
        "log_loss",
        "poisson",
        "probit",
        "pseudo_huber",
        "smooth_hinge",
        "squared_epsilon_insensitive",
        "squared_error",
        "squared_hinge",
    }
)
_WITHOUT_PROBABILITIES = frozenset(
    {
        "crammer_singer",
        "hinge",
        "multiclass_hinge",
        "perceptron",
        "smooth_hinge",
        "squared_hinge",
    }
)


def choose_loss(loss: object, allowed: frozenset[str], kind: str) -> Any:
    """Return the loss of a name or an instance, if it is one of those allowed."""
    if isinstance(loss, str):
        if loss not in available_losses():
            raise unknown_loss("loss", loss, f"a loss of {kind}", allowed)
        if loss not in allowed:
            raise ValueError(f"loss = {loss!r}: expected a loss of {kind}: {_listed(allowed)}")
        return get_loss(loss)
    name = getattr(loss, "name", None)
    if isinstance(loss, type) or not isinstance(name, str) or not hasattr(loss, "loss_gradient"):
        raise not_a_loss(loss, "a name or a loss of fastloss")
    if name in available_losses() and name not in allowed:
        raise ValueError(f"loss = {loss!r}: expected a loss of {kind}: {_listed(allowed)}")
    if getattr(loss, "ignore_index", None) is not None:
        # the labels become numbers from 0 on, of which it would be another one, or none
        raise ValueError(
            f"loss = {loss!r}: expected a loss without ignore_index; leave those samples out of X and y"
        )
    return loss


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def is_smooth(loss: Any) -> bool:
    """Return whether the gradient of a loss has no jumps."""
    if loss.name == "multiclass_hinge":
        return bool(loss.p == 2)
    if loss.name == "smooth_l1":
        return bool(loss.beta > 0)
    if loss.name == "lq":
        return bool(loss.q > 1)
    return loss.name not in KINKED


def is_convex(loss: Any) -> bool:
    """Return whether a loss is known to be smooth, of one output and convex in the raw prediction."""
    if loss.name == "tweedie":
        return bool(1 <= loss.power <= 2)
    return loss.name in _CONVEX


def has_probabilities(loss: Any) -> bool:
    """Return whether scores learnt with a loss tell the probabilities of classes."""
    return loss.name not in _WITHOUT_PROBABILITIES | NUMBERS


def threshold(loss: Any) -> float:
    """Return the raw prediction at which two classes are equally probable."""
    return math.log(math.log(2)) if isinstance(loss, fl.CLogLog) else 0.0


def straight_lines(loss: Any, y: Any) -> tuple[Any, Any, Any] | None:
    """
    Return a convex loss of straight lines as (target, low, high), or None for any other loss.

    It is max(low * r, high * r) with r = target - raw_prediction, at labels y; or the sum of several
    of them, one in each row.
    """
    if type(loss) is fl.AbsoluteError or (type(loss) is fl.SmoothL1 and loss.beta == 0):
        return y, -1.0 + 0.0 * y, 1.0 + 0.0 * y
    if type(loss) is fl.Pinball:
        return y, (loss.quantile - 1.0) + 0.0 * y, loss.quantile + 0.0 * y
    if type(loss) is fl.AbsolutePercentageError:
        slope = 1.0 / np.maximum(np.abs(y), loss.eps)
        return y, -slope, slope
    if type(loss) is fl.EpsilonInsensitive:
        zero, one = 0.0 * y, 1.0 + 0.0 * y
        return (
            np.array([y - loss.epsilon, y + loss.epsilon]),
            np.array([zero, -one]),
            np.array([one, zero]),
        )
    if type(loss) is fl.Hinge:
        sign = 2.0 * y - 1.0
        return sign, -loss.cost_fp * (sign < 0), loss.cost_fn * (sign > 0)
    return None
