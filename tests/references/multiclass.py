"""Softmax cross-entropy, one sample at a time, as its definition prints it."""

from mpmath import mp


def cross_entropy(logits, target, class_weight=None, label_smoothing=0.0, logit_adjustment=None):
    """
    Exact loss, gradient and Hessian of one sample, and the largest terms of the gradient.

    `target` is a class (int) or a list of soft labels.
    """
    logits = [mp.mpf(float(f)) for f in logits]
    if logit_adjustment is not None:
        logits = [f + mp.mpf(float(a)) for f, a in zip(logits, logit_adjustment, strict=True)]
    n = len(logits)
    smoothing = mp.mpf(float(label_smoothing))
    if isinstance(target, int):
        target = [int(k == target) for k in range(n)]
    weights = [mp.one] * n if class_weight is None else [mp.mpf(float(w)) for w in class_weight]
    q = [
        w * ((1 - smoothing) * mp.mpf(float(t)) + smoothing / n)
        for w, t in zip(weights, target, strict=True)
    ]
    total = mp.fsum(q)
    top = max(logits)
    e = [mp.exp(f - top) if f != -mp.inf else mp.zero for f in logits]
    s = mp.fsum(e)
    p = [x / s for x in e]
    rest = [mp.fsum(e[:k] + e[k + 1 :]) / s for k in range(n)] if n <= 40 else [1 - x for x in p]
    loss = mp.fsum(qk * (top - f + mp.log(s)) for qk, f in zip(q, logits, strict=True) if qk != 0)
    gradient = [total * pk - qk for pk, qk in zip(p, q, strict=True)]
    hessian = [total * pk * rk for pk, rk in zip(p, rest, strict=True)]
    terms = [max(total * pk, qk) for pk, qk in zip(p, q, strict=True)]
    return loss, gradient, hessian, terms


def softmax(logits):
    logits = [mp.mpf(float(f)) for f in logits]
    top = max(logits)
    e = [mp.exp(f - top) for f in logits]
    s = mp.fsum(e)
    return [x / s for x in e]
