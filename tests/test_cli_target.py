"""Integers as classes: none is merged with another on the way through a float."""

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers.tables import train, write_csv

from fastloss.cli import main

N = 120
X = np.linspace(-1.0, 1.0, N)


def classes_of(tmp_path, labels, *arguments):
    data = write_csv(tmp_path / "data.csv", {"x": X.tolist(), "y": labels})
    model, told = train(tmp_path, data, "--target", "y", *arguments)
    return joblib.load(model), told


@pytest.mark.parametrize("first", [2**53, -(2**53) - 2, 2**63 - 3, 2**63 + 5, 2**64 - 3])
def test_large_integers_stay_apart(first, tmp_path):
    labels = [first + int(x > -0.3) + int(x > 0.3) for x in X]
    model, told = classes_of(tmp_path, labels)
    assert told["loss"].startswith("CrossEntropy")
    assert told["classes"] == [first, first + 1, first + 2]
    assert model.predict(pd.DataFrame({"x": [-1.0, 1.0]})).tolist() == [first, first + 2]


def test_integers_beyond_64_bits_are_texts(tmp_path):
    labels = [2**70 + int(x > 0) for x in X]
    model, _ = classes_of(tmp_path, labels)
    found = model.predict(pd.DataFrame({"x": [-1.0, 1.0]})).tolist()
    assert found == [str(2**70), str(2**70 + 1)]


@pytest.mark.parametrize("spelling", ["{}", "{}.0"])
def test_small_ones_are_int64(spelling, tmp_path):
    model, told = classes_of(tmp_path, [spelling.format(3 + int(x > 0)) for x in X])
    assert told["classes"] == [3, 4]
    assert model.classes_.dtype == np.int64


@pytest.mark.parametrize("kind", ["Int64", "category", "uint64", "object"])
def test_the_integers_of_parquet(kind, tmp_path):
    pytest.importorskip("pyarrow")
    labels = pd.Series([2**53 + int(x > 0) for x in X]).astype(kind)
    data = tmp_path / "data.parquet"
    pd.DataFrame({"x": X, "y": labels}).to_parquet(data)
    _, told = train(tmp_path, data, "--target", "y")
    assert told["classes"] == [2**53, 2**53 + 1]


def of_weight_zero(tmp_path, labels, nothing):
    weight = [0.0 if nothing(i) else 1.5 for i in range(N)]
    return write_csv(tmp_path / "w.csv", {"x": X.tolist(), "y": labels, "w": weight})


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("more", [[], ["--class-weight", "balanced"]])
def test_a_class_without_weight(n_classes, more, tmp_path, capsys):
    labels = [f"c{i % n_classes}" for i in range(N)]
    data = of_weight_zero(tmp_path, labels, lambda i: labels[i] == "c1")
    output = str(tmp_path / "m.joblib")
    given = ["train", str(data), "--target", "y", "--weight", "w", "--output", output, *more]
    assert main(given) == 2
    expected = (
        "--weight 'w': all weights of the training rows of class 'c1' are 0; expected one above 0"
    )
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "m.joblib").exists()


def test_a_class_without_weight_in_the_validation(tmp_path, capsys):
    labels = [i % 2 for i in range(N)]
    # one row of class 1 has a weight, and is trained on or held out by the seed
    data = of_weight_zero(tmp_path, labels, lambda i: labels[i] == 1 and i != 1)
    output = str(tmp_path / "m.joblib")
    messages = []
    for seed in range(8):
        given = ["train", str(data), "--target", "y", "--weight", "w", "--output", output]
        assert main([*given, "--seed", str(seed)]) == 2
        messages.append(capsys.readouterr().err)
    for rows in ("training", "validation"):
        assert any(f"{rows} rows of class 1 are 0" in message for message in messages)
