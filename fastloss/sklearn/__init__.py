"""
scikit-learn's own estimators on the kernels of this package.

`patch` makes the losses inside scikit-learn, and the linear models built on them, compute with
fastloss; `unpatch` undoes it, and ``with patched():`` does both. Needs scikit-learn 1.6 to 1.9:
``pip install 'fastloss[sklearn]'``.

>>> import fastloss.sklearn
>>> from sklearn.datasets import load_digits
>>> from sklearn.linear_model import LogisticRegression
>>> X, y = load_digits(return_X_y=True)
>>> with fastloss.sklearn.patched():
...     model = LogisticRegression(C=0.01).fit(X / 16, y)
>>> round(model.score(X / 16, y), 2)
0.92
"""

from fastloss.sklearn import _requirements  # noqa: F401  # first: it may raise
from fastloss.sklearn._patch import is_patched, patch, patched, unpatch

__all__ = ["is_patched", "patch", "patched", "unpatch"]
