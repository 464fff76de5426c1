"""The error tree: drawn, complete, one exit code a class."""

from __future__ import annotations

import errno
import os

import click
import pytest

from unmoor import errors
from unmoor.cli import exit_codes


def test_the_drawn_tree_is_the_tree() -> None:
    """The module's docstring names every class with its exit code, and no other."""
    drawn = {
        words[1]: int(words[2])
        for line in (errors.__doc__ or "").splitlines()
        if (words := line.split()) and words[0] in {"├──", "└──"}
    }
    assert drawn == {error.__name__: error.exit_code for error in errors.error_classes()[1:]}


def test_exit_codes_are_unique_and_free_of_the_usual_ones() -> None:
    """No two kinds share a code, and 0, 1 and 2 keep their usual meaning."""
    codes = [error.exit_code for error in errors.error_classes()[1:]]
    assert len(codes) == len(set(codes))
    assert not {0, 1, 2} & set(codes)


@pytest.mark.parametrize("error", errors.error_classes()[1:])
def test_an_error_ends_as_a_message_and_its_code(
    error: type[errors.UnmoorError], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is raised: what, where and next on stderr, nothing on stdout, the class's exit code."""

    def fail() -> None:
        raise error("what\x1b[2J happened\nmore of it", where="pyproject.toml", next_step="do this")

    assert exit_codes.guard(fail) == error.exit_code
    said = capsys.readouterr()
    assert said.out == ""
    lines = click.unstyle(said.err).splitlines()
    assert lines == ["error: pyproject.toml: what happened", "  | more of it", "next:  do this"]


def test_a_fault_of_ours_keeps_its_traceback_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected exception is one message too, and names the file that holds the traceback."""

    def fail() -> None:
        raise ZeroDivisionError

    assert exit_codes.guard(fail) == 70
    assert "Traceback" not in (said := capsys.readouterr().err)
    assert ".traceback" in said


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (errno.ENOSPC, 13, "a file could not be written: No space left on device"),
        (errno.EROFS, 5, "this user may not use that file or folder: Read-only file system"),
        (errno.EACCES, 5, "this user may not use that file or folder: Permission denied"),
    ],
    ids=["full", "read-only", "no-right"],
)
def test_what_a_disk_refuses_is_no_fault_of_ours(
    number: int, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told with the place, and what to do about it, without a traceback anywhere."""

    def fail() -> None:
        raise OSError(number, os.strerror(number), "/there/file")

    assert exit_codes.guard(fail) == code
    lines = click.unstyle(capsys.readouterr().err).splitlines()
    assert lines[0] == f"error: /there/file: {words}"
    assert lines[1].startswith("next:  ")


def test_ctrl_c_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    """A stop by the user has the shell's usual code."""

    def stop() -> None:
        raise KeyboardInterrupt

    assert exit_codes.guard(stop) == 130
    assert "run the same command again" in capsys.readouterr().err
