"""A clear error where scikit-learn is missing or too old."""

from fastloss._sklearn_version import require_sklearn

require_sklearn("fastloss.sklearn")
