"""``fastloss losses``: the registered losses, or some in full, told from their docstrings."""

from __future__ import annotations

import argparse
import inspect
import json
import re
import shutil
import sys
import textwrap
from typing import Any

import fastloss as fl
from fastloss.cli.loss_text import known_name, parse_loss
from fastloss.cli.tables import print_table

_SECTION = re.compile(r"^(\w+)\n-+\n", re.MULTILINE)  # the head of a numpydoc section


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastloss losses``."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="tell these in full; by default a list of all"
    )
    parser.add_argument(
        "--json", action="store_true", help="print a JSON array of objects, for scripts"
    )


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


def _name(text: str) -> str:
    """Return the name of a loss, whatever parameters stand behind it."""
    return str(parse_loss(text).name) if "(" in text else known_name(text)


def _after(word: str, text: str) -> str:
    """Return what stands between "word:" and the end of its sentence, nothing without it."""
    found = re.search(rf"{word}: (.+?)\.(?= |$)", text)
    return found.group(1) if found else ""


def explain(name: str) -> dict[str, Any]:
    """Describe a loss in full.

    Parameters
    ----------
    name : str
        One of ``fl.available_losses()``.

    Returns
    -------
    dict
        What `describe` returns and, from the docstring, "text": what it says before its sections;
        "parameters": for each "name", "default" and "meaning"; "references" and "example".
    """
    loss = fl.get_loss(name)
    head, *rest = _SECTION.split(inspect.getdoc(type(loss)) or "")
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    meanings = _definitions(sections.get("Parameters", ""))
    return {
        **describe(name),
        "text": head.strip(),
        "parameters": [
            {"name": key, "default": value, "meaning": meanings.get(key, "")}
            for key, value in loss.params.items()
        ],
        "references": sections.get("References", "").strip(),
        "example": sections.get("Examples", "").strip(),
    }


def _definitions(section: str) -> dict[str, str]:
    """Return the text below "a, b : type" in a numpydoc section, for a and for b."""
    found = {}
    for part in re.split(r"^(?=\S)", section, flags=re.MULTILINE):
        head, _, text = part.partition("\n")
        for key in head.partition(":")[0].split(","):
            found[key.strip()] = " ".join(text.split())
    return found


def run(arguments: argparse.Namespace) -> int:
    """Print what is asked for and return 0, or 2 with a message about an unknown name."""
    if arguments.names:
        try:
            wanted = [explain(_name(text)) for text in arguments.names]
        except ValueError as error:
            print(f"fastloss losses: {error}", file=sys.stderr)
            return 2
        if arguments.json:
            print(json.dumps(wanted, indent=2, default=repr))  # a parameter may be a loss
        else:
            print("\n\n".join(map(_in_full, wanted)))
        return 0
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


def _in_full(loss: dict[str, Any]) -> str:
    """Spell what `explain` returns."""
    parts = [f"{loss['name']}: fl.{loss['class']}", loss["text"]]
    if loss["parameters"]:
        width = max(40, min(100, shutil.get_terminal_size((100, 24)).columns))
        lines = ["Parameters and defaults"]
        for entry in loss["parameters"]:
            lines.append(f"  {entry['name']} = {entry['default']!r}")
            lines += textwrap.wrap(
                entry["meaning"], width, initial_indent=" " * 4, subsequent_indent=" " * 4
            )
        parts.append("\n".join(lines))
    for head, key in (("References", "references"), ("Example", "example")):
        if loss[key]:
            parts.append("\n".join([head, *(f"  {line}" for line in loss[key].splitlines())]))
    return "\n\n".join(parts)
