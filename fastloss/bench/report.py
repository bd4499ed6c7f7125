"""The table of ``fastloss bench`` on the terminal and its JSON report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from fastloss.bench.measure import LIMIT, Configuration, Measurement
from fastloss.bench.peers import FASTLOSS
from fastloss.cli.tables import print_table


def write_json(measurements: Sequence[Measurement], machine: dict[str, str], path: Path) -> None:
    """Write machine and rows.

    Parameters
    ----------
    measurements : sequence of Measurement
        The rows.
    machine : dict of str to str
        From `describe_machine`.
    path : Path
        The file.
    """
    report: dict[str, Any] = {
        "machine": machine,
        "rows": [measurement.as_json() for measurement in measurements],
    }
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def group_title(configuration: Configuration) -> str:
    """Return the heading of the rows that differ only in their loss."""
    c = configuration
    threads = "1 thread" if c.n_threads == 1 else f"{c.n_threads} threads"
    return f"{c.operation}, {c.dtype}, n = {c.n:,}, {threads}"


def grouped(measurements: Sequence[Measurement]) -> list[tuple[str, list[Measurement]]]:
    """Return the rows under their headings."""
    groups = groupby(measurements, key=lambda m: group_title(m.configuration))
    return [(title, list(rows)) for title, rows in groups]


def loss_label(measurement: Measurement) -> str:
    """Return the name of the loss, with the number of classes where it has classes."""
    c = measurement.configuration
    return f"{c.loss} (C={c.n_classes})" if c.loss == "cross_entropy" else c.loss


def print_report(measurements: Sequence[Measurement], peers: Sequence[str]) -> None:
    """Print one table per heading.

    Parameters
    ----------
    measurements : sequence of Measurement
        The rows.
    peers : sequence of str
        The columns beside fastloss and the limit.
    """
    heads = [f"{peer}\ntakes" for peer in peers]
    columns = ("loss", "fastloss\nns/value", "of memory\nspeed", *heads)
    for title, rows in grouped(measurements):
        cells = [
            (
                loss_label(row),
                f"{row.nanoseconds(FASTLOSS):.3f}",
                f"{min(row.ratios[LIMIT], 9.99):.0%}",
                *(f"{row.ratios[peer]:.1f}×" if peer in row.ratios else "" for peer in peers),
            )
            for row in rows
        ]
        print_table(title, columns, cells)
