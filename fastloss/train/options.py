"""Options that training and prediction share: how a CSV file is written."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fastloss.cli.extras import require

if TYPE_CHECKING:
    from fastloss.train.table import Dialect

_PACKAGES = (
    ("pandas", "the reading of the file"),
    ("sklearn", "the model and its preprocessing"),
    ("rich", "the progress bar and the tables"),
    ("matplotlib", "the learning curve"),
)


def add_csv_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options on how a CSV file is written."""
    group = parser.add_argument_group("how a CSV file is written")
    group.add_argument(
        "--separator",
        metavar="CHARACTER",
        type=_separator,
        help="between columns, or tab (default: a comma, in .tsv files a tab)",
    )
    group.add_argument(
        "--decimal",
        metavar="CHARACTER",
        choices=(".", ","),
        default=".",
        help="the decimal sign, . or , (default: %(default)s)",
    )
    group.add_argument("--encoding", default="utf-8", help="of the text (default: %(default)s)")
    group.add_argument(
        "--missing",
        nargs="+",
        default=[],
        metavar="TEXT",
        help="what stands for no value, besides nothing, NA, NaN, null and the like",
    )


def _separator(text: str) -> str:
    separator = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(separator) != 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not one character, nor tab")
    return separator


def dialect(arguments: argparse.Namespace) -> Dialect:
    """Return what those options say."""
    from fastloss.train.table import Dialect  # only now: pandas may be missing

    return Dialect(
        arguments.separator, arguments.decimal, arguments.encoding, tuple(arguments.missing)
    )


def require_packages(*files: Path | None) -> None:
    """Check that what the commands need is installed, pyarrow where one of the files is Parquet."""
    require(_PACKAGES, extra="train")
    if any(file is not None and file.suffix.lower() in (".parquet", ".pq") for file in files):
        require([("pyarrow", "the reading and writing of Parquet files")], extra="train")
