"""From the columns of a data frame to the features of a linear model, as scikit-learn transformers."""

from __future__ import annotations

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

NUMBERS, CATEGORIES = "numbers", "categories"


class CategoryText(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """
    Spell categories as text, the same for every dtype that they may arrive in.

    1, 1.0 and "1" are "1", True is "True", and all that stands for no value is NaN.
    """

    n_features_in_: int
    feature_names_in_: NDArray[Any]

    def fit(self, X: Any, y: Any = None) -> CategoryText:
        """Take note of the columns of a data frame."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the columns of a data frame as an array of texts and NaN."""
        texts = np.empty((len(X), self.n_features_in_), dtype=object)
        for j, name in enumerate(self.feature_names_in_):
            texts[:, j] = category_text(X[name])
        return texts


def category_text(column: Any) -> NDArray[Any]:
    """Return the values of a column as an array of texts and NaN."""
    codes, levels = pd.factorize(np.asarray(column, dtype=object))
    texts: NDArray[Any] = np.empty(len(levels) + 1, dtype=object)
    texts[:-1] = [_spell(level) for level in levels]
    texts[-1] = np.nan  # of code -1, no value
    return np.asarray(texts[codes])


def _spell(level: Any) -> str:
    if isinstance(level, float | np.floating) and float(level).is_integer():
        level = int(level)
    return str(level)


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
    return ColumnTransformer(parts, verbose_feature_names_out=False)


def encoded_columns(encoder: Any, part: str) -> list[str]:
    """Return the columns that a fitted encoder takes as numbers, or as categories."""
    return next((list(columns) for name, _, columns in encoder.transformers_ if name == part), [])


def known_levels(encoder: Any) -> dict[str, NDArray[Any]]:
    """Return the levels of each column of categories that a fitted encoder has seen."""
    columns = encoded_columns(encoder, CATEGORIES)
    if not columns:
        return {}
    return dict(zip(columns, encoder.named_transformers_[CATEGORIES][-1].categories_, strict=True))
