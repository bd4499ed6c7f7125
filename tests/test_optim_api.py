"""The names of fastloss.optim, the kernels behind them, and when all that is imported."""

import inspect
import re
from pathlib import Path

import pytest
from helpers.optimizers import NAMES
from helpers.process import run

import fastloss as fl

ROOT = Path(__file__).parent.parent
CLASSES = [name for name in fl.optim.__all__ if inspect.isclass(getattr(fl.optim, name))]
OPTIMIZERS = {
    name
    for name in CLASSES
    if issubclass(getattr(fl.optim, name), fl.optim.Optimizer) and name != "Optimizer"
}


def test_every_optimizer_has_a_reference():
    assert set(NAMES) == OPTIMIZERS


def test_the_rows_of_optimizers_def_are_the_kernels():
    source = ROOT / "src" / "optimizers.def"
    rows = re.findall(r"^FL_OPTIMIZER\((\w+), \d+\)", source.read_text(), re.MULTILINE)
    assert rows == sorted(rows)
    headers = {path.stem for path in (ROOT / "src" / "optim").glob("*.h")}
    assert headers - {"norm", "update"} == set(rows)
    # AdamW runs on Adam's; clamp and scale are those of clipping
    assert {name.lower() for name in OPTIMIZERS - {"AdamW"}} == set(rows) - {"clamp", "scale"}


def test_the_docs_name_everything():
    page = ROOT / "docs" / "optim.md"
    text = page.read_text()
    for name in fl.optim.__all__:
        if name != "Optimizer":
            assert re.search(rf"`{name}\b|optim\.{name}\b", text), f"docs/optim.md lacks {name}"


@pytest.mark.parametrize("name", sorted(fl.optim.__all__))
def test_everything_is_documented(name):
    text = inspect.getdoc(getattr(fl.optim, name))
    assert text
    if name != "Optimizer":
        assert re.search(r"^Parameters\n-+$", text, re.MULTILINE)
        assert re.search(r"^Examples\n-+\n>>> ", text, re.MULTILINE)
    if name in OPTIMIZERS:
        assert re.search(r"^References\n-+$", text, re.MULTILINE)
        for key in getattr(fl.optim, name)().settings:
            assert re.search(rf"^(\w+, )?{key}\b", text, re.MULTILINE), key


def test_it_is_imported_when_it_is_asked_for():
    code = """
import json, sys
import fastloss as fl
before = "fastloss.optim" in sys.modules
fl.optim.SGD()
print(json.dumps([before, "fastloss.optim" in sys.modules]))
"""
    assert run(code) == [False, True]
    with pytest.raises(AttributeError, match=r"^module 'fastloss' has no attribute 'optimum'$"):
        _ = fl.optimum
