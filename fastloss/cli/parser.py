"""The ``fastloss`` command: finds and loads one subcommand and turns its errors into words."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

import fastloss as fl
from fastloss.cli.extras import MissingExtraError

# Each module has add_arguments(parser) and run(arguments) -> exit code.
COMMANDS = {
    "demo": (
        "fastloss.demo.command",
        "train on real flights, show the progress, compare with NumPy",
    ),
    "train": ("fastloss.train.command", "train a linear model on a CSV or Parquet file"),
    "predict": ("fastloss.train.predict_command", "apply a model of `fastloss train` to a file"),
    "bench": ("fastloss.bench.command", "time every loss against NumPy and the installed peers"),
    "info": ("fastloss.cli.info", "what this machine offers and what fastloss uses of it"),
    "losses": ("fastloss.cli.losses", "list the losses, or tell all about some"),
    "plot": ("fastloss.plot.command", "draw value, gradient and Hessian of losses on one sheet"),
}

EXIT_CLOSED_PIPE = 1  # rich's choice as well
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def make_parser(command: str | None) -> argparse.ArgumentParser:
    """Return the parser with the options of `command`; the other commands are not imported."""
    parser = argparse.ArgumentParser(
        prog="fastloss", description="Training losses on the CPU, in one pass."
    )
    parser.add_argument("--version", action="version", version=f"fastloss {fl.__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, summary) in COMMANDS.items():
        subparser = subparsers.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + "."
        )
        if name == command:
            importlib.import_module(module).add_arguments(subparser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the ``fastloss`` command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments without the program's name; ``sys.argv[1:]`` by default.

    Returns
    -------
    int
        The exit code: 0, or 1 when the reader of the output has gone, 2 when a package is missing,
        130 when interrupted. Wrong arguments leave through ``SystemExit(2)``, as everywhere with
        argparse.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = next((word for word in arguments if not word.startswith("-")), None)
    try:
        parsed = make_parser(command).parse_args(arguments)
        module = importlib.import_module(COMMANDS[parsed.command][0])
        exit_code: int = module.run(parsed)
        sys.stdout.flush()
    except MissingExtraError as error:
        print(f"fastloss {command}: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print(f"\nfastloss {command}: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has gone; keep the interpreter from complaining when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_CLOSED_PIPE
    return exit_code
