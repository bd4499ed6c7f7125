"""Adagrad."""

from __future__ import annotations

from fastloss.losses._parameters import nonnegative, truth
from fastloss.optim._optimizer import DECAY, Optimizer
from fastloss.optim._settings import Schedule, checked_rate, setting, sign


class Adagrad(Optimizer):
    """
    Adagrad: each element's rate falls with the sum of its squared gradients.

    The update of ``torch.optim.Adagrad``, in step t::

        g = grad + weight_decay * param
        sum += g**2
        param -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(sum) + eps)

    Parameters
    ----------
    lr : float or callable
        Learning rate, at least 0, or a schedule: see `fastloss.optim.schedules`.
    lr_decay : float
        At least 0.
    weight_decay : float
        L2 penalty, at least 0.
    initial_accumulator_value : float
        At least 0: what the sum begins with.
    eps : float
        At least 0, added to the root.
    maximize : bool
        Climb instead of descending.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    References
    ----------
    Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic
    optimization, JMLR 2011.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> optimizer = fl.optim.Adagrad(lr=0.5)
    >>> embedding = np.zeros((3, 2))
    >>> optimizer.step_rows(embedding, [2, 0, 2], np.array([[1.0, 2.0], [4.0, 4.0], [1.0, 2.0]]))
    >>> embedding
    array([[-0.5, -0.5],
           [ 0. ,  0. ],
           [-0.5, -0.5]])
    """

    lr_decay = setting("lr_decay")
    weight_decay = setting("weight_decay")
    initial_accumulator_value = setting("initial_accumulator_value")
    eps = setting("eps")
    maximize = setting("maximize")

    def __init__(
        self,
        lr: float | Schedule = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        initial = nonnegative("initial_accumulator_value", initial_accumulator_value)
        settings = {
            "lr": checked_rate("lr", lr),
            "lr_decay": nonnegative("lr_decay", lr_decay),
            "weight_decay": nonnegative("weight_decay", weight_decay),
            "initial_accumulator_value": initial,
            "eps": nonnegative("eps", eps),
            "maximize": truth("maximize", maximize),
        }
        super().__init__(
            "adagrad",
            settings,
            ("sum",),
            variant=DECAY * bool(weight_decay),
            initial=initial,
        )

    def _numbers(self, step: int, lr: float) -> tuple[float, ...]:
        s = self.settings
        return (
            sign(s["maximize"]),
            s["weight_decay"],
            lr / (1 + (step - 1) * s["lr_decay"]),
            s["eps"],
        )
