"""The functions of src/vecmath.h: their errors, special values, and one result wherever it stands."""

import os

import numpy as np
import pytest
from helpers.process import run
from mpmath import mp

import fastloss as fl
from fastloss._core.vecmath import apply_pow, apply_unary

AVAILABLE = fl.cpu_info()["available"]
DTYPES = (np.float64, np.float32)
POINTS = 1500  # of each kind, for each function and dtype
PRECISION = 200  # bits of the exact results

# The largest error in ULP that the headers state, on any instruction set: float64, float32.
BOUNDS = {
    "exp": (1.05, 1.05),
    "exp_nonpositive": (1.05, 1.05),
    "expm1": (1.35, 1.35),
    "log": (1.0, 1.0),
    "log1p": (1.5, 1.6),
    "log1p_unit": (1.5, 1.4),
    "expit": (1.9, 1.9),
    "softplus": (2.0, 2.15),
    "tanh": (1.8, 1.95),
    "sqrt": (0.5, 0.5),
    "expit_twice": (1.9, 1.9),
    "inverse_cloglog": (2.6, 2.6),
    "normal_cdf": (3.0, 3.0),
    "pow": (1.0, 1.0),
}
UNARY = sorted(set(BOUNDS) - {"pow"})

INF, NAN = float("inf"), float("nan")

# Where the result must be the expected number exactly, with its sign; float32 rounds both.
SPECIAL = {
    "exp": [(0.0, 1.0), (-0.0, 1.0), (-INF, 0.0), (INF, INF), (-1e5, 0.0), (1e5, INF)],
    "exp_nonpositive": [(0.0, 1.0), (-0.0, 1.0), (-INF, 0.0), (-1e5, 0.0), (-3e38, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (-INF, -1.0), (INF, INF), (-1e5, -1.0), (1e5, INF)],
    "log": [(0.0, -INF), (-0.0, -INF), (1.0, 0.0), (INF, INF), (-1.0, NAN), (-INF, NAN)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (INF, INF), (-1.5, NAN), (-INF, NAN)],
    "log1p_unit": [(0.0, 0.0)],
    "expit": [(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e5, 1.0), (-1e5, 0.0)],
    "softplus": [(INF, INF), (-INF, 0.0), (1e5, 1e5), (-1e5, 0.0)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e5, 1.0), (-1e5, -1.0)],
    "expit_twice": [(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e5, 1.0), (-1e5, 0.0)],
    "inverse_cloglog": [(INF, 1.0), (-INF, 0.0), (1e5, 1.0), (-1e5, 0.0)],
    "normal_cdf": [(INF, 1.0), (-INF, 0.0), (1e5, 1.0), (-1e5, 0.0)],
    "sqrt": [(0.0, 0.0), (-0.0, -0.0), (1.0, 1.0), (4.0, 2.0), (INF, INF), (-1.0, NAN)],
}
TINY_IS_ITSELF = ("expm1", "log1p", "log1p_unit", "tanh")


def exact(name, x):
    """The exact result at the finite number x; infinite or 0 far outside any range."""
    x = mp.mpf(float(x))
    if name in ("exp", "exp_nonpositive", "expm1", "expit", "softplus") and abs(x) > 5000:
        beyond = {"expm1": -1, "expit": x > 0, "softplus": max(x, 0)}.get(name, 0)
        return mp.inf if x > 0 and name in ("exp", "expm1") else mp.mpf(beyond)
    if name in ("expit_twice", "inverse_cloglog", "normal_cdf") and abs(x) > 5000:
        return mp.mpf(x > 0)
    return {
        "expit_twice": lambda x: 1 / (1 + mp.exp(-2 * x)),
        "inverse_cloglog": lambda x: -mp.expm1(-mp.exp(min(x, 30))),
        "normal_cdf": lambda x: mp.erfc(-x / mp.sqrt(2)) / 2,
        "exp": mp.exp,
        "exp_nonpositive": mp.exp,
        "expm1": mp.expm1,
        "log": mp.log,
        "log1p": mp.log1p,
        "log1p_unit": mp.log1p,
        "expit": lambda x: 1 / (1 + mp.exp(-x)),
        "softplus": lambda x: mp.log1p(mp.exp(x)),
        "tanh": mp.tanh,
        "sqrt": mp.sqrt,
    }[name](x)


def error(computed, true, dtype):
    """The error in ULP of the exact result; subnormal results have the spacing of the smallest."""
    info, computed = np.finfo(dtype), float(computed)
    last = int(info.maxexp) - 1 - info.nmant  # exponent of the spacing below infinity
    if np.isinf(computed):  # as the number that would come next
        computed_exact = mp.sign(computed) * mp.ldexp(1, int(info.maxexp))
        if mp.isinf(true) or abs(true) >= abs(computed_exact):
            return 0.0 if mp.sign(true) == mp.sign(computed) else INF
        return float(abs(computed_exact - true) / mp.ldexp(1, last))
    if np.isnan(computed) or mp.isinf(true):
        return INF
    exponent = max(int(mp.mag(true)) - 1, int(info.minexp)) if true else int(info.minexp)
    return float(abs(mp.mpf(computed) - true) / mp.ldexp(1, exponent - info.nmant))


def domain(name, dtype):
    """The numbers between which the function is to be tested, and where it is most interesting."""
    info = np.finfo(dtype)
    big = float(info.max)
    low = float(np.log(info.smallest_subnormal)) - 2
    high = float(np.log(info.max)) + 2
    return {
        "exp": (-big, big, low, high),
        "exp_nonpositive": (-big, 0.0, low, 0.0),
        "expm1": (-big, big, -45.0, high),
        "log": (0.0, big, 0.0, 10.0),
        "log1p": (-1.0, big, -1.0, 10.0),
        "log1p_unit": (0.0, 1.0, 0.0, 1.0),
        "expit": (-big, big, low, 40.0),
        "expit_twice": (-big, big, low / 2, 20.0),
        "inverse_cloglog": (-big, big, low, 5.0),
        "normal_cdf": (-big, big, -np.sqrt(-2 * low), 9.0),
        "softplus": (-big, big, low, 40.0),
        "tanh": (-big, big, -22.0, 22.0),
        "sqrt": (0.0, big, 0.0, 10.0),
    }[name]


def points(name, dtype):
    """Random numbers of all magnitudes, evenly spread ones, and both sides of every seam."""
    rng = np.random.default_rng([len(name), ord(name[-1]), np.dtype(dtype).itemsize])
    info = np.finfo(dtype)
    low, high, left, right = domain(name, dtype)
    exponents = rng.uniform(int(info.minexp) - info.nmant, int(info.maxexp), POINTS)
    spread = rng.choice([-1.0, 1.0], POINTS) * np.exp2(exponents)
    near_one = rng.choice([-1.0, 1.0], POINTS) * np.exp2(rng.uniform(-12, 5, POINTS))
    even = rng.uniform(left, right, POINTS)
    # the reductions change over at multiples of ln2/2 (exp) and at 2^k sqrt(2) (log), tables at j/30
    offsets = rng.choice([-1.0, 1.0], POINTS) * np.exp2(rng.uniform(-50, -3, POINTS))
    seams = rng.integers(-40, 41, POINTS) * np.log(2.0) / 2 + offsets
    powers = np.exp2(rng.integers(-20, 21, POINTS) / 2) * (1 + offsets)
    grid = rng.integers(0, 31, POINTS) / 30 + offsets
    edges = np.array([low, high, 1.0, 0.5, 2.0, info.tiny, info.smallest_subnormal, info.eps])
    edges = np.concatenate([edges, [np.log(float(info.max)), np.log(float(info.tiny))]])
    edges = np.concatenate([edges, [np.log(float(info.smallest_subnormal)) - np.log(2.0)]])
    with np.errstate(over="ignore"):
        edges = np.concatenate([edges, -edges]).astype(dtype)
        edges = [np.nextafter(edges, dtype(towards)) for towards in (-INF, INF)] + [edges]
        x = np.concatenate([spread, near_one, even, seams, powers, powers - 1, grid]).astype(dtype)
    x = np.concatenate([x, *edges])
    return x[(x >= dtype(low)) & (x <= dtype(high))]


def pow_points(dtype):
    """Pairs whose power is a finite number or just beyond, x of all magnitudes and close to 1."""
    rng = np.random.default_rng(7)
    info = np.finfo(dtype)
    n = 2 * POINTS
    smallest, largest = int(info.minexp) - info.nmant, int(info.maxexp)
    x = np.concatenate(
        [
            np.exp2(rng.uniform(smallest, largest, n)),
            1 + rng.choice([-1.0, 1.0], n) * np.exp2(rng.uniform(-info.nmant, -1, n)),
            np.exp2(rng.integers(-8, 8, n) / 2 + rng.uniform(-0.01, 0.01, n)),
        ]
    ).astype(dtype)
    x = x[(x > 0) & (x != 1)]
    target = rng.uniform(smallest - 3, largest + 1, len(x))
    target *= np.where(rng.random(len(x)) < 0.3, np.exp2(rng.uniform(-30, 0, len(x))), 1)
    with np.errstate(over="ignore"):
        return x, (target / np.log2(x.astype(np.float64))).astype(dtype)


EVALUATE = """
import numpy as np
from fastloss._core.vecmath import apply_pow, apply_unary
inputs = np.load({path!r})
results = {{}}
for key in inputs.files:
    name, dtype = key.split("-")[:2]
    if name != "pow":
        results[key] = apply_unary(name, inputs[key])
    elif key.endswith("-x"):
        results[f"pow-{{dtype}}"] = apply_pow(inputs[key], inputs[f"pow-{{dtype}}-y"])
np.savez({out!r}, **results)
print("null")
"""


@pytest.fixture(scope="module")
def inputs():
    """The points of every function and dtype, by the name of both."""
    arrays = {f"{name}-{d.__name__}": points(name, d) for name in UNARY for d in DTYPES}
    for dtype in DTYPES:
        x, y = pow_points(dtype)
        arrays[f"pow-{dtype.__name__}-x"], arrays[f"pow-{dtype.__name__}-y"] = x, y
    return arrays


@pytest.fixture(scope="module")
def truth(inputs):
    """The exact results at those points, each computed when first asked for."""
    known = {}

    def look_up(name, dtype):
        key = f"{name}-{dtype.__name__}"
        if key not in known:
            with mp.workprec(PRECISION):
                if name == "pow":
                    pairs = zip(inputs[f"{key}-x"], inputs[f"{key}-y"], strict=True)
                    known[key] = [mp.power(mp.mpf(float(x)), mp.mpf(float(y))) for x, y in pairs]
                else:
                    known[key] = [exact(name, x) for x in inputs[key]]
        return known[key]

    return look_up


@pytest.fixture(scope="module", params=AVAILABLE)
def results(request, inputs, tmp_path_factory):
    """What one instruction set makes of the points."""
    folder = tmp_path_factory.mktemp("vecmath")
    path, out = folder / "inputs.npz", folder / "results.npz"
    np.savez(path, **inputs)
    run(EVALUATE.format(path=str(path), out=str(out)), FASTLOSS_ISA=request.param)
    with np.load(out) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_error_is_within_its_bound(name, dtype, inputs, truth, results):
    key = f"{name}-{dtype.__name__}"
    at = [inputs[f"{key}-x"], inputs[f"{key}-y"]] if name == "pow" else [inputs[key]]
    computed, true = results[key], truth(name, dtype)
    assert len(computed) == len(true) > 2 * POINTS
    with mp.workprec(PRECISION):
        errors = [error(c, t, dtype) for c, t in zip(computed, true, strict=True)]
    worst = int(np.argmax(errors))
    bound = BOUNDS[name][DTYPES.index(dtype)]
    assert errors[worst] <= bound, (name, [a[worst] for a in at], computed[worst], true[worst])


def assert_same_bits(computed, expected):
    """Equal, with the signs of zeros; NaN is NaN."""
    np.testing.assert_array_equal(computed, expected)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(computed[number]), np.signbit(expected[number]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_special_values(name, dtype):
    x, expected = np.array([*SPECIAL[name], (NAN, NAN)]).T.astype(dtype)
    assert_same_bits(apply_unary(name, x), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TINY_IS_ITSELF)
def test_tiny_numbers_are_returned_as_they_are(name, dtype):
    info = np.finfo(dtype)
    few = np.arange(1, 9).astype(dtype)
    x = np.concatenate([few * info.smallest_subnormal, few * info.tiny, few * dtype(1e-30)])
    x = x if name == "log1p_unit" else np.concatenate([x, -x])
    assert_same_bits(apply_unary(name, x), x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_overflow_and_underflow_begin_where_they_must(dtype):
    """The last number whose exponential is finite, and the last whose is not 0."""
    info = np.finfo(dtype)
    with mp.workprec(PRECISION):
        # halfway to the number that would follow the largest, and half the smallest
        upper = mp.log(mp.mpf(float(info.max)) + mp.ldexp(1, int(info.maxexp) - info.nmant - 2))
        lower = mp.log(mp.mpf(float(info.smallest_subnormal)) / 2)
        x = {}
        for key, limit in (("upper", upper), ("lower", lower)):
            near = dtype(float(limit))
            around = [np.nextafter(near, dtype(-INF)), near, np.nextafter(near, dtype(INF))]
            x[key] = [max(a for a in around if float(a) < limit)]
            x[key].append(min(a for a in around if float(a) > limit))
    finite, infinite = apply_unary("exp", np.array(x["upper"]))
    assert np.isfinite(finite)
    assert np.isinf(infinite)
    for name in ("exp", "exp_nonpositive", "expit", "softplus"):
        zero, smallest = apply_unary(name, np.array(x["lower"]))
        assert zero == 0, name
        assert smallest == info.smallest_subnormal, name


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_of_special_values(dtype):
    """Every pair of special numbers, as the C standard has them (Annex F)."""
    info = np.finfo(dtype)
    odd = 2.0**info.nmant + 1
    magnitudes = [0, 1, INF, 2, 3, 0.5, 1.5, odd, 2 * odd, 100, 1e30, 1e-30]
    magnitudes += [float(info.max), float(info.tiny), float(info.smallest_subnormal)]
    magnitudes += [1 + float(info.eps), 1 - float(info.epsneg)]
    values = np.array([NAN, *magnitudes, *(-m for m in magnitudes)], dtype=dtype)
    x, y = (grid.ravel() for grid in np.meshgrid(values, values))
    computed = apply_pow(x, y)

    negative, integral = np.signbit(x), np.isinf(y) | (np.trunc(y) == y)
    is_odd = np.isfinite(y) & (np.abs(np.fmod(np.where(np.isfinite(y), y, 0), 2)) == 1)
    sign = np.where(negative & is_odd, -1.0, 1.0)
    nan = np.isnan(x) | np.isnan(y) | ((x < 0) & np.isfinite(x) & ~integral)
    one = (x == 1) | (y == 0) | ((x == -1) & np.isinf(y))
    special = ((x == 0) | np.isinf(x) | np.isinf(y)) & ~one & ~nan
    grows = (np.abs(x) > 1) == (y > 0)  # |x|^y is infinite, or else 0
    np.testing.assert_array_equal(computed[one], 1)
    assert np.isnan(computed[nan & ~one]).all()
    expected = (sign * np.where(grows, INF, 0.0)).astype(dtype)
    assert_same_bits(computed[special], expected[special])

    rest = ~(one | nan | special)
    assert rest.sum() > 200
    np.testing.assert_array_equal(np.signbit(computed[rest]), sign[rest] < 0)
    bound = BOUNDS["pow"][DTYPES.index(dtype)]
    for xi, yi, c in zip(x[rest], y[rest], np.abs(computed[rest]), strict=True):
        with mp.workprec(PRECISION):
            size = mp.mpf(float(yi)) * mp.log(abs(mp.mpf(float(xi))))
            true = mp.exp(size) if abs(size) < 5000 else (mp.inf if size > 0 else mp.mpf(0))
            assert error(c, true, dtype) <= bound, (xi, yi, c)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_result_does_not_depend_on_the_place(name, dtype, inputs):
    """Any length and any alignment: the same bits for the same number."""
    x = inputs[f"{name}-{dtype.__name__}"][:: POINTS // 50]
    whole = apply_unary(name, x)
    for start in range(1, 20):
        assert_same_bits(apply_unary(name, x[start:]), whole[start:])
        assert_same_bits(apply_unary(name, x[:-start]), whole[:-start])
        assert_same_bits(apply_unary(name, x[:start]), whole[:start])


@pytest.mark.parametrize("dtype", DTYPES)
def test_power_does_not_depend_on_the_place(dtype, inputs):
    x, y = (inputs[f"pow-{dtype.__name__}-{part}"][:: POINTS // 50] for part in "xy")
    whole = apply_pow(x, y)
    for start in range(1, 20):
        assert_same_bits(apply_pow(x[start:], y[start:]), whole[start:])
        assert_same_bits(apply_pow(x[:-start], y[:-start]), whole[:-start])
        assert_same_bits(apply_pow(x[:start], y[:start]), whole[:start])


def in_float64(name, x):
    """The function by NumPy in float64, whose error is nothing beside a float32 ULP."""
    tail = np.exp(-np.abs(x))
    return {
        "exp": lambda: np.exp(x),
        "exp_nonpositive": lambda: np.exp(x),
        "expm1": lambda: np.expm1(x),
        "log": lambda: np.log(x),
        "log1p": lambda: np.log1p(x),
        "log1p_unit": lambda: np.log1p(x),
        "expit": lambda: np.where(x < 0, tail, 1.0) / (1 + tail),
        "expit_twice": lambda: np.where(x < 0, tail**2, 1.0) / (1 + tail**2),
        "inverse_cloglog": lambda: -np.expm1(-np.exp(x)),
        "normal_cdf": lambda: pytest.importorskip("scipy.special").ndtr(x),
        "softplus": lambda: np.maximum(x, 0) + np.log1p(tail),
        "tanh": lambda: np.tanh(x),
        "sqrt": lambda: np.sqrt(x),
    }[name]()


@pytest.mark.skipif(
    os.environ.get("FASTLOSS_EXHAUSTIVE") != "1",
    reason="minutes; FASTLOSS_EXHAUSTIVE=1 asks for it",
)
@pytest.mark.parametrize("name", UNARY)
def test_every_float32(name):
    """All 2^32 inputs on this process's instruction set (FASTLOSS_ISA chooses another)."""
    info = np.finfo(np.float32)
    low, high = (np.float32(bound) for bound in domain(name, np.float32)[:2])
    worst, where, step = 0.0, None, 1 << 22
    for start in range(0, 1 << 32, step):
        x = np.arange(start, start + step, dtype=np.uint64).astype(np.uint32).view(np.float32)
        # outside the domain of the restricted functions there is nothing to hold
        if name in ("exp_nonpositive", "log1p_unit"):
            x = x[((x >= low) & (x <= high)) | np.isnan(x)]
        with np.errstate(all="ignore"):
            true = in_float64(name, x.astype(np.float64))
            computed = apply_unary(name, x).astype(np.float64)
            np.testing.assert_array_equal(np.isnan(computed), np.isnan(true))
            exponent = np.clip(np.frexp(true)[1] - 1, info.minexp, info.maxexp - 1)
            unit = np.ldexp(1.0, exponent - info.nmant)
            # infinity counts as the number that would come next
            computed = np.clip(computed, -(2.0**info.maxexp), 2.0**info.maxexp)
            limited = np.clip(true, -(2.0**info.maxexp), 2.0**info.maxexp)
            errors = np.nan_to_num(np.abs(computed - limited) / unit, nan=0.0)
        if len(x) and errors.max() > worst:
            worst, where = errors.max(), x[errors.argmax()]
    # 1e-8 for the reference
    assert worst <= BOUNDS[name][1] + 1e-8, (name, worst, where)
    assert where is not None
