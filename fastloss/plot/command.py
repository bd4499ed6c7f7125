"""``fastloss plot``: value, gradient and Hessian of any losses on one sheet."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np

from fastloss.cli.extras import require
from fastloss.cli.loss_text import parse_loss
from fastloss.plot.curves import traces

_POINTS = 1601
_SUFFIXES = (".png", ".svg", ".pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastloss plot``."""
    parser.add_argument(
        "losses",
        nargs="+",
        metavar="LOSS",
        help="a name of `fastloss losses`, with parameters as in huber:delta=1.35",
    )
    parser.add_argument(
        "--y",
        type=float,
        metavar="LABEL",
        help="the label: by default 0 where labels are any numbers (1 of a percentage error), else 1 "
        "(of two classes, counts, amounts); of a loss of several outputs a number or a class, by "
        "default 0, where labels are rows the one with all on that class",
    )
    parser.add_argument(
        "--along",
        type=int,
        default=0,
        metavar="OUTPUT",
        help="of losses of several outputs the one that moves, while the others stay 0 (%(default)s)",
    )
    parser.add_argument(
        "--from", dest="start", type=float, default=-4.0, help="least raw prediction (%(default)s)"
    )
    parser.add_argument(
        "--to", dest="end", type=float, default=4.0, help="largest raw prediction (%(default)s)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("losses.png"),
        help="the picture, png, svg or pdf (%(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Draw the picture and return 0, or 2 with a message about a wrong argument."""
    require([("matplotlib", "the picture")], extra="bench")
    from fastloss.plot.picture import draw  # only now: matplotlib may be missing

    try:
        if not (math.isfinite(arguments.start) and math.isfinite(arguments.end)):
            raise ValueError("--from and --to: expected finite numbers")
        if not arguments.start < arguments.end:
            raise ValueError(f"--from {arguments.start:g} --to {arguments.end:g}: expected a rise")
        if arguments.output.suffix.lower() not in _SUFFIXES:
            raise ValueError(f"--output {arguments.output}: expected {', '.join(_SUFFIXES)}")
        losses = [parse_loss(text) for text in arguments.losses]
        x = np.linspace(arguments.start, arguments.end, _POINTS)
        draw(traces(losses, x, arguments.y, arguments.along), arguments.output)
    except (OSError, TypeError, ValueError) as error:
        print(f"fastloss plot: {error}", file=sys.stderr)
        return 2
    print(f"wrote {arguments.output}")
    return 0
