"""Types of command-line arguments."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def at_least(minimum: int) -> Callable[[str], int]:
    """Return an argparse type for integers of at least `minimum`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not an integer") from None
        if value < minimum:
            raise argparse.ArgumentTypeError(f"{value} is less than {minimum}")
        return value

    return parse


def number(low: float, high: float, ends: str) -> Callable[[str], float]:
    """Return an argparse type for finite numbers of an interval.

    Parameters
    ----------
    low, high : float
        Its ends.
    ends : {"between", "closed", "at least"}
        Which of them belong to it: none, both, the lower one.
    """
    expected = {
        "between": f"a number between {low:g} and {high:g}",
        "closed": f"a number of {low:g} to {high:g}",
        "at least": f"a finite number of at least {low:g}",
    }[ends]

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        above = value > low if ends == "between" else value >= low
        below = value <= high if ends == "closed" else value < high
        if not (above and below):
            raise argparse.ArgumentTypeError(f"{text}: expected {expected}")
        return value

    return parse
