"""Losses on softmax probabilities for hard cases, noisy labels and sparse predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss.losses._constants import EPSILON, Vector
from fastloss.losses._kernel_values import split
from fastloss.losses._parameters import (
    HESSIANS,
    between,
    number_sequence,
    one_of,
    parameter,
    power_of_probability,
    real,
)
from fastloss.losses._rows import ClassLoss
from fastloss.losses._simplex import (
    focal_slopes,
    simplex_optimum,
    symmetric_slopes,
    with_absent,
)


class MulticlassFocal(ClassLoss):
    """
    Focal loss of several classes: -alpha_y * (1 - p_y)**gamma * log(p_y).

    In nats, with p the softmax of raw_prediction along the class axis and y the label: samples that
    are classified well count less. Link: symmetric multinomial logit. Labels: classes 0 to C - 1.
    With h = 1 - p_y - gamma * p_y * log(p_y) the gradient is alpha_y * (1 - p_y)**(gamma - 1) * h *
    (p_k - [k = y]); gamma = 0 is the cross-entropy. Nothing is NaN at saturation. Error at most 14.5
    ULP for gamma up to 5 (9.5 for gamma = 2), of the Hessian in its largest term: a power of 1 -
    p_y magnifies its rounding error. Where p_y or 1 - p_y is subnormal it has fewer digits itself,
    which a factor shows. `predict` gives the softmax, which for gamma > 0 is no calibrated
    probability.

    Parameters
    ----------
    gamma : float
        In [0, 1e4]: how much less well-classified samples count.
    alpha : sequence of float, optional
        One factor of at least 0 a class, 1 by default. They belong to the loss: the mean does not
        divide by them.
    hessian : {"exact", "bounded"}
        The Hessian's diagonal may be negative; "bounded" leaves out the part that makes it so, where it
        does: it is at least the exact one, and the cross-entropy's times the slope of this loss as a
        function of it, where that is concave.

    References
    ----------
    Lin, Goyal, Girshick, He, Dollar, Focal Loss for Dense Object Detection, 2017.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.MulticlassFocal()([0], [[0.0, 0.0]]), 4)
    0.1733
    """

    __slots__ = ()
    name = "multiclass_focal"
    gamma = parameter("gamma")
    alpha = parameter("alpha")
    hessian = parameter("hessian")

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: Sequence[float] | npt.NDArray[np.floating] | None = None,
        hessian: str = "exact",
    ) -> None:
        gamma = between("gamma", gamma, 0.0, 1e4)
        if hessian not in HESSIANS:
            raise ValueError(f"hessian = {hessian!r}: expected 'exact' or 'bounded'")
        factors = None if alpha is None else number_sequence("alpha", alpha, 0.0, float("inf"))
        high, low = split(Fraction(gamma))
        super().__init__(
            {"gamma": gamma, "alpha": factors, "hessian": hessian},
            (high, float(hessian == "bounded"), low),
            link="softmax",
            per_output=None if factors is None else ("alpha", factors),
        )

    def _per_class(self) -> int | None:
        return None if self.alpha is None else len(self.alpha)

    def _best_constants(self, frequencies: Vector) -> Vector:
        # of each probability the loss is convex
        factors = np.log(frequencies)
        if self.alpha is not None:
            factors = factors + np.log(self.alpha)
        present = factors > -np.inf
        if not present.any():
            return np.zeros(len(frequencies))
        factors = factors[present]
        slopes = focal_slopes(factors, self.gamma)
        best = simplex_optimum(slopes, len(factors), int(np.argmax(factors)))
        return with_absent(best, present)


class MulticlassGeneralizedCE(ClassLoss):
    """
    Generalised cross-entropy: (1 - p_y**q) / q, between cross-entropy and absolute error.

    p is the softmax of raw_prediction along the class axis, y the label. Link: symmetric
    multinomial logit. Labels: classes 0 to C - 1. The loss is at most 1 / q, so that wrong labels
    cannot dominate; q = 0 is the cross-entropy, q = 1 is 1 - p_y. The gradient is p_y**q * (p_k
    - [k = y]), the Hessian's diagonal p_y**q * (p_k * (1 - p_k) - q * (p_k - [k = y])**2), which
    may be negative. Error at most 7 ULP; of the Hessian, in that of its larger term, at most 12 with
    many classes, and at most 3 for q = 1. `predict` gives the softmax.

    hessian="bounded" reports p_y**q * p_k * (1 - p_k), never negative and at least the second
    derivative: the loss is a concave function of the cross-entropy, and p_y**q its slope, so that at
    each point this multiple of the cross-entropy touches it from above, but for a constant.

    Parameters
    ----------
    q : float
        How strongly samples far from their label are discounted: 0, not at all, or in [1e-30, 1].
    hessian : {"exact", "bounded"}
        The second derivative, or that part of it that never is negative, for Newton steps and boosting.

    References
    ----------
    Zhang, Sabuncu, Generalized Cross Entropy Loss for Training with Noisy Labels, 2018.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.MulticlassGeneralizedCE(q=1.0)([0], [[0.0, 0.0]])
    0.5
    """

    __slots__ = ()
    name = "multiclass_generalized_ce"
    q = parameter("q")
    hessian = parameter("hessian")

    def __init__(self, q: float = 0.7, hessian: str = "exact") -> None:
        q, hessian = power_of_probability(q), one_of("hessian", hessian, HESSIANS)
        params = {"q": q, "hessian": hessian}
        if q == 0:
            super().__init__(params, kernel="adjusted_cross_entropy", link="softmax")
            return
        # in two parts: the exponential of a large number times q asks for more than a float32's digits
        rounded = float(np.float32(q))
        bend = q if hessian == "exact" else 0.0
        super().__init__(params, (rounded, q - rounded, bend), link="softmax")

    def _best_constants(self, frequencies: Vector) -> Vector:
        # p_k**(q - 1) is as 1 / frequency; for q = 1 the most frequent class has all
        present = frequencies == frequencies.max() if self.q == 1 else frequencies > 0
        logits = np.log(frequencies[present])
        return with_absent((logits - logits.max()) / max(1.0 - self.q, EPSILON), present)


class SymmetricCrossEntropy(ClassLoss):
    """
    Symmetric cross-entropy: -alpha * log(p_y) - beta * log_zero * (1 - p_y).

    Cross-entropy plus its reverse, in which log 0 is replaced by `log_zero`, in nats; p is the
    softmax of raw_prediction along the class axis, y the label. Link: symmetric multinomial logit.
    Labels: classes 0 to C - 1. The gradient is (p_k - [k = y]) * (alpha - beta * log_zero * p_y),
    the Hessian's diagonal p_k * (1 - p_k) times that factor, plus beta * log_zero * p_y * (p_k - [k
    = y])**2: it may be negative. Error at most 5.5 ULP, of the Hessian at most 3 (of its larger
    term). `predict` gives the softmax.

    hessian="bounded" reports p_k * (1 - p_k) * (alpha - beta * log_zero * p_y), never negative and at
    least the second derivative.

    Parameters
    ----------
    alpha, beta : float
        Weights of the two parts, at least 0.
    log_zero : float
        What stands for log 0, less than 0.
    hessian : {"exact", "bounded"}
        The second derivative, or its part that never is negative.

    References
    ----------
    Wang, Ma, Chen, Luo, Yi, Bailey, Symmetric Cross Entropy for Robust Learning with Noisy Labels,
    2019.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.SymmetricCrossEntropy()([0], [[0.0, 0.0]]), 4)
    2.0693
    """

    __slots__ = ()
    name = "symmetric_cross_entropy"
    alpha = parameter("alpha")
    beta = parameter("beta")
    log_zero = parameter("log_zero")
    hessian = parameter("hessian")

    def __init__(
        self,
        alpha: float = 0.1,
        beta: float = 1.0,
        log_zero: float = -4.0,
        hessian: str = "exact",
    ) -> None:
        hessian = one_of("hessian", hessian, HESSIANS)
        params = {
            "alpha": real("alpha", alpha),
            "beta": real("beta", beta),
            "log_zero": real("log_zero", log_zero),
        }
        for name in ("alpha", "beta"):
            if params[name] < 0:
                raise ValueError(f"{name} = {params[name]!r}: expected a number of at least 0")
        if params["log_zero"] >= 0:
            raise ValueError(f"log_zero = {log_zero!r}: expected a number less than 0")
        reverse = -params["beta"] * params["log_zero"]
        if math.isinf(reverse):
            raise ValueError(
                f"beta = {beta!r}, log_zero = {log_zero!r}: expected beta * log_zero of at most "
                "1.79e308"
            )
        values = (params["alpha"], reverse, float(hessian == "exact"))
        super().__init__({**params, "hessian": hessian}, values, link="softmax")

    def _best_constants(self, frequencies: Vector) -> Vector:
        reverse = -self.beta * self.log_zero
        if self.alpha == 0:  # linear in the probabilities: the most frequent class has all
            present = frequencies == (frequencies.max() if reverse > 0 else frequencies)
            return with_absent(np.zeros(int(present.sum())), present)
        # of each probability the loss is convex
        present = frequencies > 0
        factors = np.log(frequencies[present])
        slopes = symmetric_slopes(factors, self.alpha, reverse)
        best = simplex_optimum(slopes, len(factors), int(np.argmax(factors)))
        return with_absent(best, present)


class Sparsemax(ClassLoss):
    """
    Sparsemax loss: the convex loss whose link gives probabilities that may be exactly 0.

    With p the Euclidean projection of raw_prediction onto the simplex and S its support, -f_y + sum
    over S of (f_k**2 - tau**2) / 2 + 1 / 2, where p_k = max(f_k - tau, 0) and y is the label. It is
    0 where the label leads by 1. Link: sparsemax. Labels: classes 0 to C - 1. The gradient is p -
    [k = y]; the Hessian's diagonal, piecewise constant, is 1 - 1 / n for the n classes of S, else
    0. Error at most 3 ULP: of 1 for the gradient, of the larger of 1 and the loss for the loss.
    `predict` gives the projection.

    References
    ----------
    Martins, Astudillo, From Softmax to Sparsemax, 2016.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Sparsemax()([0, 0], [[2.0, 0.0], [0.0, 0.0]], reduction="none")
    array([0.  , 0.25])
    >>> fl.Sparsemax().predict([[2.0, 0.5, 0.0], [0.25, 0.25, -1.0]])
    array([[1. , 0. , 0. ],
           [0.5, 0.5, 0. ]])
    """

    __slots__ = ()
    name = "sparsemax"

    def __init__(self) -> None:
        super().__init__()

    def _finish_link(
        self, values: npt.NDArray[np.floating[Any]], axis: int, n_threads: int | None
    ) -> None:
        # the gradient is the projection but for a 1 at the label, so that the label's own class
        # comes from another one
        shape = list(values.shape)
        del shape[axis]
        last = np.broadcast_to(np.int64(values.shape[axis] - 1), shape)
        other = self.gradient(last, values, reduction="sum", n_threads=n_threads, axis=axis)
        labels = np.broadcast_to(np.int8(0), shape)
        self.gradient(labels, values, reduction="sum", out=values, n_threads=n_threads, axis=axis)
        first = np.moveaxis(other, axis, 0)[0]
        np.moveaxis(values, axis, 0)[0] = first + 1 if values.shape[axis] == 1 else first

    def _best_constants(self, frequencies: Vector) -> Vector:
        return frequencies  # their own projection
