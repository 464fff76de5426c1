"""The stage ``rebuild``: build the files a second time under other conditions, and compare them with the first build.

Whoever can build the same bytes need not trust who built them first. The second build has the commit, the tools and
the versions of the first, and nothing else: see `unmoor.ports.backend.Backend.elsewhere`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from unmoor import advice
from unmoor.artifacts.merge import built_files
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Build, Output, StageContext
from unmoor.core.waivers import Gate
from unmoor.dists.building import BY_ANOTHER_TOOL, DistBuilder
from unmoor.dists.rebuilding import build_again, how_different, why_not
from unmoor.dists.testing.install_test import subjects
from unmoor.errors import CheckFailed, Interrupted, UnmoorError
from unmoor.ports.services import Services
from unmoor.products import Dists, File, Proof, Release, Result, Subject, Verdict
from unmoor.publish.emergencies import recorded_waiver
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.dists.comparison import Comparison

_SAME = "a second build gives the same bytes"
_MASKED = "a second build gives the same bytes, but for modes that follow its umask"
_DIFFERS = "a second build gives other bytes"
_FAILED = "not rebuilt: the second build failed"
_HANDED = "not rebuilt: built by another job, which did not build it twice"
_COMPLETE = "not rebuilt: the manifest was complete without"


@dataclass(frozen=True, kw_only=True)
class RebuildDists(Build[Proof]):
    """Builds every file again that can be built here, and compares the bytes.

    ``required``: every file must be the same, and compiled wheels are built again, too; else a difference is a warning.
    ``prebuilt`` is a folder that another tool filled in this job; ``handed``: other jobs built the files. Without
    ``may_build`` a second build that failed is taken as it was.
    """

    runs_project_code: ClassVar[bool] = True

    name: str = "rebuild"
    release: Output[Release]
    dists: Output[Dists]
    builder: DistBuilder
    folder: RunFolder
    required: bool = False
    prebuilt: Path | None = None
    handed: bool = False
    may_build: bool = True

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]) -> Self:
        """Build the stage for a request."""
        options = request.settings.building
        builder = DistBuilder(
            git=services.git,
            backend=services.backend.under(options.constraints),
            environments=services.environments.under(options.constraints),
            options=options,
        )
        return cls(
            release=release,
            dists=dists,
            builder=builder,
            folder=request.folder,
            required=request.settings.reproducible == "required",
            prebuilt=request.prebuilt,
            handed=request.handed,
            may_build=not request.no_project_code,
        )

    def plan(self) -> str:
        """Say what would be built again."""
        what = "build the files" if self.required else "build what is not compiled"
        then = "they must be the same" if self.required else "a difference is a warning"
        return (
            f"{what} a second time, in another folder and with another umask, time zone, locale, hash seed, user and"
            f" home; {then}"
        )

    def find(self, context: StageContext) -> Proof | None:
        """Return the proof of these files, ``None`` if something is still to be built a second time.

        Without `required`, files of other jobs and of complete manifests are not: a manifest never changes.
        """
        dists = context[self.dists]
        if not dists.vouched:
            return Proof.of_nothing(self.name, subjects(dists), why="public already, and not vouched for")
        known = self._known(dists)
        if self.required and not recorded_waiver(self.folder, Gate.REPRODUCIBILITY):
            passed = all(_passed(known.get(file.name)) for file in dists.files)
            return self._proof(dists, known) if passed else None
        complete = self._is_complete(dists)
        for file in dists.files:
            why = self._why_not(file, dists) or (_HANDED if self.handed else _COMPLETE if complete else "")
            if file.name not in known and why:
                known[file.name] = _untested(file, why)
        return self._proof(dists, known) if len(known) == len(dists.files) else None

    def _is_complete(self, dists: Dists) -> bool:
        """Whether there is a complete manifest of these files."""
        manifest = self.folder.read_manifest()
        if manifest is None or not manifest.proofs:
            return False
        return {(file.name, file.sha256) for file in dists.files} <= {(a.name, a.sha256) for a in manifest.artifacts}

    def make(self, context: StageContext) -> Proof:
        """Build again and compare. Raises `CheckFailed` if a file differs that must not, and as the build does."""
        dists = context[self.dists]
        known = {name: each for name, each in self._known(dists).items() if _passed(each) or not self.required}
        missing = [file for file in dists.files if file.name not in known]
        reasons = {file.name: self._why_not(file, dists) for file in missing}
        again = [file for file in missing if not reasons[file.name]]
        if self.required and len(again) < len(missing):
            raise CheckFailed(
                "\n".join(f"{file.name}: {reasons[file.name]}" for file in missing if reasons[file.name]),
                next_step=advice.REBUILD_ADVISORY(),
            )
        known |= {file.name: _untested(file, reasons[file.name]) for file in missing if reasons[file.name]}
        try:
            found = build_again(
                self.builder,
                again,
                context[self.release],
                dists,
                say=_silent,
                warn=_silent,
                elsewhere=True,
            )
        except Interrupted:
            raise
        except UnmoorError as error:
            if self.required:
                raise error.amended(also="this was the second build, of the same commit") from error
            first, *more = str(error).strip().splitlines() or [error.kind]
            context.warn(clean(f"the files are not rebuilt: {first}{f': … {more[-1]}' if more else ''}", limit=500))
            found = {}
            known |= {file.name: _untested(file, _FAILED) for file in again}
        self._judge(found, context)
        known |= {name: _result(name, comparison) for name, comparison in found.items()}
        proof = self._proof(dists, known)
        self.folder.write_proof(proof)
        return proof

    def _judge(self, found: Mapping[str, Comparison], context: StageContext) -> None:
        """Report every difference. Raises `CheckFailed` if there must be none."""
        different = {name: comparison for name, comparison in found.items() if not comparison.same}
        if self.required and different:
            lines: list[str] = []
            for name, each in different.items():
                lines += [f"{name}: {_DIFFERS}", *(f"  {line}" for line in each.differences)]
            raise CheckFailed("\n".join(lines), next_step=advice.MAKE_REPRODUCIBLE())
        for name, comparison in different.items():
            first, *more = comparison.differences
            context.warn(f"{name}: {_DIFFERS}, {how_different(comparison)}: {first}")
            for line in more:
                context.say(f"{name}: {line}")

    def _known(self, dists: Dists) -> dict[str, Result]:
        """What proofs in the run folder and in handed manifests say about these bytes, by file name.

        A second build that failed here is tried again, unless this run may not build.
        """
        found: dict[str, Result] = {}
        own = self.folder.read_proof(self.name)
        if own is not None and self.may_build:
            own = replace(own, results=tuple(each for each in own.results if each.detail != _FAILED))
        documented = (proof for proof in self.folder.documented_proofs() if proof.name == self.name)
        for proof in (*([own] if own is not None else []), *documented):
            results = {result.name: result for result in proof.results}
            for file in dists.files:
                if file.name in results and Subject(name=file.name, sha256=file.sha256) in proof.subjects:
                    found.setdefault(file.name, results[file.name])
        return found

    def _why_not(self, file: File, dists: Dists) -> str:
        if self.prebuilt is not None:
            others = {path.name for path in built_files(self.prebuilt)[0]}
            return f"not rebuilt: {BY_ANOTHER_TOOL}" if file.name in others else ""
        return why_not(file, dists, compiled=self.required)

    def _proof(self, dists: Dists, known: Mapping[str, Result]) -> Proof:
        results = tuple(known[file.name] for file in dists.files)
        return Proof(name=self.name, subjects=subjects(dists), results=results)


def _silent(_text: str) -> None:
    """Drop what the second build says: the first one has said it."""


def _passed(result: Result | None) -> bool:
    return result is not None and result.verdict is Verdict.PASSED


def _untested(file: File, why: str) -> Result:
    return Result(name=file.name, verdict=Verdict.NOT_TESTED, detail=why)


def _result(name: str, comparison: Comparison) -> Result:
    """The result for the manifest, which says nothing that another machine could see otherwise."""
    if not comparison.same:
        return Result(name=name, verdict=Verdict.FAILED, detail=_DIFFERS)
    return Result(name=name, verdict=Verdict.PASSED, detail=_MASKED if comparison.masked else _SAME)
