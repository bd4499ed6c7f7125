"""What the demo prints: progress while training, then metrics and the comparison."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from fastloss.demo.comparison import TaskResult
from fastloss.demo.estimators import TOL, Fit
from fastloss.demo.evaluation import Metric
from fastloss.demo.tasks import Task
from fastloss.demo.training import EpochCallback, Run


class TrainingDisplay:
    """A bar for each training, replaced by a line when it has ended.

    The bar is redrawn between epochs, by the training thread itself: a drawing thread would compete
    with the measured code.

    Parameters
    ----------
    console : Console
        Where to draw.
    live : bool
        Whether to draw bars; without, only the lines are printed.
    """

    def __init__(self, console: Console, *, live: bool) -> None:
        self._console = console
        self._live = live

    @contextlib.contextmanager
    def bar(self, label: str, epochs: int) -> Iterator[EpochCallback]:
        """Show a bar for a training of at most `epochs` epochs and yield what moves it on."""
        progress = Progress(
            TextColumn("  {task.description:<9}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("epochs  {task.fields[losses]}"),
            console=self._console,
            auto_refresh=False,
            transient=True,
            disable=not self._live,
        )

        def show(epoch: int, train_loss: float, validation_loss: float) -> None:
            losses = f"training {train_loss:.4f}  validation {validation_loss:.4f}"
            progress.update(task, completed=epoch, losses=losses)
            progress.refresh()

        with progress:
            task = progress.add_task(label, total=epochs, losses="")
            yield show

    def report(self, run: Run) -> None:
        """Print a line about a whole training, and why it ended."""
        self._console.print(
            f"  {run.backend:<9} {run.epochs} epochs in {sum(run.epoch_seconds):.2f} s: training "
            f"loss {run.train_loss[-1]:.4f}, validation loss {run.validation_loss[-1]:.4f}"
        )
        if run.verdict is not None:
            color = {"overfitting": "yellow", "diverged": "red"}.get(run.verdict.reason, "green")
            message = Padding(f"[{color}]→[/] {run.verdict.message}", (0, 0, 0, 2))
            self._console.print(message)


def estimators_table(task: Task, fits: Sequence[Fit]) -> Table:
    """How the fit went with either library."""
    n_samples, n_features = task.design.train.shape
    table = Table(
        title=(
            f"LogisticRegression(tol={TOL:g}).fit(X, y): {task.title}, "
            f"X {n_samples:,} × {n_features - 1}"
        ),
        title_style="bold",
        title_justify="left",
        caption="objective: mean log loss and L2 penalty, in float64; precision on the test days",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("from", no_wrap=True)
    heads = ("seconds", "beside fastloss", "iterations", "objective", "average precision")
    for head in heads:
        table.add_column(head, justify="right", style="bold" if head == heads[1] else "")
    for fit in fits:
        table.add_row(
            f"{fit.library}.linear_model" if fit.library == "fastloss" else fit.library,
            f"{fit.seconds:.2f}",
            f"{fit.seconds / fits[0].seconds:.1f}×",
            f"{fit.iterations}" + ("" if fit.converged else ", not converged"),
            f"{fit.objective:.7f}",
            f"{fit.average_precision:.3f}",
        )
    return table


def metrics_table(results: Sequence[TaskResult]) -> Table:
    """Metrics on the test days, each beside its trivial reference."""
    table = Table(
        title="What the models are worth, on days they have never seen",
        title_style="bold",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("metric", no_wrap=True)
    table.add_column("model", justify="right", style="bold")
    table.add_column("beside", justify="right")
    table.add_column("what that is")
    for result in results:
        table.add_row(f"[bold]{result.facts.title}[/]", "", "", "")
        for i, metric in enumerate(result.evaluation.metrics):
            table.add_row(
                f"  {metric.name}",
                _spell(metric, metric.value),
                _spell(metric, metric.reference),
                metric.reference_name,
                end_section=i == len(result.evaluation.metrics) - 1,
            )
    return table


def comparison_table(results: Sequence[TaskResult], threads: str) -> Table:
    """Times per epoch of fastloss and NumPy, in a table that fits 80 columns."""
    table = Table(
        title=f"The same training with fastloss (fl) and NumPy (np), ms per epoch; {threads}",
        title_style="bold",
        title_justify="left",
        caption=(
            "Means of the fastest quarter of the epochs; validation loss after the last one. Same "
            "start, same batches, float32. The rest of an epoch is the matrix products, by the "
            "same BLAS on both sides."
        ),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("loss", no_wrap=True)
    for first, second in (("loss +", "step "), ("whole", "epoch ")):
        table.add_column(f"{first}\n{second}fl", justify="right", no_wrap=True)
        table.add_column("\nnp", justify="right", no_wrap=True)
        table.add_column("\nratio", justify="right", style="bold", no_wrap=True)
    table.add_column("loss\nnp − fl", justify="right", no_wrap=True)
    for result in results:
        native, numpy = result.native_timing, result.numpy_timing
        table.add_row(
            result.facts.loss_label,
            f"{native.loss_and_step:.2f}",
            f"{numpy.loss_and_step:.2f}",
            f"{result.loss_and_step_ratio:.1f}×",
            f"{native.epoch:.1f}",
            f"{numpy.epoch:.1f}",
            f"{result.epoch_ratio:.2f}×",
            f"{result.final_difference:+.0e}",
        )
    return table


def _spell(metric: Metric, value: float) -> str:
    """Spell a number in the unit of its metric."""
    if value != value:
        return "undefined"
    if metric.unit == "percent":
        return f"{100.0 * value:.1f} %"
    if metric.unit == "minutes":
        return f"{value:.1f} min"
    return f"{value:.3f}"
