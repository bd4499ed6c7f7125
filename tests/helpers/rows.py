"""One case a kernel with several outputs, and data for it."""

import numpy as np
import pytest
from references.rows import ROW_REFERENCES, row_labels


def first_case(reference):
    n_outputs = 3 if 3 in reference.outputs else reference.outputs[-1]
    return reference, n_outputs, reference.parameters(n_outputs)[0]


CASES = [first_case(reference) for reference in ROW_REFERENCES]
IDS = [f"{reference.name}-{reference.labels}" for reference in ROW_REFERENCES]
every_loss = pytest.mark.parametrize(("reference", "n_outputs", "params"), CASES, ids=IDS)


def data(reference, n_outputs, n, dtype=np.float64, seed=3):
    rng = np.random.default_rng([seed, n, n_outputs])
    y = row_labels(reference, n_outputs, n, rng, dtype)
    f = (rng.normal(size=(n, n_outputs)) * 2).astype(dtype)
    return y, f, rng.random(n).astype(dtype)
