"""Labels that are all 0 or 1 have loops of their own: the bits are those beside a label between."""

import numpy as np
import pytest

import fastloss as fl

LOSSES = (
    fl.BinaryCrossEntropy(),
    fl.BinaryCrossEntropy(cost_fn=2.7, cost_fp=0.3),
    fl.BinaryCrossEntropy(cost_fn=0.3, cost_fp=2.7),
    fl.LogLoss(),
    fl.Exponential(),
)


def predictions(loss, dtype):
    """Usual ones, and all that a probability or a logit has of borders and limits."""
    rng = np.random.default_rng(20130101)
    logits = np.concatenate([rng.normal(scale=scale, size=1000) for scale in (1e-3, 3, 30)])
    if not isinstance(loss, fl.BinaryCrossEntropy):
        special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 88.8, -103.9, 745.1, -709.8]
        return np.concatenate([special, -logits, logits]).astype(dtype)
    tiny, eps = np.finfo(dtype).smallest_subnormal, np.finfo(dtype).eps
    special = [0.0, -0.0, 1.0, np.nan, -0.5, 1.5, np.inf, -np.inf, tiny, 30 * tiny, 1 - eps / 2]
    edges = np.exp(-np.linspace(0, 110, 2000))  # the limits: products of 1e-12, logarithms of -100
    parts = special, 1 / (1 + np.exp(-logits)), edges, 1 - edges
    return np.concatenate([np.asarray(part, dtype=dtype) for part in parts])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_label_between_changes_no_other_sample(loss, dtype):
    f = predictions(loss, dtype)
    for label in (0, 1):
        y = np.full(f.size, label, dtype=dtype)
        mixed = y.copy()
        mixed[50::100] = 0.5
        kept = np.ones(f.size, dtype=bool)
        kept[50::100] = False
        for operation in ("loss", "gradient", "loss_gradient", "loss_gradient_hessian"):
            alone = np.atleast_2d(getattr(loss, operation)(y, f, reduction="none"))
            beside = np.atleast_2d(getattr(loss, operation)(mixed, f, reduction="none"))
            np.testing.assert_array_equal(alone[:, kept], beside[:, kept], strict=True)
            signs = np.signbit(alone) == np.signbit(beside)
            assert (signs | np.isnan(alone))[:, kept].all()
