"""Data that is not one array: iterators of batches, Arrow and Parquet."""

import itertools
import sys
from functools import partial

import numpy as np
import pytest
from scipy import sparse

from fastloss.linear_model import SGDClassifier, SGDRegressor

rng = np.random.default_rng(2)
X = rng.normal(size=(300, 4))
SCORE = X @ [1.0, -2.0, 0.5, 0.0] + rng.logistic(size=300)
Y = np.array(["low", "mid", "top"])[np.digitize(SCORE, [-1.0, 1.0])]
WEIGHTS = rng.uniform(0.5, 2.0, size=300)
EDGES = [0, 40, 41, 150, 300]
CLASSES = ["low", "mid", "top"]


def parts(y=Y, weights=None):
    for start, end in itertools.pairwise(EDGES):
        rows = slice(start, end)
        yield (X[rows], y[rows]) if weights is None else (X[rows], y[rows], weights[rows])


def assert_equal(first, second):
    np.testing.assert_array_equal(first.coef_, second.coef_)
    np.testing.assert_array_equal(first.intercept_, second.intercept_)
    assert first.t_ == second.t_


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("loss", ["log_loss", "cross_entropy", "huber"])
def test_partial_fit_on_a_stream_is_fit_in_that_order(loss, average):
    model = {"loss": loss, "average": average, "random_state": 0}
    whole = SGDClassifier(**model, shuffle=False, max_iter=1, tol=None).fit(X, Y)
    split = SGDClassifier(**model, shuffle=False)
    for A, b in parts():
        split.partial_fit(A, b, classes=CLASSES)
    assert_equal(whole, split)
    assert_equal(whole, SGDClassifier(**model, shuffle=False).partial_fit(parts(), classes=CLASSES))
    stream = SGDClassifier(**model, shuffle=False, max_iter=1, tol=None).fit(parts, classes=CLASSES)
    assert_equal(whole, stream)
    # each batch in a random order of its own
    stream = SGDClassifier(**model, max_iter=1, tol=None).fit(parts(), classes=CLASSES)
    split = SGDClassifier(**model)
    for A, b in parts():
        split.partial_fit(A, b, classes=CLASSES)
    assert_equal(stream, split)


def test_epochs_of_batches_are_epochs_of_the_whole():
    options = {"shuffle": False, "max_iter": 4, "tol": None}
    whole = SGDRegressor(**options).fit(X, SCORE, sample_weight=WEIGHTS)
    for batches in (
        lambda: parts(SCORE, WEIGHTS),
        list(parts(SCORE, WEIGHTS)),
    ):
        stream = SGDRegressor(**options).fit(batches)
        assert_equal(whole, stream)
        losses = stream.history_.train_loss
        np.testing.assert_allclose(whole.history_.train_loss, losses, rtol=1e-12)


def test_epochs_of_sparse_batches_are_epochs_of_the_whole():
    options = {"shuffle": False, "max_iter": 4, "tol": None}
    rows = sparse.csr_matrix(X)
    whole = SGDRegressor(**options).fit(rows, SCORE)
    stream = SGDRegressor(**options).fit([(sparse.csr_matrix(A), b) for A, b in parts(SCORE)])
    assert_equal(whole, stream)


def test_classes_and_balanced_weights_of_a_stream_are_found_beforehand():
    options = {"shuffle": False, "max_iter": 2, "tol": None, "class_weight": "balanced"}
    whole = SGDClassifier(**options).fit(X, Y)
    assert_equal(whole, SGDClassifier(**options).fit(parts))
    assert_equal(whole, SGDClassifier(**options).fit(list(parts())))


def test_an_iterator_is_one_epoch():
    model = SGDClassifier(random_state=0).fit(parts(), classes=CLASSES)
    assert model.n_iter_ == 1
    assert model.history_.reason == "the iterator is at its end: one epoch"


def test_streams_stop_early_by_validation_data():
    model = SGDClassifier("log_loss", early_stopping=True, scoring="loss", random_state=0)
    model.fit(parts, validation_data=(X, Y))
    assert model.history_.converged
    assert len(model.history_.validation_loss) == model.n_iter_ < 1000


def test_a_stream_is_held_one_batch_at_a_time():
    live = []

    def batches():
        for A, b in parts():
            live.append(sys.getrefcount(A))
            yield A.copy(), b

    SGDClassifier(max_iter=3, tol=None, random_state=0).fit(batches, classes=CLASSES)
    assert len(live) == 3 * (len(EDGES) - 1)  # the first batch, which is looked at, is made once


A_BATCH = r"expected \(X, y\) or \(X, y, sample_weight\)"


@pytest.mark.parametrize(
    ("batches", "options", "message"),
    [
        (iter([]), {"classes": CLASSES}, "the iterator has no batches"),
        (parts(), {}, "classes: expected the classes"),
        (lambda: 3, {}, "the callable returned 3"),
        (iter([X]), {}, rf"^batch 0: {A_BATCH}, got ndarray$"),
        (iter([3]), {}, rf"^batch 0: {A_BATCH}, got int$"),
        ([(X, Y), (X,)], {}, rf"^batch 1: {A_BATCH}, got a tuple of 1$"),
        ([(X, Y, None, None)], {}, rf"^batch 0: {A_BATCH}, got a tuple of 4$"),
        ([[X]], {}, rf"^batch 0: {A_BATCH}, got a list of 1$"),
        (iter([(X, Y), (X[:, :2], Y)]), {"classes": CLASSES}, "batch 1: X has 2 features"),
        (iter([(X, Y), (X, Y[:5])]), {"classes": CLASSES}, "batch 1: .*inconsistent"),
        (iter([(X, Y)]), {"classes": ["low", "top"]}, r"batch 0: y\[\d+\] = 'mid'"),
        (lambda: parts(), {"y": Y}, "y: expected None"),
        (iter([(X * np.nan, Y)]), {"classes": CLASSES}, "NaN"),
    ],
)
def test_bad_batches_are_named(batches, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        SGDClassifier(random_state=0).fit(batches, **options)


def test_labels_outside_the_domain_are_named():
    counts = np.ones(300)
    counts[45] = -2.0
    model = SGDRegressor("poisson", shuffle=False, tol=None)
    with pytest.raises(ValueError, match=r"^y\[45\] = -2.0: Poisson expects"):
        model.fit(X, counts)
    for learn in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"^batch 2: y\[4\] = -2.0: Poisson expects"):
            learn(parts(counts))
    weights = np.where(np.arange(300) == 44, 0.0, 1.0)
    with pytest.raises(ValueError, match=r"^batch 2: of the samples with a weight above 0, y\[3\]"):
        model.fit(parts(counts, weights))


def test_early_stopping_of_a_stream_needs_validation_data():
    with pytest.raises(ValueError, match="early_stopping = True with batches: expected validation"):
        SGDClassifier(early_stopping=True).fit(parts)


# ---------------------------------------------------------------- Arrow


@pytest.fixture
def table():
    pa = pytest.importorskip("pyarrow")
    columns = {f"x{j}": X[:, j] for j in range(4)}
    return pa.table({**columns, "y": Y, "score": SCORE, "w": WEIGHTS})


FEATURES = ["x0", "x1", "x2", "x3"]


def test_parquet_is_read_batch_by_batch(table, tmp_path):
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    from fastloss.linear_model import ArrowBatches

    path = tmp_path / "data.parquet"
    pq.write_table(table, path, row_group_size=64)
    options = {"shuffle": False, "max_iter": 2, "tol": None}
    whole = SGDClassifier(**options).fit(X, Y, sample_weight=WEIGHTS)
    names = {"features": FEATURES, "weight": "w", "batch_rows": 50}
    for source in (path, str(path), ds.dataset(path), pq.ParquetFile(path), table):
        model = SGDClassifier(**options).fit(ArrowBatches(source, "y", **names))
        assert_equal(whole, model)
        assert model.feature_names_in_.tolist() == FEATURES
        balanced = SGDClassifier(class_weight="balanced", **options)
        balanced.fit(ArrowBatches(source, "y", **names))
        assert balanced.classes_.tolist() == CLASSES
        assert balanced._class_weight @ np.unique(Y, return_counts=True)[1] == pytest.approx(300)
    # a reader can be gone through once
    reader = table.to_reader(max_chunksize=50)
    once = SGDClassifier(**options).fit(ArrowBatches(reader, "y", **names), classes=CLASSES)
    assert once.n_iter_ == 1


def test_arrow_data_goes_into_fit_and_partial_fit(table, tmp_path):
    import pyarrow.parquet as pq

    numbers = table.select([*FEATURES, "score", "w"])
    options = {"shuffle": False, "max_iter": 1, "tol": None}
    whole = SGDRegressor(**options).fit(X, SCORE, sample_weight=WEIGHTS)
    assert_equal(whole, SGDRegressor(**options).fit(numbers, "score", sample_weight="w"))
    pq.write_table(numbers, tmp_path / "data.parquet")
    assert_equal(
        whole,
        SGDRegressor(**options).fit(tmp_path / "data.parquet", "score", sample_weight="w"),
    )
    model = SGDRegressor(shuffle=False)
    for batch in numbers.to_batches(max_chunksize=70):
        model.partial_fit(batch, "score", sample_weight="w")
    assert_equal(whole, model)


def test_other_data_sets(table, tmp_path):
    import pyarrow.dataset as ds
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    from fastloss.linear_model import ArrowBatches

    options = {"shuffle": False, "max_iter": 2, "tol": None}
    names = {"features": FEATURES, "weight": "w"}
    whole = SGDRegressor(**options).fit(X, SCORE, sample_weight=WEIGHTS)
    (tmp_path / "folder").mkdir()
    for part, start in enumerate((0, 100, 200)):
        pq.write_table(table.slice(start, 100), tmp_path / "folder" / f"{part}.parquet")
    feather.write_feather(table, tmp_path / "data.feather")
    for source in (
        tmp_path / "folder",
        ds.dataset(tmp_path / "data.feather", format="feather"),
        ds.dataset(table),
        ds.dataset(table).filter(ds.field("x0") > -100),
    ):
        assert_equal(whole, SGDRegressor(**options).fit(ArrowBatches(source, "score", **names)))
    chosen = ds.dataset(table).filter(ds.field("x0") > 0)
    rows = X[:, 0] > 0
    assert_equal(
        SGDRegressor(**options).fit(X[rows], SCORE[rows], sample_weight=WEIGHTS[rows]),
        SGDRegressor(**options).fit(ArrowBatches(chosen, "score", **names)),
    )


def test_what_is_no_arrow_source(table, tmp_path):
    import pyarrow.parquet as pq

    from fastloss.linear_model import ArrowBatches

    (tmp_path / "empty").mkdir()
    (tmp_path / "data.csv").write_text("x,y\n1,2\n")
    for path, message in {
        "nowhere": "no such file or folder",
        "empty": "the folder holds no files; expected Parquet files",
        "data.csv": "no Parquet file or folder of them: ",
    }.items():
        with pytest.raises(
            (ValueError, FileNotFoundError), match=f"^source = .*{path}.*: {message}"
        ):
            ArrowBatches(tmp_path / path, "y")
    with pytest.raises(TypeError, match="features = 'x0': expected a list of columns"):
        ArrowBatches(table, "score", features="x0")
    with pytest.raises(ValueError, match="features: column 'x0' is named twice"):
        ArrowBatches(table, "score", features=["x0", "x0"])
    for name in ("score", "w"):
        with pytest.raises(
            ValueError, match=f"features: column '{name}' is the target or the weight"
        ):
            ArrowBatches(table, "score", weight="w", features=["x0", name])
    with pytest.raises(ValueError, match="weight: column 'score' is the target, too"):
        ArrowBatches(table, "score", weight="score")
    pq.write_table(table.select([*FEATURES, "score"]), tmp_path / "empty" / "a.parquet")
    (tmp_path / "empty" / "b.txt").write_text("text")
    with pytest.raises(ValueError, match=r"^source: .*b\.txt"):
        list(ArrowBatches(tmp_path / "empty", "score"))
    batches = ArrowBatches(table, "score", weight="w", features=FEATURES)
    expected = f"<ArrowBatches of target='score', weight='w' and {len(FEATURES)} features, float64>"
    assert repr(batches) == expected


@pytest.mark.parametrize("form", ["path", "file", "dataset"])
def test_one_row_group_is_in_memory_at_a_time(tmp_path, form):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    from fastloss.linear_model import ArrowBatches

    numbers = rng.normal(size=(60_000, 4))
    path = tmp_path / "data.parquet"
    columns = dict(zip("abcd", numbers.T, strict=True))
    pq.write_table(pa.table(columns), path, row_group_size=1000, compression="none")
    source = {"path": str, "file": pq.ParquetFile, "dataset": ds.dataset}[form](path)
    before, most = pa.total_allocated_bytes(), 0
    for number, (features, targets) in enumerate(ArrowBatches(source, "d")):
        rows = slice(1000 * number, 1000 * (number + 1))
        np.testing.assert_array_equal(np.column_stack([features, targets]), numbers[rows])
        most = max(most, pa.total_allocated_bytes() - before)
    assert number == 59
    assert features.nbytes < most < numbers.nbytes / 8


def test_arrow_dtypes(table):
    import pyarrow as pa

    from fastloss.linear_model import ArrowBatches

    single = pa.table({"a": pa.array([1.0, 2.0], pa.float32()), "y": [1, 0]})
    assert next(iter(ArrowBatches(single, "y")))[0].dtype == np.float32
    mixed = single.append_column("b", pa.array([True, False]))
    features, labels = next(iter(ArrowBatches(mixed, "y")))
    assert features.dtype == np.float64
    np.testing.assert_array_equal(features, [[1.0, 1.0], [2.0, 0.0]])
    np.testing.assert_array_equal(labels, [1, 0])
    words = pa.table({"a": [1.0, 2.0], "y": pa.array(["u", "v"]).dictionary_encode()})
    assert next(iter(ArrowBatches(words, "y")))[1].tolist() == ["u", "v"]


def test_bad_columns_are_named(table):
    import pyarrow as pa

    from fastloss.linear_model import ArrowBatches

    with pytest.raises(ValueError, match="target: no columns are named 'z'; the columns are 'x0'"):
        ArrowBatches(table, "z")
    with pytest.raises(ValueError, match="column 'y' is of type string; expected numbers"):
        ArrowBatches(table, "score")
    holes = pa.table({"a": [1.0, 2.0, None], "y": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="column 'a', row 2: is null"):
        SGDRegressor().fit(ArrowBatches(holes, "y", batch_rows=2))
    with pytest.raises(FileNotFoundError, match="no such file"):
        ArrowBatches("/no/such.parquet", "y")
    with pytest.raises(TypeError, match="source = 3"):
        ArrowBatches(3, "y")
    with pytest.raises(ValueError, match="y: expected the name of the column"):
        SGDRegressor().fit(table, SCORE)
    with pytest.raises(ValueError, match="batch_rows = 0"):
        ArrowBatches(table, "y", batch_rows=0)


def few_batches():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = (X.sum(axis=1) > 0).astype(int)
    return [(X[at : at + 20], y[at : at + 20]) for at in range(0, 60, 20)]


@pytest.mark.parametrize("kind", [iter, lambda batches: (each for each in batches)])
@pytest.mark.parametrize(("options", "epoch"), [({}, 1), ({"classes": [0, 1]}, 2)])
def test_a_callable_whose_iterator_is_used_up_is_told(kind, options, epoch):
    once = kind(few_batches())
    with pytest.raises(
        ValueError, match=f"X: no batches came in epoch {epoch}; expected a callable"
    ):
        SGDClassifier(max_iter=3, tol=None).fit(lambda: once, **options)
    # one epoch has all of it, as the first batch is only looked at
    once = kind(few_batches())
    model = SGDClassifier(max_iter=1, tol=None).fit(lambda: once, classes=[0, 1])
    assert model.t_ == 61


class Restarting:
    """An iterator that begins anew when it is asked for one."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        self.at = 0
        return self

    def __next__(self):
        if self.at == len(self.batches):
            raise StopIteration
        self.at += 1
        return self.batches[self.at - 1]


def test_callables_may_return_the_same_object_if_it_begins_anew():
    batches = few_batches()
    expected = SGDClassifier(max_iter=3, tol=None, random_state=0).fit(lambda: iter(batches))
    for same in (batches, Restarting(batches)):
        model = SGDClassifier(max_iter=3, tol=None, random_state=0).fit(lambda same=same: same)
        assert model.t_ == 181
        np.testing.assert_array_equal(model.coef_, expected.coef_)


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("form", ["array", "csr", "csc", "bsr", "coo", "lil"])
def test_what_is_not_finite_is_named_by_batch_row_and_column(form, value, at):
    batches = few_batches()
    batches[at][0][7, 2] = batches[at][0][9, 0] = value
    if form != "array":
        batches = [(sparse.csr_matrix(X).asformat(form), y) for X, y in batches]
    fits = [SGDClassifier(max_iter=2).fit, partial(SGDClassifier().partial_fit, classes=[0, 1])]
    for fit in fits:
        with pytest.raises(
            ValueError, match=rf"(?s)batch {at}: .*X\[7, 2\] = {value} is the first"
        ):
            fit(lambda: batches)


def test_targets_and_numbers_too_large_are_named():
    batches = few_batches()
    y = np.where(np.arange(20) == 5, np.nan, 1.0)
    with pytest.raises(ValueError, match=r"(?s)batch 2: .*y\[5\] = nan is the first"):
        SGDRegressor(max_iter=2).fit(lambda: [*batches[:2], (batches[2][0], y)])
    first = batches[0][0].astype(np.float32), batches[0][1]
    batches[1][0][3, 1] = 1e300
    text = r"(?s)batch 1: .*X\[3, 1\] = 1e\+300 is the first"
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=text):
        SGDClassifier().fit(lambda: [first, batches[1]])


def test_a_refused_batch_leaves_the_users_generator_open():
    batches = few_batches()
    batches[1][0][0, 0] = np.nan
    stream = (batch for batch in batches)
    model = SGDClassifier(random_state=0)
    with pytest.raises(ValueError, match="batch 1"):
        model.partial_fit(stream, classes=[0, 1])
    model.partial_fit(stream)
    assert model.t_ == 41
