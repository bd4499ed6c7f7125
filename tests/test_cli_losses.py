"""``fastloss losses NAME``: one loss in full; and what an unknown name is answered."""

import json

import numpy as np
import pytest

import fastloss as fl
from fastloss.cli import main
from fastloss.cli.losses import explain


@pytest.mark.parametrize("name", fl.available_losses())
def test_every_loss_is_told_in_full(name):
    told = explain(name)
    params = fl.get_loss(name).params
    assert [entry["name"] for entry in told["parameters"]] == list(params)
    for entry in told["parameters"]:
        assert entry["default"] == params[entry["name"]]
        assert entry["meaning"], f"the docstring does not tell what {entry['name']} means"
    for key in ("text", "references", "example", "link", "labels"):
        assert told[key], f"the docstring does not tell: {key}"


def test_one_in_words(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["losses", "huber", "log-loss"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("huber: fl.Huber(delta=1.0)\n\n")
    assert "\n\nlog_loss: fl.LogLoss(pos_weight=1.0, label_smoothing=0.0, " in out
    assert "\n  cost_fp = 1.0\n    Costs of a false negative and" in out
    assert "\nReferences\n  Cox, The Regression Analysis of Binary Sequences, 1958." in out
    assert "\nExample\n  >>> import fastloss as fl\n" in out


def test_one_as_json(capsys):
    assert main(["losses", "one_vs_rest", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["name"] == "one_vs_rest"
    assert told["parameters"][0]["default"].startswith("LogLoss(")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("mse", "squared_error"),
        ("hubr", "huber"),
        ("LogLoss", "log_loss"),
        ("L1", "absolute_error"),
    ],
)
def test_an_unknown_name_gets_the_likeliest(wrong, right, capsys):
    assert main(["losses", wrong]) == 2
    assert capsys.readouterr().err.endswith(f"; did you mean {right!r}?\n")
    X, y = np.zeros((2, 1)), [0, 1]
    with pytest.raises(ValueError, match=f"^name = '{wrong}': .*did you mean '{right}'"):
        fl.LinearObjective(wrong, X, y)


def test_an_unknown_name_given_to_an_estimator():
    linear_model = pytest.importorskip("fastloss.linear_model")
    for model in (linear_model.LinearRegressor("mse"), linear_model.LinearClassifier("mse")):
        with pytest.raises(ValueError, match=r"^loss = 'mse': .*; did you mean 'squared_error'"):
            model.fit(np.zeros((2, 1)), [0, 1])
    with pytest.raises(ValueError, match=r"^loss = 'nothing like it': expected one of [^?]*$"):
        linear_model.LinearRegressor("nothing like it").fit(np.zeros((2, 1)), [0, 1])


def test_every_name_used_elsewhere_leads_to_one_of_ours():
    from fastloss.losses.registry import _ELSEWHERE

    assert set(_ELSEWHERE.values()) <= set(fl.available_losses())
    assert not set(_ELSEWHERE) & set(fl.available_losses())
