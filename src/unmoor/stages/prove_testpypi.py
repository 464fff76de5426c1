"""The stage ``prove-testpypi``: test the files as the staging index serves them; nothing else is taken from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from unmoor import advice
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.groups import DEFAULT_IMPORTS, ImportOptions
from unmoor.core.stage import Build, Output, StageContext
from unmoor.dists.testing.install_test import (
    dists_under_test,
    find_proof,
    interpreter_for,
    run_install_test,
    subjects,
    test_in_parallel,
)
from unmoor.dists.testing.interpreters import AUTO, runs_on, untried
from unmoor.dists.testing.parts import DistUnderTest
from unmoor.errors import Conflict, Incomplete, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.environments import Environments
from unmoor.ports.index import Index, ListedFile
from unmoor.ports.poll import growing, poll
from unmoor.ports.services import Services
from unmoor.products import Dists, File, Proof, Release, Result, Uploaded, Verdict
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import duration
from unmoor.util.values import replace

_ADDRESS = re.compile(r"https?://[^\s#@]+")
# Seconds between the first two reads of the index, and at most between any two.
_SHORTEST, _LONGEST = 0.5, 15.0
# An index that has not answered for so many seconds is gone, and not only behind.
_SILENCE = 120.0


@dataclass(frozen=True, kw_only=True)
class ProveStaged(Build[Proof]):
    """Installs the wheels from the staging index by URL and sha256; dependencies come from elsewhere.

    The sdist is downloaded and compared; if no wheel runs here, the sdist is installed instead.

    Anyone can register a dependency's name on a staging index, so it is never asked for dependencies.
    ``patience`` is how many seconds to wait until installers can see the files.
    """

    runs_project_code: ClassVar[bool] = True

    name: str = "prove-testpypi"
    release: Output[Release]
    uploaded: Output[Uploaded]
    dists: Output[Dists]
    index: Index
    environments: Environments
    folder: RunFolder
    clock: Clock
    patience: float = 900.0
    python: str = AUTO
    imports: ImportOptions = DEFAULT_IMPORTS

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        dists: Output[Dists],
        uploaded: Output[Uploaded],
        index: Index,
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            uploaded=uploaded,
            index=index,
            environments=services.environments.under(request.settings.building.constraints),
            folder=request.folder,
            clock=services.clock,
            python=request.settings.building.python,
            imports=request.settings.importing,
            advisory=request.advisory,
        )

    def plan(self) -> str:
        """Say what would be installed, and from where."""
        return f"install the files from {self.index.name} by URL and sha256, their dependencies from elsewhere"

    def find(self, context: StageContext) -> Proof | None:
        """Return the proof of exactly these files, ``None`` if there is none."""
        dists = context[self.dists]
        if not dists.vouched:
            return Proof.of_nothing(self.name, subjects(dists), why="public already, and not vouched for")
        return find_proof(self.folder, self.name, dists)

    def make(self, context: StageContext) -> Proof:
        """Wait for the files, then install and test each. Raises `Incomplete`, `Unknown`, `Conflict`, `CheckFailed`."""
        dists, release = context[self.dists], context[self.release]
        listed = self._wait_until_listed(release, dists, context)
        python = interpreter_for(self.environments, dists, self.python)
        has_usable_wheel = any(runs_on(file, python) for file in dists.wheels)

        def prove(what: DistUnderTest, folder: Path) -> tuple[Result, ...]:
            file = what.file
            if not file.is_wheel and has_usable_wheel:
                return (self._check_download(listed[file.name], file, folder),)
            context.say(f"installing {file.name} from {self.index.name}")
            environment = self.environments.fresh(folder / "environment", python=python.path)
            environment.install([_requirement(release.project, listed[file.name], file)], dependencies=False)
            environment.install(what.requires)
            return run_install_test(environment, what, folder, options=self.imports, say=context.say).results

        results = test_in_parallel(prove, dists_under_test(dists, python))
        results += tuple(
            untried(file) or Result(name=file.name, verdict=Verdict.NOT_TESTED, detail="built for another Python")
            for file in dists.files
            if not runs_on(file, python)
        )
        proof = Proof(name=self.name, subjects=subjects(dists), results=results)
        self.folder.write_proof(proof)
        return proof

    def _check_download(self, listed: ListedFile, file: File, folder: Path) -> Result:
        """Check that the index serves the same bytes of an sdist: those were tested before the upload."""
        _require_same_bytes(listed, file)
        fetched = self.index.fetch(replace(listed, sha256=file.sha256), folder)
        _require_same_bytes(replace(listed, sha256=fetched.sha256), file)
        return Result(name=f"{file.name}: download", verdict=Verdict.PASSED, detail="the bytes that were tested here")

    def _wait_until_listed(self, release: Release, dists: Dists, context: StageContext) -> dict[str, ListedFile]:
        """Wait until the simple index, which installers read, lists every file. Raises `Incomplete` in the end."""

        def look() -> dict[str, ListedFile]:
            simple = self.index.holding(release.project, release.version).simple
            return {file.name: simple[file.name] for file in dists.files if file.name in simple}

        def missing(listed: dict[str, ListedFile] | None) -> str:
            return ", ".join(file.name for file in dists.files if file.name not in (listed or {}))

        patience = min(self.patience, self.clock.patience)
        ends = self.clock.now() + patience

        def report(seen: dict[str, ListedFile] | None) -> None:
            left = duration(max(ends - self.clock.now(), 0.0))
            context.say(f"waiting until {self.index.name} lists {missing(seen)}, at most {left} more")

        listed = poll(
            look,
            until=lambda seen: not missing(seen),
            waits=growing(_SHORTEST, _LONGEST),
            clock=self.clock,
            deadline=patience,
            silence=_SILENCE,
            forgiven=(Unknown,),
            missed=report,
        )
        if missing(listed):
            raise Incomplete(
                f"installers still cannot see {missing(listed)} after {patience:g} s",
                where=self.index.name,
                next_step=advice.WAIT_FOR_INDEX(),
            )
        return listed


def _require_same_bytes(listed: ListedFile, file: File) -> None:
    """Raise `Conflict` if the index holds other bytes under a file's name."""
    if listed.sha256 is not None and listed.sha256 != file.sha256:
        raise Conflict(
            f"{file.name} has sha256 {listed.sha256} there, but {file.sha256} here",
            next_step=advice.RELEASE_NEW_VERSION(why="a file name can never be used again on an index"),
        )


def _requirement(project: str, listed: ListedFile, file: File) -> str:
    """The direct requirement for one file: its URL and sha256 (PEP 440). Raises `Conflict`, `Unknown`."""
    _require_same_bytes(listed, file)
    url = listed.url.partition("#")[0]
    if _ADDRESS.fullmatch(url) is None:
        raise Unknown(
            f"the index gives no valid URL for {file.name}", next_step=advice.CHECK_INDEX_BY_HAND(), retryable=False
        )
    return f"{project} @ {url}#sha256={file.sha256}"
