"""One sheet: value, gradient and Hessian side by side, a line a loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fastloss.plot.curves import PARTS, Curve

# Paul Tol's bright scheme: told apart also without colour vision; then the same, dashed; then marked.
_COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#333333")
_STYLES = ("-", "--", ":", "-.")
_MARKERS = ("", "o", "s", "^")
_INK = "#333333"
_WIDTH = 1.8
# Where curves coincide the earlier ones lie under the later like wider ribbons: each by a step, all by
# no more than the most, in points. From what share of the abscissa on it is not a mere crossing.
_STEP, _MOST = 2.4, 7.2
_LEAST_RUN = 0.04
# Beyond, matplotlib's own sums of coordinates overflow.
_LARGEST = 1e290


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Draw the curves.

    Parameters
    ----------
    curves : sequence of Curve
        At least one.
    path : Path
        The picture; the suffix chooses the format (png, svg, pdf).
    """
    rows = -(-len(curves) // 2)
    figure = Figure(figsize=(12.0, 3.6 + 0.22 * rows), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)  # a canvas of its own: no display, and pyplot is left alone
    panels = figure.subplots(1, len(PARTS))
    for axes, part in zip(panels, PARTS, strict=True):
        _draw_panel(axes, part, curves)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)
    metadata = {"Software": "fastloss plot"} if path.suffix.lower() == ".png" else None
    figure.savefig(path, dpi=110, metadata=metadata)


def _draw_panel(axes: Axes, part: str, curves: Sequence[Curve]) -> None:
    lines = [_drawable(getattr(curve, part)) for curve in curves]
    limits = _limits(lines)
    hiding = _hiding(lines, limits)
    step = min(_STEP, _MOST / max(1, hiding.max()))
    for place, (curve, line, hides) in enumerate(zip(curves, lines, hiding, strict=True)):
        for count in np.unique(hides[hides > 0]):
            axes.plot(
                curve.raw_prediction,
                np.where(hides == count, line, np.nan),
                color=_COLORS[place % len(_COLORS)],
                lw=_WIDTH + step * count,
                solid_capstyle="butt",
                zorder=1.9,
            )
    for place, (curve, line) in enumerate(zip(curves, lines, strict=True)):
        color = _COLORS[place % len(_COLORS)]
        number = place // len(_COLORS)
        style = _STYLES[number % len(_STYLES)]
        marker = _MARKERS[number // len(_STYLES) % len(_MARKERS)]
        axes.plot(
            curve.raw_prediction,
            line,
            style,
            color=color,
            marker=marker,
            markevery=0.08,
            lw=_WIDTH,
            label=curve.title,
        )
    axes.set_ylim(*limits)
    axes.set_xlabel("raw prediction", color=_INK)
    axes.set_title({"loss": "value"}.get(part, part), fontsize=10.5, color=_INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(color="#e6e6e6", lw=0.8)
    axes.axhline(0.0, color="#bbbbbb", lw=0.8)
    axes.set_axisbelow(True)


def _drawable(line: np.ndarray) -> np.ndarray:
    """Return a line without what is too large for any picture."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(line) <= _LARGEST, line, np.nan)


def _hiding(lines: Sequence[np.ndarray], limits: tuple[float, float]) -> np.ndarray:
    """Return by how many later lines each point of each line is hidden, along more than a crossing."""
    counts = np.zeros((len(lines), len(lines[0])), dtype=np.intp)
    near = 1e-6 * (limits[1] - limits[0])
    for i, line in enumerate(lines):
        for later in lines[i + 1 :]:
            with np.errstate(invalid="ignore"):
                same = np.abs(later - line) <= near
            counts[i] += _long_runs(same, max(2, int(_LEAST_RUN * len(line))))
    return counts


def _long_runs(flags: np.ndarray, least: int) -> np.ndarray:
    """Return the flags but those in runs shorter than `least`."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    kept = np.zeros(len(flags), dtype=bool)
    for start, end in zip(ends[::2], ends[1::2], strict=True):
        kept[start:end] = end - start >= least
    return kept


def _limits(lines: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return limits that cut off runaways, an exponential would flatten everything else; no plateau."""
    finite = [line[np.isfinite(line)] for line in lines]
    finite = [line for line in finite if len(line)]
    if not finite:
        return -1.0, 1.0
    high = float(np.median([line.max() for line in finite]))
    low = float(np.median([line.min() for line in finite]))
    reach = max(high, 0.0) - min(low, 0.0) or 1.0
    top = min(max(float(line.max()) for line in finite), high + 1.5 * reach)
    bottom = max(min(float(line.min()) for line in finite), low - 1.5 * reach)
    for line in lines:
        flat = _plateaus(line)
        top, bottom = max([top, *flat]), min([bottom, *flat])
    margin = 0.06 * (top - bottom or 1.0)
    return bottom - margin, top + margin


def _plateaus(line: np.ndarray) -> list[float]:
    """Return the highest and the lowest number that a line keeps along more than a moment, if any."""
    with np.errstate(invalid="ignore"):
        same = np.abs(np.diff(line)) <= 1e-9 * np.abs(line[1:])
    flat = line[1:][_long_runs(same, max(2, int(_LEAST_RUN * len(line))))]
    return [float(flat.max()), float(flat.min())] if len(flat) else []
