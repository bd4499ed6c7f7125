"""``fastloss losses NAME``: one loss in full; and what an unknown name is answered."""

import json

import numpy as np
import pytest
from helpers.calls import raises

import fastloss as fl
from fastloss.cli import main
from fastloss.cli.loss_text import parse_loss
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
    assert out.startswith("huber: fl.Huber(delta=1.0, hessian='exact')\n\n")
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
        ("nll_loss", "nll"),
        ("hinge_loss", "hinge"),
        ("binary_cross_entropy_with_logits", "log_loss"),
        ("BCEWithLogitsLoss", "log_loss"),
        ("categorical_crossentropy", "cross_entropy"),
        ("CrossEntropyLoss", "cross_entropy"),
    ],
)
def test_an_unknown_name_gets_the_likeliest(wrong, right, capsys):
    assert main(["losses", wrong]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"fastloss losses: there is no loss {wrong!r}; did you mean {right!r}")
    assert err.endswith("? (`fastloss losses` lists them)\n")
    X, y = np.zeros((2, 1)), [0, 1]
    with pytest.raises(ValueError, match=f"^name = '{wrong}': .*did you mean '{right}'"):
        fl.LinearObjective(wrong, X, y)


def test_a_name_stands_alone(capsys):
    assert main(["losses", "huber:delta=2"]) == 2
    wanted = "'huber:delta=2': expected the name alone, huber, without parameters"
    assert capsys.readouterr().err == f"fastloss losses: {wanted}\n"


def test_an_unknown_name_given_to_an_estimator():
    linear_model = pytest.importorskip("fastloss.linear_model")
    models = (linear_model.LinearRegressor, linear_model.SGDRegressor)
    classifiers = (linear_model.LinearClassifier, linear_model.SGDClassifier)
    for wrong, kind, hint, of in (
        ("mse", "numbers", "; did you mean 'squared_error'?", models),
        ("binary", "classes", "; did you mean 'log_loss'?", classifiers),
        # what it is near to is not for classes
        ("poison", "classes", "", classifiers),
        ("nothing like it", "numbers", "", models),
    ):
        expected = (
            f"loss = {wrong!r}: expected a loss of {kind}{hint} (fl.available_losses() lists all)"
        )
        for model in of:
            with raises(ValueError, expected):
                model(wrong).fit(np.zeros((2, 1)), [0, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "focal:gama=2",
            "'focal:gama=2': gama = 2: Focal has no such parameter, it has gamma, alpha, hessian, "
            "cost_fn, cost_fp; did you mean 'gamma'?",
        ),
        ("huber:x=2", "'huber:x=2': x = 2: Huber has no such parameter, it has delta, hessian"),
        (
            "squared_error:delta=1",
            "'squared_error:delta=1': delta = 1: SquaredError has no such parameter, it has none",
        ),
        ("huber:delta=x", "'huber:delta=x': delta = 'x': expected a number"),
        (
            "focl:gamma=2",
            "there is no loss 'focl'; did you mean 'focal'? (`fastloss losses` lists them)",
        ),
        (
            "Cross-Entropi",
            "there is no loss 'Cross-Entropi'; did you mean 'cross_entropy' or "
            "'binary_cross_entropy' or 'symmetric_cross_entropy'? (`fastloss losses` lists them)",
        ),
    ],
)
def test_a_text_that_names_no_loss_or_parameter(text, message):
    with raises(ValueError, message):
        parse_loss(text)


@pytest.mark.parametrize(
    ("words", "argument"), [(["--losses", "huber"], "--losses"), (["huber"], "LOSS")]
)
def test_bench_of_an_unknown_loss(words, argument, capsys):
    with pytest.raises(SystemExit):
        main(["bench", *words, "hubr"])
    err = capsys.readouterr().err
    assert (
        f"argument {argument}: there is no loss 'hubr'; did you mean 'huber'? (`fastloss losses`"
        in err
    )
    assert "absolute_error" not in err


def test_every_name_used_elsewhere_leads_to_one_of_ours():
    from fastloss.losses.registry import _ELSEWHERE

    assert set(_ELSEWHERE.values()) <= set(fl.available_losses())
    assert not set(_ELSEWHERE) & set(fl.available_losses())


@pytest.mark.parametrize(
    "text",
    [
        "multi_pinball:quantiles=[0.1, 0.9]",
        " multi_pinball(quantiles=[0.1, 0.9]) ",
        "MultiPinball(quantiles=[0.1, 0.9])",
    ],
)
def test_parameters_behind_a_colon_or_in_brackets(text):
    assert parse_loss(text) == fl.MultiPinball(quantiles=[0.1, 0.9])


def test_a_loss_as_it_is_printed(capsys):
    assert main(["losses", "Huber(delta=2.0)"]) == 0
    assert capsys.readouterr().out.startswith("huber: fl.Huber(delta=1.0, hessian='exact')")
    assert main(["losses", "Huber(d=2)"]) == 2
    assert "Huber has no such parameter, it has delta, hessian" in capsys.readouterr().err
