"""Build of the C core, once per instruction set, and of the Cython modules on top of it."""

import functools
import os
import platform
import re
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_clib import build_clib
from setuptools.command.build_ext import build_ext
from setuptools.modified import newer_group

ROOT = Path(__file__).parent
SOURCE = Path("src")
GENERATED = Path("build/generated")
MSVC = sys.platform == "win32" and "GCC" not in sys.version

# -fno-math-errno and -fno-trapping-math only free the compiler from side effects nobody reads;
# unlike -ffast-math they change no result. -ffp-contract=fast fuses a*b+c where the target can.
C_FLAGS = (
    []
    if MSVC
    else [
        "-O3",
        "-g0",  # the interpreter's own flags may say -g: modules ten times as large
        "-fno-stack-protector",  # some interpreters' flags ask for it, in every call of a kernel
        "-std=gnu11",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-ffp-contract=fast",
        "-fvisibility=hidden",
        "-fPIC",
        "-Wall",
        "-Wextra",
    ]
)
if os.environ.get("FASTLOSS_WERROR"):
    C_FLAGS.append("/WX" if MSVC else "-Werror")
SANITIZE = os.environ.get("FASTLOSS_SANITIZE")  # e.g. "address,undefined"; see CONTRIBUTING.md
# -O1: at -O3 gcc needs ten minutes for the instrumented vector code; lines are all that a finding tells
SANITIZE_FLAGS = (
    [f"-fsanitize={SANITIZE}", "-O1", "-g1", "-fno-omit-frame-pointer"] if SANITIZE else []
)


def isa_flags() -> dict[str, list[str]]:
    """The instruction sets to compile for this architecture, and the flags of each."""
    flags: dict[str, list[str]] = {"generic": []}
    machine = platform.machine().lower()
    if MSVC:
        return flags
    if machine in ("x86_64", "amd64"):
        flags["baseline"] = ["-march=x86-64"]
        flags["v3"] = ["-march=x86-64-v3"]
        # 512-bit vectors are the point of v4: gcc and clang would default to 256
        flags["v4"] = ["-march=x86-64-v4", "-mprefer-vector-width=512"]
    elif machine in ("aarch64", "arm64"):
        flags["neon"] = []
    return flags


def chosen_isas() -> dict[str, list[str]]:
    """
    Those of FASTLOSS_ISAS, for quick builds, else all.

    Plain C is in every build but one with sanitizers, which takes long and runs on this machine alone.
    """
    flags, wanted = isa_flags(), os.environ.get("FASTLOSS_ISAS", "").replace(",", " ").split()
    always = None if SANITIZE else "generic"
    if unknown := set(wanted) - set(flags):
        known = ", ".join(flags)
        raise SystemExit(f"FASTLOSS_ISAS: no {', '.join(sorted(unknown))} here, only {known}")
    return {isa: flags[isa] for isa in flags if not wanted or isa in wanted or isa == always}


def pointwise_losses() -> dict[str, str]:
    """The rows of losses.def by name."""
    text = (ROOT / SOURCE / "losses.def").read_text()
    rows = re.finditer(r"^FL_POINTWISE\((\w+),.*\)$", text, flags=re.MULTILINE)
    return {row[1]: row[0] for row in rows}


def row_losses() -> dict[str, str]:
    """The labels of each row of rows.def by its name."""
    text = (ROOT / SOURCE / "rows.def").read_text()
    rows = re.finditer(r"^FL_ROW\((\w+), (\w+)\)$", text, flags=re.MULTILINE)
    return {row[1]: row[2] for row in rows}


def optimizers() -> dict[str, str]:
    """The number of variants in each row of optimizers.def by its name."""
    text = (ROOT / SOURCE / "optimizers.def").read_text()
    rows = re.finditer(r"^FL_OPTIMIZER\((\w+), (\d+)\)$", text, flags=re.MULTILINE)
    return {row[1]: row[2] for row in rows}


def kernel_units() -> list[str]:
    """What has a file of its own for each instruction set."""
    others = (f"{OPTIM}{name}" for name in optimizers())
    runs = (f"{SGD}_{name}" for name in pointwise_losses())
    return [LINEAR, *pointwise_losses(), *row_losses(), *others, SGD, *runs]


def unit_path(name: str, isa: str) -> Path:
    """Where the generated file of one loss or optimizer and instruction set stands."""
    return GENERATED / isa / f"{name}_{isa}.c"


def openmp_flags() -> tuple[list[str], list[str]]:
    """Compile and link flags for OpenMP, empty if the compiler does not have it."""
    if MSVC:
        return ["/openmp"], []
    if os.environ.get("FASTLOSS_NO_OPENMP"):
        return [], []
    candidates = [(["-fopenmp"], ["-fopenmp"])]
    if sys.platform == "darwin":  # Apple's clang: libomp stands beside it, if at all
        candidates.append((["-Xpreprocessor", "-fopenmp"], ["-lomp"]))
    compiler = os.environ.get("CC", "cc").split()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text(
            "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
        )
        for compile_flags, link_flags in candidates:
            command = [*compiler, *compile_flags, str(source), "-o", str(Path(folder, "probe"))]
            try:
                done = subprocess.run([*command, *link_flags], capture_output=True, check=False)
            except OSError:
                continue
            if done.returncode == 0:
                return compile_flags, link_flags
    print("fastloss: this compiler has no OpenMP; building a serial library", file=sys.stderr)
    return [], []


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def accepted(flags: list[str]) -> list[str]:
    """The flags if the compiler takes them, else none."""
    if MSVC:
        return []
    compiler = os.environ.get("CC", "cc").split()
    command = [*compiler, "-Werror", *flags, "-x", "c", "-fsyntax-only", os.devnull]
    try:
        return [] if subprocess.run(command, capture_output=True, check=False).returncode else flags
    except OSError:
        return []


def scheduling_flags() -> list[str]:
    """
    GCC's first scheduling pass, which x86 leaves out; none for another compiler.

    It interleaves the two vectors of a loop over samples: a chain of a hundred dependent operations
    after another would fill the processor's window, and take up to 1.5 times as long.
    """
    return [] if SANITIZE else accepted(["-fschedule-insns", "-fsched-pressure"])


def sgd_flags() -> list[str]:
    """
    For the runs of SGD, whose loops are written as they are to be.

    At -O3 GCC splits the loop over the rows in two, for what it fetches ahead, and takes twice as long.
    """
    return [] if SANITIZE else accepted(["-O2"])


def kernel_sanitizer_flags() -> list[str]:
    """
    GCC's calls in place of inline checks of each access: half the time to compile a kernel.

    And what fuses multiplications with additions, which it leaves out at -O1: without, exponentials of
    large numbers are hundreds of ULP off where the processor has such instructions.
    """
    if not SANITIZE:
        return []
    calls = ["--param", "asan-instrumentation-with-call-threshold=100"]
    return accepted([f"-fsanitize={SANITIZE}", *calls, "-fexpensive-optimizations"])[1:]


OPENMP_COMPILE, OPENMP_LINK = openmp_flags()
SCHEDULING = scheduling_flags()
SGD_FLAGS = sgd_flags()
KERNEL_SANITIZER = kernel_sanitizer_flags()
ISAS = chosen_isas()
# what dispatch.c must not ask for
WITHOUT = [f"-DFL_WITHOUT_{isa.upper()}" for isa in isa_flags() if isa not in ISAS]
HEADERS = [p for p in sorted(SOURCE.rglob("*")) if p.suffix in (".h", ".inc", ".def")]
#: an include, also by the name that a generated file defines for the header of its loss or optimizer
INCLUDE = re.compile(r'^ *# *(?:include|define FL_\w+_HEADER) "([\w/]+\.\w+)"', flags=re.MULTILINE)

LINEAR = "linear"  # the unit of the linear objectives
OPTIM = "optim_"  # begins the name of an optimizer's unit
SGD = "sgd"  # the unit of what all runs of SGD share, and begins the name of a loss's


def unit_of(source: str) -> str | None:
    """The loss or optimizer, or what else, whose generated file this is."""
    path = Path(source)
    return path.stem.removesuffix(f"_{path.parent.name}") if GENERATED in path.parents else None


@functools.cache
def includes(path: Path) -> list[Path]:
    """What a file of src, or one that is generated for it, includes itself."""
    return [SOURCE / name for name in INCLUDE.findall(path.read_text(encoding="utf-8"))]


def headers_of(source: str) -> list[str]:
    """
    What a C file must be compiled again for.

    Not a unit for the lists of losses and functions, *.def: what they number is not used there, so that
    a new loss compiles no other again.
    """
    found: set[Path] = set()
    left = [*includes(Path(source))]
    while left:
        path = left.pop()
        if path not in found and not (unit_of(source) and path.suffix == ".def"):
            found.add(path)
            left += includes(path)
    return [*map(str, sorted(found))]


class BuildKernels(build_clib):
    """
    Static libraries, one per instruction set, each from its own flags.

    Their files are compiled side by side, into a folder named after the flags, so that every kind of
    build (wheel, editable, in place) finds what is already there.
    """

    def build_libraries(self, libraries):
        write_units()
        jobs = []
        for name, info in libraries:
            command = [
                *getattr(self.compiler, "compiler_so", ()),
                *info["cflags"],
                *KERNEL_SANITIZER,
            ]
            folder = f"build/kernels/{name}-{zlib.crc32(' '.join(command).encode()):08x}"
            jobs += [(source, folder, info["cflags"]) for source in info["sources"]]
            info["objects"] = self.compiler.object_filenames(info["sources"], output_dir=folder)
        with ThreadPoolExecutor(1 if MSVC else processors()) as pool:
            for _ in pool.map(self.compile_one, jobs):
                pass
        for name, info in libraries:
            # made anew, for `ar` would keep the objects of a loss that is gone
            archive = self.compiler.library_filename(name, output_dir=self.build_clib)
            Path(archive).unlink(missing_ok=True)
            self.compiler.create_static_lib(info["objects"], name, output_dir=self.build_clib)

    def compile_one(self, job):
        source, folder, flags = job
        if SANITIZE and (GENERATED in Path(source).parents or Path(source).stem.startswith("isa_")):
            # the vector arithmetic of a loss takes five times as long to compile with UBSan, which has
            # little to say of it; AddressSanitizer watches its memory
            flags = [flag.replace(",undefined", "") for flag in flags] + KERNEL_SANITIZER
        unit = unit_of(source)
        if unit in pointwise_losses():
            flags = flags + SCHEDULING
        elif unit is not None and unit.startswith(f"{SGD}_"):
            flags = flags + SGD_FLAGS
        (target,) = self.compiler.object_filenames([source], output_dir=folder)
        if newer_group([source, *headers_of(source)], target):
            self.compiler.compile(
                [source], output_dir=folder, include_dirs=[str(SOURCE)], extra_postargs=flags
            )


def write_units():
    """One file for each unit and instruction set; an unchanged one keeps its time."""
    for isa in ISAS:
        scalar = "#define FL_SCALAR 1\n" if isa == "generic" else ""
        write_unit(
            unit_path(LINEAR, isa),
            f'#define FL_ISA {isa}\n{scalar}#include "linear/linear_unit.inc"\n',
        )
        write_unit(
            unit_path(SGD, isa), f'#define FL_ISA {isa}\n{scalar}#include "sgd/sgd_unit.inc"\n'
        )
        for name, row in pointwise_losses().items():
            loss = (
                f"#define FL_ISA {isa}\n"
                f"#define FL_LOSS_NAME {name}\n"
                f'#define FL_LOSS_HEADER "losses/{name}.h"\n'
                f"#define FL_LOSS_ROW {row}\n{scalar}"
            )
            write_unit(unit_path(name, isa), f'{loss}#include "pointwise_unit.inc"\n')
            write_unit(unit_path(f"{SGD}_{name}", isa), f'{loss}#include "sgd/loss_unit.inc"\n')
        for name, labels in row_losses().items():
            write_unit(
                unit_path(name, isa),
                f"#define FL_ISA {isa}\n"
                f"#define FL_ROW_LOSS {name}\n"
                f'#define FL_ROW_HEADER "rows/{name}.h"\n'
                f"#define FL_ROW_LABELS {labels}\n"
                f'{scalar}#include "rows/row_unit.inc"\n',
            )
        for name, variants in optimizers().items():
            write_unit(
                unit_path(f"{OPTIM}{name}", isa),
                f"#define FL_ISA {isa}\n"
                f"#define FL_OPTIM_NAME {name}\n"
                f'#define FL_OPTIM_HEADER "optim/{name}.h"\n'
                f"#define FL_OPTIM_VARIANTS {variants}\n"
                f'{scalar}#include "optim/optim_unit.inc"\n',
            )


def write_unit(path: Path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


class BuildExtensions(build_ext):
    """The Cython modules, side by side; before them the C libraries, also for ``--inplace``."""

    def finalize_options(self):
        super().finalize_options()
        if self.parallel is None and not MSVC:
            self.parallel = processors()

    def run(self):
        if self.distribution.has_c_libraries():
            self.run_command("build_clib")
        super().run()


# rewritten where a build has other instruction sets than the one before
ISA_LIST = GENERATED / "isas.txt"
ISA_LIST.parent.mkdir(parents=True, exist_ok=True)
write_unit(ISA_LIST, " ".join(ISAS))


def library(name: str, sources: list[Path], flags: list[str]) -> tuple[str, dict]:
    return name, {"sources": [*map(str, sources)], "cflags": C_FLAGS + flags + SANITIZE_FLAGS}


LIBRARIES = [
    library(
        "fastloss_common",
        [SOURCE / name for name in ("dispatch.c", "names.c", "threads.c", "arrays.c")],
        OPENMP_COMPILE + WITHOUT,
    ),
    *(
        library(
            f"fastloss_{isa}",
            # the largest first, lest it be alone at the end
            [
                SOURCE / f"isa_{isa}.c",
                *(unit_path(name, isa) for name in kernel_units()),
            ],
            flags,
        )
        for isa, flags in ISAS.items()
    ),
]


def extension(source: Path) -> Extension:
    return Extension(
        ".".join(source.with_suffix("").parts),
        [str(source)],
        include_dirs=[str(SOURCE), numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        extra_compile_args=(
            OPENMP_COMPILE
            if MSVC
            # Cython's own code trips over these two
            else [
                "-O2",
                "-Wno-unused-function",
                "-fno-math-errno",
                *OPENMP_COMPILE,
                *SANITIZE_FLAGS,
            ]
        ),
        extra_link_args=OPENMP_LINK + ([f"-fsanitize={SANITIZE}"] if SANITIZE else []),
        # the archives hold them too, and which of them there are
        depends=[*map(str, HEADERS), *map(str, SOURCE.glob("*.c")), str(ISA_LIST)],
    )


setup(
    libraries=LIBRARIES,
    ext_modules=cythonize(
        [extension(path) for path in sorted(Path("fastloss").rglob("*.pyx"))],
        build_dir="build/cython",
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "embedsignature": True,
            "embedsignature.format": "python",
            "freethreading_compatible": True,
        },
    ),
    cmdclass={"build_clib": BuildKernels, "build_ext": BuildExtensions},
)
