"""Small CSV files, and the command run on them."""

import json

import numpy as np

from fastloss.cli import main


def write_csv(path, columns, separator=","):
    """Write a dict of columns; None is an empty field."""
    lines = [separator.join(columns)]
    for row in zip(*columns.values(), strict=True):
        lines.append(separator.join("" if value is None else str(value) for value in row))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def mixed(n=400, seed=0):
    """Columns of numbers and categories, some missing, and targets that depend on them."""
    rng = np.random.default_rng(seed)
    age = rng.normal(50.0, 12.0, n)
    color = rng.choice(["red", "green", "blue"], n)
    member = rng.random(n) < 0.4
    score = (age - 50) / 12 + 2.0 * (color == "red") - 1.0 * member + rng.logistic(size=n) * 0.4
    gap = rng.random(n) < 0.1
    return {
        "age": [None if hole else f"{value:.3f}" for hole, value in zip(gap, age, strict=True)],
        "color": [None if i % 17 == 0 else value for i, value in enumerate(color)],
        "member": member.tolist(),
        "constant": [3] * n,
        "late": np.where(score > 0.5, "yes", "no").tolist(),
        "amount": [f"{value:.4f}" for value in 10 + 3 * score],
        "visits": rng.poisson(np.exp(0.4 * score)).tolist(),
        "kind": np.digitize(score, [-0.5, 1.5]).tolist(),
    }


def train(tmp_path, data, *arguments):
    """Run ``fastloss train`` and return the path of the model and the report."""
    model = tmp_path / "out" / "model.joblib"
    code = main(["train", str(data), "--output", str(model), *map(str, arguments)])
    assert code == 0
    return model, json.loads(model.with_suffix(".json").read_text())


def metric(report, name, of="validation"):
    """Return one number of a report."""
    (found,) = (entry[of] for entry in report["metrics"] if entry["name"] == name)
    return found
