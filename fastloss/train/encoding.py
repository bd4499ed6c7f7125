"""From the columns of a data frame to the features of a linear model, as scikit-learn transformers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted

from fastloss.train.levels import Levels, category_text

NUMBERS, CATEGORIES = "numbers", "categories"


class UnknownLevelsWarning(UserWarning):
    """All values of a column of categories are of levels that the model has not seen."""


class CategoryText(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """
    Spell categories as text, the same for every dtype that they may arrive in.

    1 and 1.0 are "1", True is "True", and all that stands for no value is NaN. What means a level of
    the fit in another spelling is spelt as that; see `Levels`.
    """

    n_features_in_: int
    feature_names_in_: NDArray[Any]

    levels_: list[Levels]

    def fit(self, X: Any, y: Any = None) -> CategoryText:
        """Take note of the columns of a data frame, and of their levels."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        self.levels_ = [
            Levels(pd.unique(category_text(X[name]))) for name in self.feature_names_in_
        ]
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the columns of a data frame as an array of texts and NaN."""
        texts = np.empty((len(X), self.n_features_in_), dtype=object)
        for j, (name, levels) in enumerate(zip(self.feature_names_in_, self.levels_, strict=True)):
            texts[:, j] = category_text(X[name], levels.find)
            different = pd.unique(texts[:, j])
            if len(different) and not any(t in levels or pd.isna(t) for t in different):
                warnings.warn(
                    f"column {name!r}: no value is of a category that the model has seen, as "
                    f"{different[0]!r}; all count as rare. Is it read as in training? "
                    f"pandas.read_csv(..., dtype={{{name!r}: str}}) leaves texts as they are",
                    UnknownLevelsWarning,
                    stacklevel=2,
                )
        return texts


class Encoder(ColumnTransformer):  # type: ignore[misc]
    """A `ColumnTransformer` whose features have different names in any case."""

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names; one that is taken already, as "b=u" by a column, gets a number."""
        check_is_fitted(self)
        names: dict[str, None] = {}
        for _, part, columns in self.transformers_:
            if isinstance(part, str):  # what is left over is dropped
                continue
            for name in part.get_feature_names_out(columns):
                unique, k = name, 1
                while unique in names:
                    k += 1
                    unique = f"{name} ({k})"
                names[unique] = None
        return np.array(list(names), dtype=object)


def feature_name(column: str, level: Any) -> str:
    """Return the name of the feature that tells whether a column has a level."""
    return f"{column}={level}"


def make_encoder(
    numbers: Sequence[str], categories: Sequence[str], *, min_frequency: int, max_categories: int
) -> Any:
    """
    Return what makes features of a data frame; it finds columns by name and passes over others.

    Parameters
    ----------
    numbers : sequence of str
        Columns that get mean 0 and standard deviation 1. What is missing becomes the median, and a
        feature of its own tells where.
    categories : sequence of str
        Columns that get a feature a level; "missing" is one.
    min_frequency, max_categories : int
        Levels of fewer rows, and those behind the most frequent ones, share one feature.
    """
    parts: list[tuple[str, Any, list[str]]] = []
    if numbers:
        scale = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True), StandardScaler()
        )
        parts.append((NUMBERS, scale, list(numbers)))
    if categories:
        encode = OneHotEncoder(
            min_frequency=min_frequency,
            max_categories=max_categories,
            handle_unknown="infrequent_if_exist",
            feature_name_combiner=feature_name,
        )
        parts.append((CATEGORIES, make_pipeline(CategoryText(), encode), list(categories)))
    return Encoder(parts, verbose_feature_names_out=False)


def encoded_columns(encoder: Any, part: str) -> list[str]:
    """Return the columns that a fitted encoder takes as numbers, or as categories."""
    return next((list(columns) for name, _, columns in encoder.transformers_ if name == part), [])


def known_levels(encoder: Any) -> dict[str, NDArray[Any]]:
    """Return the levels of each column of categories that a fitted encoder has seen."""
    columns = encoded_columns(encoder, CATEGORIES)
    if not columns:
        return {}
    return dict(zip(columns, encoder.named_transformers_[CATEGORIES][-1].categories_, strict=True))
