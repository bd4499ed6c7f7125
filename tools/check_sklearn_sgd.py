"""
Run scikit-learn's own tests of SGDClassifier and SGDRegressor on the classes of fastloss.

The tests come with the installed scikit-learn. Its classes are replaced before the tests are
imported; those of SGDOneClassSVM go on testing scikit-learn's. Left out are the tests below, each with
its reason.
"""

from __future__ import annotations

import sys

import pytest
import sklearn.linear_model
from sklearn.linear_model import _stochastic_gradient as theirs

from fastloss.linear_model import SGDClassifier, SGDRegressor

LEFT_OUT: dict[str, str] = {
    "test_plain_has_no_average_attr": "looks for the private attributes _average_coef and the like",
    "test_validation_mask_correctly_subsets": "replaces the private class _ValidationScoreCallback",
    # What follows holds for the random orders of one seed: of scikit-learn's own class with 20 seeds
    # it holds for as many as are named.
    "test_class_weights": "at the optimum the decision is exactly 0, its sign is noise: 12",
    "test_sample_weights": "the same data and optimum: 12",
    "test_tol_parameter": "a larger tol ends the fit strictly earlier: 10",
    "test_multi_thread_multi_class_and_early_stopping": "the end is within 20 epochs: 15",
}


class Left:
    """Take the tests out that are named above, and complain of a name that there is not."""

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        names = {item.name.split("[")[0] for item in items}
        unknown = sorted(set(LEFT_OUT) - names)
        if unknown and not config.option.keyword:
            raise pytest.UsageError(f"no such tests: {', '.join(unknown)}")
        out = [item for item in items if item.name.split("[")[0] in LEFT_OUT]
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


def main() -> int:
    """Return pytest's exit code."""
    # the private table of losses, from which two tests read names and a default
    for ours, model in ((SGDClassifier, theirs.SGDClassifier), (SGDRegressor, theirs.SGDRegressor)):
        ours.loss_functions = model.loss_functions  # type: ignore[attr-defined]
    sklearn.linear_model.SGDClassifier = SGDClassifier
    sklearn.linear_model.SGDRegressor = SGDRegressor
    options = ["--pyargs", "sklearn.linear_model.tests.test_sgd", "-q", "-p", "no:cacheprovider"]
    # the settings of scikit-learn's own runs, not those of this project
    options += ["-c", "/dev/null", "--rootdir", ".", "-W", "default"]
    return int(pytest.main([*options, *sys.argv[1:]], plugins=[Left()]))


if __name__ == "__main__":
    raise SystemExit(main())
