"""Calls of which an object has one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_CALLS: dict[int, object] = {}  # of objects, by id: no copy of an object takes it along


@contextmanager
def alone(owner: object, doing: str) -> Iterator[None]:
    """
    Keep other calls from an object, those of other threads and those from within this one.

    Parameters
    ----------
    owner : object
        The object.
    doing : str
        What the call does, for the message.

    Raises
    ------
    RuntimeError
        If another call is under way.
    """
    mine = object()
    try:
        # in one step, before which no other thread comes, and behind which Ctrl-C finds `finally`
        if _CALLS.setdefault(id(owner), mine) is not mine:
            _refuse(owner, doing)
        yield
    finally:
        if _CALLS.get(id(owner)) is mine:
            del _CALLS[id(owner)]


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
