"""Predictions for the file that a model learnt from, and for others that spell its values otherwise."""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers.tables import train, write_csv

from fastloss.cli import main
from fastloss.train.encoding import UnknownLevelsWarning
from fastloss.train.levels import Levels

N = 120
rng = np.random.default_rng(0)
X = rng.normal(size=N).round(3)
TRUTH = rng.random(N) < 0.5
HOUR = rng.integers(0, 4, N)
ZIP = rng.choice(["03", "1", "0020"], N)
OF_ZIP = {"03": 5.0, "1": -2.0, "0020": 0.0}
Y = X + 6.0 * TRUTH + np.array([0.0, 4.0, -3.0, 9.0])[HOUR] + [OF_ZIP[z] for z in ZIP]


OPTIONS = ["--target", "y", "--categorical", "hour", "zip", "--alpha", "1e-6", "--tol", "1e-8"]


def columns(truth=("false", "true"), hour="{}", gaps=()):
    """The columns of a file, its truth values and hours spelt in some way, some of them missing."""
    found = {
        "x": X.tolist(),
        "truth": [truth[int(b)] for b in TRUTH],
        "hour": [hour.format(h) for h in HOUR],
        "zip": ZIP.tolist(),
        "day": [f"2013-01-{1 + i % 28:02}" for i in range(N)],
        "y": Y.round(6).tolist(),
    }
    for name in gaps:
        found[name][7] = None
    return found


def fitted(tmp_path, name="data.csv", **kinds):
    data = write_csv(tmp_path / name, columns(**kinds))
    path, told = train(tmp_path, data, *OPTIONS)
    assert "it is of dates" in told["left_out"]["day"]
    return path


def predicted(path, data, capsys):
    capsys.readouterr()
    code = main(["predict", str(path), str(data), "--output", str(data) + ".out.csv"])
    assert code == 0
    return pd.read_csv(str(data) + ".out.csv")["prediction"].to_numpy(), capsys.readouterr().err


def assert_learnt(found, gap=False):
    rows = np.arange(N) != 7 if gap else np.full(N, True)
    np.testing.assert_allclose(found[rows], Y[rows], atol=0.2 if gap else 1e-3)


SPELLINGS = [
    {},
    {"truth": ("False", "True")},
    {"truth": ("FALSE", "TRUE")},
    {"truth": ("0", "1")},
    {"hour": "{}.0"},
    {"hour": "0{}"},
    {"hour": "+{}.000"},
    {"gaps": ("truth", "hour")},
    {"truth": ("False", "True"), "hour": "{}.0", "gaps": ("truth", "hour")},
]


@pytest.mark.parametrize("kinds", SPELLINGS)
def test_the_file_itself(kinds, tmp_path, capsys):
    path = fitted(tmp_path, **kinds)
    found, err = predicted(path, tmp_path / "data.csv", capsys)
    assert err == ""
    assert_learnt(found, gap="gaps" in kinds)


@pytest.mark.parametrize("new", [s for s in SPELLINGS if s.get("truth") != ("0", "1")])
@pytest.mark.parametrize("old", [{}, {"truth": ("FALSE", "TRUE"), "hour": "{}.0"}])
def test_a_file_that_spells_otherwise(old, new, tmp_path, capsys):
    path = fitted(tmp_path, **old)
    found, err = predicted(path, write_csv(tmp_path / "new.csv", columns(**new)), capsys)
    assert err.count("1 row of a category") == (2 if "gaps" in new else 0)
    assert ("category that" in err) == ("gaps" in new)
    assert_learnt(found, gap="gaps" in new)


def test_parquet_beside_csv(tmp_path, capsys):
    pytest.importorskip("pyarrow")
    path = fitted(tmp_path)
    frame = pd.DataFrame(columns())
    frame["truth"], frame["hour"] = TRUTH, HOUR
    for name, change in {
        "same": {},
        "wide": {"hour": HOUR.astype(float), "zip": ZIP.astype(int)},
        "small": {"hour": HOUR.astype(np.int8), "truth": pd.array(TRUTH, "boolean")},
        "named": {"hour": pd.Categorical(HOUR), "zip": pd.Categorical(ZIP)},
    }.items():
        file = tmp_path / f"{name}.parquet"
        frame.assign(**change).to_parquet(file)
        found, err = predicted(path, file, capsys)
        assert err == ""
        assert_learnt(found)
        again, _ = train(tmp_path / name, file, *OPTIONS)
        found, err = predicted(again, tmp_path / "data.csv", capsys)
        assert err == ""
        assert_learnt(found)


def test_a_frame_as_pandas_reads_it(tmp_path):
    path = fitted(tmp_path)
    model = joblib.load(path)
    frame = pd.read_csv(tmp_path / "data.csv")
    assert frame["zip"].dtype == np.int64
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_learnt(model.predict(frame))
    with pytest.warns(UnknownLevelsWarning, match=r"column 'zip': no value .* as 'a'; .*dtype="):
        model.predict(frame.assign(zip="a"))


def test_levels_and_blanks_around_them():
    levels = Levels(["x ", "a", " a", "3", "  b", " 4"])
    for text, level in {
        "  x ": "x ", "x": "x ", "a": "a", " a": " a", "a ": "a ", " 3": "3", "3.0 ": "3", "b": "  b",
        "y": "y", "4.0": " 4", "4": " 4",
    }.items():  # fmt: skip
        assert levels.find(text) == level, text


def test_levels():
    levels = Levels(["3", "03", "1", "007", "True", "false", "1E2", "-0.50", "a", np.nan])
    for text, level in {
        "3.0": "3",
        "03": "03",
        "003": "3",
        "+1.": "1",
        "7": "007",
        "7.0": "007",
        "7.5": "7.5",
        "TRUE": "True",
        "False": "false",
        "tRue": "tRue",
        "100": "100",
        "1e2": "1e2",
        "-.5": "-.5",
        "-0.5": "-0.50",
        "-0": "-0",
        "-1": "-1",
        "A": "A",
        "nan": "nan",
        "\u0663": "\u0663",
    }.items():
        assert levels.find(text) == level, text
    assert "a" in levels
    assert "b" not in levels
    assert Levels(["04", "004"]).find("4") == "4"
