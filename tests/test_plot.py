"""``fastloss plot``: the curves are the losses, and the picture is drawn."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from references import REFERENCES

import fastloss as fl
from fastloss.cli import main
from fastloss.cli.loss_text import parse_loss
from fastloss.plot.curves import trace, traces
from fastloss.plot.picture import _draw_panel

X = np.linspace(-3, 3, 61)
FINE = np.linspace(-3, 3, 769)  # with 1 and -1


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        ("huber", fl.Huber()),
        ("huber:delta=2", fl.Huber(delta=2)),
        ("squared-error", fl.SquaredError()),
        ("log_loss: pos_weight = 3.0, cost_fp=2", fl.LogLoss(pos_weight=3.0, cost_fp=2)),
        ("cross_entropy:class_weight=(1.0, 2.0, 3.0)", fl.CrossEntropy(class_weight=(1, 2, 3))),
        ("barron_robust:alpha=-inf,c=1", fl.BarronRobust(alpha=-np.inf)),
        ("BarronRobust(alpha=float('-inf'), c=1.0)", fl.BarronRobust(alpha=-np.inf)),
    ],
)
def test_losses_by_text(text, loss):
    assert parse_loss(text) == loss


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "there is no loss 'nonsense'"),
        ("huber:delta", "expected parameter=value, got 'delta'"),
        ("huber:delta=1,2", r"got '2'; several numbers stand in parentheses, delta=\(…\)"),
        ("huber:epsilon=1", "epsilon"),
        ("huber:delta=-1", "delta = -1: expected"),
        ("huber:delta=inf", "delta = inf: expected a finite number"),
    ],
)
def test_wrong_texts(text, message):
    with pytest.raises(ValueError, match=message):
        parse_loss(text)


@pytest.mark.parametrize("name", fl.available_losses())
def test_every_loss_has_curves(name):
    loss = fl.get_loss(name)
    x = X + 0.013  # not at the label, where a Hessian may be infinite
    if name in REFERENCES:
        x = x[REFERENCES[name].inside(x) == x]
    curve = trace(loss, x)
    assert type(loss).__name__ in curve.title
    for part in (curve.loss, curve.gradient, curve.hessian):
        assert part.shape == x.shape
        assert np.isfinite(part).all()
    assert np.ptp(curve.loss) > 0


def test_the_label_of_several_classes():
    f = np.stack([X, 0 * X, 0 * X], axis=1)
    for y in (None, 2.0):
        curve = trace(fl.CrossEntropy(), X, y)
        true = fl.CrossEntropy().loss(np.full(len(X), int(y or 0)), f, reduction="none")
        np.testing.assert_array_equal(curve.loss, true)
        assert curve.title == f"CrossEntropy(), output 0 of 3, y = {y or 0:g}"


def test_the_curve_is_the_loss():
    curve = trace(fl.LogLoss(), X, y_true=0.0)
    np.testing.assert_allclose(curve.loss, np.logaddexp(0, X), rtol=1e-14)
    assert curve.title == "LogLoss(), y = 0"
    curve = trace(fl.Huber(delta=2.0), X)
    assert curve.title == "Huber(delta=2.0), y = 0"


@pytest.mark.parametrize(("suffix", "option"), [("png", "--output"), ("svg", "-o")])
def test_picture(tmp_path, capsys, suffix, option):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"losses.{suffix}"
    arguments = ["plot", "huber:delta=2", "poisson", "log_loss", "--y", "1", option, str(path)]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "there is no loss 'nonsense'"),
        (["log_loss", "--y", "3"], r"y_true[0] = 3.0: LogLoss expects"),
        (["cross_entropy", "--y", "0.5"], "y = 0.5: CrossEntropy() expects a class"),
        (["cross_entropy", "--y", "7"], "y_true[0] = 7"),
        (["cross_entropy", "--along", "3"], "output 3: CrossEntropy() has outputs 0 to 2"),
        (["huber", "--from", "2", "--to", "1"], "expected a rise"),
        (["huber", "--from", "nan"], "expected finite numbers"),
        (["huber", "--output", "losses.xyz"], "expected .png, .svg, .pdf"),
        (["huber", "--output", "no/such/folder.png"], "no/such/folder.png"),
    ],
)
def test_wrong_arguments(arguments, message, capsys, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert main(["plot", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def ribbons(losses, part):
    """The colours and widths of what is drawn below the lines, where it is drawn."""
    curves = traces(losses, FINE)
    axes = Figure().subplots()
    _draw_panel(axes, part, curves)
    return [
        (line.get_color(), line.get_linewidth(), FINE[np.isfinite(line.get_ydata())])
        for line in axes.get_lines()
        if line.get_linewidth() > 1.8
    ]


def test_curves_that_coincide_are_all_seen():
    """The earlier ones as wider ribbons, the widest lowest, as far as they coincide."""
    losses = [fl.Huber(), fl.HalfSquaredError(), fl.Expectile()]
    (first, wide, where), (second, narrow, all_of_it) = ribbons(losses, "loss")
    assert first != second
    assert wide > narrow > 1.8
    np.testing.assert_array_equal(where, FINE[np.abs(FINE) <= 1])
    np.testing.assert_array_equal(all_of_it, FINE)


def test_curves_that_cross_or_come_near_have_no_ribbons():
    assert not ribbons([fl.AbsoluteError(), fl.HalfSquaredError()], "loss")
    assert not ribbons([fl.PseudoHuber(), fl.Cauchy()], "loss")
    assert not ribbons([fl.Huber()], "loss")


def test_many_ribbons_are_no_wider_than_a_limit():
    widths = [width for _, width, _ in ribbons([fl.Huber()] * 12, "gradient")]
    assert len(set(widths)) == 11
    assert max(widths) <= 1.8 + 7.2 + 1e-9


def test_a_percentage_is_not_drawn_of_zero():
    curve = trace(fl.AbsolutePercentageError(), X)
    assert curve.title.endswith("y = 1")
    np.testing.assert_allclose(curve.loss, np.abs(X - 1))
    assert trace(fl.AbsolutePercentageError(), X, 2.0).title.endswith("y = 2")


def test_any_of_several_outputs_moves():
    loss, x = fl.CrossEntropy(), np.linspace(-3, 3, 7)
    first, second = trace(loss, x, 1), trace(loss, x, 1, 1)
    assert first.title.endswith("output 0 of 3, y = 1")
    assert second.title.endswith("output 1 of 3, y = 1")
    np.testing.assert_allclose(first.loss, np.log(2 + np.exp(x)), rtol=1e-14)
    np.testing.assert_allclose(second.loss, np.log(2 + np.exp(x)) - x, rtol=1e-14)
    np.testing.assert_allclose(second.gradient, -2 / (2 + np.exp(x)), rtol=1e-14)
    log_variance = trace(fl.GaussianNLL(), x, 1.0, 1)
    np.testing.assert_allclose(log_variance.loss, (x + np.exp(-x)) / 2, rtol=1e-14)
    with pytest.raises(ValueError, match=r"output 3: CrossEntropy\(\) has outputs 0 to 2"):
        trace(loss, x, 1, 3)
    assert trace(fl.Huber(), x, output=5).title == trace(fl.Huber(), x).title


def _seen(losses, part, x=FINE):
    """Where each line lies within its panel."""
    axes = Figure().subplots()
    _draw_panel(axes, part, traces(losses, x))
    low, high = axes.get_ylim()
    lines = [line.get_ydata() for line in axes.get_lines() if line.get_linewidth() == 1.8]
    return [np.mean((low <= np.asarray(y)) & (np.asarray(y) <= high)) for y in lines]


@pytest.mark.parametrize(
    "losses",
    [
        (fl.SquaredError(), fl.LogLoss(), fl.CrossEntropy()),
        (fl.AbsoluteError(), fl.NLL(), fl.LogLoss()),
        (fl.SquaredHinge(), fl.LogLoss(), fl.Focal()),
        (fl.Huber(), fl.JensenShannon(), fl.NLL()),
    ],
    ids=lambda losses: losses[0].name,
)
def test_no_constant_or_step_is_cut_off(losses):
    assert min(_seen(losses, "hessian")) == 1


def test_runaways_are_cut_off():
    x = np.linspace(-4, 30, 500)
    shares = _seen((fl.Poisson(), fl.LogLoss(), fl.Huber()), "loss", x)
    assert shares[0] < 0.5
    assert shares[1:] == [1, 1]


@pytest.mark.parametrize(
    "arguments", [["gamma", "--from", "-800"], ["gaussian_crps", "--along", "1", "--to", "800"]]
)
def test_what_is_too_large_for_a_picture_is_left_out(arguments, tmp_path):
    path = tmp_path / "large.png"
    assert main(["plot", *arguments, "-o", str(path)]) == 0
    assert path.stat().st_size > 1000
