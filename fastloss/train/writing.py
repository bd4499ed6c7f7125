"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fastloss.train.errors import InputError


def spare(inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """
    Check that no output would take the place of an input, also through a link.

    Raises
    ------
    InputError
        If one would.
    """
    sources = [path for path in inputs if path.exists()]
    for output in outputs:
        for source in sources:
            if output.exists() and output.samefile(source):
                raise InputError(
                    f"--output: {output} would take the place of the input {source}; expected "
                    f"another name"
                )


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a name to write to; the file then takes the place of `path`, or none if that fails."""
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
