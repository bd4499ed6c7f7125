"""Arrow dictionaries: nulls among their values are nulls as any others."""

import numpy as np
import pytest

from fastloss.linear_model import ArrowBatches, SGDClassifier

pa = pytest.importorskip("pyarrow")

CODES = [0, 0, 1, 2] * 6


def dictionary(values, codes=CODES):
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values))


@pytest.mark.parametrize("name", ["x", "y", "w"])
def test_a_null_among_the_values_is_named(name):
    columns = {"x": np.arange(24.0), "y": dictionary(["a", "b", "c"]), "w": np.ones(24)}
    columns[name] = dictionary(["a", None, "b"] if name == "y" else [1.0, None, 3.0])
    data = ArrowBatches(pa.table(columns), "y", weight="w", batch_rows=5)
    with pytest.raises(ValueError, match=rf"column '{name}', row 2: is null; expected a value"):
        SGDClassifier("cross_entropy").fit(data)


def test_a_null_that_no_row_has_does_not_matter():
    columns = {"x": np.arange(24.0), "y": dictionary(["a", "b", None], [0, 1] * 12)}
    model = SGDClassifier("cross_entropy", random_state=0, max_iter=3, tol=None)
    assert model.fit(pa.table(columns), "y").classes_.tolist() == ["a", "b"]
