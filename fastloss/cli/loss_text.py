"""Losses as one writes them on a command line: a name, with parameters after a colon or in brackets."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import fastloss as fl
from fastloss.losses.registry import did_you_mean, loss_classes

#: Numbers that have no literals in Python, as they are printed.
_INFINITE = {
    "inf": math.inf,
    "-inf": -math.inf,
    "float('inf')": math.inf,
    "float('-inf')": -math.inf,
}


def parse_loss(text: str) -> Any:
    """
    Return the loss of "name", "name:parameter=value,parameter=value" or "name(parameter=value)".

    Parameters
    ----------
    text : str
        A name of ``fl.available_losses()``, or a class's before brackets, with the parameters that are
        not to have their defaults, in Python's notation; also inf and -inf. A word that is none of
        these is taken as text.

    Returns
    -------
    loss
        The instance.

    Raises
    ------
    ValueError
        If there is no such loss or parameter, or a value is refused.
    """
    called = re.fullmatch(r"\s*([\w-]+)\((.*)\)\s*", text)
    name, rest = called.groups() if called else text.partition(":")[::2]
    if called:  # as it is printed
        name = {cls.__name__: loss for loss, cls in loss_classes().items()}.get(name, name)
    params: dict[str, object] = {}
    # commas outside brackets
    for item in filter(None, re.split(r",(?![^(\[{]*[)\]}])", rest)):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals:
            hint = f"; several numbers stand in parentheses, {[*params][-1]}=(…)" if params else ""
            raise ValueError(f"{text!r}: expected parameter=value, got {item!r}{hint}")
        try:
            params[key] = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            params[key] = _INFINITE.get(value, value)
    name = known_name(name)
    try:
        return fl.get_loss(name, **params)
    except TypeError as error:
        raise ValueError(f"{text!r}: {error}") from None


def loss_name(text: str) -> str:
    """Return the name as the registry has it, where hyphens may stand for underscores."""
    return text.strip().replace("-", "_")


def known_name(text: str) -> str:
    """Return `loss_name`, or raise a ValueError if there is no such loss."""
    name = loss_name(text)
    if name not in fl.available_losses():
        alone = name.partition(":")[0].partition("(")[0]
        if alone != name and alone in fl.available_losses():
            raise ValueError(f"{text!r}: expected the name alone, {alone}, without parameters")
        hint = did_you_mean(name, fl.available_losses())
        raise ValueError(f"there is no loss {text!r}{hint} (`fastloss losses` lists them)")
    return name


def short_name(loss: Any) -> str:
    """Return the loss as one writes it, without the parameters that have their defaults."""
    try:
        defaults = type(loss)().params
    except TypeError:  # a parameter has none
        defaults = {}
    chosen = [f"{k}={v!r}" for k, v in loss.params.items() if k not in defaults or defaults[k] != v]
    return f"{type(loss).__name__}({', '.join(chosen)})"
