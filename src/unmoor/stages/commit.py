"""The stage ``commit``: build the files of a commit that is no release, and read the version that it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from packaging.version import Version

from unmoor import advice
from unmoor.artifacts.files import copy_into
from unmoor.artifacts.merge import built_files
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.groups import BuildOptions
from unmoor.core.stage import Build, StageContext
from unmoor.dists.building import DistBuilder
from unmoor.dists.inspect import read_metadata
from unmoor.errors import Refused
from unmoor.filesystem.safe_folder import remove
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.backend import Backend
from unmoor.ports.environments import Environments
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.products import File, Release
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean, list_some
from unmoor.util.values import replace
from unmoor.versioning import pep440


@dataclass(frozen=True, kw_only=True)
class BuildCommit(Build[Release]):
    """Builds the sdist and the wheel of a commit as a release would, and gives what the commit would be as a release.

    ``provisional`` is that without the version, which only the build determines: no tag names it. ``git`` makes clones
    without a tag on the commit. ``start`` is the beginning of the project's tags. ``prebuilt`` is a folder that
    another tool filled in this job.
    """

    name: str = "commit"
    provisional: Release
    start: str
    git: Git
    backend: Backend
    folder: RunFolder
    environments: Environments | None = None
    options: BuildOptions = field(default_factory=BuildOptions)
    prebuilt: Path | None = None

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, provisional: Release, start: str) -> Self:
        """Build the stage for a request."""
        options = request.settings.building
        return cls(
            provisional=provisional,
            start=start,
            git=services.git,
            backend=services.backend.under(options.constraints),
            environments=services.environments.under(options.constraints),
            folder=request.folder,
            options=options,
            prebuilt=request.prebuilt,
        )

    def plan(self) -> str:
        """Say what would be built."""
        what = f"take the files in {self.prebuilt}" if self.prebuilt else f"build {' and '.join(self.options.formats)}"
        return f"{what} of commit {self.provisional.commit[:12]}, and read the version"

    def find(self, context: StageContext) -> Release | None:
        """Return ``None``: the files are built again each time."""
        del context
        return None

    def make(self, context: StageContext) -> Release:
        """Build the files into the run folder. Raises `BuildFailed`, `ToolMissing`, and `Refused` for the version."""
        self.folder.open()
        remove(self.folder.dists)
        with temporary_folder() as work:
            files = tuple(copy_into(path, self.folder.dists) for path in self._files(work, context))
        version = self._version(files)
        return replace(self.provisional, tag=f"{self.start}{version}", version=str(version))

    def _version(self, files: Sequence[File]) -> Version:
        """The version of the files, which no release has. Raises `Refused`."""
        where = str(self.prebuilt or self.folder.dists)
        written = sorted({read_metadata(file.path).version for file in files})
        if len(written) != 1:
            raise Refused(
                f"the files have several versions: {list_some(list(map(clean, written)), 3)}"
                if written
                else "no files",
                where=where,
                next_step=advice.LEAVE_ONE_RELEASE(),
            )
        version = pep440.parse(written[0])
        if version is None or not pep440.why_unreleasable(version):
            raise Refused(
                f"the version of commit {self.provisional.commit[:12]} is that of a release: {clean(written[0], 60)}",
                where=where,
                next_step=advice.GIVE_DEVELOPMENT_VERSION(),
            )
        return version

    def _files(self, work: Path, context: StageContext) -> list[Path]:
        """The built files, in ``work`` or where another tool put them."""
        if self.prebuilt is not None:
            built, others = built_files(self.prebuilt)
            if others:
                context.say(f"ignoring what is no release file: {', '.join(others)}")
            return list(built)
        builder = DistBuilder(git=self.git, backend=self.backend, environments=self.environments, options=self.options)
        built_here = builder.build(
            work, self.provisional, formats=self.options.formats, say=context.say, warn=context.warn
        )
        return built_here.files
