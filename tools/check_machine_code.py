"""
Look into the machine code of the C core.

For x86-64 v3 and v4: every loop of a pointwise or row loss, a vecmath function, an optimizer, a norm or
a linear objective of rows does its arithmetic in whole ymm or zmm registers, without a scalar operation
and without a call. For every object: nothing of libm is called, and only tables of kernels are visible
to the linker. The objects that any x86-64 processor runs hold no AVX instruction.

Usage: check_machine_code.py FOLDER (that of the static libraries libfastloss_*.a)
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FULL_WIDTH = {"v3": "%ymm", "v4": "%zmm"}
OPERATIONS = (
    "loss",
    "gradient",
    "loss_gradient",
    "gradient_hessian",
    "loss_gradient_hessian",
)
PRECISIONS = {"f64": "d", "f32": "s"}
# What the compiler itself may call: it turns small struct copies into these.
ALLOWED_CALLS = {"memcpy", "memset", "memmove", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}

ARITHMETIC = r"v?(?:add|sub|mul|div|sqrt|min|max|fn?m(?:add|sub)\d+|rndscale|round|and|or|xor|andn)"
PACKED = re.compile(ARITHMETIC + r"p[sd]$")
SCALAR = re.compile(ARITHMETIC + r"s[sd]$")
VEX = re.compile(r"v(?!err|erw|mcall|mlaunch|mresume|mxoff)")
FUNCTION = re.compile(r"^[0-9a-f]+ <(?P<name>[^>]+)>:$")
INSTRUCTION = re.compile(r"^ *(?P<address>[0-9a-f]+):\s+(?P<name>\S+)\s*(?P<operands>.*)$")
TARGET = re.compile(r"^(?P<address>[0-9a-f]+) <(?P<name>[^+>]+)")


@dataclass(frozen=True)
class Instruction:
    """One instruction, with the place it jumps to or calls."""

    address: int
    name: str
    operands: str

    @property
    def target(self) -> tuple[int, str] | None:
        found = TARGET.match(self.operands)
        return (int(found["address"], 16), found["name"]) if found else None


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols(path: Path, *options: str) -> list[list[str]]:
    """Return what nm prints: [address, kind, name], or [kind, name] of an undefined symbol."""
    lines = [line.split() for line in run("nm", *options, str(path)).splitlines()]
    return [line for line in lines if len(line) > 1]


def functions(path: Path) -> dict[str, list[Instruction]]:
    """Disassemble a library."""
    found: dict[str, list[Instruction]] = {}
    body: list[Instruction] = []
    for line in run("objdump", "--disassemble", "--no-show-raw-insn", str(path)).splitlines():
        if head := FUNCTION.match(line):
            body = found.setdefault(head["name"], [])
        elif part := INSTRUCTION.match(line):
            body.append(Instruction(int(part["address"], 16), part["name"], part["operands"]))
    return found


def body_of(
    name: str, found: dict[str, list[Instruction]], aliases: dict[str, str]
) -> list[Instruction]:
    """Return a function's instructions, also where the compiler folded it with an equal one."""
    # gcc names a copy for constant arguments fl_name.constprop.0
    copies = [known for known in (*found, *aliases) if known.startswith(f"{name}.constprop")]
    if name not in found and name not in aliases and copies:
        name = copies[0]
    body = found.get(name) or found.get(aliases.get(name, ""), [])
    if body and body[0].name == "jmp" and (target := body[0].target):
        return found.get(target[1], body)
    return body


def aliases_of(path: Path) -> dict[str, str]:
    """Return, for each symbol, the first symbol at the same address."""
    first: dict[tuple[str, str], str] = {}
    names: dict[str, str] = {}
    for where, kind, name in symbols(path, "--defined-only", "--print-file-name"):
        member, address = where.rsplit(":", 1)
        if kind in "tT":
            names[name] = first.setdefault((member, address), name)
    return names


def successors(body: list[Instruction]) -> list[list[int]]:
    """Return, for each instruction, the indices of those that may run next."""
    index = {instruction.address: i for i, instruction in enumerate(body)}
    after: list[list[int]] = []
    for i, instruction in enumerate(body):
        following = []
        if instruction.name not in ("jmp", "ret", "hlt", "ud2") and i + 1 < len(body):
            following.append(i + 1)
        if instruction.name.startswith("j") and instruction.target:
            following += [index[a] for a in [instruction.target[0]] if a in index]
        after.append(following)
    return after


def cycles(nodes: set[int], after: list[list[int]]) -> list[set[int]]:
    """Return the strongly connected parts that hold a cycle (Tarjan 1972, without recursion)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found = []
    for root in nodes:
        path = [] if root in number else [(root, iter(after[root]))]
        if path:
            number[root] = low[root] = len(number)
            stack.append(root)
            on_stack.add(root)
        while path:
            node, remaining = path[-1]
            for to in remaining:
                if to not in nodes:
                    continue
                if to not in number:
                    number[to] = low[to] = len(number)
                    stack.append(to)
                    on_stack.add(to)
                    path.append((to, iter(after[to])))
                    break
                if to in on_stack:
                    low[node] = min(low[node], number[to])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == number[node]:
                    part = set()
                    while node not in part:
                        part.add(stack.pop())
                    on_stack -= part
                    if len(part) > 1 or node in after[node]:
                        found.append(part)
    return found


def only_fetches(loop: list[Instruction]) -> bool:
    """Whether a loop does nothing but fetch lines ahead."""
    return any(i.name.startswith("prefetch") for i in loop) and not any(
        PACKED.match(i.name) or SCALAR.match(i.name) or i.name.startswith("call") for i in loop
    )


def innermost_loops(body: list[Instruction]) -> list[list[Instruction]]:
    """Return the loops that hold no other loop, but for one that only fetches."""
    after = successors(body)
    found = []
    waiting = cycles(set(range(len(body))), after)
    while waiting:
        loop = waiting.pop()
        entries = {to for i in range(len(body)) if i not in loop for to in after[i] if to in loop}
        inner = cycles(loop - (entries or {min(loop)}), after)
        inner = [part for part in inner if not only_fetches([body[i] for i in part])]
        if inner:
            waiting += inner
        else:
            found.append([body[i] for i in sorted(loop)])
    return found


def problem_of(body: list[Instruction], register: str) -> str | None:
    """Return what is wrong with the loops of a kernel, None if all is well."""
    if not body:
        return "not found in the object file"
    full = 0
    # a row loss of a fixed number of outputs needs no loop
    for loop in innermost_loops(body) or [body]:
        packed = [i for i in loop if PACKED.match(i.name)]
        for instruction in loop:
            text = f"{instruction.name} {instruction.operands}"
            if instruction.name.startswith("call"):
                return f"calls in a loop: {text}"
            if SCALAR.match(instruction.name):
                return f"scalar arithmetic in a loop: {text}"
        full += any(register in i.operands for i in packed)
    return None if full else f"no loop with packed arithmetic in {register[1:]} registers"


def names_in(file: str, macro: str) -> list[str]:
    text = (ROOT / "src" / file).read_text()
    return re.findall(rf"^{macro}\((\w+)", text, flags=re.MULTILINE)


def pointwise_losses() -> list[tuple[str, str]]:
    """Return name and stage of every row of losses.def."""
    text = (ROOT / "src" / "losses.def").read_text()
    row = r"^FL_POINTWISE\((\w+), \w+, \w+, (\w+)\)"
    return re.findall(row, text, flags=re.MULTILINE)


def kernels() -> list[str]:
    """Return the symbols of all kernels whose loops must be vector code."""
    # the loop over a chunk is a function of its own, and a second one for plain labels
    stems = [
        f"fl_{loss}_{operation}_{loop}"
        for loss, stage in pointwise_losses()
        for operation in OPERATIONS
        for loop in (("run", "plain") if stage.endswith("_PLAIN") else ("run",))
    ]
    stems += [f"fl_unary_{name}" for name in names_in("unary.def", "FL_UNARY")]
    stems += [f"fl_{name}_tile" for name in names_in("rows.def", "FL_ROW")]
    stems += [f"fl_few_{way}_{n}" for way in ("forward", "backward") for n in range(1, 7)]
    stems += [f"fl_backward_outputs_{n}" for n in (1, 2, 3)]
    stems += ["fl_forward_1", "fl_backward_1"]
    stems += [f"fl_{name}_step" for name in names_in("optimizers.def", "FL_OPTIMIZER")]
    stems += ["fl_norm_squares", "fl_norm_sizes"]
    return [f"{stem}_{precision}" for stem in stems for precision in PRECISIONS]


def libraries(folder: Path) -> list[Path]:
    return sorted(folder.glob("libfastloss_*.a"))


def isa_of(path: Path) -> str:
    return path.stem.removeprefix("libfastloss_")


def check_vectorised(folder: Path) -> list[str]:
    problems = []
    for isa, register in FULL_WIDTH.items():
        path = folder / f"libfastloss_{isa}.a"
        found, aliases, wanted = functions(path), aliases_of(path), kernels()
        for name in wanted:
            problem = problem_of(body_of(name, found, aliases), register)
            if problem:
                problems.append(f"{path.name}: {name}: {problem}")
        print(f"{path.name}: looked into {len(wanted)} kernels for whole {register[1:]} registers")
    return problems


def check_symbols(folder: Path) -> list[str]:
    problems = []
    for path in libraries(folder):
        if isa_of(path) == "common":
            continue
        isa = isa_of(path)
        tables = {f"fl_pointwise_{loss}_{isa}" for loss, _ in pointwise_losses()}
        tables |= {f"fl_row_{loss}_{isa}" for loss in names_in("rows.def", "FL_ROW")}
        tables |= {f"fl_optim_{name}_{isa}" for name in names_in("optimizers.def", "FL_OPTIMIZER")}
        tables |= {f"fl_sgd_{loss}_{isa}" for loss, _ in pointwise_losses()}
        tables |= {f"fl_kernels_{isa}", f"fl_linear_{isa}", f"fl_sgd_{isa}"}
        visible = {line[-1] for line in symbols(path, "--extern-only", "--defined-only")}
        called = {line[-1] for line in symbols(path, "--undefined-only")} - tables
        if visible != tables:
            problems.append(
                f"{path.name}: visible symbols {sorted(visible)}, expected {sorted(tables)}"
            )
        if foreign := called - ALLOWED_CALLS:
            problems.append(f"{path.name}: calls {sorted(foreign)}")
        print(f"{path.name}: only tables visible, calls {', '.join(sorted(called)) or 'nothing'}")
    return problems


def check_portable(folder: Path) -> list[str]:
    problems = []
    for path in libraries(folder):
        if isa_of(path) in FULL_WIDTH:
            continue
        for name, body in functions(path).items():
            if vex := [i.name for i in body if VEX.match(i.name)]:
                problems.append(f"{path.name}: {name} holds AVX instructions: {vex[0]}")
        print(f"{path.name}: looked for AVX instructions")
    return problems


def main() -> int:
    if platform.machine().lower() not in ("x86_64", "amd64"):
        print("not an x86-64 machine: nothing to look into")
        return 0
    folder = Path(sys.argv[1])
    if not libraries(folder):
        print(f"error: no libfastloss_*.a in {folder}", file=sys.stderr)
        return 1
    problems = [*check_vectorised(folder), *check_symbols(folder), *check_portable(folder)]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
