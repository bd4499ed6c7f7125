"""``fastloss losses``: every registered loss, told from the registry and the docstrings."""

from __future__ import annotations

import argparse
import inspect
import json
import re

import fastloss as fl
from fastloss.cli.tables import print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastloss losses``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, for scripts")


def describe(name: str) -> dict[str, str]:
    """Describe a loss.

    Parameters
    ----------
    name : str
        One of ``fl.available_losses()``.

    Returns
    -------
    dict of str to str
        "name"; "class", as one writes it, with the defaults of its parameters; "meaning", the first
        line of the docstring; "details", the sentence after it, with the formula where the first
        line has none; "link" and "labels", what the docstring says after these words.
    """
    loss = fl.get_loss(name)
    docstring = (inspect.getdoc(type(loss)) or "").partition("\nParameters\n")[0]
    summary, _, rest = docstring.partition("\n\n")
    text = " ".join(rest.split())
    sentence = re.match(r"(?!Link:).+?\.(?= |$)", text)
    return {
        "name": name,
        "class": repr(loss),
        "meaning": " ".join(summary.split()),
        "details": sentence.group() if sentence else "",
        "link": _after("Link", text),
        "labels": _after("Labels", text),
    }


def _after(word: str, text: str) -> str:
    """Return what stands between "word:" and the end of its sentence, nothing without it."""
    found = re.search(rf"{word}: (.+?)\.(?= |$)", text)
    return found.group(1) if found else ""


def run(arguments: argparse.Namespace) -> int:
    """Print the table or the JSON object and return 0."""
    losses = [describe(name) for name in fl.available_losses()]
    if arguments.json:
        print(json.dumps(losses, indent=2))
        return 0
    rows = []
    for loss in losses:
        domain = "; ".join(f"{key}: {loss[key]}" for key in ("link", "labels") if loss[key])
        lines = [loss["class"], loss["meaning"], loss["details"], domain]
        rows.append((loss["name"], "\n".join(filter(None, lines))))
    print_table(
        f"{len(rows)} losses: fl.get_loss(name, **parameters), or the class from fastloss",
        ("name", "class, meaning, domain"),
        rows,
    )
    return 0
