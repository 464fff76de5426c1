"""The look at every built file: what an index would take, and of this very version."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Self

from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Check, Output, StageContext
from unmoor.dists.checks import Examiner, Limits, Problem, release, sizes, tracked
from unmoor.dists.checks.tracked import Tracked
from unmoor.dists.testing.install_test import subjects
from unmoor.errors import InvalidDist, Unknown
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.products import CheckedDists, Dists, Release
from unmoor.release_request import ReleaseRequest

# Unpacking and hashing let go of the interpreter, so that threads help; each holds a few MB.
_THREADS = min(8, os.cpu_count() or 1)
# So many files are named in one line; more are counted.
_NAMED = 3
_PLACE = ""


@dataclass(frozen=True, kw_only=True)
class CheckDists(Check[CheckedDists]):
    """Everything that an index would refuse, name and version in every place that says them, and what git tracks.

    ``max_file_size`` in bytes. ``any_platform``: the index takes wheels for platforms that the public one refuses.
    """

    name: str = "check-dists"
    release: Output[Release]
    dists: Output[Dists]
    git: Git
    folder: RunFolder
    max_file_size: int = Limits.file
    any_platform: bool = False

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            git=services.git,
            folder=request.folder,
            max_file_size=request.settings.max_file_size << 20,
            any_platform=request.any_platform,
        )

    def plan(self) -> str:
        """Say what would be looked at."""
        return "check in every file what the index would refuse, and that names and versions are the tag's"

    def make(self, context: StageContext) -> CheckedDists:
        """Look at every file. Raises `InvalidDist` with everything that is wrong, all files together."""
        dists = context[self.dists]
        found = [*self._of_each(dists, self._tracked(context), context[self.release]), *self._of_all(dists)]
        for line in _lines((where, problem) for where, problem in found if problem.rule.warns):
            context.warn(line)
        if lines := _lines((where, problem) for where, problem in found if not problem.rule.warns):
            raise InvalidDist(
                "\n".join(lines), next_step="correct the project; move the tag only if nothing of it is public"
            )
        return CheckedDists(subjects=subjects(dists))

    def _tracked(self, context: StageContext) -> Tracked:
        """What git tracks at the commit. What its history does not tell hinders nobody, and is said."""
        commit = context[self.release].commit

        @cache
        def deleted(paths: tuple[str, ...]) -> frozenset[str]:
            try:
                return self.git.deleted(commit, paths)
            except Unknown as error:
                context.warn(f"which modules were left over by earlier builds cannot be told: {error.what}")
                return frozenset()

        return Tracked.of(self.git.files(commit), lambda paths: deleted(tuple(paths)))

    def _of_each(self, dists: Dists, files: Tracked, tag: Release) -> Iterator[tuple[str, Problem]]:
        """Look at each file by itself."""
        examiner = Examiner(limits=Limits(file=self.max_file_size, any_platform=self.any_platform))
        with ThreadPoolExecutor(_THREADS, "check-dists") as pool:
            for verdict in pool.map(examiner.examine, dists.files):
                more = (*release.check_file(verdict, tag), *tracked.check_file(verdict, files, tag.project))
                problems = (*verdict.problems, *more)
                yield from ((verdict.file.name, problem) for problem in problems)

    def _of_all(self, dists: Dists) -> Iterator[tuple[str, Problem]]:
        """Look at the files together."""
        leftovers = self.folder.leftovers([file.name for file in dists.files])
        problems = (*sizes.check_files(dists.files), *release.check_files(dists, leftovers))
        yield from ((_PLACE, problem) for problem in problems)


def _lines(found: Iterable[tuple[str, Problem]]) -> list[str]:
    """One line a problem, with every file that has it."""
    files: dict[Problem, list[str]] = {}
    for where, problem in found:
        files.setdefault(problem, []).append(where)
    return [f"{_all(names)}{problem.line}" for problem, names in files.items()]


def _all(names: list[str]) -> str:
    """Name some files, and count the others."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    shown = ", ".join(name for name in names[:_NAMED] if name)
    return f"{shown}{more}: " if shown else ""
