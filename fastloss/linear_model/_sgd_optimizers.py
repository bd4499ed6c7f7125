"""The optimizers of SGDClassifier and SGDRegressor, by name or as instances."""

from __future__ import annotations

from typing import Any

import fastloss as fl
from fastloss.linear_model._parameters import nonnegative, one_of

PLAIN = "sgd"
OPTIMIZERS = (PLAIN, "adam", "adamw", "adagrad", "rmsprop", "ftrl")


def check_optimizer(
    optimizer: Any,
    penalty: str | None,
    learning_rate: str,
    power_t: float,
    momentum: float,
    nesterov: bool,
) -> None:
    """Check an optimizer, and that the parameters of plain steps do not ask for what it has not."""
    if isinstance(optimizer, str):
        one_of("optimizer", optimizer, OPTIMIZERS)
        if optimizer == PLAIN:
            return
    elif not isinstance(optimizer, fl.optim.Optimizer):
        raise TypeError(
            f"optimizer = {optimizer!r}: expected {', '.join(map(repr, OPTIMIZERS))} or an instance "
            f"of an optimizer of fastloss.optim"
        )
    if momentum or nesterov:
        name, value = ("momentum", momentum) if momentum else ("nesterov", nesterov)
        raise ValueError(
            f"{name} = {value!r}: belongs to optimizer='sgd'; expected {type(value)(0)!r}, or an "
            f"instance that has it, as optimizer=fl.optim.SGD(lr=0.01, momentum=0.9)"
        )
    if learning_rate in ("pa1", "pa2"):
        raise ValueError(f"learning_rate = {learning_rate!r}: expected optimizer='sgd'")
    if penalty in ("l1", "elasticnet") and not _is_ftrl(optimizer):
        raise ValueError(
            f"penalty = {penalty!r}: optimizer = {optimizer!r} has no L1 penalty; expected 'l2' or "
            f"None, or optimizer='ftrl' or 'sgd'"
        )
    if isinstance(optimizer, str):
        if learning_rate == "invscaling":
            nonnegative("power_t", power_t)
    elif learning_rate == "adaptive" and callable(optimizer.lr):
        raise ValueError(
            f"learning_rate = 'adaptive': optimizer = {optimizer!r} has a schedule; expected a number "
            f"as its lr"
        )


def make_optimizer(optimizer: Any, learning_rate: str, eta0: float, power_t: float) -> Any:
    """Return a checked optimizer as an instance, None for plain steps."""
    if not isinstance(optimizer, str):
        return optimizer
    if optimizer == PLAIN:
        return None
    lr: Any = float(eta0)
    if learning_rate == "invscaling":
        lr = fl.optim.InverseScaling(lr, float(power_t))
    if optimizer == "adam":
        return fl.optim.Adam(lr)
    if optimizer == "adamw":
        return fl.optim.AdamW(lr, weight_decay=0.0)  # alpha is to be it
    if optimizer == "adagrad":
        return fl.optim.Adagrad(lr)
    if optimizer == "rmsprop":
        return fl.optim.RMSprop(lr)
    return fl.optim.FTRL(lr)


def penalises(optimizer: Any) -> bool:
    """Return whether the penalty is a part of the objective, not only of the steps."""
    return not _is_ftrl(optimizer) and not (
        optimizer == "adamw" or isinstance(optimizer, fl.optim.AdamW)
    )


def _is_ftrl(optimizer: Any) -> bool:
    return isinstance(optimizer, fl.optim.FTRL) or (
        isinstance(optimizer, str) and optimizer == "ftrl"
    )
