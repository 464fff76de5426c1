"""The stage ``dists``: build the files once, from a clone of the commit; every later run uses the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import HOW_TO_VOUCH
from unmoor.artifacts.files import copy_into, describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import built_files
from unmoor.artifacts.run_dir import IMAGES, RunFolder
from unmoor.config.groups import BuildOptions
from unmoor.core.stage import Build, Output, StageContext
from unmoor.dists.building import BY_ANOTHER_TOOL, Built, DistBuilder
from unmoor.errors import Conflict, Incomplete
from unmoor.filesystem.commands import with_variables
from unmoor.filesystem.safe_folder import remove
from unmoor.filesystem.temporary import temporary_folder
from unmoor.images.image_record import keep_published
from unmoor.ports.backend import Backend
from unmoor.ports.environments import Environments
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.services import Services
from unmoor.products import Access, Dists, Release
from unmoor.products.signatures import BY_HAND
from unmoor.publish.index_state import require_own_names
from unmoor.publish.restore import ReleaseOnForge, Surfaces, missing_files, require_current
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean
from unmoor.util.values import replace


@dataclass(frozen=True, kw_only=True)
class BuildDists(Build[Dists]):
    """Builds the sdist, and the wheel from the sdist; or takes the files that an earlier run built.

    ``options.formats`` may exclude one of the two; without an sdist the wheel is built from the tree.
    ``skipped`` are stages that the user skipped; the manifest records them and the build constraints.

    ``prebuilt`` is a folder that another tool filled in this job: its files are used, and only a missing sdist built.
    ``handed``: other jobs' manifests filled the run folder, and files of another release are a conflict.
    ``whole``: every format must be there before the run continues. ``unstaged``: files on ``staging`` may differ.
    ``by_hand``: a person sends the files, without an identity to sign them with; the manifest records it.
    ``digests``: the manifest gets the digests of the build's packages, for the provenance that is signed.
    """

    runs_project_code: ClassVar[bool] = True

    name: str = "dists"
    release: Output[Release]
    git: Git
    backend: Backend
    folder: RunFolder
    forge: Forge | None = None
    index: Index | None = None
    staging: Index | None = None
    environments: Environments | None = None
    options: BuildOptions = field(default_factory=BuildOptions)
    skipped: tuple[str, ...] = ()
    prebuilt: Path | None = None
    handed: bool = False
    whole: bool = False
    unstaged: bool = False
    by_hand: bool = False
    digests: bool = False

    @classmethod
    def of(
        cls, request: ReleaseRequest, services: Services, *, release: Output[Release], access: Output[Access]
    ) -> Self:
        """Build the stage for a request."""
        options = request.settings.building
        return cls(
            release=release,
            git=services.git,
            backend=services.backend.under(options.constraints),
            environments=services.environments.under(options.constraints),
            forge=services.forge,
            index=services.index,
            staging=services.staging,
            folder=request.folder,
            options=options,
            skipped=request.skipped,
            prebuilt=request.prebuilt,
            handed=request.handed,
            whole=request.pushes,
            unstaged=request.staging(services) is None,
            by_hand=request.unsigned_by_hand(services),
            digests=services.signing is not None and request.settings.attestations != "off",
            after=(access,),
        )

    def plan(self) -> str:
        """Say what would be built, and where it would be kept."""
        if self.prebuilt is not None:
            sdist = "; build the sdist if there is none" if self._needs_sdist else ""
            return f"take the files in {self.prebuilt}{sdist}; keep them in {self.folder.dists}, with a manifest"
        if "sdist" not in self.options.formats:
            what = "build a wheel from the tree, and no sdist,"
        elif "wheel" not in self.options.formats:
            what = "build an sdist, and no wheel,"
        else:
            what = "build an sdist, and a wheel from " + ("the tree" if self.options.wheel_from == "tree" else "it")
        kept = "both" if len(self.options.formats) > 1 else "it"
        return f"{what.rstrip(',')}, in a clone of the commit; keep {kept} in {self.folder.dists}"

    @property
    def _surfaces(self) -> Surfaces:
        return Surfaces(forge=self.forge, index=self.index, staging=self.staging)

    def find(self, context: StageContext) -> Dists | None:
        """Return the files of this commit by a manifest that is vouched for.

        They come from the run folder, else from the forge or an index. Raises `Conflict` if a file is not the
        recorded one, `Refused` if a given digest has no document, `Unknown` if the forge cannot be read. A token that
        cannot see drafts is no error here: if the files are built a second time, the stage ``draft`` stops.
        """
        release, belief = context[self.release], self.folder.belief
        self._warn_unvouched(context)
        known = self._read_known(release)
        if known is not None and self._lacks_own_sdist(known):
            known = None  # a job that sends nothing took the wheels alone
        here = known.dists(self.folder.dists) if known is not None else None
        if here is not None:
            self._require_enough(here)
        whole = here is not None and not missing_files(here)
        if here is not None and whole and not belief.unmatched():
            return self._with_decisions(here)
        found = self._surfaces.find_release(release, belief, context)
        belief.require_matched(f"{self.folder.path} and the releases of {release.tag}")
        if found is not None and (found.vouched or not whole):
            # A digest that was given for the release goes before what this account built.
            return self._fetch_release(release, found)
        if here is not None and whole:
            return self._with_decisions(here)
        if known is not None and self._surfaces.fetch_all(known, release, None, self.folder):
            return self._with_decisions(known.dists(self.folder.dists))
        return None

    def _read_known(self, release: Release) -> Manifest | None:
        """Read what names the files in the run folder. Raises `Conflict` if other jobs handed over another release."""
        manifest = self.folder.read_known()
        known = manifest if manifest is not None and manifest.is_of(release) else None
        if manifest is not None and self.handed and (known is None or known.settings != release.settings):
            raise _wrong_files(manifest, release)
        if known is not None:
            require_current(known, str(self.folder.path))
        return known

    def _warn_unvouched(self, context: StageContext) -> None:
        """Warn about documents in the run folder that nothing vouches for."""
        if unvouched := self.folder.unvouched():
            context.warn(
                f"ignored in {self.folder.path}, since nothing vouches for it: {', '.join(map(clean, unvouched))}."
                f" If another job or an earlier version of unmoor made it and it should count, {HOW_TO_VOUCH}"
            )

    def make(self, context: StageContext) -> Dists:
        """Build in a clone of the commit, write the manifest, and keep the files in the run folder.

        Raises `Conflict` if an index holds other bytes under a file's name: such files are not kept, since they would
        be in the way of those that can be released. ``check-dists`` compares again each time.
        """
        release = context[self.release]
        self._clear()
        with temporary_folder() as work:
            build = (
                self._build(work, release, context, formats=self.options.formats)
                if self.prebuilt is None
                else self._take_prebuilt(work, release, context)
            )
            built, tools, how = build
            staging = None if self.unstaged else self.staging
            require_own_names(release, tuple(map(describe_file, built)), index=self.index, staging=staging, part=True)
            files = tuple(copy_into(path, self.folder.dists) for path in built)
        how += (BY_HAND,) if self.by_hand else ()
        dists = self._with_decisions(Dists(files=files, tools=tools, decisions=how))
        self.folder.write_build(Manifest.of(release, dists))
        return dists

    @property
    def _needs_sdist(self) -> bool:
        """Whether the release needs an sdist, which tools that build wheels for many platforms do not make."""
        return self.whole and "sdist" in self.options.formats

    def _lacks_own_sdist(self, known: Manifest) -> bool:
        """Whether another tool built the known files, and the sdist is still to be built."""
        return self.prebuilt is not None and self._needs_sdist and not known.dists(self.folder.dists).sdists

    def _take_prebuilt(self, work: Path, release: Release, context: StageContext) -> Built:
        """The files that another tool built, without its tools, which are unknown; and the sdist, if it built none.

        Raises `Incomplete` if a format is missing that is not built here.
        """
        built, others = built_files(self.prebuilt or Path())
        if others:
            context.say(f"ignoring what is no release file: {', '.join(others)}")
        wheels = [path for path in built if path.suffix == ".whl"]
        if self.whole and "wheel" in self.options.formats and not wheels:
            raise Incomplete(
                "there is no wheel",
                where=str(self.prebuilt),
                next_step=advice.BUILD_WHEELS_TOO(),
                retryable=False,
            )
        if not self._needs_sdist or len(wheels) < len(built):
            return Built(built)
        context.say(f"there is no sdist in {self.prebuilt}: building it")
        sdist = self._build(work, release, context, formats=("sdist",))
        return Built([*built, *sdist.files], sdist.tools, sdist.how)

    def _build(self, work: Path, release: Release, context: StageContext, *, formats: tuple[str, ...]) -> Built:
        """Build files of these formats; return wheels first. Raises `BuildFailed`, `ToolMissing` if no Python fits."""
        builder = DistBuilder(
            git=self.git,
            backend=self.backend,
            environments=self.environments,
            options=self.options,
            digests=self.digests,
        )
        return builder.build(work, release, formats=formats, say=context.say, warn=context.warn)

    def _require_enough(self, dists: Dists) -> None:
        """Require every format, and the same files as in ``prebuilt``. Raises `Incomplete`, `Conflict`."""
        kinds = {"wheel": dists.wheels, "sdist": dists.sdists}
        absent = [kind for kind in self.options.formats if not kinds[kind]] if self.whole else []
        if absent:
            raise Incomplete(
                f"there is no {' and no '.join(absent)} among the files",
                where=str(self.folder.path),
                next_step=advice.BUILD_MISSING_FORMAT(
                    command=with_variables({"UNMOOR_FORMATS": absent[0]}, "unmoor release --dry-run TAG"),
                    other="sdist" if absent[0] == "wheel" else "wheel",
                ),
                retryable=False,
            )
        if self.prebuilt is None:
            return
        known = {file.name: file.sha256 for file in dists.files}
        for file in map(describe_file, built_files(self.prebuilt)[0]):
            if known.get(file.name) != file.sha256:
                raise Conflict(
                    f"{file.name} has sha256 {file.sha256} in {self.prebuilt}, but"
                    f" {known.get(file.name, 'no such file')} was taken before",
                    where=str(self.folder.path),
                    next_step=advice.START_WITH_CURRENT_FILES(),
                )

    def _with_decisions(self, dists: Dists) -> Dists:
        """Add the decisions that differ from the defaults; the manifest records them."""
        if self.prebuilt is not None:
            return replace(dists, decisions=tuple(sorted({*dists.decisions, BY_ANOTHER_TOOL})))
        own = [f"formats = {', '.join(self.options.formats)}"] if len(self.options.formats) == 1 else []
        own += ["wheel-from = tree"] if self.options.wheel_from == "tree" and "wheel" in self.options.formats else []
        own += [f"build-constraints = {', '.join(self.options.constraints)}"] if self.options.constraints else []
        own += [f"skipped {name}" for name in self.skipped]
        return replace(dists, decisions=tuple(sorted({*dists.decisions, *own})))

    def _clear(self) -> None:
        """Remove what an interrupted build, or one of another commit, left: the documents first."""
        self.folder.open()
        self.folder.forget_build()
        remove(self.folder.dists)

    def _fetch_release(self, release: Release, found: ReleaseOnForge) -> Dists | None:
        """Fetch the files of a release object, and its documents if they are vouched for."""
        if not self._surfaces.fetch_all(found.manifest, release, found.forge_release, self.folder):
            return None
        if found.vouched:
            self.folder.write_document(manifests.NAME, found.data)
        if found.record is not None and found.vouched:
            self.folder.write_document(IMAGES, found.record)
        elif found.record is not None:
            keep_published(self.folder, found.record)
        restored = found.manifest.dists(self.folder.dists)
        return self._with_decisions(restored) if found.vouched else replace(restored, vouched=False)


def _wrong_files(manifest: Manifest, release: Release) -> Conflict:
    how = manifest.unlike(release)
    if manifest.is_of(release):
        theirs, ours = (clean(said or "of the commit") for said in (manifest.settings, release.settings))
        how = f"of settings {theirs}, not of settings {ours}"
    return Conflict(
        f"the files passed to this run are {how}",
        next_step=advice.PASS_OTHER_FILES(),
    )
