"""Markdown: tables, and blocks of a file that are generated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table.

    Parameters
    ----------
    heads : sequence of str
        The first row.
    rows : iterable of sequence of str
        The cells; a vertical bar in one of them is escaped.

    Returns
    -------
    str
        Without a newline at the end.
    """
    lines = [_row(heads), _row(["---"] * len(heads)), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def folded(summary: str, text: str) -> str:
    """Return text that a reader opens by clicking on its summary.

    Parameters
    ----------
    summary : str
        What is shown while it is closed.
    text : str
        Markdown.

    Returns
    -------
    str
        Without a newline at the end.
    """
    return f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"


def block_of(path: Path, name: str) -> str:
    """Return what stands between ``<!-- name -->`` and ``<!-- /name -->``.

    Parameters
    ----------
    path : Path
        A Markdown file.
    name : str
        The name of the block.

    Returns
    -------
    str
        Without the newlines at its ends.

    Raises
    ------
    SystemExit
        If the file does not have both markers.
    """
    return _parts(path, name)[1].strip("\n")


def replace_block(path: Path, name: str, text: str) -> bool:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->``.

    Parameters
    ----------
    path : Path
        A Markdown file.
    name : str
        The name of the block.
    text : str
        The new content.

    Returns
    -------
    bool
        Whether the file changed.

    Raises
    ------
    SystemExit
        If the file does not have both markers.
    """
    before, old, after = _parts(path, name)
    path.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")
    return old != f"\n{text}\n"


def _parts(path: Path, name: str) -> tuple[str, str, str]:
    """Return a file in three: to the end of the first marker, the block, and from the second on."""
    content = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found_start, rest = content.partition(start)
    block, found_end, after = rest.partition(end)
    if not found_start or not found_end:
        raise SystemExit(f"{path.name} has no block {start} … {end}")
    return before + start, block, end + after
