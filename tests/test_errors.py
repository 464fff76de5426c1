"""The tree of errors: complete, drawn in the docstring, with one exit code for each class."""

from __future__ import annotations

import ast
import errno
import inspect
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from tests.support.syntax import nodes

import unmoor
from unmoor import errors
from unmoor.advice import NextStep
from unmoor.cli import exit_codes
from unmoor.errors import Cause, from_os_error
from unmoor.render.advice import RESUMES, STARTS_AFRESH, next_step

SOURCES = Path(inspect.getfile(unmoor)).parent
MODULES = {str(path.relative_to(SOURCES)): path for path in sorted(SOURCES.rglob("*.py"))}
TALK = frozenset({"what", "where", "next_step", "retryable", "wait", "otherwise", "exit_code"})
"""What an error says; nobody sets it from outside."""
MATCHING = frozenset({"search", "match", "fullmatch", "findall", "finditer", "startswith", "endswith", "find", "index"})


def test_the_drawn_tree_is_the_tree() -> None:
    """The module's docstring lists exactly the classes and their exit codes."""
    drawn = {
        words[1]: int(words[2])
        for line in (errors.__doc__ or "").splitlines()
        if (words := line.split()) and words[0] in {"├──", "└──"}
    }
    assert drawn == {error.__name__: error.exit_code for error in errors.error_classes()[1:]}


def test_exit_codes_are_unique_and_free_of_the_usual_ones() -> None:
    """No two classes share a code, and 0, 1 and 2 keep their usual meaning."""
    codes = [error.exit_code for error in errors.error_classes()[1:]]
    assert len(codes) == len(set(codes))
    assert not {0, 1, 2} & set(codes)


@pytest.mark.parametrize("error", errors.error_classes()[1:])
def test_an_error_ends_as_a_message_and_its_code(
    error: type[errors.UnmoorError], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every error prints what, where and next step to stderr, nothing to stdout, and ends with its exit code."""

    def fail() -> None:
        raise error("what\x1b[2J happened\nmore of it", where="pyproject.toml", next_step=NextStep("do this"))

    assert exit_codes.guard(fail) == error.exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = click.unstyle(printed.err).splitlines()
    step = "do this, then run the same command again" if error.retryable else "do this"
    assert lines == ["error: pyproject.toml: what happened", "  | more of it", f"next:  {step}"]


def test_a_bug_has_its_traceback_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected exception gives one message that names the file with the traceback."""

    def fail() -> None:
        raise ZeroDivisionError

    assert exit_codes.guard(fail) == 70
    assert "Traceback" not in (stderr := capsys.readouterr().err)
    assert ".traceback" in stderr


ROOM = "free space where the checkout and temporary files (TMPDIR) are"
RIGHT = "grant the permission, or use another checkout or TMPDIR"
WRITABLE = "use a checkout and a TMPDIR on disks that can be written"


@pytest.mark.parametrize(
    ("number", "code", "message", "step"),
    [
        (errno.ENOSPC, 13, "cannot write a file: No space left on device", ROOM),
        (errno.EROFS, 5, "cannot write there: Read-only file system", WRITABLE),
        (errno.EACCES, 5, "this user has no permission for that file or folder: Permission denied", RIGHT),
    ],
    ids=["full", "read-only", "no-right"],
)
def test_a_disk_error_is_no_bug(
    number: int, code: int, message: str, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk error gives the place and the next step, without a traceback."""

    def fail() -> None:
        raise OSError(number, os.strerror(number), "/there/file")

    assert exit_codes.guard(fail) == code
    lines = click.unstyle(capsys.readouterr().err).splitlines()
    assert lines[:2] == [f"error: /there/file: {message}", f"next:  {step}, then run the same command again"]
    assert lines[2].startswith("more:  unmoor explain ")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system does not say which file a write was for, so the fuller of two folders is named."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir("/")
    free = {str(tmp_path): 0, "/": 9}
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free[str(folder)]))
    error = from_os_error(OSError(number, os.strerror(number)))
    assert error is not None
    assert (error.exit_code, error.where, error.cause) == (13, str(tmp_path), Cause.NO_ROOM)


def windows_error(code: int, number: int) -> OSError:
    """An error as Python raises it on Windows: with the code of Windows, and an errno that is near it or vague."""
    error = OSError(number, "as Windows says it", "C:\\there\\file")
    error.winerror = code  # type: ignore[attr-defined,unused-ignore]
    return error


@pytest.mark.parametrize(
    ("error", "code", "what", "step"),
    [
        (windows_error(32, errno.EACCES), 4, "another program uses that file or folder", "close-program"),
        (windows_error(33, errno.EACCES), 4, "another program uses that file or folder", "close-program"),
        (windows_error(5, errno.EACCES), 5, "this user has no permission", "grant-permission"),
        (windows_error(19, errno.EACCES), 5, "cannot write there", "use-writable-disk"),
        (windows_error(112, errno.ENOSPC), 13, "cannot write a file", "free-space"),
        (windows_error(39, errno.EINVAL), 13, "cannot write a file", "free-space"),
        (windows_error(21, errno.EACCES), 13, "the disk or the network share failed", "check-disk"),
        (windows_error(53, errno.ENOENT), 13, "the disk or the network share failed", "check-disk"),
        (windows_error(64, errno.EINVAL), 13, "the disk or the network share failed", "check-disk"),
        (OSError(errno.EIO, "I/O error", "/there"), 13, "the disk or the network share failed", "check-disk"),
        (OSError(errno.ESTALE, "Stale", "/there"), 13, "the disk or the network share failed", "check-disk"),
        (OSError(errno.EIO, "I/O error"), None, "", ""),
        (windows_error(2, errno.ENOENT), None, "", ""),
        (windows_error(123, errno.EINVAL), None, "", ""),
    ],
    ids=lambda value: str(getattr(value, "winerror", "") or value),
)
def test_failures_of_files_are_no_bugs(error: OSError, code: int | None, what: str, step: str) -> None:
    """A file that another program holds, and a disk that is gone, are told apart from missing permissions."""
    made = from_os_error(error)
    assert (made.exit_code if made else None) == code
    if made:
        assert made.what.startswith(what)
        assert made.next_step.ids == (step,)
        assert made.retryable


def test_no_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python reports a missing folder if it can write to none. That is a full disk, and no bug."""

    def nowhere() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp', '/']")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    with pytest.raises(FileNotFoundError) as caught:
        tempfile.mkdtemp()
    error = from_os_error(caught.value)
    assert error is not None
    assert (error.exit_code, error.retryable) == (13, True)
    assert "No usable temporary directory" in error.what
    assert from_os_error(FileNotFoundError(errno.ENOENT, "no such file", "/there/file")) is None


def test_ctrl_c_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    """A stop by the user has the shell's usual exit code."""

    def stop() -> None:
        raise KeyboardInterrupt

    assert exit_codes.guard(stop) == 130
    assert capsys.readouterr().err == "error: stopped before it was finished\n"


@pytest.mark.parametrize("error", errors.error_classes())
def test_every_class_says_whether_to_try_again(error: type[errors.UnmoorError]) -> None:
    """Each class sets it itself, none inherits it; a raise may override it for one error."""
    assert "retryable" in vars(error)
    other = error("what", next_step=NextStep("do this"), retryable=not error.retryable)
    assert (other.retryable, error("what").retryable) == (not error.retryable, error.retryable)


AGAIN = "run the same command again"


@pytest.mark.parametrize(
    ("error", "again", "step"),
    [
        (errors.Denied("no", next_step=NextStep("give a token")), "", "give a token"),
        (errors.Denied("no", next_step=NextStep("give a token"), retryable=True), "", f"give a token, then {AGAIN}"),
        (errors.Unknown("no answer"), "", AGAIN),
        (errors.Unknown("no answer"), RESUMES, f"{AGAIN}: it continues from what is already there"),
        (errors.Unknown("no answer", otherwise=NextStep("ask")), "", f"{AGAIN}; if it fails again, ask"),
        (
            errors.Unknown("no answer", next_step=NextStep("look"), otherwise=NextStep("ask")),
            RESUMES,
            f"look, then {AGAIN}: it continues from what is already there; if it fails again, ask",
        ),
        (errors.Unknown("no answer", next_step=NextStep("look at it"), retryable=False), RESUMES, "look at it"),
        (errors.Interrupted("stopped"), STARTS_AFRESH, f"{AGAIN}: a rehearsal starts afresh"),
        (errors.TryLater("busy", wait=30), "", f"wait 30 s, then {AGAIN}"),
        (errors.TryLater("busy", next_step=NextStep("look"), wait=90), "", f"look, wait 2 min, then {AGAIN}"),
    ],
)
def test_the_renderer_says_to_run_it_again(error: errors.UnmoorError, again: str, step: str) -> None:
    """First the specific step, then the wait, then the command, then what to do if that fails, too."""
    assert next_step(error, again=again) == step
    assert click.unstyle(exit_codes.message(error, again=again)[-1]) == f"next:  {step}"


def test_an_amended_error_is_a_new_one() -> None:
    """The first error stays unchanged as the cause; the second keeps its class and its other fields."""
    first = errors.BuildFailed("broken", where="there", next_step=NextStep("mend it"), file="setup.py", line=7)
    fuller = first.amended(also="2 of 3", retryable=True)
    assert (str(first), first.retryable) == ("there: broken", False)
    assert (str(fuller), fuller.args, fuller.next_step) == ("there: broken; 2 of 3", ("broken; 2 of 3",), "mend it")
    assert (type(fuller), fuller.file, fuller.line, fuller.retryable) == (errors.BuildFailed, "setup.py", 7, True)
    assert fuller.__cause__ is first
    assert errors.Unknown("one\ntwo").amended(also="three").what == "one\ntwo\nthree"
    again = fuller.amended(where="here", next_step=NextStep("ask"))
    assert (str(again), again.next_step, again.retryable) == ("here: broken; 2 of 3", "ask", True)


@pytest.mark.parametrize("error", errors.error_classes())
def test_an_error_passes_its_advice_on(error: type[errors.UnmoorError]) -> None:
    """Every class accepts the whole advice of another error."""
    first = errors.TryLater("busy", next_step=NextStep("look"), wait=3.0, otherwise=NextStep("ask"))
    assert error("in other words", **first.advice).advice == first.advice


def constants(path: Path) -> Iterator[ast.Constant]:
    """Every string in a module that is no docstring."""
    docstrings = {
        id(node.body[0].value)
        for node in nodes(path)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def test_only_the_renderer_says_to_run_it_again() -> None:
    """No other text of the package does: errors set ``retryable``."""
    phrases = re.compile(r"\b(same command again|(run|try)( it)? again|if (that stays|it fails again))\b")
    found = {
        (module, node.value)
        for module, path in MODULES.items()
        for node in constants(path)
        if phrases.search(str(node.value))
    }
    assert {module for module, _ in found} == {"advice.py", "render/advice.py"}


def test_every_error_says_what_to_do() -> None:
    """An error without a next step is one for which the same command is run again."""
    known = {error.__name__: error for error in errors.error_classes()}
    silent = []
    for module, path in MODULES.items():
        ours = {
            name.asname or name.name: known[name.name]
            for node in nodes(path)
            if isinstance(node, ast.ImportFrom) and node.module == "unmoor.errors"
            for name in node.names
            if name.name in known
        }
        for node in nodes(path):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in ours:
                continue
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            again = given.get("retryable", str(ours[node.func.id].retryable))
            if None not in given and again != "True" and given.get("next_step", "''") == "''":
                silent.append(f"{module}:{node.lineno}")
    assert silent == []


def assigned(node: ast.AST) -> Iterator[ast.Attribute]:
    """The attributes that a statement sets or deletes."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        yield from (each for each in ast.walk(target) if isinstance(each, ast.Attribute))


def caught_names(function: ast.AST) -> set[str]:
    """The names of caught exceptions in a function, and of variables that keep them after the handler."""
    names = {node.name for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.name}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in names:
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def test_an_error_is_never_changed_from_outside() -> None:
    """No code sets attributes of a caught exception, nor the text of any error."""
    changed = []
    for module, path in MODULES.items():
        for function in (node for node in nodes(path) if isinstance(node, ast.FunctionDef)):
            names = caught_names(function)
            changed += [
                f"{module}:{each.lineno}"
                for node in ast.walk(function)
                for each in assigned(node)
                if ast.unparse(each.value).split(".")[0] in names
                or (module != "errors.py" and each.attr in TALK and ast.unparse(each.value) != "self")
            ]
    assert changed == []


def is_talk(node: ast.AST) -> bool:
    """Whether an expression is the text of an error."""
    return isinstance(node, ast.Attribute) and node.attr in {"what", "next_step", "otherwise"}


def test_no_code_searches_the_text_of_an_error() -> None:
    """Code decides by an error's class or fields, never by its text."""
    searched = []
    for module, path in MODULES.items():
        for node in nodes(path):
            found = False
            line = getattr(node, "lineno", 0)
            if isinstance(node, ast.Compare) and module != "errors.py":
                found = any(isinstance(each, ast.In | ast.NotIn) for each in node.ops)
                found = found and any(is_talk(part) for side in node.comparators for part in ast.walk(side))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MATCHING:
                found = is_talk(node.func.value) or any(map(is_talk, node.args))
            if found:
                searched.append(f"{module}:{line}")
    assert searched == []


def test_too_little_memory_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    """It is this machine's fault, without a traceback."""

    def fail() -> None:
        raise MemoryError

    assert exit_codes.guard(fail) == 13
    assert click.unstyle(capsys.readouterr().err).splitlines()[0] == "error: this machine has not enough memory"
