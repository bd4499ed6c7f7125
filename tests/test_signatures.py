"""What help() shows of compiled classes."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

import fastloss as fl


def test_the_signature_of_linear_objective_is_that_of_its_stub():
    stub = (Path(fl.__file__).parent / "_linear/objective.pyi").read_text(encoding="utf-8")
    made = next(
        node
        for node in ast.walk(ast.parse(stub))
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    ).args
    parameters = inspect.signature(fl.LinearObjective).parameters
    assert [*parameters] == [a.arg for a in (*made.args[1:], *made.kwonlyargs)]
    assert [p.kind for p in parameters.values()] == [inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(
        made.args[1:]
    ) + [inspect.Parameter.KEYWORD_ONLY] * len(made.kwonlyargs)
    given = [p.default for p in parameters.values() if p.default is not inspect.Parameter.empty]
    assert given == [ast.literal_eval(node) for node in (*made.defaults, *made.kw_defaults)]


def test_linear_objective_takes_what_its_signature_says():
    X, y = np.ones((3, 2)), np.zeros(3)
    parameters = inspect.signature(fl.LinearObjective).parameters
    defaults = {k: p.default for k, p in parameters.items() if p.default is not p.empty}
    one = fl.LinearObjective("log_loss", X, y, **defaults)
    assert one.loss(np.ones(3)) == fl.LinearObjective("log_loss", X, y).loss(np.ones(3))


def test_an_optimizer_without_numbers_is_refused_when_it_is_made():
    class Numberless(fl.optim.Optimizer):
        pass

    with pytest.raises(TypeError, match=r"Numberless has no method _numbers\(step, lr\)"):
        Numberless("sgd", {"lr": 0.1}, ("momentum_buffer",))
