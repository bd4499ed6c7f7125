"""Losses by name."""

from __future__ import annotations

from typing import Any

from fastloss.losses import counts, focal, links, logistic, margins, multiclass, regression

_CLASSES: dict[str, Any] = {
    vars(cls)["name"]: cls
    for module in (regression, counts, logistic, focal, links, margins, multiclass)
    for cls in vars(module).values()
    if isinstance(cls, type) and cls.__module__ == module.__name__ and "name" in vars(cls)
}


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
    return tuple(sorted(_CLASSES))


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
        cls = _CLASSES[name]
    except (KeyError, TypeError):
        raise ValueError(
            f"name = {name!r}: expected one of {', '.join(available_losses())}"
        ) from None
    return cls(**params)
