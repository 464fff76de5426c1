"""Build a published release again from its commit, and compare with what was published: for anyone, with no login."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.groups import BuildOptions
from unmoor.dists.building import FRONT_ENDS, DistBuilder, Tell
from unmoor.dists.comparison import Comparison
from unmoor.dists.rebuilding import build_again, how_different, why_not
from unmoor.errors import CheckFailed, Conflict, Incomplete, Interrupted, Unknown, UnmoorError
from unmoor.filesystem.commands import quote
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.products import Dists, File, Release, Tool
from unmoor.publish.release_assets import content_of, find_asset
from unmoor.publish.restore import Surfaces
from unmoor.util.text import clean
from unmoor.util.values import replace


class Rebuilt(StrEnum):
    """How a published file compares with a build of its commit here."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


CODES = {Rebuilt.SAME: 0, Rebuilt.DIFFERENT: CheckFailed.exit_code, Rebuilt.UNKNOWN: Unknown.exit_code}
"""The exit code for the worst file of a release."""


class RebuiltFile(msgspec.Struct, frozen=True, kw_only=True):
    """One published file. ``note`` says why its state is not ``same``; ``differences`` are lines of text."""

    name: str
    sha256: str
    state: Rebuilt
    note: str = ""
    differences: tuple[str, ...] = ()


def worst(files: tuple[RebuiltFile, ...]) -> Rebuilt:
    """The state of a release: a difference outweighs what is not known, and no files are not known to be the same."""
    states = {file.state for file in files} or {Rebuilt.UNKNOWN}
    return next(state for state in (Rebuilt.DIFFERENT, Rebuilt.UNKNOWN, Rebuilt.SAME) if state in states)


def published_manifest(forge: Forge, tag: str) -> tuple[ForgeRelease, Manifest]:
    """Read the manifest of a public release. Raises `Incomplete` if there is none, and `Unknown`."""
    there = forge.public(tag)
    asset = find_asset(there, manifests.NAME) if there is not None else None
    if there is None or asset is None:
        what = "the release has no manifest" if there is not None else f"there is no public release of {clean(tag)}"
        raise Incomplete(
            what,
            where=there.url if there is not None else forge.address,
            next_step=advice.NAME_RELEASE_BY_UNMOOR(),
            retryable=False,
        )
    return there, manifests.decode(content_of(asset, forge), where=there.url)


def release_of(manifest: Manifest, *, tag: str, commit: str, date: int, settings: str, where: str) -> Release:
    """The release that a manifest is of. ``commit`` is the one that the tag names in the repository.

    Raises `Conflict` if the manifest is of another tag or commit, and `Unknown` if the release had other settings.
    """
    if (manifest.tag, manifest.commit) != (tag, commit):
        raise Conflict(
            f"the manifest is of {clean(manifest.tag)} at {clean(manifest.commit)}, but the tag {clean(tag)} is at"
            f" {commit}",
            where=where,
            next_step=advice.FETCH_ANNOTATED_TAG(tag=quote(clean(tag))),
        )
    if manifest.settings != settings:
        raise Unknown(
            f"the release was made with the settings {clean(manifest.settings) or 'of the commit'}, and this build"
            f" would be with {clean(settings) or 'those of the commit'}",
            where=where,
            next_step=advice.PASS_SETTINGS_OF_RELEASE(),
            retryable=False,
        )
    return Release(
        repository=manifest.repository,
        project=manifest.project,
        tag=tag,
        version=manifest.version,
        commit=commit,
        date=date,
        prerelease=manifest.prerelease,
        highest=False,
        path=manifest.path,
        settings=settings,
    )


def options_of(manifest: Manifest, options: BuildOptions) -> BuildOptions:
    """How the files were built: the settings of the commit, but where the manifest records another decision.

    Variables of the job that made the release may have replaced some of them.
    """
    kinds = {artifact.kind for artifact in manifest.artifacts}
    return replace(
        options,
        formats=tuple(kind for kind in ("wheel", "sdist") if kind in kinds),
        wheel_from="tree" if "wheel-from = tree" in manifest.decisions else "sdist",
        normalize_sdist="normalize-sdist = false" not in manifest.decisions,
    )


def check_rebuild(
    manifest: Manifest,
    release: Release,
    there: ForgeRelease,
    surfaces: Surfaces,
    *,
    builder: DistBuilder,
    folder: RunFolder,
    say: Tell,
    warn: Tell,
) -> tuple[RebuiltFile, ...]:
    """Fetch the files, build them with the versions in the manifest, and compare.

    Raises `Conflict` if a published file is not the one in the manifest, `Incomplete` and `Unknown` if one is
    not available. A build that fails makes its files *unknown*: it says nothing of how they were built.
    """
    say(f"fetching {len(manifest.artifacts)} files of {there.url}")
    surfaces.fetch_all(manifest, release, there, folder)
    dists = manifest.dists(folder.dists)
    for tool in _other_front_ends(builder, dists):
        warn(tool)
    reasons = {file.name: why_not(file, dists, compiled=True) for file in dists.files}
    again = [file for file in dists.files if not reasons[file.name]]
    found: dict[str, Comparison] = {}
    try:
        if again:
            found |= build_again(builder, again, release, dists, say=say, warn=warn, elsewhere=False)
    except Interrupted:
        raise
    except UnmoorError as error:
        warn(f"the commit cannot be built here: {error}")
        reasons |= {file.name: f"cannot be built here: {str(error).splitlines()[0]}" for file in again}
    return tuple(_judge(file, reasons[file.name], found.get(file.name)) for file in dists.files)


def _judge(file: File, reason: str, comparison: Comparison | None) -> RebuiltFile:
    if comparison is None:
        return RebuiltFile(name=file.name, sha256=file.sha256, state=Rebuilt.UNKNOWN, note=clean(reason, 500))
    if comparison.same:
        return RebuiltFile(name=file.name, sha256=file.sha256, state=Rebuilt.SAME)
    return RebuiltFile(
        name=file.name,
        sha256=file.sha256,
        state=Rebuilt.DIFFERENT,
        note=how_different(comparison),
        differences=comparison.differences,
    )


def _other_front_ends(builder: DistBuilder, dists: Dists) -> list[str]:
    """Say which tools have another version here than in the release: those that are installed with unmoor."""
    here = {tool.name: tool.version for tool in builder.backend.tools()}
    return [
        f"{tool.name} is {here[tool.name]} here, and was {clean(tool.version)} in the release"
        for tool in _front_ends(dists)
        if here.get(tool.name, tool.version) != tool.version
    ]


def _front_ends(dists: Dists) -> tuple[Tool, ...]:
    return tuple(tool for tool in dists.tools if tool.name in FRONT_ENDS)
