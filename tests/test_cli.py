"""The ``fastloss`` command: subcommands, exit codes, and no heavy import before it is needed."""

import json
import subprocess
import sys

import pytest

import fastloss as fl
from fastloss.cli import main
from fastloss.cli.arguments import at_least
from fastloss.cli.extras import MissingExtraError, require
from fastloss.cli.parser import COMMANDS
from fastloss.cli.tables import plain_table


def test_version(capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["--version"])
    assert exit_info.value.code == 0
    assert capsys.readouterr().out == f"fastloss {fl.__version__}\n"


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["--help"])
    assert exit_info.value.code == 0
    out = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n    {command} " in out


@pytest.mark.parametrize("arguments", [["nonsense"], [], ["demo", "--epochs", "0"], ["info", "-x"]])
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    assert exit_info.value.code == 2
    assert "usage: fastloss" in capsys.readouterr().err


def test_demo_help_tells_its_options(capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["demo", "--help"])
    assert exit_info.value.code == 0
    out = capsys.readouterr().out
    for option in ("--epochs", "--seed", "--rows", "--output-dir", "--n-threads", "--no-progress"):
        assert option in out


def test_losses_lists_the_registry(capsys):
    assert main(["losses", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [loss["name"] for loss in listed] == list(fl.available_losses())
    for loss in listed:
        assert eval(loss["class"], vars(fl)) == fl.get_loss(loss["name"])
        for key in ("meaning", "link", "labels"):
            assert loss[key], f"the docstring of {loss['class']} does not tell: {key}"


def test_losses_table(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["losses"]) == 0
    out = capsys.readouterr().out
    for name in fl.available_losses():
        assert name in out


def test_info(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    assert fl.__version__ in out
    assert str(fl.cpu_info()["isa"]) in out
    assert "scikit-learn" in out


def test_info_json(capsys):
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["fastloss"] == fl.__version__
    assert facts["threads"] == fl.get_num_threads()
    assert facts["cpu"]["isa"] == fl.cpu_info()["isa"]


@pytest.mark.parametrize("command", ["info", "losses"])
def test_tables_without_rich(command, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setenv("COLUMNS", "100")
    assert main([command]) == 0
    out = capsys.readouterr().out
    assert ("log_loss" if command == "losses" else fl.__version__) in out
    assert "━" not in out


def test_plain_table_wraps_its_last_column():
    text = plain_table("title", ("a", "b"), [("xyz", "one two three four five\nsix seven")], 25)
    assert text == ("title\n\na    b\n------\nxyz  one two three four\n     five\n     six seven")


def test_missing_package_is_one_paragraph_and_exit_code_2(capsys, monkeypatch):
    def absent(name):
        return None

    monkeypatch.setattr("importlib.util.find_spec", absent)
    assert main(["demo"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "rich is not installed" in captured.err
    assert "pip install 'fastloss[demo]'" in captured.err


def test_require_names_the_first_missing_package():
    require((("json", "nothing"),))
    with pytest.raises(MissingExtraError, match=r"no_such_package .*fastloss\[bench\]") as info:
        require((("json", "nothing"), ("no_such_package", "nothing")), "bench")
    assert info.value.package == "no_such_package"


def test_interrupt_exits_with_130(capsys, monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastloss.cli.info.run", interrupted)
    assert main(["info"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "accepted"), [("3", True), ("2", False), ("x", False)])
def test_at_least(text, accepted):
    import argparse

    parse = at_least(3)
    if accepted:
        assert parse(text) == 3
    else:
        with pytest.raises(argparse.ArgumentTypeError):
            parse(text)


def run_python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=300, **options
    )


def test_python_m_fastloss():
    done = run_python("-m", "fastloss", "--version")
    assert (done.returncode, done.stdout) == (0, f"fastloss {fl.__version__}\n")


def test_importing_fastloss_imports_no_extra():
    code = (
        "import sys, fastloss, fastloss.cli; "
        "print(sorted({'rich', 'matplotlib', 'pandas', 'sklearn', 'scipy', 'torch', 'json.tool',"
        " 'fastloss.demo', 'fastloss.bench'} & set(sys.modules)))"
    )
    done = run_python("-c", code)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_a_closed_pipe_leaves_no_traceback():
    code = (
        "import subprocess, sys; "
        "p = subprocess.Popen([sys.executable, '-m', 'fastloss', 'losses'], "
        "stdout=subprocess.PIPE, stderr=subprocess.PIPE); "
        "p.stdout.close(); print(p.stderr.read().decode(), p.wait())"
    )
    done = run_python("-c", code)
    assert done.stdout == " 1\n"
