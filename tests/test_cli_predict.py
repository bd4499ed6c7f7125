"""``fastloss predict``: the model's predictions for files in whatever shape they come."""

import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers.process import environment
from helpers.tables import mixed, train, write_csv
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from fastloss.cli import main

WITHOUT = ["--without", "amount", "visits", "kind"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of two classes, the file it learnt from, and its probabilities of "yes" there."""
    folder = tmp_path_factory.mktemp("model")
    data = write_csv(folder / "mixed.csv", mixed())
    path, _ = train(folder, data, "--target", "late", *WITHOUT)
    frame = pd.read_csv(data)
    return path, data, joblib.load(path).predict_proba(frame)[:, 1]


def predict(capsys, *arguments):
    code = main(["predict", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("form", ["out.csv", "out.parquet", None])
def test_the_predictions_are_the_models(model, form, tmp_path, capsys):
    path, data, share = model
    to_file = [] if form is None else ["--output", tmp_path / "new folder" / form]
    code, out, err = predict(capsys, path, data, "--proba", *to_file)
    assert (code, err) == (0, "")
    if form is None:
        (tmp_path / "stdout.csv").write_text(out)
        found = pd.read_csv(tmp_path / "stdout.csv", dtype=str)
    else:
        file = tmp_path / "new folder" / form
        assert out == f"predictions: {file}\n"
        found = pd.read_csv(file, dtype=str) if form == "out.csv" else pd.read_parquet(file)
    assert list(found.columns) == ["prediction", "probability_no", "probability_yes"]
    np.testing.assert_allclose(found["probability_yes"].astype(float), share, rtol=1e-14)
    np.testing.assert_array_equal(found["prediction"], np.where(share > 0.5, "yes", "no"))


def test_without_probabilities(model, capsys):
    path, data, share = model
    code, out, err = predict(capsys, path, data)
    assert (code, err) == (0, "")
    assert out.splitlines() == ["prediction", *np.where(share > 0.5, "yes", "no")]


def test_other_orders_more_columns_and_no_target(model, tmp_path, capsys):
    path, data, share = model
    frame = pd.read_csv(data).drop(columns="late")
    frame["more"] = "x"
    frame[sorted(frame.columns)].to_csv(tmp_path / "new.csv", index=False)
    code, out, err = predict(capsys, path, tmp_path / "new.csv")
    assert (code, err) == (0, "")
    assert out.splitlines() == ["prediction", *np.where(share > 0.5, "yes", "no")]


def test_missing_values_and_unknown_categories(model, tmp_path, capsys):
    path, _, _ = model
    new = tmp_path / "new.csv"
    new.write_text("age,color,member\n,,\n50,violet,True\n50,red,perhaps\n50,violet,False\n")
    code, out, err = predict(capsys, path, new, "--proba")
    assert code == 0
    assert err.splitlines() == [
        f"fastloss predict: {new}, column 'color': 2 rows of a category that the model has not seen "
        "('violet'); it counts as rare",
        f"fastloss predict: {new}, column 'member': 2 rows of a category that the model has not seen "
        "(no value, 'perhaps'); it counts as rare",
    ]
    assert len(out.splitlines()) == 5
    shares = [float(line.split(",")[-1]) for line in out.splitlines()[1:]]
    assert np.isfinite(shares).all()
    # the same as a row that has none of the colours
    fitted = joblib.load(path)
    row = fitted[0].transform(pd.read_csv(new))
    names = list(fitted[0].get_feature_names_out())
    row = row.toarray() if hasattr(row, "toarray") else row
    assert not row[1, [names.index(f"color={c}") for c in ("red", "green", "blue")]].any()


def test_categories_that_look_like_numbers_in_the_new_file(tmp_path, capsys):
    n = 90
    columns = {"code": ["01", "2", "A"] * (n // 3), "y": [1.0, 5.0, 9.0] * (n // 3)}
    columns["y"] = [y + 0.001 * i for i, y in enumerate(columns["y"])]
    data = write_csv(tmp_path / "data.csv", columns)
    path, _ = train(tmp_path, data, "--target", "y", "--categorical", "code")
    capsys.readouterr()
    new = tmp_path / "new.csv"
    new.write_text("code\n01\n2\n")
    code, out, err = predict(capsys, path, new)
    assert (code, err) == (0, "")
    assert [round(float(line)) for line in out.splitlines()[1:]] == [1, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "NEW: the file is empty; expected a line of column names"),
        ("age,color,member\n", "NEW: there are column names, but no rows"),
        (
            "age,member\n1,True\n",
            "NEW: the model needs the column 'color'; there are 'age', 'member'",
        ),
        ("x\n1\n", "NEW: the model needs the columns 'age', 'color', 'member'; there are 'x'"),
        (
            "age,color,member\n1,red,True\nold,red,True\n",
            "NEW, line 3, column 'age': 'old'; the model expects finite numbers",
        ),
        (
            "age,color,member\n1,red,True\n1,red\n",
            "NEW, line 3: 2 fields; expected 3, as the header",
        ),
    ],
)
def test_wrong_rows(model, content, message, tmp_path, capsys):
    new = tmp_path / "new.csv"
    new.write_text(content)
    output = tmp_path / "out.csv"
    code, out, err = predict(capsys, model[0], new, "--output", output)
    assert (code, out) == (2, "")
    assert err.replace(str(new), "NEW").startswith(f"fastloss predict: {message}")
    assert not output.exists()


def test_files_that_are_no_model(model, tmp_path, capsys):
    path, data, _ = model
    assert predict(capsys, tmp_path / "no", data) == (
        2,
        "",
        f"fastloss predict: {tmp_path / 'no'}: No such file or directory\n",
    )
    code, _, err = predict(capsys, data, data)
    assert code == 2
    assert f"{data}: not a model that can be loaded" in err
    other = tmp_path / "other.joblib"
    for stranger in (make_pipeline(LogisticRegression()), {"a": 1}):
        joblib.dump(stranger, other)
        code, _, err = predict(capsys, other, data)
        assert code == 2
        assert f"a {type(stranger).__name__}; expected a model that `fastloss train` wrote" in err
    truncated = tmp_path / "truncated.joblib"
    truncated.write_bytes(Path(path).read_bytes()[:500])
    assert predict(capsys, truncated, data)[0] == 2


def test_a_model_without_probabilities(tmp_path, capsys):
    data = write_csv(tmp_path / "mixed.csv", mixed())
    path, _ = train(tmp_path, data, "--target", "late", *WITHOUT, "--loss", "hinge")
    capsys.readouterr()
    code, _, err = predict(capsys, path, data, "--proba")
    assert code == 2
    assert "--proba: a model of Hinge(cost_fn=1.0, cost_fp=1.0) has no probabilities" in err


def test_outputs_that_cannot_be_written(model, tmp_path, capsys):
    path, data, _ = model
    code, _, err = predict(capsys, path, data, "--output", tmp_path / "out.xls")
    assert code == 2
    assert "expected .csv, .parquet, .pq" in err
    (tmp_path / "file").write_text("")
    code, _, err = predict(capsys, path, data, "--output", tmp_path / "file" / "out.csv")
    assert code == 2
    assert err.startswith("fastloss predict: --output ")


def test_a_closed_pipe_leaves_no_traceback(model):
    path, data, _ = model
    process = subprocess.Popen(
        [sys.executable, "-m", "fastloss", "predict", str(path), str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1
