"""What is written never takes the place of what was read."""

import os

import numpy as np
import pytest
from helpers.tables import train, write_csv

from fastloss.cli import main


def data_file(path):
    x = np.arange(60.0)
    return write_csv(path, {"x": x.tolist(), "y": (3 * x + np.sin(x)).tolist()})


def refused(capsys, *arguments):
    assert main([str(argument) for argument in arguments]) == 2
    message = capsys.readouterr().err
    assert "would take the place of the input" in message
    return message


@pytest.mark.parametrize(
    "way", ["name", "other name", "symbolic link", "link", "picture", "report"]
)
def test_training_spares_its_data(way, tmp_path, capsys):
    name = {"picture": "model.png", "report": "model.json"}.get(way, "data.csv")
    data = data_file(tmp_path / name)
    before = data.read_bytes()
    output = {
        "name": data,
        "other name": tmp_path / ".." / tmp_path.name / "data.csv",
        "picture": tmp_path / "model.joblib",
        "report": tmp_path / "model.joblib",
    }.get(way, tmp_path / "link.joblib")
    if way == "symbolic link":
        output.symlink_to(data)
    elif way == "link":
        os.link(data, output)
    message = refused(capsys, "train", data, "--target", "y", "--output", output)
    assert str(data) in message
    assert data.read_bytes() == before


def test_prediction_spares_data_and_model(tmp_path, capsys):
    data = data_file(tmp_path / "data.csv")
    model, _ = train(tmp_path, data, "--target", "y")
    before = data.read_bytes(), model.read_bytes()
    link = tmp_path / "link.csv"
    for output in (data, link):
        if output == link:
            link.symlink_to(model)
        refused(capsys, "predict", model, data, "--output", output)
    assert (data.read_bytes(), model.read_bytes()) == before


def test_other_files_are_replaced(tmp_path):
    data = data_file(tmp_path / "data.csv")
    model, _ = train(tmp_path, data, "--target", "y")
    train(tmp_path, data, "--target", "y")
    output = tmp_path / "out.csv"
    output.write_text("old")
    assert main(["predict", str(model), str(data), "--output", str(output)]) == 0
    assert output.read_text().startswith("prediction")
