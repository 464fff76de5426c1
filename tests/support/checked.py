"""Checks, run over files that a test names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from unmoor.checks.model import CheckContext, CheckResult, RepositoryCheck
from unmoor.checks.running import run_checks
from unmoor.config.settings import resolve
from unmoor.ports.git import Git
from unmoor.util.values import replace

COMMIT = "1" * 40


class FilesInMemory:
    """The files of a repository, each with its text.

    What is in ``new`` differs from every commit, and ``changes`` is the diff of it.
    """

    def __init__(
        self,
        files: Mapping[str, str | bytes],
        *,
        new: Sequence[str] = (),
        point: str | None = COMMIT,
        changes: str = "",
    ) -> None:
        self.contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        self.new = tuple(new)
        self.point = point
        self.changes = changes

    def names(self) -> tuple[str, ...]:
        """Every path, sorted."""
        return tuple(sorted(self.contents))

    def read(self, path: str) -> bytes | None:
        """A file's content."""
        return self.contents.get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of several."""
        return {path: self.contents[path] for path in paths if path in self.contents}

    def changed(self, since: str | None) -> tuple[str, ...]:
        """What is new."""
        return self.names() if since is None else tuple(sorted(self.new))

    def diff(self, since: str) -> str:
        """The diff that the test gave."""
        return self.changes if since else ""

    def branch_point(self, branch: str) -> str | None:
        """The commit that the test gave."""
        return self.point if branch else None


class GitWithTags:
    """A checkout of which only HEAD and the tags are known."""

    path = ""
    folder = Path()

    def __init__(self, tags: Mapping[str, str] | None = None, *, head: str | None = COMMIT) -> None:
        self._tags = dict(tags or {})
        self._head = head

    def head(self) -> str | None:
        """The commit that is checked out."""
        return self._head

    def tags(self) -> Mapping[str, str]:
        """Every tag with its commit."""
        return self._tags


def context_of(
    files: Mapping[str, str | bytes] | FilesInMemory, *, tags: Mapping[str, str] | None = None, **options: Any
) -> CheckContext:
    """Return what a check may use: these files, and the settings that are in them."""
    source = files if isinstance(files, FilesInMemory) else FilesInMemory(files)
    git = cast("Git", GitWithTags(tags))
    context = CheckContext(source=source, git=git, settings=resolve(lambda _: None).settings, **options)
    return replace(context, settings=resolve(context.files.read).settings)


def result_of(check: RepositoryCheck, files: Mapping[str, str | bytes] | FilesInMemory, **options: Any) -> CheckResult:
    """Run one check over these files."""
    (result,) = run_checks(context_of(files, **options), [check]).results
    return result


def found_by(check: RepositoryCheck, files: Mapping[str, str | bytes] | FilesInMemory, **options: Any) -> list[str]:
    """Return what one check finds, each with its place and line."""
    problems = result_of(check, files, **options).problems
    places = [f"{each.where}{f':{each.line}' if each.line else ''}: " for each in problems]
    return [f"{place}{each.what}".removeprefix(": ") for place, each in zip(places, problems, strict=True)]
