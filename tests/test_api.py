"""Registry, public names, losses.def, references and docs agree; losses behave as values."""

import contextlib
import copy
import doctest
import importlib
import inspect
import pickle
import pkgutil
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from helpers.calls import OPERATIONS
from helpers.process import run
from references import CASES, REFERENCES, case_id

import fastloss as fl

ROOT = Path(__file__).parent.parent
METHODS = (*OPERATIONS, "partial", "predict", "initial_prediction")
POINTWISE = fl.LogLoss.__base__
CLASSES = {type(loss).__name__: type(loss) for loss in map(fl.get_loss, fl.available_losses())}
every_class = pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)


def snake_case(name):
    """Huber: huber, LogLoss: log_loss, KLDivergence: kl_divergence."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def is_pointwise(cls):
    return issubclass(cls, POINTWISE)


def has_class_axis(cls):
    return issubclass(cls, fl.CrossEntropy.__base__)


# ---------------------------------------------------------------- one registry


def test_every_registered_loss_has_a_reference():
    assert {cls.name for cls in CLASSES.values() if is_pointwise(cls)} == set(REFERENCES)


def test_every_registered_loss_is_public_and_nothing_else_is():
    public = {
        name
        for name in fl.__all__
        if isinstance(getattr(fl, name), type) and getattr(getattr(fl, name), "name", None)
    }
    assert public == set(CLASSES)
    for name, cls in CLASSES.items():
        assert getattr(fl, name) is cls
        assert snake_case(name) == cls.name
    assert fl.available_losses() == tuple(sorted(cls.name for cls in CLASSES.values()))


def test_the_rows_of_losses_def_are_the_pointwise_losses():
    source = ROOT / "src" / "losses.def"
    rows = re.findall(
        r"^FL_POINTWISE\((\w+), (\w+), (\w+), \w+\)", source.read_text(), re.MULTILINE
    )
    assert {name: labels.lower() for name, labels, _ in rows} == {
        name: reference.row or reference.labels for name, reference in REFERENCES.items()
    }
    assert [name for name, _, _ in rows] == sorted(name for name, _, _ in rows)
    for name, _, _ in rows:
        assert (ROOT / "src" / "losses" / f"{name}.h").is_file()
    headers = {path.stem for path in (ROOT / "src" / "losses").glob("*.h")}
    assert headers == set(REFERENCES)


def test_all_is_complete_and_sorted():
    constants, rest = (
        [n for n in fl.__all__ if n.isupper()],
        [n for n in fl.__all__ if not n.isupper()],
    )
    assert list(fl.__all__) == sorted(constants) + sorted(rest)  # ruff's order
    for name in fl.__all__:
        assert hasattr(fl, name)
    public = {
        name
        for name, value in vars(fl).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(fl.__all__)
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.?\w+)?", fl.__version__)


# ---------------------------------------------------------------- losses as values


@pytest.mark.parametrize(("reference", "params"), CASES, ids=case_id)
def test_values(reference, params):
    loss = fl.get_loss(reference.name, **params)
    again = fl.get_loss(reference.name, **params)
    assert type(loss) is CLASSES[type(loss).__name__]
    assert loss.name == reference.name
    assert {key: loss.params[key] for key in params} == params
    assert list(loss.params) == [
        key for key in inspect.signature(type(loss).__init__).parameters if key != "self"
    ]
    assert eval(repr(loss), vars(fl).copy()) == loss
    assert repr(loss) == repr(again)
    assert loss == again
    assert loss is not again
    assert hash(loss) == hash(again)
    assert {loss: 1}[again] == 1
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        other = pickle.loads(pickle.dumps(loss, protocol))
        assert other == loss
        assert type(other) is type(loss)
        assert other.loss([1.0], [0.25]) == loss.loss([1.0], [0.25])
    assert copy.copy(loss) == loss
    assert copy.deepcopy(loss) == loss
    for key, value in loss.params.items():
        assert getattr(loss, key) == value


class Noted(fl.Focal):
    """Wants something that is no parameter."""

    def __init__(self, note, gamma=2.0):
        super().__init__(gamma)
        self.note = note


class Slotted(fl.CrossEntropy):
    """Keeps something of its own, without a dict."""

    __slots__ = ("note",)


class Unknown(fl._bases.pointwise.PointwiseLoss):
    """Does not tell its parameters."""

    name = "huber"

    def __init__(self, delta):
        super().__init__((), (delta,))


@pytest.mark.parametrize(
    "loss", [Noted([1], 3.0), Slotted(label_smoothing=0.25)], ids=lambda loss: type(loss).__name__
)
def test_copies_keep_what_a_subclass_adds(loss):
    loss.note = [1]
    copies = [pickle.loads(pickle.dumps(loss, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)]
    for other in (*copies, copy.copy(loss), copy.deepcopy(loss)):
        assert type(other) is type(loss)
        assert other == loss
        assert other.note == [1]
    assert copy.copy(loss).note is loss.note
    assert copy.deepcopy(loss).note is not loss.note


class Tagged:
    """No loss: its __init__ makes none."""

    def __init__(self):
        self.tag = "mixed in"


class Mixed(Tagged, fl.Sparsemax):
    def __init__(self, note):
        Tagged.__init__(self)
        fl.Sparsemax.__init__(self)
        self.note = note


def test_copies_of_a_loss_with_a_class_mixed_in():
    other = copy.copy(Mixed(1))
    assert (other.note, other.tag) == (1, "mixed in")
    assert other([0], [[1.0, 2.0]]) == fl.Sparsemax()([0], [[1.0, 2.0]])


def test_a_loss_that_does_not_tell_its_parameters_is_not_copied():
    with pytest.raises(TypeError, match="Unknown cannot be copied: its __init__ does not take"):
        copy.copy(Unknown(2.0))


def test_different_losses_differ():
    losses = [fl.get_loss(reference.name, **params) for reference, params in CASES]
    for i, one in enumerate(losses):
        for j, other in enumerate(losses):
            assert (one == other) == (i == j)
            assert (one != other) == (i != j)
    assert fl.Huber() != "Huber(delta=1.0)"
    assert fl.Huber() == fl.Huber(1)
    assert len(set(losses)) == len(losses)


@every_class
def test_losses_are_immutable(cls):
    loss = cls()
    before = hash(loss)
    for attribute in [*loss.params, "name", "params", "something_new"]:
        with pytest.raises((AttributeError, TypeError)):
            setattr(loss, attribute, 3.0)
    loss.params["delta"] = loss.params["x"] = 99.0
    assert loss == cls()
    assert hash(loss) == before
    with pytest.raises(AttributeError, match=rf"'{cls.__name__}' object has no attribute 'bogus'"):
        _ = loss.bogus


def test_calling_init_again_does_not_change_a_hashed_loss():
    loss = fl.Huber(2.0)
    with contextlib.suppress(TypeError, RuntimeError):
        loss.__init__(3.0)
    # whatever the answer, the parameters that are shown are those that are computed with
    assert loss.loss([0.0], [10.0]) == loss.delta * (10.0 - loss.delta / 2)


def test_a_subclass_keeps_its_own_state_and_kernel():
    class Scaled(fl.Huber):
        """Huber with a note."""

        def __init__(self, delta, note):
            super().__init__(delta)
            self.note = note

    loss = Scaled(2.0, "x")
    assert loss.note == "x"
    assert loss.loss([0.0], [10.0]) == fl.Huber(2.0).loss([0.0], [10.0])
    assert loss != fl.Huber(2.0)


def test_available_losses_feeds_get_loss():
    names = fl.available_losses()
    assert isinstance(names, tuple)
    assert list(names) == sorted(set(names))
    for name in names:
        assert fl.get_loss(name).name == name
    assert fl.get_loss("huber", delta=1.35) == fl.Huber(delta=1.35)


# ---------------------------------------------------------------- signatures and docs


@every_class
@pytest.mark.parametrize("method", [*OPERATIONS, "partial"])
def test_signatures(cls, method):
    parameters = inspect.signature(getattr(cls, method)).parameters
    assert list(parameters)[:4] == ["self", "y_true", "raw_prediction", "sample_weight"]
    assert parameters["sample_weight"].default is None
    options = list(parameters.values())[4:]
    assert all(option.kind is inspect.Parameter.KEYWORD_ONLY for option in options)
    expected = {"n_threads": None}
    if method != "partial":
        expected |= {"reduction": "mean", "out": None}
    if has_class_axis(cls):
        expected |= {"axis": -1}
    assert {option.name: option.default for option in options} == expected


@every_class
def test_arguments_by_name(cls):
    loss = cls()
    if is_pointwise(cls):
        y, f = REFERENCES[loss.name].hard([1.0, 0.0]), [0.5, 0.25]
    elif has_class_axis(cls):
        f = np.linspace(-1.0, 0.5, 2 * (loss.n_outputs or 3)).reshape(2, -1)
        of_rows = loss.label_kind in ("targets", "log targets", "sets")
        y = np.full(f.shape, -1.0) if of_rows else [1, 0]
        if loss.label_kind == "targets":
            y = np.full(f.shape, 0.25)
    else:
        y, f = [1, 0], [0.5, 0.25]
    expected = loss.loss(y, f, [1.0, 3.0])
    by_name = {"raw_prediction": f, "sample_weight": [1.0, 3.0], "y_true": y}
    assert loss.loss(**by_name) == expected
    assert loss(**by_name) == expected


@every_class
@pytest.mark.parametrize("method", METHODS)
def test_methods_are_documented(cls, method):
    text = inspect.getdoc(getattr(cls, method))
    assert text
    if method in ("loss", "predict", "initial_prediction"):
        assert re.search(r"^Parameters\n-+$", text, re.MULTILINE)
    assert re.search(r"^Returns\n-+$", text, re.MULTILINE)


@every_class
def test_classes_are_documented(cls):
    text = inspect.getdoc(cls)
    assert re.search(r"^References\n-+$", text, re.MULTILINE)
    assert re.search(r"^Examples\n-+\n>>> ", text, re.MULTILINE)
    assert "ULP" in text
    for parameter in cls().params:
        assert re.search(rf"^Parameters\n-+$[\s\S]*\b{parameter}\b", text, re.MULTILINE), parameter


@pytest.mark.parametrize("name", fl.__all__)
def test_everything_public_is_documented(name):
    assert inspect.getdoc(getattr(fl, name))


def _modules():
    for info in pkgutil.walk_packages(fl.__path__, "fastloss."):
        if not info.name.endswith("__main__"):
            yield info.name


@pytest.mark.parametrize("name", ["fastloss", *_modules()])
def test_doctests(name):
    """Of Python and of compiled modules alike."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "fastloss":
            raise
        pytest.skip(str(error))  # a package of an extra
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in finder.find(module, name):
        runner.run(test)
    # functions and methods compiled by Cython are no functions to doctest: find their docs by hand
    for owner, function in _compiled_functions(module):
        doc = inspect.getdoc(function) or ""
        examples = doctest.DocTestParser().get_doctest(doc, {}, owner, None, 0)
        if examples.examples:
            runner.run(examples)
    assert runner.failures == 0


def _compiled_functions(module):
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if type(value).__name__ in ("cython_function_or_method", "builtin_function_or_method"):
            yield f"{module.__name__}.{name}", value
        elif isinstance(value, type):
            for key, member in vars(value).items():
                if type(member).__name__ in ("cython_function_or_method", "method_descriptor"):
                    yield f"{module.__name__}.{name}.{key}", member


def test_the_compiled_examples_are_found():
    from fastloss._sgd import step

    assert "fastloss._sgd.step.sgd_step" in dict(_compiled_functions(step))


# ---------------------------------------------------------------- importing


IMPORTS = """
import json, sys
import numpy
before = set(sys.modules)
import fastloss
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(new - set(sys.stdlib_module_names))))
"""

# by the processor's time: other processes may hold the cores
IMPORT_TIMES = """
import json, time
start = time.process_time()
import numpy
numpy_there = time.process_time()
import dataclasses, pathlib
before = time.process_time()
import fastloss
print(json.dumps([numpy_there - start, time.process_time() - before]))
"""


def test_import_needs_numpy_alone():
    modules = {name for name in run(IMPORTS) if not name.startswith(("_cython", "cython_runtime"))}
    assert modules - {"numpy"} == {"fastloss"}


def test_import_takes_less_than_half_of_numpys(tmp_path):
    """With compiled bytecode, as an installed package has it; the first run only writes that."""
    cached = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    _, *times = [run(IMPORT_TIMES, **cached) for _ in range(4)]
    numpys, ours = map(min, zip(*times, strict=True))
    assert ours < numpys / 2


def test_import_does_not_start_threads_nor_warn():
    code = """
import json, threading
import fastloss
print(json.dumps(threading.active_count()))
"""
    assert run(code) == 1


def test_cpu_info_is_plain_data():
    info = fl.cpu_info()
    assert set(info) == {
        "isa",
        "reason",
        "available",
        "vector_bits",
        "fused_multiply_add",
        "openmp",
        "n_threads",
        "cgroup_cpus",
    }
    assert info["isa"] in info["available"]
    assert info["available"][0] == "generic"
    assert isinstance(info["openmp"], bool)
    assert info["vector_bits"] in (0, 128, 256, 512)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fl.cpu_info() == info


def test_numpy_scalars_come_out_as_python_floats():
    assert type(fl.SquaredError().loss(np.float32(1), np.float32(2))) is float


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("HuberLoss", "; did you mean 'Huber'?"),
        ("MSELoss", "; did you mean 'SquaredError'?"),
        ("BCELoss", "; did you mean 'BinaryCrossEntropy'?"),
        ("BCEWithLogitsLoss", "; did you mean 'LogLoss'?"),
        ("HalfPoissonLoss", "; did you mean 'Poisson'?"),
        ("HalfBinomialLoss", "; did you mean 'LogLoss'?"),
        ("MeanSquaredError", "; did you mean 'SquaredError'?"),
        ("MultiMarginLoss", "; did you mean 'MulticlassHinge'?"),
        ("x", ""),
    ],
)
def test_classes_of_other_libraries(name, hint):
    with pytest.raises(AttributeError) as caught:
        getattr(fl, name)
    assert str(caught.value) == f"module 'fastloss' has no attribute {name!r}{hint}"


def test_the_folder_of_the_sources_says_so(tmp_path):
    """Python prefers the current folder to the installed package."""
    package = tmp_path / "fastloss"
    (package / "_core").mkdir(parents=True)
    source = Path(fl.__file__).read_text(encoding="utf-8")
    (package / "__init__.py").write_text(source, encoding="utf-8")
    (package / "_core" / "__init__.py").write_text("", encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import fastloss"
    with pytest.raises(RuntimeError, match="holds the sources, whose modules are not compiled"):
        run(code)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("binary:logistic", "log_loss"),
        ("multi:softprob", "cross_entropy"),
        ("reg:quantileerror", "pinball"),
        ("count:poisson", "poisson"),
    ],
)
def test_names_of_boosting_libraries(theirs, ours):
    with pytest.raises(ValueError, match=f"did you mean '{ours}'"):
        fl.get_loss(theirs)


def test_what_is_imported_when_asked_for():
    assert {"optim", "LogLoss"} <= set(dir(fl))
    assert not {"importlib", "typing"} & set(dir(fl))
    assert run("import json, fastloss as fl; print(json.dumps(fl.optim.Adam.__name__))") == "Adam"
    blocked = """
import json, sys
from importlib import metadata

def missing(name, version=metadata.version):
    if name == "scikit-learn":
        raise metadata.PackageNotFoundError(name)
    return version(name)

metadata.version = missing
import fastloss as fl
print(json.dumps([hasattr(fl, "linear_model"), str(getattr(fl, "optim").__name__)]))
"""
    assert run(blocked) == [False, "fastloss.optim"]
    pytest.importorskip("sklearn")
    code = "import json, fastloss as fl; print(json.dumps(fl.linear_model.SGDClassifier.__name__))"
    assert run(code) == "SGDClassifier"
