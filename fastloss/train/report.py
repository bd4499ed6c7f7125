"""What the run tells: on the terminal, and in a JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from fastloss.train.metrics import Metric
from fastloss.train.problem import Outcome, Step
from fastloss.train.writing import whole_file

_RISE = 0.01  # of what training gained: a validation loss that rises so far is told of


@contextmanager
def progress_bar(console: Console, unit: str, *, live: bool) -> Iterator[Callable[[Step], None]]:
    """Yield what draws the steps of a training as a bar, where there is a terminal."""
    if not (live and console.is_terminal):
        yield lambda step: None
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[losses]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task(unit, total=1.0, losses="")

    def draw(step: Step) -> None:
        bar.update(
            task,
            completed=step.share,
            description=f"{unit} {step.number}",
            losses=f"training {step.training:.6g}, validation {step.validation:.6g}",
        )

    with bar:
        yield draw


def print_metrics(console: Console, metrics: Sequence[Metric]) -> None:
    """Print a table of metrics."""
    table = Table(box=box.SIMPLE_HEAD, title_justify="left")
    for head in ("", "validation", "training", "best constant"):
        table.add_column(head, justify="left" if not head else "right")
    for metric in metrics:
        constant = "" if math.isnan(metric.constant) else _number(metric.constant)
        note = {"near": "aim: " + constant}.get(metric.better, constant)
        cells = (metric.name, _number(metric.validation), _number(metric.training), note)
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:,.5g}"


def verdict(outcome: Outcome) -> list[str]:
    """Return sentences on how the training ended, and whether the model overfits."""
    steps = sum(max(len(curve.points) - 1, 0) for curve in outcome.curves)
    plural = outcome.unit + ("" if steps == 1 else "s")
    if outcome.interrupted:
        sentences = [f"Interrupted after {steps} {plural}."]
    elif outcome.converged:
        sentences = [f"Ended after {steps} {plural}: {outcome.ended}."]
    else:
        sentences = [f"Not converged after {steps} {plural}: {outcome.ended}."]
    if outcome.kept is not None:
        sentences.append(
            f"The model is that of {outcome.unit} {outcome.kept}, of the lowest validation loss."
        )
    elif len(outcome.curves) == 1 and not outcome.interrupted:
        curve = outcome.curves[0]
        best, last = curve.validation[curve.best], curve.validation[-1]
        if last - best > _RISE * abs(curve.validation[0] - best):
            sentences.append(
                f"It overfits: the validation loss was lowest at {outcome.unit} {curve.best} "
                f"({best:.5g}), and is {last:.5g} at the end. A larger --alpha may help, or "
                f"--patience, which keeps the best one."
            )
    return sentences


def print_lines(console: Console, lines: Sequence[str], *, whole: bool = False) -> None:
    """Print sentences, names of columns as they are; whole, so that a path can be copied."""
    for line in lines:
        console.print(escape(line), soft_wrap=whole or not console.is_terminal)


def write_report(
    path: Path, outcome: Outcome, metrics: Sequence[Metric], facts: dict[str, Any]
) -> None:
    """Write what was done and reached as one JSON object, in which a number that is none is null."""
    report = {
        **facts,
        "ended": outcome.ended,
        "converged": outcome.converged,
        "interrupted": outcome.interrupted,
        "unit": outcome.unit,
        "kept": outcome.kept,
        "metrics": [asdict(metric) for metric in metrics],
        "curves": [
            {"training": curve.training, "validation": curve.validation} for curve in outcome.curves
        ],
    }
    text = json.dumps(_finite(report), indent=2, default=str) + "\n"
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
