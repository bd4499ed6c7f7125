"""
Draw docs/speed.png: how many times longer the others take for every loss, from the last report.

``python -m benchmarks.speed_chart`` draws the survey in report.json, the numbers of the table of speeds
in README.md: a row a loss, a panel a dtype, a mark a peer, on a logarithmic axis.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks.target import scale_remark
from fastloss.bench.measure import Measurement
from fastloss.bench.peers import FASTLOSS, NUMPY, PEERS, SKLEARN, TORCH
from fastloss.bench.report import loss_label

ROOT = Path(__file__).parent.parent
REPORT = Path(__file__).with_name("report.json")
PICTURE = ROOT / "docs" / "speed.png"
# The colours of ``fastloss bench``; the marks tell them apart without colour.
_STYLES = {NUMPY: ("o", "#4477aa"), SKLEARN: ("s", "#ccbb44"), TORCH: ("^", "#ee6677")}
_INK = "#333333"
_GRID = "#e6e6e6"
_INCHES_PER_LOSS = 0.2


def slowest_first(measurements: list[Measurement]) -> list[str]:
    """Return the labels of the losses by their geometric mean ratio to NumPy, the least first.

    Parameters
    ----------
    measurements : list of Measurement
        The rows of all dtypes.

    Returns
    -------
    list of str
        Each label once; losses that NumPy was not timed on are ordered by their other peers.
    """
    logs: dict[str, list[float]] = {}
    for m in measurements:
        ratios = (
            [m.ratios[NUMPY]]
            if NUMPY in m.ratios
            else [m.ratios[p] for p in PEERS if p in m.ratios]
        )
        logs.setdefault(loss_label(m), []).extend(math.log(ratio) for ratio in ratios)
    return sorted(logs, key=lambda label: sum(logs[label]) / max(1, len(logs[label])))


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the chart.

    Parameters
    ----------
    report : dict
        The content of report.json.
    path : Path
        The PNG file.
    """
    rows, machine = report["survey"], report["machine"]
    assert isinstance(rows, list)
    assert isinstance(machine, dict)
    measurements = [Measurement.from_json(row) for row in rows]
    labels = slowest_first(measurements)
    dtypes = sorted({m.configuration.dtype for m in measurements})
    height = len(labels) * _INCHES_PER_LOSS + 1.6
    figure = Figure(figsize=(11, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)  # a canvas of its own: no display, and pyplot is left alone
    panels = figure.subplots(1, len(dtypes), sharex=True, sharey=True, squeeze=False)[0]
    for axes, dtype in zip(panels, dtypes, strict=True):
        _draw_panel(axes, [m for m in measurements if m.configuration.dtype == dtype], labels)
        axes.set_title(dtype, fontsize=11, color=_INK)
    panels[0].set_yticks(range(len(labels)), labels, fontsize=8.5)
    panels[0].set_ylim(-0.8, len(labels) - 0.2)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False)
    first = measurements[0].configuration
    remark = scale_remark(report["scale"])
    below = f"\n{remark}" if remark else ""  # on a line of its own
    figure.suptitle(
        f"How many times longer the others take than {FASTLOSS}\n" + "\n" * bool(below),
        fontsize=13,
        color=_INK,
    )
    figure.text(
        0.5,
        1 - 0.38 / height,
        f"loss and gradient of {first.n:,} predictions, {report['threads']} threads, "
        f"{machine['processor']}; NumPy {machine['numpy']}, scikit-learn {machine['scikit-learn']}, "
        f"torch {machine['torch']}; {machine['date']}{below}",
        ha="center",
        va="top",
        fontsize=8.5,
        color=_INK,
    )
    figure.savefig(path, dpi=110, metadata={"Software": "fastloss"})


def _draw_panel(axes: Axes, measurements: list[Measurement], labels: list[str]) -> None:
    """Draw a row of marks for each loss, and the line where the others would be as fast."""
    place = {label: y for y, label in enumerate(labels)}
    for m in measurements:
        ratios = [m.ratios[peer] for peer in PEERS if peer in m.ratios]
        if ratios:
            y = place[loss_label(m)]
            ends = min(1.0, *ratios), max(1.0, *ratios)
            axes.plot(ends, (y, y), color="#cccccc", lw=1.2, zorder=1)
    for peer in PEERS:
        points = [(m.ratios[peer], place[loss_label(m)]) for m in measurements if peer in m.ratios]
        if points:
            marker, color = _STYLES[peer]
            x, y_of = zip(*points, strict=True)
            axes.scatter(x, y_of, s=26, c=color, marker=marker, label=peer, zorder=2)
    axes.axvline(1, color=_INK, lw=1.2, label=FASTLOSS, zorder=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.grid(color=_GRID, lw=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def main() -> int:
    """Draw the picture."""
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    if not report["survey"]:
        raise SystemExit("report.json has no survey: run python -m benchmarks.targets")
    draw(report, PICTURE)
    print(PICTURE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
