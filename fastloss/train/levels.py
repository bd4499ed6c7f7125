"""The levels of a column of categories, and how values in other spellings find theirs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_NUMBER = re.compile(r"([-+]?)(\d+)(?:\.(\d*))?", re.ASCII)
_TRUTH = frozenset({"True", "TRUE", "true", "False", "FALSE", "false"})  # as pandas reads them


class Levels:
    """
    The levels that a column had where the model was fitted.

    A text that is one of them stays what it is. Another one that stands for the same number or truth
    value as one level becomes that level, as files and dtypes spell "1" as "1.0" next to a gap, "03"
    as "3" and "true" as "True"; so does one that differs from one level by blanks around it alone.

    Parameters
    ----------
    texts : iterable of str
        The levels; NaN among them is passed over.
    """

    def __init__(self, texts: Iterable[Any]) -> None:
        self._texts = frozenset(text for text in texts if isinstance(text, str))
        values = {text: _value(text.strip()) for text in self._texts}
        often = Counter(values.values())
        # of several levels of one value, as "3" and "03", the plain spelling has it
        self._by_value = {
            value: text
            for text, value in values.items()
            if value is not None and (often[value] == 1 or text == value)
        }
        bare = Counter(text.strip() for text in self._texts)
        self._by_bare = {t.strip(): t for t in self._texts if bare[t.strip()] == 1}

    def find(self, text: str) -> str:
        """Return the level that a text stands for; the text itself if that is none of them."""
        if text in self._texts:
            return text
        bare = text.strip()
        value = _value(bare)
        found = None if value is None else self._by_value.get(value)
        return found or self._by_bare.get(bare, text)

    def __contains__(self, text: Any) -> bool:
        """Return whether a text is a level."""
        return text in self._texts


def _value(text: str) -> str | None:
    """Return the plain spelling of a number or truth value; None of other texts."""
    if text in _TRUTH:
        return text.capitalize()
    found = _NUMBER.fullmatch(text)
    if found is None:  # also 1E5, which rather is a code
        return None
    whole = found[2].lstrip("0") or "0"
    fraction = (found[3] or "").rstrip("0")
    number = f"{whole}.{fraction}" if fraction else whole
    return f"-{number}" if found[1] == "-" and number != "0" else number


def category_text(column: Any, find: Callable[[str], str] = str) -> NDArray[Any]:
    """Return the values of a column as an array of texts and NaN; `find` may choose other texts."""
    codes, levels = pd.factorize(np.asarray(column, dtype=object))
    texts: NDArray[Any] = np.empty(len(levels) + 1, dtype=object)
    texts[:-1] = [find(_spell(level)) for level in levels]
    texts[-1] = np.nan  # of code -1, no value
    return np.asarray(texts[codes])


def _spell(level: Any) -> str:
    if isinstance(level, float | np.floating) and float(level).is_integer():
        level = int(level)
    return str(level)
