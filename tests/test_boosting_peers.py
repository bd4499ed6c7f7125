"""Custom objectives made of our losses build the trees of XGBoost's and LightGBM's own objectives."""

import json

import numpy as np
import pytest

import fastloss as fl

N, ROUNDS = 600, 4
CASES = range(3)  # random parameters, data and weights


def data(kind, case):
    """Features, labels, weights and where boosting begins."""
    rng = np.random.default_rng([71, case])
    x = rng.normal(size=(N, 5))
    signal = x[:, 0] - 0.5 * x[:, 1] * x[:, 2]
    noise = rng.normal(size=N)
    y = {
        "real": lambda: 2 * signal + noise,
        "above_minus_one": lambda: np.expm1(signal + 0.3 * noise) + 0.5,
        "binary": lambda: (signal + noise > 0).astype(float),
        "soft": lambda: 1 / (1 + np.exp(-signal - noise)),
        "counts": lambda: rng.poisson(np.exp(0.5 * signal)).astype(float),
        "positive": lambda: np.exp(0.5 * signal) * rng.gamma(2.0, 0.5, N),
        "class": lambda: np.digitize(signal + noise, [-0.7, 0.6]).astype(float),
    }[kind]()
    start = 0.3 * rng.normal(size=(N, 3) if kind == "class" else N)
    if kind == "above_minus_one":
        start = np.abs(start)
    return x, y.astype(np.float32), rng.uniform(0.25, 3.0, N), start


def parameters(case):
    """Random ones, for the losses that have some."""
    rng = np.random.default_rng([72, case])
    return {
        "scale": rng.uniform(0.3, 3.0),
        "share": rng.uniform(0.1, 0.9),
        "p": rng.uniform(1.1, 1.9),
    }


class Objective:
    """What a peer's documentation says that its objective is, by one of our losses."""

    def __init__(self, loss, factor=1.0, hessian_factor=1.0, floor=0.0):
        self.loss, self.factor, self.hessian_factor, self.floor = (
            loss,
            factor,
            hessian_factor,
            floor,
        )

    def __call__(self, y, raw, weight):
        gradient, hessian = self.loss.gradient_hessian(y, raw, reduction="none")
        hessian = np.maximum(hessian * (self.factor * self.hessian_factor), self.floor)
        weight = weight.reshape(-1, *(1,) * (raw.ndim - 1))
        return weight * self.factor * gradient, weight * hessian


# name, the peer's parameters, labels, ours: of the random parameters
XGBOOST = [
    ("reg:squarederror", lambda p: {}, "real", lambda p: Objective(fl.HalfSquaredError())),
    (
        "reg:pseudohubererror",
        lambda p: {"huber_slope": p["scale"]},
        "real",
        lambda p: Objective(fl.PseudoHuber(p["scale"])),
    ),
    (
        "reg:squaredlogerror",
        lambda p: {},
        "above_minus_one",
        lambda p: Objective(fl.SquaredLogError(), factor=0.5, floor=1e-6),
    ),
    ("reg:logistic", lambda p: {}, "soft", lambda p: Objective(fl.LogLoss(), floor=1e-16)),
    (
        "binary:logistic",
        lambda p: {"scale_pos_weight": p["scale"]},
        "binary",
        lambda p: Objective(fl.LogLoss(pos_weight=p["scale"]), floor=1e-16),
    ),
    ("binary:hinge", lambda p: {}, "binary", lambda p: Objective(fl.Hinge(), floor=1e-38)),
    (
        "count:poisson",
        lambda p: {"max_delta_step": p["share"]},
        "counts",
        lambda p: Objective(fl.Poisson(), hessian_factor=np.exp(p["share"])),
    ),
    ("reg:gamma", lambda p: {}, "positive", lambda p: Objective(fl.Gamma())),
    (
        "reg:tweedie",
        lambda p: {"tweedie_variance_power": p["p"]},
        "counts",
        lambda p: Objective(fl.Tweedie(p["p"])),
    ),
    (
        "multi:softprob",
        lambda p: {"num_class": 3},
        "class",
        lambda p: Objective(fl.CrossEntropy(), hessian_factor=2.0, floor=1e-16),
    ),
]
LIGHTGBM = [
    ("regression", lambda p: {}, "real", lambda p: Objective(fl.HalfSquaredError())),
    # its Hessian is 1 everywhere
    (
        "huber",
        lambda p: {"alpha": p["scale"]},
        "real",
        lambda p: Objective(fl.Huber(p["scale"]), hessian_factor=0.0, floor=1.0),
    ),
    ("fair", lambda p: {"fair_c": p["scale"]}, "real", lambda p: Objective(fl.Fair(p["scale"]))),
    (
        "poisson",
        lambda p: {"poisson_max_delta_step": p["share"]},
        "counts",
        lambda p: Objective(fl.Poisson(), hessian_factor=np.exp(p["share"])),
    ),
    ("gamma", lambda p: {}, "positive", lambda p: Objective(fl.Gamma())),
    (
        "tweedie",
        lambda p: {"tweedie_variance_power": p["p"]},
        "counts",
        lambda p: Objective(fl.Tweedie(p["p"])),
    ),
    (
        "binary",
        lambda p: {"scale_pos_weight": p["scale"]},
        "binary",
        lambda p: Objective(fl.LogLoss(pos_weight=p["scale"])),
    ),
    ("cross_entropy", lambda p: {}, "soft", lambda p: Objective(fl.LogLoss())),
    (
        "multiclass",
        lambda p: {"num_class": 3},
        "class",
        lambda p: Objective(fl.CrossEntropy(), hessian_factor=3 / 2),
    ),
]


def str_of_name(value):
    return value if isinstance(value, str) else ""


def assert_same_trees(theirs, ours, start):
    """Of the scores after some rounds; they are float32, and have moved away from the start."""
    assert np.abs(theirs - start).mean() > 0.05
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("name", "theirs", "kind", "ours"), XGBOOST, ids=str_of_name)
def test_xgboost(name, theirs, kind, ours, case):
    xgboost = pytest.importorskip("xgboost")
    x, y, w, start = data(kind, case)
    p = parameters(case)
    objective = ours(p)
    train = xgboost.DMatrix(x, y, weight=w, base_margin=start)
    common = {"max_depth": 3, "eta": 0.5, "nthread": 1, "tree_method": "exact", "base_score": 0.5}
    own = xgboost.train({**common, "objective": name, **theirs(p)}, train, ROUNDS)
    steps = {
        key: value for key, value in theirs(p).items() if key in ("num_class", "max_delta_step")
    }

    def custom(raw, matrix):
        return objective(matrix.get_label(), raw, matrix.get_weight())

    same = xgboost.train(
        {**common, **steps, "disable_default_eval_metric": 1}, train, ROUNDS, obj=custom
    )
    predict = {"output_margin": True}
    assert_same_trees(own.predict(train, **predict), same.predict(train, **predict), start)


def xgboost_splits(booster):
    """Features and thresholds of XGBoost's first tree."""

    def walk(node):
        if "leaf" in node:
            return []
        below = [part for child in node["children"] for part in walk(child)]
        return [(node["split"], round(float(node["split_condition"]), 5)), *below]

    return walk(json.loads(booster.get_dump(dump_format="json")[0]))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("reg:absoluteerror", lambda p: {}, lambda p: fl.AbsoluteError()),
        (
            "reg:quantileerror",
            lambda p: {"quantile_alpha": p["share"]},
            lambda p: fl.Pinball(p["share"]),
        ),
    ],
)
def test_xgboost_splits(name, theirs, ours, case):
    """These put quantiles into the leaves afterwards: the splits alone come from the derivatives."""
    xgboost = pytest.importorskip("xgboost")
    x, y, w, start = data("real", case)
    p = parameters(case)
    objective = Objective(ours(p))
    train = xgboost.DMatrix(x, y, weight=w, base_margin=start)
    common = {"max_depth": 3, "nthread": 1, "tree_method": "exact", "base_score": 0.5}
    own = xgboost.train({**common, "objective": name, **theirs(p)}, train, 1)
    same = xgboost.train(
        {**common, "disable_default_eval_metric": 1},
        train,
        1,
        obj=lambda raw, matrix: objective(matrix.get_label(), raw, matrix.get_weight()),
    )
    assert xgboost_splits(own) == xgboost_splits(same)
    assert len(xgboost_splits(own)) == 7


def lightgbm_booster(lightgbm, params, kind, case, rounds=ROUNDS, *, weighted=True):
    x, y, w, start = data(kind, case)
    start = start.ravel(order="F") if start.ndim > 1 else start
    weight = w if weighted else np.ones(N)
    train = lightgbm.Dataset(x, y, weight=weight, init_score=start, free_raw_data=False)
    common = {
        "num_leaves": 8,
        "learning_rate": 0.5,
        "num_threads": 1,
        "boost_from_average": False,
        "deterministic": True,
        "verbosity": -1,
    }
    return lightgbm.train({**common, **params}, train, rounds)


def custom_for_lightgbm(objective):
    def custom(raw, dataset):
        weight = dataset.get_weight()  # None where all are 1
        weight = np.ones(N) if weight is None else weight.astype(np.float64)
        return objective(dataset.get_label(), raw, weight)

    return custom


def lightgbm_splits(booster):
    """Features and thresholds of the first tree."""

    def walk(node):
        if "split_feature" not in node:
            return []
        children = [*walk(node["left_child"]), *walk(node["right_child"])]
        return [(node["split_feature"], node["threshold"]), *children]

    return walk(booster.dump_model()["tree_info"][0]["tree_structure"])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("name", "theirs", "kind", "ours"), LIGHTGBM, ids=str_of_name)
def test_lightgbm(name, theirs, kind, ours, case):
    lightgbm = pytest.importorskip("lightgbm")
    p = parameters(case)
    own = lightgbm_booster(lightgbm, {"objective": name, **theirs(p)}, kind, case)
    classes = {key: value for key, value in theirs(p).items() if key == "num_class"}
    custom = custom_for_lightgbm(ours(p))
    same = lightgbm_booster(lightgbm, {"objective": custom, **classes}, kind, case)
    x = data(kind, case)[0]
    # what the trees add to the start
    assert_same_trees(own.predict(x, raw_score=True), same.predict(x, raw_score=True), 0.0)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("regression_l1", lambda p: {}, lambda p: fl.AbsoluteError()),
        ("quantile", lambda p: {"alpha": p["share"]}, lambda p: fl.Pinball(p["share"])),
        # the Hessian 1, not that of the weights 1 / |y|; compared without sample weights
        ("mape", lambda p: {}, lambda p: fl.AbsolutePercentageError(eps=1.0)),
    ],
)
def test_lightgbm_splits(name, theirs, ours, case):
    """These put quantiles into the leaves afterwards: the splits alone come from the derivatives."""
    lightgbm = pytest.importorskip("lightgbm")
    p = parameters(case)
    weighted, objective = name != "mape", Objective(ours(p))
    if name == "mape":
        objective = Objective(ours(p), hessian_factor=0.0, floor=1.0)
    own = lightgbm_booster(
        lightgbm, {"objective": name, **theirs(p)}, "real", case, 1, weighted=weighted
    )
    custom = custom_for_lightgbm(objective)
    same = lightgbm_booster(lightgbm, {"objective": custom}, "real", case, 1, weighted=weighted)
    assert lightgbm_splits(own) == lightgbm_splits(same)
    assert len(lightgbm_splits(own)) == 7
