"""``fastloss train``: a linear model of a CSV or Parquet file."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from fastloss.cli.arguments import at_least, number
from fastloss.train.errors import InputError
from fastloss.train.options import add_csv_arguments, dialect, require_packages
from fastloss.train.trainers import OPTIMIZERS, SOLVERS, STOCHASTIC
from fastloss.train.writing import spare

_EXIT_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastloss train``."""
    parser.add_argument(
        "data",
        type=Path,
        metavar="DATA",
        help="a CSV file with column names (also .gz, .bz2, .xz, .zip), or a .parquet file",
    )
    parser.add_argument("--target", required=True, metavar="COLUMN", help="what to predict")
    parser.add_argument(
        "--loss",
        metavar="NAME",
        help="a name of `fastloss losses`, with parameters as in huber:delta=2 or 'huber(delta=2)' "
        "(default: log_loss or cross_entropy for classes, squared_error for numbers)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("model.joblib"),
        metavar="FILE",
        help="the model; picture and report get the same name with .png and .json (default: "
        "%(default)s)",
    )
    _add_data_arguments(parser)
    _add_fit_arguments(parser)
    add_csv_arguments(parser)


def _add_data_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("rows and columns")
    group.add_argument(
        "--without", nargs="+", default=[], metavar="COLUMN", help="columns not to learn from"
    )
    group.add_argument(
        "--categorical",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="columns of numbers that are names, as codes and months",
    )
    group.add_argument("--weight", metavar="COLUMN", help="weights of the rows")
    group.add_argument(
        "--class-weight",
        choices=["balanced"],
        help="balanced: the classes' total weights are made equal",
    )
    group.add_argument(
        "--skip-unlabelled", action="store_true", help="leave out rows whose target is missing"
    )
    group.add_argument(
        "--validation-share",
        type=number(0.0, 1.0, "between"),
        default=0.2,
        metavar="SHARE",
        help="of the rows, held out at random (default: %(default)s)",
    )
    group.add_argument(
        "--min-frequency",
        type=at_least(1),
        default=None,
        metavar="ROWS",
        help="rarer categories share one feature (default: 10, fewer below 1,000 rows)",
    )
    group.add_argument(
        "--max-categories",
        type=at_least(2),
        default=100,
        metavar="N",
        help="features of a column at most; the rarest categories share one (default: %(default)s)",
    )


def _add_fit_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the fit")
    group.add_argument(
        "--solver",
        choices=SOLVERS,
        default="auto",
        help="sgd: stochastic gradient descent, in epochs; the others see all rows in each iteration "
        "(default: auto)",
    )
    group.add_argument(
        "--alpha",
        type=number(0.0, math.inf, "at least"),
        default=None,
        help="strength of the penalty (default: 1e-4, for numbers in the units of the loss)",
    )
    group.add_argument(
        "--l1-ratio",
        type=number(0.0, 1.0, "closed"),
        default=0.0,
        help="share of the L1 penalty, which sets coefficients to 0 (default: %(default)s)",
    )
    group.add_argument(
        "--tol",
        type=number(0.0, math.inf, "at least"),
        default=1e-4,
        help="the gradient that ends the fit; with sgd, the fall of the training loss, for numbers in "
        "its units, that 5 epochs in a row have missed (default: %(default)s)",
    )
    group.add_argument(
        "--max-iter",
        type=at_least(0),
        default=1000,
        metavar="N",
        help="iterations or epochs at most (default: %(default)s)",
    )
    group.add_argument(
        "--batch-size",
        type=at_least(1),
        default=None,
        metavar="ROWS",
        help="of a step of sgd (default: 32)",
    )
    group.add_argument(
        "--optimizer",
        choices=OPTIMIZERS,
        default=None,
        help="what makes a step of sgd of the gradient of its rows (default: sgd, a plain step)",
    )
    group.add_argument(
        "--patience",
        type=at_least(1),
        default=None,
        metavar="N",
        help="end after N iterations or epochs without a lower validation loss, and keep the best "
        "model; a loss of two classes that learns more of them needs sgd for it",
    )
    group.add_argument(
        "--n-threads", type=at_least(1), default=None, metavar="N", help="default: all cores"
    )
    group.add_argument(
        "--seed",
        type=at_least(0),
        default=0,
        help="of the rows held out, and of the order in which sgd sees the others (default: "
        "%(default)s)",
    )
    group.add_argument("--no-progress", action="store_true", help="draw no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Train and return 0, 2 with a message about wrong data or options, or 130 after Ctrl-C.

    Raises
    ------
    MissingExtraError
        When a package of the train extra is not installed.
    """
    require_packages(arguments.data)
    # only now: they import what may be missing
    from fastloss.cli.console import make_console
    from fastloss.train.session import Settings, outputs
    from fastloss.train.session import run as run_session

    output: Path = arguments.output
    try:
        if output in outputs(output):
            raise InputError(
                f"--output {output}: picture and report have this suffix; expected another, as .joblib"
            )
        if output.is_dir():
            raise InputError(f"--output {output}: a folder; expected a file")
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"--output {output}: {error.strerror or error}") from None
        if arguments.batch_size is not None and arguments.solver != STOCHASTIC:
            raise InputError(
                f"--batch-size {arguments.batch_size}: the solver {arguments.solver} sees all rows in "
                f"each iteration; expected --solver {STOCHASTIC}"
            )
        optimizer = arguments.optimizer or OPTIMIZERS[0]
        if arguments.optimizer is not None and arguments.solver != STOCHASTIC:
            raise InputError(
                f"--optimizer {optimizer}: the solver {arguments.solver} makes steps of its own; "
                f"expected --solver {STOCHASTIC}"
            )
        if arguments.l1_ratio and optimizer != OPTIMIZERS[0]:
            raise InputError(
                f"--l1-ratio {arguments.l1_ratio:g}: --optimizer {optimizer} has no L1 penalty; "
                f"expected --l1-ratio 0 or --optimizer {OPTIMIZERS[0]}"
            )
        spare([arguments.data], [output, *outputs(output)])
        settings = Settings(
            data=arguments.data,
            output=output,
            target=arguments.target,
            loss=arguments.loss,
            dialect=dialect(arguments),
            categorical=tuple(arguments.categorical),
            without=tuple(arguments.without),
            weight=arguments.weight,
            balanced=arguments.class_weight == "balanced",
            skip_unlabelled=arguments.skip_unlabelled,
            validation_share=arguments.validation_share,
            min_frequency=arguments.min_frequency,
            max_categories=arguments.max_categories,
            solver=arguments.solver,
            alpha=arguments.alpha,
            l1_ratio=arguments.l1_ratio,
            tol=arguments.tol,
            max_iter=arguments.max_iter,
            patience=arguments.patience,
            batch_size=arguments.batch_size,
            optimizer=optimizer,
            n_threads=arguments.n_threads,
            seed=arguments.seed,
            progress=not arguments.no_progress,
        )
        interrupted = run_session(settings, make_console())
    except InputError as error:
        print(f"fastloss train: {error}", file=sys.stderr)
        return 2
    return _EXIT_INTERRUPTED if interrupted else 0
