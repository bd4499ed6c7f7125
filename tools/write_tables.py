"""
Write the generated parts of README.md and docs/losses/README.md that need no measurement.

``<!-- losses -->`` is the registry: by family in README.md, with parameters, link and labels in
docs/losses/README.md. ``<!-- headline -->`` repeats figures of the report behind the table of speeds,
benchmarks/report.json. With ``--check`` nothing is written, and a stale table of losses is an error.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import fastloss as fl  # noqa: E402
from benchmarks.markdown import replace_block, table  # noqa: E402
from fastloss.cli.losses import describe  # noqa: E402

REPORT = ROOT / "benchmarks" / "report.json"
PAGES = ROOT / "docs" / "losses"


def families() -> str:
    """Each page of docs/losses, in the order of their index, and the classes it has a section on."""
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    rows = []
    for title, page in re.findall(r"^\| \[(.+?)\]\((\w+\.md)\)", index, flags=re.MULTILINE):
        text = (PAGES / page).read_text(encoding="utf-8")
        classes = re.findall(r"^## (\w+)\(", text, flags=re.MULTILINE)
        rows.append((f"[{title}](docs/losses/{page})", ", ".join(f"`{name}`" for name in classes)))
    return table(("family", "losses"), rows)


def losses() -> str:
    rows = []
    for name in fl.available_losses():
        loss = describe(name)
        labels = loss["labels"].partition(" (")[0]
        rows.append((f"`{loss['class']}`", loss["meaning"], loss["link"], labels))
    return table(("class and defaults", "meaning", "link", "labels"), rows)


def headline() -> str:
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    fits: dict[str, list[str]] = {}  # by what is fitted: each peer's factor
    for row in report["targets"]:
        found = re.fullmatch(r"(LogisticRegression|HuberRegressor), (.+): ([\d.]+) s", row["what"])
        if row["subject"] != "linear_model: fit" or not found or "liblinear" in row["against"]:
            continue  # liblinear is the slowest by far
        estimator, size, seconds = found.groups()
        factors = fits.setdefault(f"- `{estimator}` fitted to {size}: {seconds} s, ", [])
        factor, peer = f"{row['measured']:.1f}×", row["against"].replace(", ", "'s ")
        factors.append(f"{factor} {peer}" if factors else f"**{factor}** as fast as {peer}")
    ratios = {row["dtype"]: row["ratios"] for row in report["survey"] if row["loss"] == "log_loss"}
    losses = [
        f"- log loss with gradient, {dtype}: **{ratios[dtype]['scikit-learn']:.0f}×** as fast as "
        f"scikit-learn, {ratios[dtype]['torch']:.1f}× torch forward and backward"
        for dtype in ("float64", "float32")
    ]
    return "\n".join([what + ", ".join(factors) for what, factors in fits.items()] + losses)


def main() -> int:
    readme = ROOT / "README.md"
    blocks = {readme: families(), PAGES / "README.md": losses()}
    stale = []
    for path, text in blocks.items():
        before = path.read_text(encoding="utf-8")
        if replace_block(path, "losses", text):
            stale.append(str(path.relative_to(ROOT)))
            if "--check" in sys.argv:
                path.write_text(before, encoding="utf-8")
    if "--check" in sys.argv:
        if stale:
            print(f"{', '.join(stale)}: table of losses stale: run make tables", file=sys.stderr)
        return int(bool(stale))
    if REPORT.exists():
        replace_block(readme, "headline", headline())
    return 0


if __name__ == "__main__":
    sys.exit(main())
