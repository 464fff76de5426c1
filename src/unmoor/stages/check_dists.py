"""The stage ``check-dists``: check that the index would accept every built file, and that each is of this version.

An index never takes a second file under a name. So the files are compared each time with what the indexes hold already,
before anything is sent anywhere, whether they were built now, in an earlier run or by another job.

The rules are imported when they check something: a plan only names this stage.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Self

from unmoor import advice
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Check, Output, StageContext
from unmoor.dists.testing.install_test import subjects
from unmoor.errors import Conflict, InvalidDist, Unknown
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.services import Services
from unmoor.ports.shell import Shell
from unmoor.ports.world import WheelPlatforms
from unmoor.products import CheckedDists, Dists, Release
from unmoor.publish.index_state import require_own_names
from unmoor.release_request import ReleaseRequest

if TYPE_CHECKING:
    from unmoor.dists.checks import Problem
    from unmoor.dists.checks.tracked import Tracked

# Unpacking and hashing release the GIL, so threads help; each needs a few MB.
_THREADS = min(8, os.cpu_count() or 1)
# At most this many files are named on one line; the others are counted.
_MAX_NAMES = 3
_NO_FILE = ""


@dataclass(frozen=True, kw_only=True)
class CheckDists(Check[CheckedDists]):
    """Checks each file for what an index would refuse, for the tag's name and version, and against what git tracks.

    ``max_file_size`` is in bytes. ``platforms`` are those whose wheels the index accepts.
    ``index`` and ``staging`` may hold files of this version already; problems of the staging index are warnings if it
    is ``advisory``. ``sends``: these are all files of the release, and this run sends them. If not, an index may hold
    more, and one that cannot be read is a warning.
    """

    name: str = "check-dists"
    release: Output[Release]
    dists: Output[Dists]
    git: Git
    shell: Shell
    folder: RunFolder
    max_file_size: int
    platforms: WheelPlatforms = WheelPlatforms.PUBLIC
    index: Index | None = None
    staging: Index | None = None
    advisory_staging: bool = False
    sends: bool = False

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            git=services.git,
            shell=services.shell,
            folder=request.folder,
            max_file_size=request.settings.max_file_size << 20,
            platforms=request.wheel_platforms,
            index=services.index,
            staging=request.staging(services),
            advisory_staging=request.advisory,
            sends=request.pushes,
        )

    def plan(self) -> str:
        """Say what would be checked."""
        return (
            "check every file for what the index would refuse, also because it holds other bytes under that name, and"
            " that names and versions match the tag"
        )

    def make(self, context: StageContext) -> CheckedDists:
        """Check every file. Raises `InvalidDist` with the problems of all files, `Conflict`, `Denied`, `Unknown`."""
        from unmoor.dists.checks.names import LOCAL_PLATFORM

        dists = context[self.dists]
        found = [*self._check_each(dists, self._tracked(context), context[self.release]), *self._check_together(dists)]
        for line in _describe((where, problem) for where, problem in found if problem.rule.warns):
            context.warn(line)
        wrong = [(where, problem) for where, problem in found if not problem.rule.warns]
        if wrong:
            raise InvalidDist(
                "\n".join(_describe(wrong)),
                next_step=advice.join(problem.rule.advice or advice.CORRECT_PROJECT() for _, problem in wrong),
            )
        self._compare_indexes(dists, context)
        local = sorted({where for where, problem in found if problem.rule is LOCAL_PLATFORM})
        return CheckedDists(subjects=subjects(dists), local=tuple(local))

    def _compare_indexes(self, dists: Dists, context: StageContext) -> None:
        """Compare the files with those on the indexes. Raises `Conflict` with all of them, `Denied`, `Unknown`."""
        tag, part = context[self.release], not self.sends
        decisive = None if self.advisory_staging else self.staging
        for problem in require_own_names(tag, dists.files, index=self.index, staging=decisive, part=part):
            if self.sends:
                raise problem
            context.warn(f"cannot determine whether an index holds files of {tag.version}: {problem}")
        if self.advisory_staging:
            try:
                for problem in require_own_names(tag, dists.files, index=None, staging=self.staging, part=part):
                    context.warn(str(problem))
            except Conflict as error:
                context.warn(str(error))

    def _tracked(self, context: StageContext) -> Tracked:
        """What git tracks at the commit. If its history cannot be read, warn and continue."""
        from unmoor.dists.checks.tracked import Tracked

        commit = context[self.release].commit

        @cache
        def deleted(paths: tuple[str, ...]) -> frozenset[str]:
            try:
                return self.git.deleted(commit, paths)
            except Unknown as error:
                context.warn(f"cannot determine which modules are left over from earlier builds: {error.what}")
                return frozenset()

        return Tracked.of(self.git.files(commit), lambda paths: deleted(tuple(paths)))

    def _check_each(self, dists: Dists, files: Tracked, tag: Release) -> Iterator[tuple[str, Problem]]:
        """Check each file on its own."""
        from unmoor.dists.checks import Examiner, Limits, release, tracked, versions
        from unmoor.dists.checks.description import render_apart

        limits = Limits(file=self.max_file_size, platforms=self.platforms)
        examiner = Examiner(limits=limits, render=render_apart(self.shell))
        with ThreadPoolExecutor(_THREADS, "check-dists") as pool:
            for verdict in pool.map(examiner.examine, dists.files):
                more = (
                    *release.check_file(verdict, tag),
                    *tracked.check_file(verdict, files, tag.project),
                    *versions.check_file(verdict, files.paths, tag),
                )
                problems = (*verdict.problems, *more)
                yield from ((verdict.file.name, problem) for problem in problems)

    def _check_together(self, dists: Dists) -> Iterator[tuple[str, Problem]]:
        """Check the files as a set."""
        from unmoor.dists.checks import release, sizes

        leftovers = self.folder.leftovers([file.name for file in dists.files])
        problems = (*sizes.check_files(dists.files), *release.check_files(dists, leftovers))
        yield from ((_NO_FILE, problem) for problem in problems)


def _describe(found: Iterable[tuple[str, Problem]]) -> list[str]:
    """One line per problem, with every file that has it."""
    files: dict[Problem, list[str]] = {}
    for where, problem in found:
        files.setdefault(problem, []).append(where)
    return [f"{_name_files(names)}{problem.line}" for problem, names in files.items()]


def _name_files(names: list[str]) -> str:
    """Name some files, and count the others."""
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    named = ", ".join(name for name in names[:_MAX_NAMES] if name)
    return f"{named}{more}: " if named else ""
