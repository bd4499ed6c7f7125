"""``fastloss predict``: what a model of ``fastloss train`` says of new rows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fastloss.train.errors import InputError
from fastloss.train.options import add_csv_arguments, dialect, require_packages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastloss predict``."""
    parser.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help="a file that `fastloss train` wrote; loading one runs its code, so trust its origin",
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="a CSV or Parquet file")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=None,
        metavar="FILE",
        help="a .csv or .parquet file, one row for each of DATA (default: CSV on the terminal)",
    )
    parser.add_argument(
        "--proba", action="store_true", help="also the probability of each class, a column each"
    )
    add_csv_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Predict and return 0, or 2 with a message about a wrong model, file or option.

    Raises
    ------
    MissingExtraError
        When a package of the train extra is not installed.
    """
    require_packages(arguments.data, arguments.output)
    from fastloss.train.prediction import predict  # only now: it imports what may be missing

    try:
        notes = predict(
            arguments.model,
            arguments.data,
            arguments.output,
            dialect(arguments),
            probabilities=arguments.proba,
        )
    except InputError as error:
        print(f"fastloss predict: {error}", file=sys.stderr)
        return 2
    for note in notes:
        print(f"fastloss predict: {note}", file=sys.stderr)
    if arguments.output is not None:
        print(f"predictions: {arguments.output}")
    return 0
