"""PyTorch: the forward pass, and for a gradient the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastloss.bench.workloads import Workload

METHODS = ("loss", "gradient", "loss_gradient")


def _losses() -> dict[str, Callable[[Any, Any], Any]]:
    """Return every loss as a function of (prediction, label), reduced to the mean."""
    import torch
    from torch.nn import functional

    def pinball(f: Any, y: Any) -> Any:
        r = f - y
        return torch.maximum(0.5 * r, -0.5 * r).mean()

    def hinge(f: Any, y: Any) -> Any:
        return torch.relu(1 - (2 * y - 1) * f).mean()

    def squared_hinge(f: Any, y: Any) -> Any:
        return torch.relu(1 - (2 * y - 1) * f).square().mean()

    return {
        "absolute_error": functional.l1_loss,
        "binary_cross_entropy": functional.binary_cross_entropy,
        "cross_entropy": functional.cross_entropy,
        "gaussian_nll": lambda f, y: functional.gaussian_nll_loss(f[:, 0], y, f[:, 1].exp()),
        "half_squared_error": lambda f, y: 0.5 * functional.mse_loss(f, y),
        "hinge": hinge,
        "huber": functional.huber_loss,
        "log_loss": functional.binary_cross_entropy_with_logits,
        "kl_divergence": lambda f, y: functional.kl_div(f, y, reduction="batchmean"),
        "multiclass_hinge": functional.multi_margin_loss,
        "multilabel_margin": functional.multilabel_margin_loss,
        "nll": functional.nll_loss,
        "one_vs_rest": lambda f, y: (
            functional.multilabel_soft_margin_loss(f, functional.one_hot(y, f.shape[1]).to(f.dtype))
            * f.shape[1]
        ),
        "pinball": pinball,
        "poisson": lambda f, y: functional.poisson_nll_loss(f, y, log_input=True, full=False),
        "smooth_l1": functional.smooth_l1_loss,
        "squared_error": functional.mse_loss,
        "squared_hinge": squared_hinge,
    }


def make(workload: Workload) -> Callable[[], object] | None:
    """Return one evaluation by torch, None where it has no such loss or operation.

    Parameters
    ----------
    workload : Workload
        The data, which torch reads in place.

    Returns
    -------
    callable or None
        With reduction "mean", and with the gradient by autograd.
    """
    if workload.operation not in METHODS:
        return None
    import torch

    loss = _losses().get(workload.loss)
    if loss is None:
        return None
    y = torch.from_numpy(workload.y_true)
    f = torch.from_numpy(workload.raw_prediction)

    def forward() -> object:
        torch.set_num_threads(workload.n_threads)
        with torch.no_grad():
            return loss(f, y)

    def forward_backward() -> object:
        torch.set_num_threads(workload.n_threads)
        leaf = f.detach().requires_grad_()
        loss(leaf, y).backward()
        return leaf.grad

    return forward if workload.operation == "loss" else forward_backward
