"""Libraries read text from outside in a child process that cannot take all time or memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.shells import shell_for_tests
from tests.support.systems import posix

from unmoor.adapters.process.shell import LocalShell
from unmoor.dists.checks.description import check_description, render_apart
from unmoor.errors import Interrupted
from unmoor.ports import child


@pytest.fixture
def shell() -> Iterator[LocalShell]:
    """A shell that ends its child processes after the test."""
    with shell_for_tests() as shell:
        yield shell


def test_a_function_is_called(shell: LocalShell) -> None:
    """Its arguments and its result are values of JSON."""
    assert child.call(shell, "posixpath:join", "a", "é\n", kind=str) == "a/é\n"
    with pytest.raises(RuntimeError, match="TypeError"):
        child.call(shell, "posixpath:join", kind=str)


@pytest.mark.parametrize("setting", ["", "1"])
def test_a_child_writes_bytecode_unless_the_user_forbids_it(
    setting: str, shell: LocalShell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Packages that uv installed have none, and without it each child would compile docutils again."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", setting)
    monkeypatch.setenv("SECRET", "x")
    ran = child.run(shell, "import os, sys; print(sys.dont_write_bytecode, 'SECRET' in os.environ)", [], cwd=tmp_path)
    assert ran.out.split() == [str(bool(setting)), "False"]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("while True: pass", "more than 1 s"),
        ("import re; re.match('(a|aa)+$', 'a' * 99 + 'b')", "more than 1 s"),
        ("'a' * (2 << 30)", "more than 1 GB of memory"),
        ("a = []\nwhile True: a.append('a' * (1 << 20))", "more than 1 GB of memory"),
        ("def f(): f()\nf()", "nested too deeply"),
        ("import json; json.loads('[' * 100000)", "nested too deeply"),
        pytest.param("import os; os.abort()", "signal 6", marks=posix),
    ],
    ids=["endless", "in C", "memory at once", "memory by and by", "recursion", "recursion in C", "a crash"],
)
def test_a_child_has_limits(program: str, words: str, shell: LocalShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether Python or C takes them, the error says which limit it was."""
    if "more than 1 s" in words:
        monkeypatch.setattr(child, "SECONDS", 1.0)
    with pytest.raises(child.BeyondLimits, match=words):
        child.run(shell, program, [], cwd=Path("/"))


def test_the_first_signal_ends_it(shell: LocalShell) -> None:
    """Even in code in C, which does not look for signals."""
    begun = time.monotonic()
    threading.Timer(0.3, shell.processes.stop).start()
    with pytest.raises(Interrupted):
        child.run(shell, "import re; re.match('(a|aa)+$', 'a' * 99 + 'b')", [], cwd=Path("/"))
    assert time.monotonic() - begun < child.SECONDS / 2


@pytest.mark.parametrize(
    ("kind", "description"),
    [
        ("text/x-rst", "\n\n".join(" " * depth + "x" for depth in range(600))),
        ("text/x-rst", "\n\n".join("  " * depth + "* x" for depth in range(400))),
    ],
    ids=["quotes", "lists"],
)
def test_a_description_that_cannot_be_rendered_is_a_problem_of_it(
    kind: str, description: str, shell: LocalShell
) -> None:
    """It is the file's fault, and not unmoor's."""
    raw = {"description": description, "description_content_type": kind}
    (problem,) = check_description(raw, render_apart(shell))  # type: ignore[arg-type]  # some of the fields
    assert problem.what == f"cannot render the description as {kind}: it is nested too deeply"
