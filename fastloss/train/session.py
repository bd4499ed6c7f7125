"""One run of ``fastloss train``, from the file to the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import joblib
import numpy as np
from rich.console import Console
from sklearn.pipeline import Pipeline

import fastloss as fl
from fastloss.cli.loss_text import short_name
from fastloss.train import report
from fastloss.train.columns import Columns, choose_columns
from fastloss.train.encoding import make_encoder
from fastloss.train.errors import InputError, count, some, unknown_column
from fastloss.train.metrics import Metric, evaluate
from fastloss.train.picture import draw
from fastloss.train.problem import Options, Outcome, Part, Problem
from fastloss.train.table import Dialect, Table, read_table
from fastloss.train.target import Target, choose_target, labelled, learnt_loss, split
from fastloss.train.trainers import STOCHASTIC, load_trainer
from fastloss.train.units import usual_alpha
from fastloss.train.weights import row_weights
from fastloss.train.writing import whole_file

MIN_ROWS = 10


@dataclass(frozen=True)
class Settings:
    """
    What the user may choose; see the help of the command.

    Attributes
    ----------
    data, output : Path
        The file of the rows, and that of the model.
    target : str
        The column to predict.
    loss : str or None
        As "huber:delta=2.0", None to choose one.
    dialect : Dialect
        How a CSV file is written.
    categorical, without : tuple of str
        Columns that are categories whatever they look like, and that are left out.
    weight : str or None
        The column of weights.
    balanced : bool
        Whether the classes' total weights are made equal.
    skip_unlabelled : bool
        Whether rows without a label are left out.
    validation_share : float
        Of the rows.
    min_frequency : int or None
        Rows that a level needs for a feature of its own.
    max_categories : int
        Features of a column at most.
    solver : str
        A name of the trainers.
    alpha : float or None
        Strength of the penalty, None to choose it by the units of the target.
    l1_ratio, tol, max_iter, patience, batch_size, optimizer, n_threads, seed
        As `Options` has them.
    progress : bool
        Whether to draw a bar on a terminal.
    """

    data: Path
    output: Path
    target: str
    loss: str | None
    dialect: Dialect
    categorical: tuple[str, ...]
    without: tuple[str, ...]
    weight: str | None
    balanced: bool
    skip_unlabelled: bool
    validation_share: float
    min_frequency: int | None
    max_categories: int
    solver: str
    alpha: float | None
    l1_ratio: float
    tol: float
    max_iter: int
    patience: int | None
    batch_size: int | None
    optimizer: str
    n_threads: int | None
    seed: int
    progress: bool


@dataclass(frozen=True)
class Data:
    """The rows as they are trained on, and what was found out about them."""

    problem: Problem
    encoder: Any
    columns: Columns
    remarks: list[str]


def run(settings: Settings, console: Console) -> bool:
    """
    Train, print, and write model, picture and report.

    Parameters
    ----------
    settings : Settings
        The choices.
    console : Console
        Where to print.

    Returns
    -------
    bool
        Whether Ctrl-C ended the training; the best model so far is written all the same.

    Raises
    ------
    InputError
        If the file or a setting is not usable.
    """
    start = perf_counter()
    table = read_table(settings.data, settings.dialect, settings.categorical)
    data = prepare(table, settings)
    n_training, n_features = data.problem.training.X.shape
    n_validation = data.problem.validation.X.shape[0]
    report.print_lines(
        console,
        [
            f"{settings.data}: {n_training:,} rows to train on, {n_validation:,} held out for "
            f"validation; {n_features:,} features of {len(data.columns.numbers)} columns of numbers "
            f"and {len(data.columns.categories)} of categories; read in {perf_counter() - start:.1f} s",
            *data.remarks,
        ],
    )
    options = _options(settings, data.problem)
    start = perf_counter()
    trainer = load_trainer(settings.solver)
    try:
        with report.progress_bar(console, "training", live=settings.progress) as on_step:
            outcome = trainer(data.problem, options, on_step)
    except ValueError as error:
        raise InputError(f"{settings.data}: {error}") from None
    seconds = perf_counter() - start
    metrics = evaluate(data.problem, outcome.estimator)
    report.print_metrics(console, metrics)
    report.print_lines(
        console,
        [*report.verdict(outcome), f"Trained in {seconds:.2f} s with alpha = {options.alpha:.3g}."],
    )
    _write(settings, console, data, outcome, metrics, options)
    return outcome.interrupted


def prepare(table: Table, settings: Settings) -> Data:
    """Return the rows of a table as features and labels, in two parts."""
    _check_names(table, settings)
    table, n_skipped = labelled(table, settings.target, skip=settings.skip_unlabelled)
    if len(table) < MIN_ROWS:
        raise InputError(
            f"{table.path}: {count(len(table), 'row')} with a target; expected at least {MIN_ROWS}"
        )
    target = choose_target(
        table,
        settings.target,
        settings.loss,
        categorical=settings.target in settings.categorical,
    )
    _check_two_classes(table, target)
    if settings.balanced and target.classes is None:
        raise InputError(
            f"--class-weight balanced: the loss {target.loss.name} is one of numbers; expected a "
            f"loss of classes"
        )
    training = split(target.labels, target.classes, settings.validation_share, settings.seed)
    weights = row_weights(
        table, target, training, column=settings.weight, balanced=settings.balanced
    )
    n_training = int(training.sum())
    min_frequency = settings.min_frequency or max(2, min(10, n_training // 100))
    columns = choose_columns(
        table,
        training,
        apart={settings.target, *settings.without, *filter(None, [settings.weight])},
        categorical=settings.categorical,
        min_frequency=min_frequency,
        max_categories=settings.max_categories,
    )
    encoder = make_encoder(
        columns.numbers,
        columns.categories,
        min_frequency=min_frequency,
        max_categories=settings.max_categories,
    )
    frame = table.frame[[*columns.numbers, *columns.categories]]
    X_training = encoder.fit_transform(frame[training])
    X_validation = encoder.transform(frame[~training])
    parts = [
        Part(X, target.labels[rows], target.codes[rows], None if weights is None else weights[rows])
        for X, rows in ((X_training, training), (X_validation, ~training))
    ]
    problem = Problem(target.loss, target.classes, *parts)
    remarks = [_about_target(target, settings, n_skipped)]
    remarks += [f"left out: {name!r}: {why}" for name, why in columns.left_out.items()]
    remarks += columns.remarks
    return Data(problem, encoder, columns, remarks)


def _about_target(target: Target, settings: Settings, n_skipped: int) -> str:
    loss = learnt_loss(target.loss, target.classes)
    text = f"target {target.column!r}: {target.remark}; loss: {short_name(loss)}"
    if settings.loss is None:
        text += ", the usual one; --loss chooses another"
    if target.classes is not None:
        shares = np.bincount(target.codes) / len(target.codes)
        named = [f"{c} {s:.1%}" for c, s in zip(target.classes.tolist(), shares, strict=True)]
        text += f" ({some(named, 10)})"
        if len(target.classes) == 2:
            text += f"; the positive class is {target.classes.tolist()[1]!r}"
    if n_skipped:
        text += f"; left out: {count(n_skipped, 'row')} without a target"
    return text


def _check_names(table: Table, settings: Settings) -> None:
    names = list(table.frame.columns)
    for option, wanted in (
        ("--target", [settings.target]),
        ("--weight", [settings.weight] if settings.weight is not None else []),
        ("--categorical", settings.categorical),
        ("--without", settings.without),
    ):
        for name in wanted:
            if name not in names:
                raise unknown_column(option, name, names)
    if settings.target in (*settings.without, settings.weight):
        raise InputError(f"--target {settings.target!r}: the column is named for another use, too")


def _check_two_classes(table: Table, target: Target) -> None:
    if target.classes is None or len(target.classes) != 2:
        return
    counts = np.bincount(target.codes)
    if counts.min() < 2:
        i = int(np.flatnonzero(target.codes == counts.argmin())[0])
        label = target.classes.tolist()[int(counts.argmin())]
        raise InputError(
            f"{table.place(i, target.column)}: the only row of class {label!r}; expected at least 2, "
            f"one to train on and one for validation"
        )


def _options(settings: Settings, problem: Problem) -> Options:
    alpha = settings.alpha
    return Options(
        solver=settings.solver,
        alpha=usual_alpha(problem) if alpha is None else alpha,
        l1_ratio=settings.l1_ratio,
        tol=settings.tol,
        max_iter=settings.max_iter,
        patience=settings.patience,
        batch_size=settings.batch_size,
        optimizer=settings.optimizer,
        n_threads=settings.n_threads,
        seed=settings.seed,
    )


def _write(
    settings: Settings,
    console: Console,
    data: Data,
    outcome: Outcome,
    metrics: list[Metric],
    options: Options,
) -> None:
    """Write model, picture and report, and print where they are."""
    model = Pipeline([("columns", data.encoder), ("model", outcome.estimator)])
    picture, facts_file = outputs(settings.output)
    loss = short_name(outcome.estimator.loss_)
    replaced = " (in place of another)" if settings.output.exists() else ""
    try:
        with whole_file(settings.output) as path:
            joblib.dump(model, path)
        with whole_file(picture) as path:
            draw(outcome, f"{settings.target} of {settings.data.name}, {loss}", path)
        facts = {
            "fastloss": fl.__version__,
            "data": str(settings.data),
            "target": settings.target,
            "loss": loss,
            "classes": None if data.problem.classes is None else data.problem.classes.tolist(),
            "training_rows": data.problem.training.X.shape[0],
            "validation_rows": data.problem.validation.X.shape[0],
            "numbers": data.columns.numbers,
            "categories": data.columns.categories,
            "left_out": data.columns.left_out,
            "solver": options.solver,
            "alpha": options.alpha,
            "l1_ratio": options.l1_ratio,
            "batch_size": options.batch_size,
            "optimizer": options.optimizer if options.solver == STOCHASTIC else None,
            "seed": options.seed,
        }
        report.write_report(facts_file, outcome, metrics, facts)
    except OSError as error:
        raise InputError(f"--output {settings.output}: {error.strerror or error}") from None
    report.print_lines(
        console,
        [
            f"model: {settings.output}{replaced}; learning curve: {picture}; report: {facts_file}",
            f"next: fastloss predict {settings.output} {settings.data}",
        ],
        whole=True,
    )


def outputs(model: Path) -> tuple[Path, Path]:
    """Return where picture and report go, beside the model."""
    return model.with_suffix(".png"), model.with_suffix(".json")
