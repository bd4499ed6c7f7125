"""A CSV file as text: its header, and where in it a row stands."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastloss.train.errors import InputError, some

_SEPARATORS = {"\t": "a tab", ";": "';'", "|": "'|'", ",": "','"}


@dataclass(frozen=True)
class TextFile:
    """
    A CSV file, plain or compressed.

    Attributes
    ----------
    path : Path
        The file; .gz, .bz2, .xz and .zip (of one member) are compressed.
    separator, encoding : str
        How it is written.
    """

    path: Path
    separator: str
    encoding: str

    def header(self) -> list[str]:
        """Return the names in the first line, checked; an empty one stays empty."""
        _, names = next(self._records(), (0, []))
        names = [name.strip() for name in names]
        if not any(names):
            raise InputError(f"{self.path}: the file is empty; expected a line of column names")
        twice = sorted({repr(name) for name in names if name and names.count(name) > 1})
        if twice:
            raise InputError(
                f"{self.path}, line 1: several columns have the name {some(twice)}; expected "
                f"different names"
            )
        if len(names) == 1:
            for other, spelled in _SEPARATORS.items():
                if other != self.separator and other in names[0]:
                    raise InputError(
                        f"{self.path}, line 1: one column only, {names[0]!r}; are the columns "
                        f"separated by {spelled}? Then: --separator {spelled.removeprefix('a ')}"
                    )
        return names

    def line(self, row: int) -> int:
        """Return the number of the line on which a row of the data begins, from 0."""
        for i, (line, _) in enumerate(self._records()):
            if i == row + 1:
                return line
        raise IndexError(row)

    def check_lengths(self, n_columns: int) -> None:
        """Raise an error about the first row that has too few or too many fields."""
        for line, fields in self._records():
            if len(fields) != n_columns:
                raise InputError(
                    f"{self.path}, line {line}: {len(fields)} fields; expected {n_columns}, as the "
                    f"header has"
                )

    def undecodable(self) -> InputError:
        """Return the error about the first line that is not written in the encoding."""
        with self._open_bytes() as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode(self.encoding)
                except UnicodeDecodeError as error:
                    return InputError(
                        f"{self.path}, line {number}: the byte 0x{line[error.start]:02x} at "
                        f"position {error.start} is not {self.encoding}; if the file is text, try "
                        f"--encoding latin-1"
                    )
        return InputError(f"{self.path}: not written in the encoding {self.encoding}")

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line numbers and fields, without the empty lines, which pandas skips too."""
        with self._open_bytes() as file:
            text = io.TextIOWrapper(file, encoding=_without_mark(self.encoding), newline="")
            reader = csv.reader(text, delimiter=self.separator, skipinitialspace=True)
            end = 0
            try:
                for fields in reader:
                    begin, end = end + 1, reader.line_num
                    if fields and not (len(fields) == 1 and not fields[0].strip()):
                        yield begin, fields
            except UnicodeDecodeError:
                raise self.undecodable() from None
            except csv.Error as error:
                raise InputError(f"{self.path}, line {reader.line_num}: {error}") from None

    @contextmanager
    def _open_bytes(self) -> Iterator[Any]:
        suffix = self.path.suffix.lower()
        if suffix == ".zip":
            with zipfile.ZipFile(self.path) as archive:
                members = [name for name in archive.namelist() if not name.endswith("/")]
                if len(members) != 1:
                    raise InputError(
                        f"{self.path}: {len(members)} files inside; expected one CSV file"
                    )
                with archive.open(members[0]) as file:
                    yield file
            return
        opener: Any = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(suffix, open)
        with opener(self.path, "rb") as file:
            yield file


def _without_mark(encoding: str) -> str:
    """Return the encoding that skips a byte order mark, where UTF-8 is meant."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
