"""MulticlassFocal at the largest raw predictions, and in float32 where gamma is no float32."""

from __future__ import annotations

import numpy as np
import pytest

import fastloss as fl


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0, 37.3])
@pytest.mark.parametrize("hessian", ["exact", "bounded"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hopeless_samples_bend_nothing(gamma: float, hessian: str, dtype: str) -> None:
    most = float(np.finfo(dtype).max)
    loss = fl.MulticlassFocal(gamma=gamma, hessian=hessian)
    for part in (0.5, 0.6, 1.0):
        raw = np.array([[0.0, part * most, 0.0]], dtype)
        gradient, bend = loss.gradient_hessian([0], raw, reduction="none")
        assert gradient.tolist() == [[-1.0, 1.0, 0.0]]
        assert bend.tolist() == [[0.0, 0.0, 0.0]]
