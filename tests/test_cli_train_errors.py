"""``fastloss train`` on wrong files and options: errors name line, column and value; exit code 2."""

import gzip
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from helpers.tables import write_csv

from fastloss.cli import main
from fastloss.cli.parser import COMMANDS


def columns(**changed):
    """Forty rows: a number, a category, a label; a change is {row: value}."""
    rng = np.random.default_rng(0)
    found = {
        "a": [f"{value:.3f}" for value in rng.normal(size=40)],
        "b": rng.choice(["u", "v", "w"], 40).tolist(),
        "y": rng.permutation([0, 1] * 20).tolist(),
    }
    for name, values in changed.items():
        for row, value in values.items():
            found[name][row] = value
    return found


def refused(capsys, data, *arguments):
    """Run the command, which must fail and write nothing; return the message."""
    before = set(data.parent.iterdir())
    output = data.parent / "model.joblib"
    code = main(["train", str(data), "--output", str(output), *arguments])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("fastloss train: ")
    assert set(data.parent.iterdir()) == before
    return captured.err.replace(f"{data}", "FILE").removeprefix("fastloss train: ").rstrip("\n")


WRONG_ROWS = [
    (
        {"a": {5: "12 kg"}},
        [],
        "FILE, line 7, column 'a': '12 kg' is no number, but 39 of 40 values of this column are.",
    ),
    (
        {"y": {5: "O"}},
        [],
        "FILE, line 7, column 'y': 'O' is no number, but 39 of 40 values of this",
    ),
    ({"a": {7: "inf"}}, [], "FILE, line 9, column 'a': inf; a column of numbers expects finite"),
    (
        {"y": {3: None, 9: None}},
        [],
        "FILE, line 5, column 'y': the target has no value, as in 2 rows in all; --skip-unlabelled",
    ),
    (
        {"y": {8: -3}},
        ["--loss", "poisson"],
        "FILE, line 10, column 'y': -3.0; Poisson expects finite labels of at least 0",
    ),
    ({"y": {8: "inf"}}, ["--loss", "huber"], "FILE, line 10, column 'y': inf; expected finite"),
    (
        {"y": {8: 2.5}},
        ["--loss", "log_loss"],
        "FILE, line 10, column 'y': 2.5; the loss log_loss expects classes, whole numbers or texts",
    ),
    (
        {"y": {8: "many"}},
        ["--loss", "huber"],
        "FILE, line 10, column 'y': 'many' is no number, but 39 of 40 values of this column are.",
    ),
]


@pytest.mark.parametrize(("changed", "arguments", "message"), WRONG_ROWS)
def test_a_wrong_row_is_named(changed, arguments, message, tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", columns(**changed))
    assert refused(capsys, data, "--target", "y", *arguments).startswith(message)


def test_a_class_of_one_row(tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", columns() | {"y": [int(i == 11) for i in range(40)]})
    message = refused(capsys, data, "--target", "y")
    assert message.startswith(
        "FILE, line 13, column 'y': the only row of class 1; expected at least 2"
    )


@pytest.mark.parametrize(("weight", "told"), [(-1, "-1.0"), (None, "is missing")])
def test_wrong_weights(weight, told, tmp_path, capsys):
    weights = [weight if i == 2 else 1 for i in range(40)]
    data = write_csv(tmp_path / "data.csv", columns() | {"w": weights})
    message = refused(capsys, data, "--target", "y", "--weight", "w")
    assert message == (
        f"FILE, line 4, column 'w': the weight {told}; expected a number of at least 0"
    )


def test_the_line_counts_empty_lines_and_quoted_line_ends(tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", columns(b={4: '"x\ny"'}, a={6: "odd"}))
    lines = data.read_text().split("\n")
    data.write_text("\n".join([lines[0], "", *lines[1:4], "   ", *lines[4:]]))
    assert data.read_text().split("\n")[10].startswith("odd,")
    assert refused(capsys, data, "--target", "y").startswith("FILE, line 11, column 'a': 'odd'")


def test_the_line_is_right_behind_rows_that_are_skipped(tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", columns(y={3: None}, a={6: "odd"}))
    message = refused(capsys, data, "--target", "y", "--skip-unlabelled")
    assert message.startswith("FILE, line 8, column 'a': 'odd'")


@pytest.mark.parametrize(("fields", "rest"), [(2, "0.1,u"), (4, "0.1,u,1,9"), (1, "0.1")])
def test_rows_of_another_length(fields, rest, tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", columns())
    lines = data.read_text().split("\n")
    lines[6] = rest
    data.write_text("\n".join(lines))
    expected = f"FILE, line 7: {fields} fields; expected 3, as the header has"
    assert refused(capsys, data, "--target", "y") == expected


CONTENTS = [
    (b"", "FILE: the file is empty; expected a line of column names"),
    (b"\n\n", "FILE: the file is empty; expected a line of column names"),
    (b"a,y\n", "FILE: there are column names, but no rows"),
    (b"a,a,y\n1,2,3\n", "FILE, line 1: several columns have the name 'a'"),
    (b"a,y\n1,2\n", "FILE: 1 row with a target; expected at least 10"),
    (b"a;y\n1;2\n", "FILE, line 1: one column only, 'a;y'; are the columns separated by ';'?"),
    (
        b"a\ty\n1\t2\n",
        "FILE, line 1: one column only, 'a\\ty'; are the columns separated by a tab?",
    ),
    (b"a,y\n1,2\n\xe9,3\n", "FILE, line 3: the byte 0xe9 at position 0 is not utf-8"),
    (b"\xff\xd8\xff\xe0" * 50, "FILE, line 1: the byte 0xff at position 0 is not utf-8"),
    (b'a,y\n1,"2\n', "FILE"),  # a quote that is not closed
]


@pytest.mark.parametrize(("content", "message"), CONTENTS)
def test_wrong_files(content, message, tmp_path, capsys):
    data = tmp_path / "data.csv"
    data.write_bytes(content)
    assert refused(capsys, data, "--target", "y").startswith(message)


def test_files_that_cannot_be_read(tmp_path, capsys):
    for name in ("no.csv", "no.parquet"):
        refusal = refused(capsys, tmp_path / name, "--target", "y")
        assert refusal == "FILE: No such file or directory"
    assert "FILE: " in refused(capsys, tmp_path, "--target", "y")
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"a,y\n" + bytes(range(48, 58)) * 500)[:40])
    assert "compressed file is broken" in refused(capsys, broken, "--target", "y")
    not_gzip = tmp_path / "text.csv.gz"
    not_gzip.write_text("a,y\n1,2\n")
    assert "Not a gzipped file" in refused(capsys, not_gzip, "--target", "y")
    two = tmp_path / "two.csv.zip"
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a.csv", "a,y\n")
        archive.writestr("b.csv", "a,y\n")
    assert refused(capsys, two, "--target", "y").startswith("FILE: 2 files inside; expected one")
    parquet = tmp_path / "text.parquet"
    parquet.write_text("a,y\n1,2\n")
    assert "not a parquet file" in refused(capsys, parquet, "--target", "y")
    data = write_csv(tmp_path / "data.csv", columns())
    message = refused(capsys, data, "--target", "y", "--encoding", "utf-9")
    assert message == "FILE: unknown encoding: utf-9"


def test_parquet_names_the_row(tmp_path, capsys):
    frame = pd.DataFrame(columns())
    frame["a"] = frame["a"].astype(float)
    frame.loc[17, "a"] = np.inf
    data = tmp_path / "data.parquet"
    frame.to_parquet(data)
    message = refused(capsys, data, "--target", "y")
    assert message == "FILE, row 17, column 'a': inf; a column of numbers expects finite numbers"


OPTIONS = [
    (["--target", "z"], "--target 'z': there is no such column, only 'a', 'b', 'y'"),
    (
        ["--target", "Y"],
        "--target 'Y': there is no such column, only 'a', 'b', 'y'; did you mean 'y'?",
    ),
    (["--target", "y", "--without", "c"], "--without 'c': there is no such column"),
    (["--target", "y", "--categorical", "c"], "--categorical 'c': there is no such column"),
    (["--target", "y", "--weight", "c"], "--weight 'c': there is no such column"),
    (["--target", "y", "--without", "y"], "--target 'y': the column is named for another use, too"),
    (["--target", "y", "--without", "a", "b"], "FILE: no column is left to learn from"),
    (["--target", "y", "--weight", "b"], "FILE, line 2, column 'b': '"),
    (
        ["--target", "y", "--loss", "hubr"],
        "--loss hubr: there is no loss 'hubr'; did you mean 'huber'? (`fastloss losses` lists them)",
    ),
    (
        ["--target", "y", "--loss", "mse"],
        "--loss mse: there is no loss 'mse'; did you mean 'squared_error'? (`fastloss losses` lists",
    ),
    (["--target", "y", "--loss", "coral"], "--loss coral: not a loss of one number or one score a"),
    (["--target", "y", "--loss", "huber:delta=-1"], "--loss huber:delta=-1: delta = -1: expected"),
    (
        ["--target", "y", "--loss", "huber:d=1"],
        "--loss huber:d=1: 'huber:d=1': d = 1: Huber has no such parameter, it has delta",
    ),
    (["--target", "b", "--loss", "huber"], "FILE, line 2, column 'b': '"),
    (["--target", "a", "--loss", "log_loss"], "FILE, line 2, column 'a': "),
    (
        ["--target", "y", "--loss", "huber", "--class-weight", "balanced"],
        "--class-weight balanced: the loss huber is one of numbers",
    ),
    (
        ["--target", "y", "--solver", "interior-point"],
        "FILE: solver = 'interior-point' with loss = LogLoss(",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), OPTIONS)
def test_wrong_options(arguments, message, tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", columns())
    assert refused(capsys, data, *arguments).startswith(message)


def test_targets_that_nothing_can_be_learnt_from(tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", columns() | {"y": [1] * 40})
    assert refused(capsys, data, "--target", "y") == (
        "FILE: the target 'y' is 1 in all 40 rows; expected different values"
    )
    data = write_csv(tmp_path / "data.csv", columns() | {"y": [None] * 40})
    assert refused(capsys, data, "--target", "y") == "FILE: the target 'y' has no values"
    data = write_csv(tmp_path / "data.csv", columns() | {"y": [f"name {i}" for i in range(40)]})
    message = refused(capsys, data, "--target", "y")
    assert message.startswith("FILE: the target 'y' has 40 different values in 40 rows ('name 0', ")
    pd.DataFrame(columns() | {"y": pd.date_range("2020", periods=40)}).to_parquet(
        tmp_path / "data.parquet"
    )
    message = refused(capsys, tmp_path / "data.parquet", "--target", "y")
    assert message.startswith("FILE: the target 'y' is of datetime64")


def test_columns_without_use(tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", columns() | {"a": [3] * 40, "b": ["x"] * 40})
    message = refused(capsys, data, "--target", "y")
    assert message == (
        "FILE: no column is left to learn from ('a': it is 3 in all rows; 'b': it is 'x' in all rows)"
    )


@pytest.mark.parametrize("n", [12, 40, 4000])
@pytest.mark.parametrize("value", ["1e300", "-1e300", "1" + 300 * "0"])
def test_numbers_too_large_to_be_standardised(tmp_path, capsys, n, value):
    rows = [f"{i / 7:.3f}" for i in range(n)]
    for several in (False, True):
        rows[7] = value
        rows[8:] = [value] * (n - 8) if several else rows[8:]
        data = write_csv(tmp_path / "data.csv", {"a": rows, "y": [0, 1] * (n // 2)})
        message = refused(capsys, data, "--target", "y")
        assert message.startswith(f"FILE, line 9, column 'a': {float(value):g} is too large for ")


@pytest.mark.parametrize("n", [12, 4000])
def test_numbers_that_can_still_be_standardised(tmp_path, n):
    most = np.sqrt(np.finfo(float).max / n) / 2 * (1 - 1e-12)
    rows = [repr(float((-1) ** (i // 2) * most)) for i in range(n)]
    data = write_csv(tmp_path / "data.csv", {"a": rows, "y": [0, 1] * (n // 2)})
    output = str(tmp_path / "model.joblib")
    assert main(["train", str(data), "--target", "y", "--output", output]) == 0


def test_weights_that_are_all_zero(tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", columns() | {"w": [0] * 40})
    message = refused(capsys, data, "--target", "y", "--weight", "w")
    assert message == "--weight 'w': all weights of training rows are 0"


@pytest.mark.parametrize("suffix", [".png", ".json", ""])
def test_outputs_that_cannot_be_written(suffix, tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", columns())
    (tmp_path / "folder").mkdir()
    output = tmp_path / f"folder{suffix}"
    assert main(["train", str(data), "--target", "y", "--output", str(output)]) == 2
    assert capsys.readouterr().err.startswith(f"fastloss train: --output {output}: ")
    below_a_file = data / "model.joblib"
    assert main(["train", str(data), "--target", "y", "--output", str(below_a_file)]) == 2
    assert capsys.readouterr().err.startswith(f"fastloss train: --output {below_a_file}: ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--target"],
        ["--target", "y", "--validation-share", "0"],
        ["--target", "y", "--validation-share", "1"],
        ["--target", "y", "--l1-ratio", "1.1"],
        ["--target", "y", "--alpha", "-1"],
        ["--target", "y", "--alpha", "inf"],
        ["--target", "y", "--tol", "x"],
        ["--target", "y", "--patience", "0"],
        ["--target", "y", "--solver", "magic"],
        ["--target", "y", "--separator", "ab"],
        ["--target", "y", "--decimal", "x"],
    ],
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["train", "data.csv", *arguments])
    assert exit_info.value.code == 2
    assert "usage: fastloss train" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "predict"])
def test_a_missing_package_is_named_with_its_extra(command, capsys, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec

    def without(name):
        return lambda wanted, *rest: None if wanted == name else find(wanted, *rest)

    arguments = (
        [command, "data.csv", "--target", "y"] if command == "train" else [command, "m", "d"]
    )
    monkeypatch.setattr("importlib.util.find_spec", without("pandas"))
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert "the package pandas is not installed" in message
    assert "pip install 'fastloss[train]'" in message
    monkeypatch.setattr("importlib.util.find_spec", without("pyarrow"))
    position = 1 if command == "train" else 2
    arguments[position] = "data.parquet"
    assert main(arguments) == 2
    assert "the package pyarrow is not installed" in capsys.readouterr().err


def test_the_help_needs_no_heavy_package():
    import subprocess

    for command in ("train", "predict"):
        assert command in COMMANDS
        code = (
            "import sys; from fastloss.cli import main\n"
            f"try: main(['{command}', '--help'])\n"
            "except SystemExit: pass\n"
            "heavy = {'pandas', 'sklearn', 'scipy', 'rich', 'matplotlib'} & set(sys.modules)\n"
            "sys.exit(f'{heavy}' if heavy else 0)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_comma_between_thousands(tmp_path, capsys):
    values = {row: f'"{10 + row},{400 + row}"' for row in range(40)}
    path = tmp_path / "data.csv"
    path.write_text("a,y\n" + "".join(f"{values[row]},{row % 2}\n" for row in range(40)))
    message = refused(capsys, path, "--target", "y")
    assert message.startswith("FILE, line 2, column 'a': '10,400' is no number; if the comma is a ")
    assert "if it stands between thousands, take it out of the file" in message
