"""Tables for the terminal: by rich where it is installed, plain text otherwise."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table.

    Parameters
    ----------
    title : str
        Printed above it.
    columns : sequence of str
        The heads of the columns; all empty for a table without a head.
    rows : sequence of sequence of str
        The cells; those of the last column may have several lines.
    """
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        print(plain_table(title, columns, rows, shutil.get_terminal_size((100, 24)).columns))
        return
    multiline = any("\n" in cell for row in rows for cell in row)
    table = Table(
        title=title,
        title_style="bold",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_header=any(columns),
        show_lines=multiline,
    )
    for i, column in enumerate(columns):
        table.add_column(column, style="bold" if i == 0 else "", no_wrap=i == 0)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def plain_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> str:
    """Return a table as plain text of at most `width` columns; its last column is wrapped.

    The last column keeps at least 20 characters, however narrow the terminal is.
    """
    widths = [max(len(row[j]) for row in (columns, *rows)) for j in range(len(columns) - 1)]
    indent = sum(widths) + 2 * len(widths)
    last = max(20, width - indent)
    lines = [title, ""]
    for row in (columns, *rows) if any(columns) else rows:
        head = "".join(f"{cell:<{w}}  " for cell, w in zip(row[:-1], widths, strict=True))
        wrapped = [part for line in row[-1].split("\n") for part in textwrap.wrap(line, last)]
        lines.append((head + (wrapped[0] if wrapped else "")).rstrip())
        lines += [" " * indent + more for more in wrapped[1:]]
        if row is columns:
            lines.append("-" * len(lines[-1]))
    return "\n".join(lines)
