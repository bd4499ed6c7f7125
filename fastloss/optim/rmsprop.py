"""RMSprop."""

from __future__ import annotations

from fastloss.losses._parameters import nonnegative, truth
from fastloss.optim._optimizer import DECAY, RMSPROP_CENTERED, RMSPROP_MOMENTUM, Optimizer
from fastloss.optim._settings import Schedule, checked_rate, lerp_coefficient, setting, sign


class RMSprop(Optimizer):
    """
    RMSprop: the gradient over the root of a moving average of its square.

    The update of ``torch.optim.RMSprop``::

        g = grad + weight_decay * param
        square = alpha * square + (1 - alpha) * g**2
        mean += (1 - alpha) * (g - mean)                      # centered
        root = sqrt(square - mean**2 if centered else square) + eps
        buffer = momentum * buffer + g / root
        param -= lr * buffer

    Parameters
    ----------
    lr : float or callable
        Learning rate, at least 0, or a schedule: see `fastloss.optim.schedules`.
    alpha : float
        At least 0: what the averages keep of themselves in a step.
    eps : float
        At least 0, added to the root.
    weight_decay : float
        L2 penalty, at least 0.
    momentum : float
        At least 0.
    centered : bool
        Divide by an estimate of the standard deviation.
    maximize : bool
        Climb instead of descending.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    Where rounding makes ``square - mean**2`` negative, as after many equal gradients, it counts as 0;
    in torch the parameter becomes NaN.

    References
    ----------
    Tieleman and Hinton, Lecture 6.5 - RMSprop, Neural networks for machine learning, 2012. Graves,
    Generating sequences with recurrent neural networks, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> optimizer = fl.optim.RMSprop(lr=0.25, alpha=0.75)
    >>> weights = np.array([1.0, 2.0])
    >>> optimizer.step(weights, np.array([3.0, -0.1]))
    >>> weights.round(6)
    array([0.5, 2.5])
    """

    alpha = setting("alpha")
    eps = setting("eps")
    weight_decay = setting("weight_decay")
    momentum = setting("momentum")
    centered = setting("centered")
    maximize = setting("maximize")

    def __init__(
        self,
        lr: float | Schedule = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": checked_rate("lr", lr),
            "alpha": nonnegative("alpha", alpha),
            "eps": nonnegative("eps", eps),
            "weight_decay": nonnegative("weight_decay", weight_decay),
            "momentum": nonnegative("momentum", momentum),
            "centered": truth("centered", centered),
            "maximize": truth("maximize", maximize),
        }
        super().__init__(
            "rmsprop",
            settings,
            (
                "square_avg",
                "grad_avg" if centered else None,
                "momentum_buffer" if momentum else None,
            ),
            variant=DECAY * bool(weight_decay)
            | RMSPROP_CENTERED * bool(centered)
            | RMSPROP_MOMENTUM * bool(momentum),
        )

    def _numbers(self, step: int, lr: float) -> tuple[float, ...]:
        s = self.settings
        return (
            sign(s["maximize"]),
            s["weight_decay"],
            lr,
            s["alpha"],
            1 - s["alpha"],
            lerp_coefficient(1 - s["alpha"]),
            s["eps"],
            s["momentum"],
        )
