"""Losses by name."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import Any

# what they are called elsewhere, where that does not look like our name
_ELSEWHERE = {
    "bce": "log_loss",
    "bce_with_logits": "log_loss",
    "binary": "log_loss",
    "ce": "cross_entropy",
    "crossentropyloss": "cross_entropy",
    "deviance": "log_loss",
    "l1": "absolute_error",
    "l2": "squared_error",
    "logistic": "log_loss",
    "lad": "absolute_error",
    "ls": "squared_error",
    "mae": "absolute_error",
    "mape": "absolute_percentage_error",
    "mse": "squared_error",
    "msle": "squared_log_error",
    "multinomial": "cross_entropy",
    "quantile": "pinball",
    "softmax": "cross_entropy",
    "svm": "hinge",
}


@cache
def _classes() -> dict[str, Any]:
    """Return every loss that the package exports, by its name."""
    from fastloss import losses

    exported: list[Any] = [getattr(losses, name) for name in losses.__all__]
    return {cls.name: cls for cls in exported if hasattr(cls, "name")}


def available_losses() -> tuple[str, ...]:
    """
    Return the names of all losses, sorted.

    Returns
    -------
    tuple of str
        Names that `get_loss` takes.

    Examples
    --------
    >>> import fastloss as fl
    >>> "log_loss" in fl.available_losses()
    True
    """
    return tuple(sorted(_classes()))


def get_loss(name: str, /, **params: Any) -> Any:
    """
    Return a loss by its name.

    Parameters
    ----------
    name : str
        One of `available_losses`.
    **params
        The parameters of its class.

    Returns
    -------
    loss
        An instance of the class.

    Raises
    ------
    ValueError
        If there is no loss of that name.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.get_loss("huber", delta=1.35)
    Huber(delta=1.35)
    """
    try:
        cls = _classes()[name]
    except (KeyError, TypeError):
        raise unknown_loss("name", name) from None
    return cls(**params)


def unknown_loss(argument: str, name: object) -> ValueError:
    """Return the error about an argument that should name a loss, with the likeliest name."""
    word = str(name).lower()
    near = [_ELSEWHERE[word]] if word in _ELSEWHERE else []
    near += get_close_matches(word, available_losses(), 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return ValueError(
        f"{argument} = {name!r}: expected one of {', '.join(available_losses())}{hint}"
    )
