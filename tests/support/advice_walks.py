"""Walks from an error to its advice: bring the error about, do what the advice says, and run the same again."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.git_repos import Repo

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.errors import UnmoorError

MOST = 5
"""How many errors may come after each other."""
PROGRAMS = ("git", "chmod", "rm", "unmoor")


@dataclass
class Place:
    """Where a walk happens: an empty folder, and what the walk keeps there."""

    folder: Path
    shell: LocalShell
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def repo(self) -> Repo:
        """The repository of the walk."""
        repo = self.kept["repo"]
        assert isinstance(repo, Repo)
        return repo

    def new_repo(self, files: dict[str, str], *, remote: bool = False) -> Repo:
        """Create the repository with one commit, and a remote of it if asked."""
        repo = Repo.new(self.folder / "project", files)
        self.kept["repo"] = repo
        if remote:
            self.kept["remote"] = repo.remote(self.folder / "remote.git")
        return repo

    @property
    def git(self) -> GitCheckout:
        """The checkout of the repository."""
        return GitCheckout(self.repo.path, self.shell)

    def run(self, advice: str, **values: str) -> None:
        """Run the first command line that a text names, with values for its words in capitals, in the repository."""
        command = next(command_in(part) for part in advice.split("; ") if command_in(part))
        for name, value in values.items():
            command = command.replace(name, shlex.quote(value))
        when = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
        cwd = self.repo.path if "repo" in self.kept else self.folder
        done = subprocess.run(  # noqa: S602 - as a user pastes it
            command, shell=True, cwd=cwd, check=False, capture_output=True, text=True, env=dict(os.environ) | when
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)

    def write(self, **files: str) -> None:
        """Write files of the repository and commit them; ``__`` stands for a slash, ``_dot_`` for a dot."""
        self.repo.commit({name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()})


def command_in(text: str) -> str:
    """Return the command of a part of a text: all of it, or what follows a colon. Empty if there is none."""
    for part in (text, text.partition(": ")[2]):
        if part.startswith(tuple(f"{program} " for program in PROGRAMS)):
            return part
    return ""


@dataclass(frozen=True, kw_only=True)
class Walk:
    """How to meet an error, and how to follow its advice. ``act`` is the command that is run before and after that.

    ``then`` is the id of the advice of the other error in which it ends, empty if it ends without an error.
    """

    begin: Callable[[Place], object]
    act: Callable[[Place], object]
    follow: Callable[[Place, str], object]
    then: str = ""


def keep(**values: object) -> Callable[..., None]:
    """Keep values in the place of a walk: to begin with, or because the advice says so."""
    return lambda place, *_: place.kept.update(values)


def also(*steps: Callable[[Place], object]) -> Callable[..., None]:
    """Do several things."""

    def start(place: Place, *_: str) -> None:
        for step in steps:
            step(place)

    return start


def ids_of(name: str) -> set[str]:
    """The ids of the advice that a row follows: its first word, or several with a plus between them."""
    return set(name.partition(" ")[0].split("+"))


def walk(name: str, walks: dict[str, Walk], place: Place) -> None:
    """Follow the advice until the command succeeds or ends in an error with other advice, as the walk says.

    Fails if the first error has other advice, if an error comes back, and if following leads on and on.
    """
    row = walks[name]
    row.begin(place)
    met: list[tuple[type[UnmoorError], str]] = []
    steps = ids_of(name)
    for _ in range(MOST):
        error = attempt(row, place)
        if error is None:
            assert met, "there was no error"
            assert not row.then, f"it should end in advice to {row.then}"
            return
        if not steps <= set(error.advice_ids):
            assert met, f"other advice: {error} -> {error.next_step} {error.advice_ids}"
            assert row.then in error.advice_ids, f"it ends in another error: {error} -> {error.advice_ids}"
            return
        told = (type(error), str(error))
        assert told not in met, f"the advice leads back to: {error}"
        met.append(told)
        row.follow(place, str(error.next_step or error.otherwise))
    message = f"the advice does not end: {met}"
    raise AssertionError(message)


def attempt(row: Walk, place: Place) -> UnmoorError | None:
    """Run the command of a walk, and return its error."""
    try:
        row.act(place)
    except UnmoorError as error:
        return error
    return None
