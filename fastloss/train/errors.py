"""What is wrong with a file, a column or an option."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """A fault that the user can mend; the message names file, line, column and value."""


def unknown_column(option: str, name: str, columns: Iterable[str]) -> InputError:
    """Return the error about a column that the file does not have, with the likeliest name."""
    known = list(columns)
    lower = {column.lower(): column for column in known}
    near = get_close_matches(name.lower(), lower, 1)
    hint = f"; did you mean {lower[near[0]]!r}?" if near else ""
    return InputError(
        f"{option} {name!r}: there is no such column, only {some(map(repr, known), 20)}{hint}"
    )


def count(n: int, noun: str) -> str:
    """Return "1 row", "2 rows"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def some(words: Iterable[str], most: int = 5) -> str:
    """Return words with commas, the first ones and how many more there are."""
    listed = list(words)
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more} more" if more > 0 else "")
