"""Stochastic gradient descent."""

from __future__ import annotations

from fastloss.losses._parameters import nonnegative, real, truth
from fastloss.optim._optimizer import DECAY, SGD_FIRST, SGD_MOMENTUM, SGD_NESTEROV, Optimizer
from fastloss.optim._settings import Schedule, checked_rate, setting, sign


class SGD(Optimizer):
    """
    Stochastic gradient descent, with momentum and weight decay.

    The update of ``torch.optim.SGD``::

        g = grad + weight_decay * param
        buffer = momentum * buffer + (1 - dampening) * g      # the first step: buffer = g
        param -= lr * (g + momentum * buffer if nesterov else buffer)

    Parameters
    ----------
    lr : float or callable
        Learning rate, at least 0, or a schedule: see `fastloss.optim.schedules`.
    momentum : float
        At least 0; with 0 there is no buffer.
    dampening : float
        Dampening of the gradient in the buffer.
    weight_decay : float
        L2 penalty, at least 0.
    nesterov : bool
        Nesterov's momentum; needs momentum > 0 and dampening = 0.
    maximize : bool
        Climb instead of descending.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    In `step_rows` the buffer of a row begins at zeros, and decays where the row is named alone.

    References
    ----------
    Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep
    learning, ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> optimizer = fl.optim.SGD(lr=0.5, momentum=0.5)
    >>> weights, bias = np.zeros(2), np.zeros(1)
    >>> optimizer.step([weights, bias], [np.array([1.0, -1.0]), np.array([2.0])])
    >>> optimizer.step([weights, bias], [np.array([1.0, -1.0]), np.array([2.0])])
    >>> weights, bias
    (array([-1.25,  1.25]), array([-2.5]))
    """

    momentum = setting("momentum")
    dampening = setting("dampening")
    weight_decay = setting("weight_decay")
    nesterov = setting("nesterov")
    maximize = setting("maximize")

    def __init__(
        self,
        lr: float | Schedule = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": checked_rate("lr", lr),
            "momentum": nonnegative("momentum", momentum),
            "dampening": real("dampening", dampening),
            "weight_decay": nonnegative("weight_decay", weight_decay),
            "nesterov": truth("nesterov", nesterov),
            "maximize": truth("maximize", maximize),
        }
        if nesterov and (settings["momentum"] == 0 or settings["dampening"] != 0):
            raise ValueError(
                f"nesterov = True: needs momentum > 0 (is {momentum!r}) and dampening = 0 (is "
                f"{dampening!r})"
            )
        super().__init__(
            "sgd",
            settings,
            ("momentum_buffer",) if momentum else (),
            variant=DECAY * bool(weight_decay)
            | SGD_MOMENTUM * bool(momentum)
            | SGD_NESTEROV * bool(nesterov),
            first=SGD_FIRST if momentum else 0,
        )

    def _numbers(self, step: int, lr: float) -> tuple[float, ...]:
        s = self.settings
        return (
            sign(s["maximize"]),
            s["weight_decay"],
            lr,
            s["momentum"],
            1 - s["dampening"],
        )
