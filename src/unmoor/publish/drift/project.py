"""What is wrong with a project as a whole, or shows only beside other releases: by lists, without a manifest. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from packaging.version import Version

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import checksum_lines
from unmoor.ports.forge import ForgeRelease
from unmoor.ports.index import ListedFile, ProjectStatus
from unmoor.products import File
from unmoor.products.drift import DriftFinding
from unmoor.publish.compare import FORGE
from unmoor.publish.drift.one_release import found
from unmoor.publish.release_assets import DISTS, SUMS, find_asset
from unmoor.util.digests import is_commit
from unmoor.util.text import clean

Versions = Mapping[Version, Mapping[str, ListedFile]]
"""The files of a project on an index, by version and name."""


def project_findings(index: str, status: ProjectStatus | None) -> Iterator[DriftFinding]:
    """Yield the finding for a project that the index has archived or quarantined (PEP 792)."""
    if status is None:
        return
    why = f": {status.reason}" if status.reason else ""
    if status.marker == "archived":
        step = advice.UNARCHIVE_PROJECT(index=index)
        yield found("", "project-archived", f"the project is archived{why}", step, surface=index)
    if status.marker == "quarantined":
        step = advice.ASK_TO_LIFT_QUARANTINE(index=index)
        yield found("", "project-quarantined", f"the project is quarantined{why}", step, surface=index)


def attested_versions(files: Versions) -> tuple[Version, ...]:
    """The versions of which every file has attestations, the lowest first."""
    return tuple(sorted(version for version, held in files.items() if _is_attested(held)))


def attestation_findings(
    tag: str, version: Version, index: str, here: Mapping[str, ListedFile], attested: Sequence[Version]
) -> Iterator[DriftFinding]:
    """Yield the finding for a version without attestations on an index, if an earlier version has them (PEP 740).

    ``here`` are its files, and ``attested`` the versions with attestations, the lowest first.
    """
    lacking = [name for name, each in here.items() if not each.provenance]
    earlier = bisect_left(attested, version)
    if lacking and earlier:
        number = f"{len(lacking)} of {len(here)} files have" if len(here) > 1 else "its file has"
        what = f"{number} no attestations, and {attested[earlier - 1]} has them"
        yield found(tag, "no-attestations", what, advice.RELEASE_FROM_WORKFLOW(), surface=index)


def _is_attested(held: Mapping[str, ListedFile]) -> bool:
    return bool(held) and all(each.provenance for each in held.values())


def latest_findings(latest: str | None, highest: str, *, command: str) -> Iterator[DriftFinding]:
    """Yield the finding for a forge whose latest release is not the highest one. ``highest`` is its tag, or empty."""
    if highest and latest != highest:
        there = f"{clean(latest)} is" if latest else "no release is"
        what = f"{there} marked as the latest, but the highest final version is {clean(highest)}"
        step = advice.RELEASE_IT(command=command)
        yield found(highest, "latest-stale", what, step, surface=FORGE)


def highest_tag(public: Mapping[str, Version], files: Versions) -> str:
    """The tag of the highest final version among public releases; empty if there is none.

    A version of which the index has only yanked files does not count, as for `unmoor.publish.latest`.
    """
    final = {
        tag: version
        for tag, version in public.items()
        if not version.is_prerelease and not _is_yanked(files.get(version, {}))
    }
    return max(final, key=lambda tag: (final[tag], tag), default="")


def _is_yanked(held: Mapping[str, ListedFile]) -> bool:
    return bool(held) and all(each.yanked for each in held.values())


def agrees_by_lists(
    releases: Sequence[ForgeRelease], files: Mapping[str, ListedFile], *, version: Version, commit: str
) -> bool:
    """Whether the lists alone prove that the index holds exactly the files of a public release, with the same bytes.

    ``SHA256SUMS`` lists the files, so its digest in the forge's list is that of the list which these files give. Then
    nothing has to be downloaded. ``commit`` is that of the tag, here and on the remote.
    """
    if len(releases) != 1 or releases[0].draft or not files:
        return False
    forge_release = releases[0]
    digests = {asset.name: asset.sha256 for asset in forge_release.assets if asset.uploaded}
    held = [
        File(name=each.name, sha256=each.sha256 or "", size=each.size or 0, path=Path(each.name))
        for each in files.values()
    ]
    manifest = find_asset(forge_release, manifests.NAME)
    return (
        manifest is not None
        and manifest.uploaded
        and all(asset.uploaded for asset in forge_release.assets)
        and digests.get(SUMS) == sha256(checksum_lines(held)).hexdigest()
        and all(digests.get(each.name) == each.sha256 for each in held)
        and {name for name in digests if name.endswith(DISTS)} == set(files)
        and forge_release.prerelease == version.is_prerelease
        and (not is_commit(forge_release.target) or forge_release.target == commit)
    )
