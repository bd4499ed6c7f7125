"""docs/losses: every loss has a section, and every section all of its parts."""

import re
from pathlib import Path

import numpy as np
import pytest

import fastloss as fl
from fastloss._bases.pointwise import PointwiseLoss

FOLDER = Path(__file__).parents[1] / "docs" / "losses"
#: What a section tells, in this order; the others where there is something to tell.
PARTS = (
    "parameters", "labels", "link", "domain", "loss", "gradient", "Hessian", '"mean"',
    "best constant", "use", "not for", "scale", "reference",
)  # fmt: skip
OPTIONAL = {"parameters", "domain", '"mean"'}


def sections():
    """Return the rows of each section's table, by the class in its heading."""
    found = {}
    for page in sorted(FOLDER.glob("*.md")):
        for section in re.split(r"(?m)^## ", page.read_text(encoding="utf-8"))[1:]:
            name, bracket, _ = section.partition("(")
            if bracket and name.isidentifier():
                assert name not in found
                table = re.search(r"(?m)^\| \| \|\n\|---\|---\|\n((?:^\|.*\|$\n?)+)", section)
                assert table, f"{name}: no table"
                rows = [line[2:-2].split(" | ", 1) for line in table[1].splitlines()]
                found[name] = [(part, text.strip()) for part, text in rows]
    return found


SECTIONS = sections()
CLASSES = {type(fl.get_loss(name)).__name__: fl.get_loss(name) for name in fl.available_losses()}


def test_each_loss_has_a_section():
    assert set(SECTIONS) == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_a_section_has_all_parts(name):
    parts = [part for part, _ in SECTIONS[name]]
    assert set(PARTS) - OPTIONAL <= set(parts)
    assert parts == [part for part in PARTS if part in parts]
    for part, text in SECTIONS[name]:
        assert text, f"{name}: {part} is empty"


@pytest.mark.parametrize(
    "name", [name for name, loss in CLASSES.items() if isinstance(loss, PointwiseLoss)]
)
def test_a_domain_is_told_where_there_are_raw_predictions_outside(name):
    f = np.array([-700.0, -3.0, 0.25, 3.0, 700.0])
    outside = np.isnan(CLASSES[name].loss(np.ones_like(f), f, reduction="none"))
    assert outside.any() == ("domain" in dict(SECTIONS[name]))


@pytest.mark.parametrize("name", CLASSES)
def test_a_reference_is_that_of_the_docstring(name):
    """Whoever the docstring refers to first is named, with the year."""
    docstring = re.sub(r"\s+", " ", CLASSES[name].__doc__)
    _, _, cited = docstring.partition("References ---------- ")
    assert cited, f"{name}: its docstring has no reference"
    text = dict(SECTIONS[name])["reference"]
    author = re.match(r"[\w-]+", cited)[0]
    if author != "The":  # an objective of a library
        assert author in text
    years = re.findall(r"\b(?:19|20)\d\d\b", text)
    assert all(year in cited for year in years)
