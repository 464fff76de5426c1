"""The stage ``build-docs``: build the documentation with the built wheel, beside the tests, and pack it.

The archive is an asset of the release, listed in the manifest, so it is complete before anything is sent, and whatever
puts the pages online later builds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import describe_file, is_intact
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.docs import DocsSettings
from unmoor.core.stage import Build, Output, StageContext
from unmoor.deploy.docs.archive import LARGEST_ARCHIVE, archive_name, pack, pages_of
from unmoor.deploy.docs.building import DocsBuild, find_needs
from unmoor.dists.inspect import modules, read_metadata
from unmoor.dists.testing.install_test import interpreter_for
from unmoor.dists.testing.interpreters import AUTO, runs_on
from unmoor.errors import BuildFailed, CheckFailed, Conflict, Incomplete, ToolMissing
from unmoor.filesystem.commands import remove_command
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.environments import Environments
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.products import BuiltDocs, Dists, File, Release
from unmoor.project.files import Files
from unmoor.publish.release_assets import find_asset
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean
from unmoor.util.values import replace

_LOG = "docs.log"


@dataclass(frozen=True, kw_only=True)
class BuildDocs(Build[BuiltDocs]):
    """Builds the pages in a fresh environment with the wheel, outside the checkout, and packs them.

    ``python`` is the interpreter to build with. With ``policy = "advisory"``, documentation that does not build is a
    warning, and the release goes on without.
    """

    name: str = "build-docs"
    release: Output[Release]
    dists: Output[Dists]
    settings: DocsSettings
    git: Git
    environments: Environments
    forge: Forge
    folder: RunFolder
    python: str = AUTO

    runs_project_code: ClassVar[bool] = True

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        settings: DocsSettings,
        release: Output[Release],
        dists: Output[Dists],
    ) -> Self:
        """Build the stage for a request."""
        building = request.settings.building
        return cls(
            release=release,
            dists=dists,
            settings=settings,
            git=services.git,
            environments=services.environments.under(building.constraints),
            forge=services.forge,
            folder=request.folder,
            python=building.python,
        )

    def plan(self) -> str:
        """Say what would be built."""
        builder = clean(self.settings.builder, 80)
        return f"build the documentation in {self.settings.source} with {builder} and the wheel, warnings are errors"

    def find(self, context: StageContext) -> BuiltDocs | None:
        """Return the archive that the manifest of these files lists, or that this run folder has of them.

        A complete manifest never changes: what it does not list is not built any more. Raises `Conflict` then, or if a
        release holds other bytes; `Incomplete` if it holds none; `Denied` and `Unknown`.
        """
        dists = context[self.dists]
        if not dists.vouched:
            return BuiltDocs(why_not="the files are public already, and not vouched for")
        frozen = self._frozen(context)
        if frozen is None:
            listed = self.folder.documented_docs(dists.files)
            kept = (File(name=a.name, sha256=a.sha256, size=a.size, path=self.folder.docs / a.name) for a in listed)
            found = next((each for each in kept if is_intact(each)), None)
            return BuiltDocs(file=found) if found is not None else None
        file = next(iter(frozen.docs_files(self.folder.docs)), None)
        if file is None:
            return self._without(context, "the manifest of these files is complete, and lists no documentation")
        if not is_intact(file):
            self._fetch(file, context[self.release].tag)
        return BuiltDocs(file=file)

    def make(self, context: StageContext) -> BuiltDocs:
        """Build and pack the pages, and record the archive in the run folder.

        Raises `BuildFailed` with the end of the log, `CheckFailed`, `ConfigError`, and what an installer raises. With
        ``policy = "advisory"``, the first two are warnings.
        """
        try:
            built = self._build(context)
        except (BuildFailed, CheckFailed) as error:
            if self.settings.policy == "required":
                raise
            context.warn(f"the release goes on without documentation: {clean(str(error), 1000)}")
            return BuiltDocs(why_not=error.what.partition("\n")[0])
        self.folder.add_to_build(lambda known: replace(known, docs=built.assets))
        return built

    def _build(self, context: StageContext) -> BuiltDocs:
        release, dists = context[self.release], context[self.dists]
        python = interpreter_for(self.environments, dists, self.python)
        wheel = next((each for each in dists.files if each.is_wheel and runs_on(each, python)), None)
        if wheel is None:
            raise ToolMissing(
                "no built wheel runs here, and the documentation is built with one",
                next_step=advice.CORRECT_DOCS(),
            )
        metadata = read_metadata(wheel.path)
        files = Files.at(self.git, release.commit)
        needs = find_needs(self.settings, files, metadata.extras)
        with temporary_folder() as work:
            environment = self.environments.fresh(work / "environment", python=python.path)
            path = wheel.path.absolute()
            extras = f"{metadata.name}[{','.join(needs.extras)}] @ {path.as_uri()}" if needs.extras else str(path)
            environment.install([extras, *needs.requires])
            if needs.requires:
                environment.install([str(path)], dependencies=False)  # nothing may replace it
            clone = self.git.clone(work / "clone", commit=release.commit, tag=release.tag)
            (work / "build").mkdir()
            with self.folder.open_log(_LOG) as write:
                build = DocsBuild(
                    settings=self.settings,
                    environment=environment,
                    folder=work / "build",
                    clone=clone,
                    modules=modules(wheel.path),
                    files=files.names,
                    date=release.date,
                    log=self.folder.log(_LOG),
                    hear=write,
                )
                pages = pages_of(build.run())
            return self._pack(pages, release)

    def _pack(self, pages: dict[str, Path], release: Release) -> BuiltDocs:
        self.folder.open()
        target = self.folder.docs / archive_name(release.project, release.version)
        pack(pages, target, release.build_date)
        file = describe_file(target)
        if file.size >= LARGEST_ARCHIVE:
            raise BuildFailed(
                f"{file.name} has {file.size:,} bytes, too many for an asset", next_step=advice.CORRECT_DOCS()
            )
        return BuiltDocs(file=file)

    def _frozen(self, context: StageContext) -> Manifest | None:
        """The complete manifest of these files, ``None`` if there is none yet."""
        known = self.folder.read_manifest()
        if known is None or not known.is_of(context[self.release]) or not known.is_complete(manifests.PROOF):
            return None
        ours = {(file.name, file.sha256) for file in context[self.dists].files}
        return known if {(each.name, each.sha256) for each in known.artifacts} == ours else None

    def _without(self, context: StageContext, why: str) -> BuiltDocs:
        """The product for a manifest that lists none. Raises `Conflict` if documentation is required."""
        if self.settings.policy == "advisory":
            return BuiltDocs(why_not=why)
        raise Conflict(why, where=str(self.folder.path), next_step=self._way_out(context[self.release].tag))

    def _way_out(self, tag: str) -> NextStep:
        if self.forge.public(tag) is not None:
            return advice.RELEASE_NEW_VERSION(why="a manifest never changes once it is complete")
        return advice.BEGIN_AGAIN(command=remove_command(self.folder.path))

    def _fetch(self, file: File, tag: str) -> None:
        """Take the archive from the release that holds it: the public one, or a draft if a token shows it."""
        public = self.forge.public(tag)
        drafts = self.forge.releases(tag) if self.forge.has_token() else ()
        for there in (*([public] if public is not None else ()), *drafts):
            asset = find_asset(there, file.name)
            if asset is None or not asset.uploaded:
                continue
            got = self.forge.fetch(asset, self.folder.docs)
            if got.sha256 != file.sha256:
                got.path.unlink(missing_ok=True)
                raise Conflict(
                    f"{file.name} has sha256 {got.sha256}, but the manifest lists {file.sha256}",
                    where=there.url,
                    next_step=advice.DELETE_OTHER_DRAFT(),
                )
            return
        raise Incomplete(
            f"{file.name} is neither in this run folder nor on a release",
            where=str(self.folder.docs),
            next_step=advice.HAND_OVER_EVERY_FILE(),
        )
