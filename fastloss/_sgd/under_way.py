"""Calls of which an object has one at a time."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

#: by the id of the object: no copy takes it along; what the call does
_CALLS: dict[int, list[str]] = {}

FIT = "a fit"
EPOCH = "an epoch"


def alone(
    doing: str,
) -> Callable[[Callable[Concatenate[Any, P], R]], Callable[Concatenate[Any, P], R]]:
    """
    Make a method refuse calls while one is under way: of another thread, or from within it.

    Parameters
    ----------
    doing : str
        What the method does, for the message.

    Returns
    -------
    callable
        A decorator; the method raises RuntimeError.
    """

    def decorate(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
        @functools.wraps(method)
        def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
            key, mine = id(self), [doing]
            try:
                # one step, in which no other thread comes between
                if _CALLS.setdefault(key, mine) is not mine:
                    _refuse(self, doing)
                return method(self, *args, **kwargs)
            finally:
                # Ctrl-C comes behind calls: there is none here, and the entry does not outlive it
                try:
                    if _CALLS[key] is mine:
                        del _CALLS[key]
                except KeyError:  # another thread's, which has ended
                    pass

        return call

    return decorate


def refuse_meanwhile(owner: object, doing: str) -> None:
    """
    Raise an error if a call of an object is under way.

    Parameters
    ----------
    owner : object
        The object.
    doing : str
        What the call does.

    Raises
    ------
    RuntimeError
        If it is.
    """
    if id(owner) in _CALLS:
        _refuse(owner, doing)


def _refuse(owner: object, doing: str) -> None:
    raise RuntimeError(
        f"this {type(owner).__name__} is in the middle of {doing}: expected no call before its end"
    )


def _forked() -> None:
    """Let estimators fit where their threads are not; the state of half an epoch stays refused."""
    for key, (doing,) in list(_CALLS.items()):
        if doing == FIT:
            del _CALLS[key]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
