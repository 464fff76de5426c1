"""The proof that the files work when they come from the index: its own by address and hash, nothing else from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Build, Output, StageContext
from unmoor.dists.testing.extras import DistUnderTest
from unmoor.dists.testing.install_test import (
    dists_under_test,
    find_proof,
    interpreter_for,
    run_install_test,
    subjects,
    test_in_parallel,
)
from unmoor.dists.testing.interpreters import AUTO, runs_on
from unmoor.errors import Conflict, Incomplete, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.environments import Environments
from unmoor.ports.index import Index, ListedFile
from unmoor.ports.poll import growing, poll
from unmoor.ports.services import Services
from unmoor.products import Dists, File, Proof, Release, Result, Uploaded, Verdict
from unmoor.release_request import ReleaseRequest

_ADDRESS = re.compile(r"https?://[^\s#@]+")
# Seconds between the first two looks, and at most between any two.
_SHORTEST, _LONGEST = 0.5, 15.0


@dataclass(frozen=True, kw_only=True)
class ProveStaged(Build[Proof]):
    """Installs the wheels from the staging index, by address and sha256; dependencies come from elsewhere.

    The sdist is fetched and compared; where no wheel runs here, it is installed in their place.

    Anyone can register a dependency's name on a staging index: it is never asked for one.
    ``patience``: seconds to wait until installers can see the files.
    """

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
            advisory=request.advisory,
        )

    def plan(self) -> str:
        """Say what would be installed, and from where."""
        return f"install the files from {self.index.name} by address and sha256, their dependencies from elsewhere"

    def find(self, context: StageContext) -> Proof | None:
        """Return the proof of these very bytes, ``None`` where there is none."""
        return find_proof(self.folder, self.name, context[self.dists])

    def make(self, context: StageContext) -> Proof:
        """Wait for the files, install and try each. Raises `Incomplete`, `Unknown`, `Conflict`, `CheckFailed`."""
        dists, release = context[self.dists], context[self.release]
        listed = self._awaited(release, dists, context)
        python = interpreter_for(self.environments, dists, self.python)
        some_wheel = any(runs_on(file, python.version) for file in dists.wheels)

        def prove(what: DistUnderTest, folder: Path) -> tuple[Result, ...]:
            file = what.file
            if not file.is_wheel and some_wheel:
                return (self._downloaded(listed[file.name], file, folder),)
            context.say(f"installing {file.name} from {self.index.name}")
            environment = self.environments.fresh(folder / "environment", python=python.path)
            environment.install([_by_hash(release.project, listed[file.name], file)], dependencies=False)
            environment.install(what.requires)
            return run_install_test(environment, what, folder)

        results = test_in_parallel(prove, dists_under_test(dists, python))
        results += tuple(
            Result(name=file.name, verdict=Verdict.NOT_TESTED, detail="made for another platform or Python than this")
            for file in dists.files
            if not runs_on(file, python.version)
        )
        proof = Proof(name=self.name, subjects=subjects(dists), results=results)
        # Beside the manifest, not in it: that one lies on the draft already, and stays as it is.
        self.folder.write_proof(proof)
        return proof

    def _downloaded(self, listed: ListedFile, file: File, folder: Path) -> Result:
        """See that the index hands out an sdist's very bytes: what they build was proven before they went there."""
        _same(listed, file)
        fetched = self.index.fetch(replace(listed, sha256=file.sha256), folder)
        _same(replace(listed, sha256=fetched.sha256), file)
        return Result(name=f"{file.name}: download", verdict=Verdict.PASSED, detail="the bytes that were proven here")

    def _awaited(self, release: Release, dists: Dists, context: StageContext) -> dict[str, ListedFile]:
        """Wait until the simple index, which installers read, lists every file, for a bounded time."""

        def look() -> dict[str, ListedFile]:
            simple = self.index.holding(release.project, release.version).simple
            return {file.name: simple[file.name] for file in dists.files if file.name in simple}

        def missing(listed: dict[str, ListedFile] | None) -> str:
            return ", ".join(file.name for file in dists.files if file.name not in (listed or {}))

        listed = poll(
            look,
            until=lambda seen: not missing(seen),
            waits=growing(_SHORTEST, _LONGEST),
            clock=self.clock,
            deadline=self.patience,
            forgiven=(Unknown,),
            missed=lambda seen: context.say(f"waiting until {self.index.name} lists {missing(seen)}"),
        )
        if missing(listed):
            raise Incomplete(
                f"installers still cannot see {missing(listed)} after {self.patience:g} s",
                where=self.index.name,
                next_step="wait some minutes",
            )
        return listed


def _same(listed: ListedFile, file: File) -> None:
    """Raise `Conflict` where the index holds other bytes under a file's name."""
    if listed.sha256 is not None and listed.sha256 != file.sha256:
        raise Conflict(
            f"{file.name} has the sha256 {listed.sha256} there, and {file.sha256} here",
            next_step="release the next version: a name on an index never comes free again",
        )


def _by_hash(project: str, listed: ListedFile, file: File) -> str:
    """Write the requirement that takes one file from one address, by its hash. Raises `Conflict`, `Unknown`."""
    _same(listed, file)
    url = listed.url.partition("#")[0]
    if _ADDRESS.fullmatch(url) is None:
        raise Unknown(f"the address of {file.name} is none", next_step="look at the index by hand", retryable=False)
    return f"{project} @ {url}#sha256={file.sha256}"
