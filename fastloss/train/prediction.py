"""From a model and a file to predictions."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from fastloss.train.encoding import (
    CATEGORIES,
    NUMBERS,
    UnknownLevelsWarning,
    encoded_columns,
    known_levels,
)
from fastloss.train.errors import InputError, count, some
from fastloss.train.table import Dialect, Table, read_table
from fastloss.train.writing import spare, whole_file

_SUFFIXES = (".csv", ".parquet", ".pq")


def predict(
    model_file: Path, data: Path, output: Path | None, dialect: Dialect, *, probabilities: bool
) -> list[str]:
    """
    Write the predictions for the rows of a file.

    Parameters
    ----------
    model_file, data : Path
        What ``fastloss train`` wrote, and the rows.
    output : Path or None
        A CSV or Parquet file; None for CSV on standard output.
    dialect : Dialect
        How a CSV file of rows is written.
    probabilities : bool
        Whether to write those of the classes, too.

    Returns
    -------
    list of str
        What the user should know: categories never seen, columns passed over.

    Raises
    ------
    InputError
        If the model cannot be used, or the rows do not have its columns.
    """
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise InputError(f"--output {output}: expected {', '.join(_SUFFIXES)}")
    if output is not None:
        spare([model_file, data], [output])
    model, notes = load_model(model_file)
    if probabilities and not hasattr(model, "predict_proba"):
        loss = getattr(model[-1], "loss_", None)
        raise InputError(f"--proba: a model of {loss!r} has no probabilities")
    encoder = model[0]
    categories = encoded_columns(encoder, CATEGORIES)
    table = read_table(data, dialect, categories)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownLevelsWarning)  # the notes tell
        notes += _check_columns(table, encoder)
        X = encoder.transform(table.frame)
        frame = pd.DataFrame({"prediction": model[-1].predict(X)})
        if probabilities:
            shares = model[-1].predict_proba(X)
            for label, column in zip(model.classes_.tolist(), shares.T, strict=True):
                frame[f"probability_{label}"] = column
    _write(frame, output)
    return notes


def load_model(path: Path) -> tuple[Any, list[str]]:
    """Return the model in a file, and a note if another version of scikit-learn wrote it."""
    notes: list[str] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", InconsistentVersionWarning)
            model = joblib.load(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except Exception as error:
        # a broken pickle may raise anything; what it lacks may be told
        reason = f" ({error})" if isinstance(error, ImportError) else ""
        raise InputError(
            f"{path}: not a model that can be loaded{reason}; expected a file that `fastloss train` "
            f"wrote"
        ) from error
    if not (isinstance(model, Pipeline) and [*model.named_steps] == ["columns", "model"]):
        raise InputError(
            f"{path}: a {type(model).__name__}; expected a model that `fastloss train` wrote"
        )
    for warning in caught:
        if isinstance(warning.message, InconsistentVersionWarning):
            old = warning.message.original_sklearn_version
            now = warning.message.current_sklearn_version
            notes.append(f"{path}: written with scikit-learn {old}, loaded with {now}")
            break
    return model, notes


def _check_columns(table: Table, encoder: Any) -> list[str]:
    """Return notes about the columns of a table, which has to have those of the model."""
    numbers, levels = encoded_columns(encoder, NUMBERS), known_levels(encoder)
    present = list(table.frame.columns)
    missing = [name for name in (*numbers, *levels) if name not in present]
    if missing:
        raise InputError(
            f"{table.path}: the model needs the column{'s' if len(missing) > 1 else ''} "
            f"{some(map(repr, missing), 20)}; there are {some(map(repr, present), 20)}"
        )
    for name in numbers:
        table.frame[name] = table.numbers(name, what="the model")
    notes: list[str] = []
    if not levels:
        return notes
    found = encoder.named_transformers_[CATEGORIES][0].transform(table.frame)
    for texts, (name, known) in zip(found.T, levels.items(), strict=True):
        # NaN is a level where the training rows had it
        unknown = ~np.isin(texts.astype(str), known.astype(str))
        if unknown.any():
            new = ["no value" if pd.isna(t) else repr(t) for t in pd.unique(texts[unknown])]
            notes.append(
                f"{table.path}, column {name!r}: {count(int(unknown.sum()), 'row')} of a category that "
                f"the model has not seen ({some(new, 3)}); it counts as rare"
            )
    return notes


def _write(frame: Any, output: Path | None) -> None:
    if output is None:
        # the stream itself writes the line ends of the system
        frame.to_csv(sys.stdout, index=False, lineterminator="\n")
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(output) as path:
            if output.suffix.lower() == ".csv":
                frame.to_csv(path, index=False)
            else:
                frame.to_parquet(path, index=False)
    except OSError as error:
        raise InputError(f"--output {output}: {error.strerror or error}") from None
