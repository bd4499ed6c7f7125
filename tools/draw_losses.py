"""
Draw one sheet for each page of docs/losses: the losses that it describes.

A page's losses are its second-level headings, ``## Name``; the picture stands beside it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import fastloss as fl  # noqa: E402
from fastloss.plot.curves import traces  # noqa: E402
from fastloss.plot.picture import draw  # noqa: E402

PAGES = ROOT / "docs" / "losses"
X = np.linspace(-4.0, 4.0, 1601)


def losses_of(page: Path) -> list[object]:
    """Return the losses that a page has headings for, with their defaults."""
    by_class = {type(loss).__name__: loss for loss in map(fl.get_loss, fl.available_losses())}
    headings = re.findall(r"^## (\w+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [by_class[name] for name in headings if name in by_class]


def main() -> None:
    for page in sorted(PAGES.glob("*.md")):
        losses = losses_of(page)
        if losses:
            draw(traces(losses, X), page.with_suffix(".png"))
            print(page.with_suffix(".png").relative_to(ROOT), len(losses))


if __name__ == "__main__":
    main()
