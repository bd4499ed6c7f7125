"""
Run the Python examples of README.md, CONTRIBUTING.md and docs.

The ```python blocks of a file run one after the other in one namespace. A block with ``>>>`` is a
doctest; every other block must run without an error. One after ``<!-- not run -->`` is left out, and
one after ``<!-- needs PACKAGE -->`` where the package is not installed.

Usage: check_examples.py [FILE ...]
"""

from __future__ import annotations

import doctest
import importlib.util
import re
import sys
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"(?:<!-- (not run|needs \w+) -->\n+)?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def run_block(code: str, place: str, line: int, namespace: dict[str, Any]) -> bool:
    if ">>>" in code:
        test = doctest.DocTestParser().get_doctest(code, namespace, place, place, line)
        test.globs = namespace  # not a copy: the next block goes on from here
        return doctest.DocTestRunner().run(test, clear_globs=False).failed == 0
    try:
        # the empty lines make a traceback name the line of the file
        exec(compile("\n" * line + code, place, "exec"), namespace)
    except Exception:
        traceback.print_exc()
        return False
    return True


def is_run(mark: str | None) -> bool:
    """Return whether to run a block, by what stands before it."""
    if mark is None:
        return True
    return mark != "not run" and importlib.util.find_spec(mark.removeprefix("needs ")) is not None


def main() -> int:
    passed = failed = 0
    everything = (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    )
    for path in [Path(name).resolve() for name in sys.argv[1:]] or everything:
        text = path.read_text(encoding="utf-8")
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for block in BLOCK.finditer(text):
            if not is_run(block[1]):
                continue
            line = text.count("\n", 0, block.start(2))
            ok = run_block(block[2], str(path.relative_to(ROOT)), line, namespace)
            passed, failed = passed + ok, failed + (not ok)
            if not ok:
                print(f"{path.relative_to(ROOT)}, line {line + 1}: failed", file=sys.stderr)
    print(f"{passed} examples ran, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
