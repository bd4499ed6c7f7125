"""The picture of ``fastloss bench``: how many times longer the others take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from fastloss.bench.measure import LIMIT, Measurement
from fastloss.bench.peers import FASTLOSS, NUMPY, PEERS, SKLEARN, TORCH
from fastloss.bench.report import grouped, loss_label

# Paul Tol's bright scheme: told apart also without colour vision.
_COLORS = {NUMPY: "#4477aa", SKLEARN: "#ccbb44", TORCH: "#ee6677"}
_LIMIT = "#228833"
_INK = "#333333"
_BAR = 0.8
_INCHES_PER_BAR = 0.17


def draw(measurements: Sequence[Measurement], machine: dict[str, str], path: Path) -> None:
    """Draw one panel per heading of the table, two side by side.

    Parameters
    ----------
    measurements : sequence of Measurement
        The rows.
    machine : dict of str to str
        From `describe_machine`, for the subtitle.
    path : Path
        The PNG file.
    """
    groups = grouped(measurements)
    across = min(2, len(groups))
    down = -(-len(groups) // across)
    bars = max(sum(_n_bars(row) + 1 for row in rows) for _, rows in groups)
    height = max(3.0, bars * _INCHES_PER_BAR + 1.2)
    figure = Figure(
        figsize=(6.5 * across, height * down + 1.3), layout="constrained", facecolor="white"
    )
    FigureCanvasAgg(figure)  # a canvas of its own: no display, and pyplot is left alone
    panels = figure.subplots(down, across, squeeze=False, sharex=True).ravel()
    for axes, (title, rows) in zip(panels, groups, strict=False):
        _draw_panel(axes, title, rows)
    everything = [ratio for row in measurements for ratio in row.ratios.values()]
    panels[0].set_xlim(0.9 * min(0.5, *everything), 1.6 * max(2.0, *everything))
    for axes in panels[len(groups) :]:
        axes.set_visible(False)
    handles = {
        str(bars.get_label()): bars for axes in panels[: len(groups)] for bars in axes.containers
    }
    ticks = panels[0].get_legend_handles_labels()
    handles.update(
        {label: handle for handle, label in zip(*ticks, strict=True) if label not in handles}
    )
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=5, frameon=False
    )
    figure.suptitle(
        "How many times longer the others take\n\n",
        fontsize=13,
        fontweight="bold",
        color=_INK,
    )
    figure.text(
        0.5,
        1 - 0.45 / figure.get_figheight(),
        f"ratio of times, logarithmic; {machine['processor']}, {machine['instruction set']}",
        ha="center",
        va="top",
        fontsize=9,
        color=_INK,
    )
    figure.savefig(path, dpi=120, metadata={"Software": "fastloss bench"})


def _n_bars(row: Measurement) -> int:
    """How many peers have this loss."""
    return sum(peer in row.ratios for peer in PEERS)


def _draw_panel(axes: Axes, title: str, rows: Sequence[Measurement]) -> None:
    """Horizontal bars from 1, fastloss itself; a tick for the memory's own speed."""
    positions: dict[str, list[float]] = {peer: [] for peer in PEERS}
    lengths: dict[str, list[float]] = {peer: [] for peer in PEERS}
    y, centres, limits = 0.0, [], []
    for row in rows:
        top = y
        for peer in PEERS:
            if peer in row.ratios:
                positions[peer].append(y)
                lengths[peer].append(row.ratios[peer])
                y += 1
        centres.append((top + y - 1) / 2)
        limits.append((row.ratios[LIMIT], top - 0.5, y - 0.5))
        y += 1
    for peer in PEERS:
        if positions[peer]:
            widths = [length - 1 for length in lengths[peer]]
            bars = axes.barh(positions[peer], widths, _BAR, left=1, color=_COLORS[peer], label=peer)
            labels = [f" {length:.{0 if length >= 10 else 1}f}×" for length in lengths[peer]]
            for bar, text, length in zip(bars, labels, lengths[peer], strict=True):
                axes.text(
                    max(length, 1.0),
                    bar.get_y() + _BAR / 2,
                    text,
                    va="center",
                    fontsize=7.5,
                    color=_INK,
                )
    for i, (limit, low, high) in enumerate(limits):
        label = "memory limit: a plain pass over the same arrays" if i == 0 else None
        axes.plot([limit, limit], [low, high], color=_LIMIT, lw=2.5, label=label)
    axes.axvline(1, color=_INK, lw=1.2, label=FASTLOSS)
    names = [f"{loss_label(row)}\n{row.nanoseconds(FASTLOSS):.2f} ns" for row in rows]
    axes.set_yticks(centres, names, fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(y=0.01)
    axes.set_title(title, fontsize=10.5, color=_INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="x", color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
