"""Each instruction set of this machine runs, and differs in the last places at most."""

import os

import numpy as np
import pytest
from helpers.process import run
from helpers.ulp import ulp_distance
from references import REFERENCES, case_id
from references.base import samples

import fastloss as fl

AVAILABLE = fl.cpu_info()["available"]
BITS = {"generic": 0, "baseline": 128, "v3": 256, "v4": 512, "neon": 128}

EVALUATE = """
import io, json, sys
import numpy as np
import fastloss as fl
data = np.load({path!r})
results = {{}}
for key in data.files:
    name, dtype, part = key.split("-")
    if part == "y":
        y, f = data[key], data[f"{{name}}-{{dtype}}-f"]
        loss = fl.get_loss(name)
        parts = loss.loss_gradient_hessian(y, f, reduction="none")
        predictions = loss.predict(f).reshape(len(f), -1)
        results[f"{{name}}-{{dtype}}"] = np.stack([*parts, *predictions.T])
np.savez({out!r}, **results)
print(json.dumps(fl.cpu_info()))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Samples of every loss, in a file, with what this process makes of them."""
    path = tmp_path_factory.mktemp("isa") / "samples.npz"
    arrays, expected = {}, {}
    for reference in REFERENCES.values():
        for dtype in (np.float32, np.float64):
            y, f = samples(reference, {}, dtype, seed=3, n=200)
            key = f"{reference.name}-{np.dtype(dtype).name}"
            arrays[f"{key}-y"], arrays[f"{key}-f"] = y, f
            loss = fl.get_loss(reference.name)
            parts = loss.loss_gradient_hessian(y, f, reduction="none")
            expected[key] = np.stack([*parts, *loss.predict(f).reshape(len(f), -1).T])
    np.savez(path, **arrays)
    return path, arrays, expected


#: ULP that a docstring states, of the losses that pass 3 at these samples
STATED = {("probit", "hessian"): 8.0}


@pytest.mark.parametrize("isa", AVAILABLE)
def test_each_runs_and_agrees(isa, data, tmp_path):
    path, arrays, expected = data
    out = tmp_path / "results.npz"
    info = run(EVALUATE.format(path=str(path), out=str(out)), FASTLOSS_ISA=isa)
    assert info["isa"] == isa
    assert info["vector_bits"] == BITS[isa]
    assert isa in info["reason"]
    with np.load(out) as results:
        assert set(results.files) == set(expected)
        for key, ours in expected.items():
            reference = REFERENCES[key.split("-")[0]]
            y, f = arrays[f"{key}-y"], arrays[f"{key}-f"]
            gap = np.abs(ulp_distance(results[key], ours))
            # both are within 3 ULP of the exact result, or what is stated; of its largest term where
            # terms cancel
            for row, operation in enumerate(("loss", "gradient", "hessian", "predict")):
                allowed = np.full(len(y), 2.0 * STATED.get((reference.name, operation), 3.0))
                term = reference.largest_term.get(operation)
                if term:
                    sizes = np.array([_size(term, yi, fi) for yi, fi in zip(y, f, strict=True)])
                    smallest = np.maximum(np.abs(ours[row]), np.finfo(y.dtype).tiny)
                    with np.errstate(over="ignore", invalid="ignore"):
                        allowed = np.maximum(allowed, 12 * sizes / smallest.astype(np.float64))
                excess = gap[row] > allowed
                assert not excess.any(), (key, operation, y[excess], f[excess], gap[row][excess])


def _size(term, y, f):
    from mpmath import mp

    return min(float(term(mp.mpf(float(y)), mp.mpf(float(f)))), 1e308)


def test_this_process_runs_what_it_was_told_to():
    told = os.environ.get("FASTLOSS_ISA")
    info = fl.cpu_info()
    assert info["isa"] == (told or AVAILABLE[-1])
    assert info["reason"] == (
        f"FASTLOSS_ISA={told}" if told else "the fastest that this processor supports"
    )


def test_without_the_variable_the_best_is_taken():
    code = "import json, fastloss; print(json.dumps(fastloss.cpu_info()))"
    for unset in (None, ""):
        info = run(code, FASTLOSS_ISA=unset)
        assert info["isa"] == info["available"][-1]
        assert info["reason"] == "the fastest that this processor supports"


@pytest.mark.parametrize("name", ["sse9", "V4", "v4 ", "avx512", "ä"])
def test_an_unknown_name_is_an_import_error(name):
    with pytest.raises(RuntimeError, match=r"ImportError: FASTLOSS_ISA=") as caught:
        run("import fastloss", FASTLOSS_ISA=name)
    message = str(caught.value)
    assert f"FASTLOSS_ISA={name}: it is not among the instruction sets of this build" in message
    assert f"this machine runs {', '.join(AVAILABLE)}" in message


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_element_does_not_depend_on_its_place(reference, dtype):
    """Whole vectors, the rest of a chunk, padding, alignment: all the same arithmetic."""
    y, f = samples(reference, {}, dtype, seed=4, n=40)
    loss = fl.get_loss(reference.name)
    whole = loss.loss_gradient_hessian(y, f, reduction="none")
    predicted = loss.predict(f)
    for i in range(0, len(y), 7):
        alone = loss.loss_gradient_hessian(y[i : i + 1], f[i : i + 1], reduction="none")
        for a, b in zip(alone, whole, strict=True):
            np.testing.assert_array_equal(a, b[i : i + 1])
        np.testing.assert_array_equal(loss.predict(f[i : i + 1]), predicted[i : i + 1])
    for start in range(1, 18):
        later = loss.loss_gradient_hessian(y[start:], f[start:], reduction="none")
        for a, b in zip(later, whole, strict=True):
            np.testing.assert_array_equal(a, b[start:])
