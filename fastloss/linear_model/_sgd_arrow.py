"""Arrow and Parquet data as batches of arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


class ArrowBatches:
    """
    Batches (X, y[, sample_weight]) from Arrow or Parquet data, of which one is in memory at a time.

    Each time it is iterated over it starts anew, except on a RecordBatchReader, which can be read once.
    Needs pyarrow: ``pip install 'fastloss[arrow]'``.

    Parameters
    ----------
    source : path, pyarrow.dataset.Dataset, pyarrow.Table, RecordBatch, RecordBatchReader or ParquetFile
        The data; a path names a Parquet file, or a folder of them.
    target : str
        The column of the targets or classes.
    weight : str, optional
        The column of sample weights.
    features : sequence of str, optional
        The columns of the features, numbers or booleans; all others by default.
    batch_rows : int, default=65536
        Rows of a batch at most.
    dtype : dtype, optional
        float32 or float64; by default float32 if all features are, else float64.

    Attributes
    ----------
    feature_names : list of str
        The columns of the features.
    one_pass : bool
        Whether the data can be read once only.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FileNotFoundError
        If there is no file or folder of that path.
    TypeError
        If the source is no Arrow data, or features is a text.
    ValueError
        If a column is missing, is not numbers, has nulls, or is named for two uses; or a file cannot be
        read as Parquet.

    Examples
    --------
    >>> from fastloss.linear_model import ArrowBatches, SGDRegressor
    >>> batches = ArrowBatches("flights.parquet", "delay")  # doctest: +SKIP
    >>> model = SGDRegressor().fit(batches)  # doctest: +SKIP
    """

    def __init__(
        self,
        source: Any,
        target: str,
        *,
        weight: str | None = None,
        features: Sequence[str] | None = None,
        batch_rows: int = 65536,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        try:
            import pyarrow
        except ImportError:
            raise ImportError(
                "ArrowBatches needs pyarrow, which is not installed: pip install 'fastloss[arrow]'"
            ) from None
        if isinstance(batch_rows, bool) or not isinstance(batch_rows, int) or batch_rows < 1:
            raise ValueError(f"batch_rows = {batch_rows!r}: expected an integer of at least 1")
        if isinstance(source, str | os.PathLike):
            source = _dataset(os.fspath(source))
        self._source, self.target, self.weight = source, target, weight
        self.batch_rows = batch_rows
        schema = getattr(source, "schema_arrow", None) or getattr(source, "schema", None)
        if not isinstance(schema, pyarrow.Schema):
            raise TypeError(f"source = {source!r}: expected a path or Arrow data")
        if isinstance(features, str):
            raise TypeError(f"features = {features!r}: expected a list of columns")
        if weight == target:
            raise ValueError(f"weight: column {weight!r} is the target, too")
        others = {target, weight}
        names = [name for name in schema.names if name not in others]
        self.feature_names = names if features is None else [str(name) for name in features]
        wanted = [("target", target), *(("features", name) for name in self.feature_names)]
        if weight is not None:
            wanted.append(("weight", weight))
        for argument, name in wanted:
            found = schema.names.count(name)
            if found != 1:
                raise ValueError(
                    f"{argument}: {found or 'no'} columns are named {name!r}; the columns are "
                    f"{', '.join(map(repr, schema.names))}"
                )
        for name in self.feature_names:
            if name in others:
                raise ValueError(f"features: column {name!r} is the target or the weight, too")
            if self.feature_names.count(name) > 1:
                raise ValueError(f"features: column {name!r} is named twice")
        if not self.feature_names:
            raise ValueError("features: there are no columns; expected at least one")
        kinds = [schema.field(name).type for name in self.feature_names]
        for name, kind in zip(self.feature_names, kinds, strict=True):
            if not _is_number(kind):
                raise ValueError(
                    f"features: column {name!r} is of type {kind}; expected numbers or booleans "
                    f"(features= chooses columns)"
                )
        if dtype is None:
            single = all(kind == pyarrow.float32() for kind in kinds)
            self.dtype: np.dtype[Any] = np.dtype(np.float32 if single else np.float64)
        else:
            self.dtype = np.dtype(dtype)
            if self.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
                raise ValueError(f"dtype = {dtype!r}: expected float32 or float64")
        self.one_pass = hasattr(source, "read_next_batch")
        self._read = False

    def __repr__(self) -> str:
        """Return what is read."""
        weight = "" if self.weight is None else f", weight={self.weight!r}"
        return (
            f"<ArrowBatches of target={self.target!r}{weight} and {len(self.feature_names)} features, "
            f"{self.dtype}>"
        )

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Read the data, batch by batch."""
        first = 0
        others = [self.target] if self.weight is None else [self.target, self.weight]
        for record in self._records(list(dict.fromkeys([*self.feature_names, *others]))):
            X = np.empty((record.num_rows, len(self.feature_names)), self.dtype)
            for j, name in enumerate(self.feature_names):
                X[:, j] = self._column(record, name, first)
            y = self._column(record, self.target, first)
            if self.weight is None:
                yield X, y
            else:
                yield X, y, self._column(record, self.weight, first)
            first += record.num_rows

    def targets(self) -> Iterator[npt.NDArray[Any]]:
        """
        Read the column of the targets alone, batch by batch.

        Yields
        ------
        ndarray
            The targets of a batch.
        """
        first = 0
        for record in self._records([self.target]):
            yield self._column(record, self.target, first)
            first += record.num_rows

    def _records(self, columns: list[str]) -> Iterator[Any]:
        """Return record batches of some columns, not longer than batch_rows."""
        from pyarrow import ArrowInvalid

        try:
            yield from self._slices(columns)
        except ArrowInvalid as error:  # a file of the folder may be another kind
            raise ValueError(f"source: {str(error).splitlines()[0]}") from None

    def _slices(self, columns: list[str]) -> Iterator[Any]:
        source, size = self._source, self.batch_rows
        records: Iterable[Any]
        if hasattr(source, "read_row_group"):  # a Parquet file
            groups = range(source.num_row_groups)
            records = _batches(source.read_row_group(g, columns=columns) for g in groups)
        elif hasattr(source, "get_fragments"):  # a data set
            records = _fragments(source, columns, size)
        elif hasattr(source, "read_next_batch"):
            if self._read:
                raise ValueError(
                    "source: a RecordBatchReader can be read once only; expected data that can "
                    "be read again, or max_iter=1 and classes="
                )
            self._read = True
            records = source
        elif hasattr(source, "to_batches"):  # a table
            records = source.to_batches(max_chunksize=size)
        else:  # one batch
            records = [source]
        for record in records:
            for start in range(0, record.num_rows, size):
                yield record.slice(start, size)

    def _column(self, record: Any, name: str, first: int) -> npt.NDArray[Any]:
        column = record.column(record.schema.get_field_index(name))
        if hasattr(column, "dictionary_decode"):  # first: a null may stand among the values
            column = column.dictionary_decode()
        if column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
            raise ValueError(f"column {name!r}, row {first + row}: is null; expected a value")
        return np.asarray(column.to_numpy(zero_copy_only=False))


def _dataset(path: str) -> Any:
    """Return a Parquet file, or a folder of them."""
    import pyarrow
    import pyarrow.dataset

    if not Path(path).exists():
        raise FileNotFoundError(f"source = {path!r}: no such file or folder")
    try:
        dataset = pyarrow.dataset.dataset(path, format="parquet")
    except (pyarrow.ArrowException, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"source = {path!r}: no Parquet file or folder of them: {reason}"
        ) from None
    if not dataset.files:
        raise ValueError(f"source = {path!r}: the folder holds no files; expected Parquet files")
    return dataset


def _batches(tables: Iterable[Any]) -> Iterator[Any]:
    for table in tables:
        yield from table.to_batches()


def _fragments(dataset: Any, columns: list[str], size: int) -> Iterator[Any]:
    """
    Return the record batches of a data set, of Parquet files one row group after another.

    pyarrow's own readers of whole files keep what they have read of one until its end.
    """
    ahead = {"batch_size": size, "batch_readahead": 1, "fragment_readahead": 1}
    try:
        fragments = dataset.get_fragments()
    except ValueError:  # of a filtered data set there are none
        yield from dataset.scanner(columns=columns, **ahead).to_batches()
        return
    for fragment in fragments:
        if hasattr(fragment, "split_by_row_group"):
            pieces = fragment.split_by_row_group(schema=dataset.schema)
            yield from _batches(p.to_table(schema=dataset.schema, columns=columns) for p in pieces)
        else:
            scanner = fragment.scanner(schema=dataset.schema, columns=columns, **ahead)
            yield from scanner.to_batches()


def is_arrow(X: Any) -> bool:
    """Return whether X is data of pyarrow, without importing it, or the path of a Parquet file."""
    return isinstance(X, str | os.PathLike) or type(X).__module__.split(".")[0] == "pyarrow"


def _is_number(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or (types.is_dictionary(kind) and _is_number(kind.value_type))
    )
