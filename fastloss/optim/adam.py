"""Adam, with coupled and with decoupled weight decay."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss.losses._parameters import between, nonnegative, truth
from fastloss.optim._optimizer import ADAM_AMSGRAD, DECAY, Optimizer
from fastloss.optim._settings import Schedule, checked_rate, lerp_coefficient, setting, sign


class Adam(Optimizer):
    """
    Adam: steps of the size of lr, from moving averages of the gradient and its square.

    The update of ``torch.optim.Adam``, in step t::

        g = grad + weight_decay * param
        m += (1 - beta1) * (g - m);  v = beta2 * v + (1 - beta2) * g**2
        root = sqrt(v / (1 - beta2**t)) + eps         # amsgrad: of the largest v so far
        param -= lr / (1 - beta1**t) * m / root

    Parameters
    ----------
    lr : float or callable
        Learning rate, at least 0, or a schedule: see `fastloss.optim.schedules`.
    betas : tuple of float
        Both at least 0 and below 1: what the averages keep of themselves in a step.
    eps : float
        At least 0, added to the root.
    weight_decay : float
        L2 penalty, at least 0.
    amsgrad : bool
        Divide by the root of the largest average so far (Reddi et al., 2018).
    maximize : bool
        Climb instead of descending.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    `step_rows` is ``torch.optim.SparseAdam``: the averages of rows that are not named do not decay,
    the corrections of the bias follow the number of calls, and eps is added to sqrt(v) before its
    correction.

    References
    ----------
    Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015. Reddi, Kale and Kumar, On
    the convergence of Adam and beyond, ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> optimizer = fl.optim.Adam(lr=0.5)
    >>> weights = np.array([1.0, 2.0])
    >>> optimizer.step(weights, np.array([3.0, -0.1]))
    >>> weights.round(6)
    array([0.5, 2.5])
    """

    betas = setting("betas")
    eps = setting("eps")
    weight_decay = setting("weight_decay")
    amsgrad = setting("amsgrad")
    maximize = setting("maximize")

    def __init__(
        self,
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = _adam_settings(lr, betas, eps, weight_decay, amsgrad, maximize)
        self._begin(settings, DECAY * bool(weight_decay))

    def _begin(self, settings: dict[str, Any], variant: int) -> None:
        amsgrad = settings["amsgrad"]
        super().__init__(
            "adam",
            settings,
            ("exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if amsgrad else [])),
            variant=variant | ADAM_AMSGRAD * amsgrad,
        )

    def _shrink(self, lr: float) -> float:
        """Return the factor of the parameter before its step."""
        return 1.0

    def _numbers(self, step: int, lr: float) -> tuple[float, ...]:
        beta1, beta2 = self.betas
        correction1, correction2 = 1 - beta1**step, 1 - beta2**step
        return self._prepared(lr, lr / correction1, 1 / math.sqrt(correction2))

    def _step_numbers(self, first: int, rates: list[float]) -> npt.NDArray[np.float64]:
        """Return what `_numbers` returns of each step, to the bit, in a fraction of the time."""
        beta1, beta2 = self.betas
        steps = range(first, first + len(rates))
        rows = np.tile(np.array(self._numbers(first, rates[0])), (len(rates), 1))
        shrinks = {rate: self._shrink(rate) for rate in set(rates)}
        rows[:, 2] = [shrinks[rate] for rate in rates]
        rows[:, 6] = 1 / np.sqrt([1 - beta2**step for step in steps])
        rows[:, 8] = np.array(rates) / [1 - beta1**step for step in steps]
        return rows

    def _row_numbers(self, step: int, lr: float) -> tuple[float, ...]:
        beta1, beta2 = self.betas
        correction1, correction2 = 1 - beta1**step, 1 - beta2**step
        return self._prepared(lr, lr * math.sqrt(correction2) / correction1, 1.0)

    def _prepared(self, lr: float, step_size: float, root_scale: float) -> tuple[float, ...]:
        s = self.settings
        beta1, beta2 = s["betas"]
        return (
            sign(s["maximize"]),
            s["weight_decay"],
            self._shrink(lr),
            lerp_coefficient(1 - beta1),
            beta2,
            1 - beta2,
            root_scale,
            s["eps"],
            step_size,
        )


class AdamW(Adam):
    """
    Adam with decoupled weight decay.

    The update of ``torch.optim.AdamW``: `Adam`'s on the plain gradient, after
    ``param *= 1 - lr * weight_decay``.

    Parameters
    ----------
    lr : float or callable
        Learning rate, at least 0, or a schedule: see `fastloss.optim.schedules`.
    betas : tuple of float
        Both at least 0 and below 1: what the averages keep of themselves in a step.
    eps : float
        At least 0, added to the root.
    weight_decay : float
        At least 0.
    amsgrad : bool
        Divide by the root of the largest average so far.
    maximize : bool
        Climb instead of descending.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    References
    ----------
    Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> optimizer = fl.optim.AdamW(lr=0.5, weight_decay=0.1)
    >>> weights = np.array([1.0, 2.0])
    >>> optimizer.step(weights, np.array([3.0, -0.1]))
    >>> weights.round(6)
    array([0.45, 2.4 ])
    """

    def __init__(
        self,
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        self._begin(_adam_settings(lr, betas, eps, weight_decay, amsgrad, maximize), 0)

    def _shrink(self, lr: float) -> float:
        return 1 - lr * float(self.weight_decay)


def _adam_settings(
    lr: float | Schedule,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    amsgrad: bool,
    maximize: bool,
) -> dict[str, Any]:
    try:
        beta1, beta2 = betas
    except (TypeError, ValueError):
        raise TypeError(f"betas = {betas!r}: expected two numbers") from None
    return {
        "lr": checked_rate("lr", lr),
        "betas": (
            between("betas[0]", beta1, 0, 1, closed="left"),
            between("betas[1]", beta2, 0, 1, closed="left"),
        ),
        "eps": nonnegative("eps", eps),
        "weight_decay": nonnegative("weight_decay", weight_decay),
        "amsgrad": truth("amsgrad", amsgrad),
        "maximize": truth("maximize", maximize),
    }
