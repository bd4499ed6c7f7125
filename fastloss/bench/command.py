"""``fastloss bench``: arguments, progress, table, JSON and picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import fastloss as fl
from fastloss.bench.machine import describe_machine
from fastloss.bench.measure import Measurement, configurations, measure_all
from fastloss.bench.peers import PEERS, installed_peers
from fastloss.bench.workloads import DTYPES, OPERATIONS
from fastloss.cli.arguments import at_least
from fastloss.cli.extras import require
from fastloss.cli.loss_text import known_name

if TYPE_CHECKING:
    from rich.progress import Progress

PACKAGES = (("rich", "the tables and the progress bar"), ("matplotlib", "the picture"))
QUICK_N = 200_000
QUICK_REPEATS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastloss bench``."""
    parser.add_argument(
        "names", nargs="*", metavar="LOSS", type=_loss, help="losses to time, as after --losses"
    )
    parser.add_argument(
        "--losses",
        nargs="+",
        metavar="LOSS",
        type=_loss,
        default=[],
        help="losses to time; all by default (see: fastloss losses)",
    )
    parser.add_argument(
        "--operation",
        nargs="+",
        choices=[*OPERATIONS, "all"],
        default=["loss_gradient"],
        help="what to compute (default: loss_gradient)",
    )
    parser.add_argument("--dtype", nargs="+", choices=DTYPES, default=list(DTYPES))
    parser.add_argument(
        "--n",
        nargs="+",
        type=at_least(1),
        default=None,
        help="raw predictions in a call; one table for each (default: 4000000)",
    )
    parser.add_argument(
        "--threads",
        nargs="+",
        type=at_least(1),
        default=None,
        help="threads, the same for everybody (default: what fastloss would use)",
    )
    parser.add_argument(
        "--classes", type=at_least(2), default=10, help="classes of cross_entropy (default: 10)"
    )
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, default=None, help="default: all that are installed"
    )
    parser.add_argument("--repeats", type=at_least(1), default=None, help="rounds (default: 7)")
    parser.add_argument(
        "--output-dir", type=Path, default=Path("fastloss-bench"), help="for bench.json, bench.png"
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"n = {QUICK_N}, {QUICK_REPEATS} rounds: a first look"
    )


def _loss(text: str) -> str:
    try:
        return known_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(arguments: argparse.Namespace) -> int:
    """Time, print the tables, write the JSON and the picture, and return 0."""
    require(PACKAGES, extra="bench")
    # rich and matplotlib are there from here on
    from fastloss.bench.picture import draw
    from fastloss.bench.report import print_report, write_json

    installed = installed_peers()
    peers = [peer for peer in arguments.peers or PEERS if peer in installed]
    if arguments.peers == []:
        peers = []
    sizes = arguments.n or [QUICK_N if arguments.quick else 4_000_000]
    repeats = arguments.repeats or (QUICK_REPEATS if arguments.quick else 7)
    operations = OPERATIONS if "all" in arguments.operation else arguments.operation
    planned = configurations(
        [*arguments.names, *arguments.losses] or list(fl.available_losses()),
        operations,
        arguments.dtype,
        sizes,
        arguments.threads or [fl.get_num_threads()],
        arguments.classes,
    )
    missing = [peer for peer in PEERS if peer not in installed]
    if missing and arguments.peers is None:
        print(f"not installed, and so left out: {', '.join(missing)}")
    arguments.output_dir.mkdir(parents=True, exist_ok=True)

    measurements: list[Measurement] = []
    with _progress() as progress:
        task = progress.add_task("", total=len(planned))
        for i, measurement in enumerate(measure_all(planned, peers, repeats)):
            measurements.append(measurement)
            upcoming = planned[min(i + 1, len(planned) - 1)]
            progress.update(task, advance=1, description=f"{upcoming.loss} {upcoming.dtype}")

    machine = describe_machine()
    print_report(measurements, peers)
    print(
        "of memory speed: the time of a plain pass that reads and writes the same arrays, over\n"
        "that of fastloss; takes: the time of the other over that of fastloss; medians of "
        f"{repeats} rounds"
    )
    write_json(measurements, machine, arguments.output_dir / "bench.json")
    draw(measurements, machine, arguments.output_dir / "bench.png")
    print(f"written: {arguments.output_dir / 'bench.json'}, {arguments.output_dir / 'bench.png'}")
    return 0


def _progress() -> Progress:
    """Return a progress bar that leaves nothing behind."""
    from rich import progress

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        transient=True,
    )
