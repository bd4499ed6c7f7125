"""
What every loss is, written down once more and never through fastloss.

Formulas in mpmath, as the textbooks print them: at a few hundred bits nothing cancels. A new loss
adds its entry to the list of its family here, and every test that runs over the registry covers it.
"""

from references import (
    counts,
    focal,
    links,
    logistic,
    margins,
    ordinal,
    powers,
    redescending,
    regression,
    robust,
)
from references.base import Reference

REFERENCES: dict[str, Reference] = {
    reference.name: reference
    for family in (
        regression,
        robust,
        redescending,
        powers,
        counts,
        logistic,
        focal,
        links,
        margins,
        ordinal,
    )
    for reference in family.REFERENCES
}

#: Every pointwise loss with every parameter set, for pytest.mark.parametrize.
CASES = [
    (reference, params) for reference in REFERENCES.values() for params in reference.parameters
]


def case_id(value):
    """Name a case's parts: the loss, and its parameters as they would be typed."""
    if isinstance(value, Reference):
        return value.name
    if isinstance(value, dict):
        return ",".join(f"{key}={v}" for key, v in value.items()) or "default"
    return None
