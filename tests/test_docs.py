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


def parameter_names(loss):
    """Return the parameters whose numbers a section tells: costs and Hessians are told elsewhere."""
    return set(loss.params) - {"cost_fn", "cost_fp", "hessian"}


@pytest.mark.parametrize("name", CLASSES)
def test_parameters_are_told_where_there_are_any(name):
    text = dict(SECTIONS[name]).get("parameters", "")
    assert bool(text) == bool(parameter_names(CLASSES[name]))
    if text != "as those of Tweedie":
        switches = {"weighted_mean", "weighted_smoothing", "all_ignored", "ignore_index"}
        for parameter in parameter_names(CLASSES[name]) - switches:
            assert re.search(rf"\b{parameter}\b", text), parameter


def number(text):
    return float(text.replace("−", "-"))


def told_ranges():
    """Yield (class, parameter, numbers that are taken, numbers that are not) of all sections."""
    symbol = r"(\w+)(?: \([^)]*\))?"
    each = r"(?: (?:at least )?one(?: number a \w+)?, each)?"
    for name in CLASSES:
        text = dict(SECTIONS[name]).get("parameters", "")
        pattern = rf"{symbol}{each}(?: None or)?( 0 or)? in ([\[(])(\S+), (\S+?)([\])])"
        for parameter, zero, opening, low, high, closing in re.findall(pattern, text):
            low, high = number(low), number(high)
            inside = [np.nextafter(low, high) if opening == "(" else low]
            inside += [np.nextafter(high, low) if closing == ")" else high]
            outside = [low if opening == "(" else np.nextafter(low, -np.inf)]
            outside += [high if closing == ")" else np.nextafter(high, np.inf)]
            if zero:
                inside.append(0.0)
            if low == -np.inf:
                outside.remove(low)
            yield name, parameter, inside, outside
        for parameter, bound in re.findall(
            rf"{symbol}{each} (at least|greater than|less than) 0", text
        ):
            inside = [-1.5 if bound == "less than" else 1.5] + [0.0] * (bound == "at least")
            yield name, parameter, inside, [1.5 if bound == "less than" else -1.5]


RANGES = list(told_ranges())


def test_ranges_are_found():
    assert len(RANGES) > 35


@pytest.mark.parametrize(
    ("name", "parameter", "inside", "outside"), RANGES, ids=[f"{n}-{p}" for n, p, *_ in RANGES]
)
def test_parameters_have_the_range_that_is_told(name, parameter, inside, outside):
    sequence = isinstance(CLASSES[name].params[parameter], tuple) or (
        CLASSES[name].params[parameter] is None and name not in ("Focal",)
    )
    others = {"Wing": {"w": {"eps": 1e50}, "eps": {"w": 1e-50}}}.get(name, {}).get(parameter, {})
    for value in inside:
        given = (value,) if sequence else value
        assert type(CLASSES[name])(**{parameter: given}, **others).params[parameter] == given
    for value in outside:
        with pytest.raises(ValueError, match=parameter):
            type(CLASSES[name])(**{parameter: (value,) if sequence else value})


def test_boosting_names_the_losses_of_a_bounded_hessian():
    text = (FOLDER.parent / "boosting.md").read_text(encoding="utf-8")
    lists = re.findall(r":\s((?:`\w+`(?:,| and)?\s)+)have\s`hessian=\"bounded\"`", text)
    assert len(lists) == 2  # of those that may be negative, of those that vanish
    names = re.findall(r"\w+(?=`)", " ".join(lists))
    assert len(set(names)) == len(names)
    assert set(names) == {name for name, loss in CLASSES.items() if "hessian" in loss.params}
