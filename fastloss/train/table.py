"""A CSV or Parquet file as a data frame that remembers where its rows stand."""

from __future__ import annotations

import errno
import lzma
import os
import re
import warnings
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fastloss.train.errors import InputError, some
from fastloss.train.text_file import TextFile

_PARQUET = (".parquet", ".pq")
_MOSTLY = 0.5  # the share of numbers from which the rest of a column is taken for mistakes
# Before 3.1 the default may miss the nearest number by some units of the last place.
_NEAREST: dict[str, Any] = (
    {"float_precision": "round_trip"}
    if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)
    else {}
)
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")


@dataclass(frozen=True)
class Dialect:
    """
    How a CSV file is written; a Parquet file knows it itself.

    Attributes
    ----------
    separator, decimal, encoding : str
        As the options of the command.
    missing : tuple of str
        What stands for no value, besides what pandas takes for it.
    """

    separator: str | None = None
    decimal: str = "."
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """
    Rows of a file.

    Attributes
    ----------
    path : Path
        The file.
    frame : DataFrame
        The rows; the index has their numbers in the file, from 0.
    text : TextFile or None
        The file as text, None for Parquet.
    decimal : str
        The decimal sign of texts that are numbers.
    """

    path: Path
    frame: Any
    text: TextFile | None
    decimal: str = "."

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    def take(self, rows: NDArray[Any]) -> Table:
        """Return the rows of a mask."""
        frame = self.frame[rows].copy()  # no view, so that columns may be replaced
        return replace(self, frame=frame)

    def place(self, i: int, column: str | None = None) -> str:
        """Return where the i-th row of the frame stands in the file, for a message."""
        row = int(self.frame.index[i])
        where = f"row {row}" if self.text is None else f"line {self.text.line(row)}"
        name = "" if column is None else f", column {column!r}"
        return f"{self.path}, {where}{name}"

    def numbers(self, column: str, *, what: str) -> NDArray[np.float64]:
        """
        Return a column as float64, NaN where there is no value.

        Parameters
        ----------
        column : str
            A column of numbers, or of texts that must be numbers.
        what : str
            Who wants numbers, for the error about one that is none or infinite.
        """
        series = self.frame[column]
        values = self.to_numbers(series)
        wrong = np.isnan(values) & series.notna().to_numpy()
        wrong |= np.isinf(values)
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"{self.place(i, column)}: {spell(series.iloc[i])}; {what} expects finite numbers"
            )
        return values

    def to_numbers(self, series: Any) -> NDArray[np.float64]:
        """Return a column as float64, NaN where there is no value or none that is a number."""
        if self.decimal != "." and is_text(series):
            series = series.astype(str).str.replace(self.decimal, ".", regex=False)
        numbers = pd.to_numeric(series, errors="coerce")
        return np.asarray(numbers.to_numpy(dtype=np.float64, na_value=np.nan))


def read_table(path: Path, dialect: Dialect, texts: Collection[str] = ()) -> Table:
    """
    Read a file.

    Parameters
    ----------
    path : Path
        Parquet where the suffix says so (.parquet, .pq), else CSV, which may be compressed.
    dialect : Dialect
        How CSV is written.
    texts : collection of str
        Columns that stay text, also where they look like numbers.

    Raises
    ------
    InputError
        If it cannot be read, is empty, or has rows of different lengths or columns of one name.
    """
    try:
        if path.suffix.lower() in _PARQUET:
            table = Table(path, _read_parquet(path), None)
        else:
            separator = dialect.separator
            if separator is None:
                separator = "\t" if ".tsv" in (s.lower() for s in path.suffixes) else ","
            text = TextFile(path, separator, dialect.encoding)
            table = Table(path, _read_csv(text, dialect, texts), text, dialect.decimal)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)  # pandas' says no more than the name
        reason = os.strerror(errno.ENOENT) if missing else error.strerror or error
        raise InputError(f"{path}: {reason}") from None
    except (EOFError, zipfile.BadZipFile, lzma.LZMAError, zlib.error) as error:
        raise InputError(f"{path}: the compressed file is broken: {error}") from None
    except LookupError as error:  # an unknown encoding
        raise InputError(f"{path}: {error}") from None
    if not len(table):
        raise InputError(f"{path}: there are column names, but no rows")
    return table


def _read_csv(text: TextFile, dialect: Dialect, texts: Collection[str]) -> Any:
    header = text.header()
    names = [name or f"column {j + 1} (no name)" for j, name in enumerate(header)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row that is too long
            frame = pd.read_csv(
                text.path,
                sep=text.separator,
                decimal=dialect.decimal,
                encoding=dialect.encoding,
                na_values=list(dialect.missing),
                names=names,
                header=0,
                index_col=False,
                skipinitialspace=True,
                dtype={name: str for name in texts if name in names},
                low_memory=False,
                **_NEAREST,
            )
    except UnicodeDecodeError:
        raise text.undecodable() from None
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError) as error:
        text.check_lengths(len(names))
        raise InputError(f"{text.path}: {error}") from None
    # pandas fills up rows that are too short
    if len(names) > 1 and frame[names[-1]].isna().any():
        text.check_lengths(len(names))
    frame.attrs["nameless"] = [n for n, given in zip(names, header, strict=True) if not given]
    return frame


def _read_parquet(path: Path) -> Any:
    import pyarrow as pa

    try:
        frame = pd.read_parquet(path)
    except (pa.ArrowException, ValueError) as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from None
    frame = frame.reset_index(drop=True)
    frame.columns = [str(name) for name in frame.columns]
    twice = frame.columns[frame.columns.duplicated()].unique()
    if len(twice):
        raise InputError(f"{path}: several columns have the name {some(map(repr, twice))}")
    frame.attrs["nameless"] = []
    return frame


def is_text(series: Any) -> bool:
    """Return whether a column is of texts (of Python objects, that is to say)."""
    return bool(
        pd.api.types.is_object_dtype(series.dtype) or pd.api.types.is_string_dtype(series.dtype)
    )


def is_number(series: Any) -> bool:
    """Return whether a column is of real numbers, truth values not among them."""
    dtype = series.dtype
    return bool(
        pd.api.types.is_numeric_dtype(dtype)
        and not pd.api.types.is_bool_dtype(dtype)
        and not pd.api.types.is_complex_dtype(dtype)
    )


def find_numbers(table: Table, column: str) -> bool:
    """
    Return whether a column of texts is of numbers throughout.

    Raises
    ------
    InputError
        If most of it is, which makes the rest look like mistakes.
    """
    series = table.frame[column]
    present = series.notna().to_numpy()
    numbers = present & ~np.isnan(table.to_numbers(series))
    n_present, n_numbers = int(present.sum()), int(numbers.sum())
    if n_numbers == n_present:
        return n_present > 0
    wrong = np.flatnonzero(present & ~numbers)
    first = series.iloc[wrong[0]]
    if n_numbers > _MOSTLY * n_present:
        raise InputError(
            f"{table.place(int(wrong[0]), column)}: {spell(first)} is no number, but {n_numbers:,} of "
            f"{n_present:,} values of this column are. Correct it; or --missing {str(first)!r} if it "
            f"stands for no value; or --categorical {column!r} if the column is of categories"
        )
    if table.decimal == "." and isinstance(first, str) and _DECIMAL_COMMA.fullmatch(first):
        commas = series[present].map(lambda v: bool(_DECIMAL_COMMA.fullmatch(str(v)))).sum()
        if commas + n_numbers > _MOSTLY * n_present:
            raise InputError(
                f"{table.place(int(wrong[0]), column)}: {spell(first)} is no number; if the comma is a "
                f"decimal sign, use --decimal , but if it stands between thousands, take it out of the "
                f"file"
            )
    return False


def spell(value: Any) -> str:
    """Spell a value of a table for a message."""
    return repr(value.item() if isinstance(value, np.generic) else value)
