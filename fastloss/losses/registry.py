"""Losses by name."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any

# what they are called elsewhere, without underscores and "loss" at the end, where that does not look
# like our name, or more like another's
_ELSEWHERE = {
    "bce": "binary_cross_entropy",  # in Keras and torch, of probabilities
    "bcewithlogits": "log_loss",
    "binary": "log_loss",
    "binomial": "log_loss",
    "binarycrossentropywithlogits": "log_loss",
    "categoricalcrossentropy": "cross_entropy",
    "ce": "cross_entropy",
    "deviance": "log_loss",
    "kldiv": "kl_divergence",
    "l1": "absolute_error",
    "l2": "squared_error",
    "logistic": "log_loss",
    "lad": "absolute_error",
    "log": "log_loss",  # in scikit-learn's SGDClassifier of old
    "ls": "squared_error",
    "mae": "absolute_error",
    "mape": "absolute_percentage_error",
    "mse": "squared_error",
    "msle": "squared_log_error",
    "multimargin": "multiclass_hinge",
    "multinomial": "cross_entropy",
    "pseudohubererror": "pseudo_huber",
    "quantile": "pinball",
    "quantileerror": "pinball",
    "poissonnll": "poisson",
    "sigmoidcrossentropy": "log_loss",
    "rps": "ranked_probability_score",
    "softmax": "cross_entropy",
    "softmaxcrossentropy": "cross_entropy",
    "softprob": "cross_entropy",
    "sparsecategoricalcrossentropy": "cross_entropy",
    "svm": "hinge",
}


@cache
def loss_classes() -> dict[str, Any]:
    """Return every loss that the package exports, by its name."""
    from fastloss import losses

    exported: list[Any] = [getattr(losses, name) for name in losses.__all__]
    return {cls.name: cls for cls in exported if hasattr(cls, "name")}


def available_losses() -> tuple[str, ...]:
    """
    Return the names of all losses, sorted.

    Returns
    -------
    tuple of str
        Names that `get_loss` takes.

    Examples
    --------
    >>> import fastloss as fl
    >>> "log_loss" in fl.available_losses()
    True
    """
    return tuple(sorted(loss_classes()))


def not_a_loss(loss: Any, expected: str = "a loss of fastloss, or its name") -> TypeError:
    """Return the error about an argument ``loss`` that is none."""
    ours = isinstance(loss, type) and loss in loss_classes().values()
    hint = f", as {loss.__name__}() is" if ours else ""
    return TypeError(f"loss = {loss!r}: expected {expected}{hint}")


def get_loss(name: str, /, **params: Any) -> Any:
    """
    Return a loss by its name.

    Parameters
    ----------
    name : str
        One of `available_losses`.
    **params
        The parameters of its class.

    Returns
    -------
    loss
        An instance of the class.

    Raises
    ------
    TypeError
        If the loss has no parameter of a name in `params`.
    ValueError
        If there is no loss of that name.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.get_loss("huber", delta=1.35)
    Huber(delta=1.35, hessian='exact')
    """
    try:
        cls = loss_classes()[name]
    except (KeyError, TypeError):
        raise unknown_loss("name", name) from None
    return make_loss(cls, params)


def make_loss(cls: Any, params: dict[str, Any]) -> Any:
    """Return a loss of a class, or raise an error for the first parameter that it does not have."""
    try:
        return cls(**params)
    except TypeError:
        _check_names(cls, params)
        raise


def unknown_loss(
    argument: str,
    name: object,
    expected: str = "the name of a loss",
    names: Iterable[str] | None = None,
) -> ValueError:
    """
    Return the error about an argument that should name a loss, with the likeliest names.

    Parameters
    ----------
    argument : str
        What is named wrongly.
    name : object
        What was given.
    expected : str
        What should have been.
    names : iterable of str, optional
        Those that it could be, by default all.

    Returns
    -------
    ValueError
        To be raised.
    """
    hint = did_you_mean(name, available_losses() if names is None else names)
    return ValueError(
        f"{argument} = {name!r}: expected {expected}{hint} (fl.available_losses() lists all)"
    )


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """Return "; did you mean 'a' or 'b'?" with the names most like the given one, if there are any."""
    known = sorted(names)
    word = str(name).strip().lower().replace("-", "_")
    meant = [other for other in _meant(word) if other in known]
    if meant:
        return _question(meant)
    found = get_close_matches(word, known, 3)
    if len(word) > 2:
        found += [other for other in known if word in other]
    return _question(list(dict.fromkeys(found))[:3])


def named_elsewhere(name: str) -> str:
    """Return "; did you mean 'Huber'?" if another library's name of a class means one of ours."""
    return _question([loss_classes()[loss].__name__ for loss in _meant(name.lower())])


def _meant(word: str) -> list[str]:
    """Return the loss whose name, here or elsewhere, a word in small letters is but for spelling."""
    plain = word.replace("_", "").rpartition(":")[2]  # as in binary:logistic
    stem = plain.removesuffix("loss")
    bare = stem.removeprefix("half").removeprefix("mean")
    for spelt in (plain, stem, bare):
        for other in available_losses():
            if other.replace("_", "") == spelt:
                return [other]
    return [_ELSEWHERE[known] for known in (stem, bare) if known in _ELSEWHERE][:1]


def _question(near: list[str]) -> str:
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _check_names(cls: Any, params: dict[str, Any]) -> None:
    """Raise an error for the first parameter that a loss does not have."""
    known = list(inspect.signature(cls).parameters)
    for name, value in params.items():
        if name not in known:
            near = get_close_matches(name.lower(), known, 1, 0.5)
            has = ", ".join(known) or "none"
            raise TypeError(
                f"{name} = {value!r}: {cls.__name__} has no such parameter, it has "
                f"{has}{_question(near)}"
            ) from None
