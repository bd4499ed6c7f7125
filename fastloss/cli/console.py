"""Where rich prints."""

from __future__ import annotations

import io
import os
import sys

from rich.console import Console


def make_console(*, stderr: bool = False) -> Console:
    """
    Return a console that is 100 columns wide where there is no terminal to ask.

    What its stream's encoding lacks is printed as a question mark: an exponent is no reason to end.
    """
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    console = Console(highlight=False, stderr=stderr)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 100
    return console
