"""Makes the shared modules of this folder importable, whatever the import mode; tests of few losses."""

import re
import signal
import sys
from pathlib import Path

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))

# a shell that starts the tests in the background has interrupts ignored, also those that tests raise
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


#: have functions of their own: of SGD, of linear models, of outputs side by side, of hard labels
ALWAYS = {"log_loss", "squared_error", "hinge", "epsilon_insensitive", "poly1", "focal"}


def pytest_addoption(parser):
    parser.addoption(
        "--few-losses",
        action="store_true",
        help="of the tests that are run for every pointwise loss, those for the first of each kind of "
        "kernel and of each set of labels: what drives the kernels is the same for the others",
    )


def pytest_collection_modifyitems(config, items):
    if not config.getoption("few_losses"):
        return
    others = other_losses()
    left_out = [item for item in items if not others.isdisjoint(names_of(item))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if others.isdisjoint(names_of(item))]


def other_losses():
    """Those in losses.def that are not the first of a kind, nor in ALWAYS."""
    text = (TESTS.parent / "src" / "losses.def").read_text()
    rows = re.findall(r"^FL_POINTWISE\((\w+), (\w+), \w+, (\w+)\)$", text, flags=re.MULTILINE)
    seen, others = set(), set()
    for name, labels, kernel in rows:
        if {labels, kernel} <= seen:
            others.add(name)
        seen |= {labels, kernel}
    return others - ALWAYS


def names_of(item):
    """The losses that a test is run for: among its parameters, their first parts, and their names."""
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    firsts = [value[0] if isinstance(value, tuple) and value else value for value in values]
    return {name for name in (getattr(v, "name", v) for v in firsts) if isinstance(name, str)}
