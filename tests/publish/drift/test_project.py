"""What lists say of a project and of its releases."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pytest
from packaging.version import Version
from tests.publish.drift.test_one_release import forge_release

from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.ports.index import ListedFile, ProjectStatus
from unmoor.publish.drift.project import (
    agrees_by_lists,
    attestation_findings,
    attested_versions,
    highest_tag,
    latest_findings,
    project_findings,
)
from unmoor.util.values import replace

ONE = Version("1.0")
NAMES = ("p-1.0-py3-none-any.whl", "p-1.0.tar.gz")
COMMIT = "a" * 40


def file(name: str, *, yanked: bool = False, attested: bool = False) -> ListedFile:
    """A file on an index, whose digest is that of its name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return ListedFile(name=name, url="", sha256=digest, yanked=yanked, provenance="https://index/p" if attested else "")


def files(*, yanked: bool = False, attested: bool = False) -> Mapping[str, ListedFile]:
    """The two files of a version."""
    return {name: file(name, yanked=yanked, attested=attested) for name in NAMES}


def whole() -> ForgeRelease:
    """A public release whose list of checksums is that of the files."""
    sums = "".join(f"{each.sha256}  {name}\n" for name, each in sorted(files().items())).encode()
    digests = {name: each.sha256 for name, each in files().items()}
    digests |= {"SHA256SUMS": hashlib.sha256(sums).hexdigest(), "manifest.json": "d" * 64}
    assets = tuple(
        ForgeAsset(id=number, name=name, size=1, sha256=digest, uploaded=True, url="")
        for number, (name, digest) in enumerate(digests.items(), 1)
    )
    return replace(forge_release(), assets=assets, target=COMMIT)


def without(release: ForgeRelease, name: str) -> ForgeRelease:
    """The same release without an asset."""
    return replace(release, assets=tuple(each for each in release.assets if each.name != name))


def altered(
    release: ForgeRelease, old: str, *, name: str = "", sha256: str | None = "e" * 64, uploaded: bool = True
) -> ForgeRelease:
    """The same release with another asset in the place of one."""
    changed = [
        replace(each, name=name or old, sha256=sha256, uploaded=uploaded) if each.name == old else each
        for each in release.assets
    ]
    return replace(release, assets=tuple(changed))


AGREEMENTS = {
    "whole": ((whole(),), files(), True),
    "of a branch": ((replace(whole(), target="main"),), files(), True),
    "nothing": ((), files(), False),
    "not on the index": ((whole(),), {}, False),
    "draft": ((replace(whole(), draft=True),), files(), False),
    "two releases": ((whole(), replace(whole(), id=2, draft=True)), files(), False),
    "file missing on the index": ((whole(),), {NAMES[0]: file(NAMES[0])}, False),
    "file more on the index": ((whole(),), {**files(), "p-1.0-cp311.whl": file("p-1.0-cp311.whl")}, False),
    "other bytes on the index": ((whole(),), {**files(), NAMES[0]: replace(file(NAMES[0]), sha256="e" * 64)}, False),
    "asset missing": ((without(whole(), NAMES[0]),), files(), False),
    "other asset": ((altered(whole(), NAMES[0]),), files(), False),
    "file more": ((altered(whole(), "manifest.json", name="p-9.whl"),), files(), False),
    "no manifest": ((without(whole(), "manifest.json"),), files(), False),
    "no checksums": ((without(whole(), "SHA256SUMS"),), files(), False),
    "other checksums": ((altered(whole(), "SHA256SUMS"),), files(), False),
    "broken upload": ((altered(whole(), "manifest.json", sha256="d" * 64, uploaded=False),), files(), False),
    "no digest": ((altered(whole(), NAMES[0], sha256=None),), files(), False),
    "marked as prerelease": ((replace(whole(), prerelease=True),), files(), False),
    "another commit": ((replace(whole(), target="b" * 40),), files(), False),
}


@pytest.mark.parametrize("row", AGREEMENTS)
def test_lists_prove_a_release_only_if_every_digest_agrees(row: str) -> None:
    """Whatever they do not prove is compared with its manifest."""
    releases, held, agrees = AGREEMENTS[row]
    assert agrees_by_lists(releases, held, version=ONE, commit=COMMIT) is agrees


@pytest.mark.parametrize(
    ("versions", "what"),
    [
        ({"0.9": files(attested=True), "1.0": files()}, "2 of 2 files have no attestations, and 0.9 has them"),
        ({"0.9": files(attested=True), "1.0": files(attested=True)}, ""),
        ({"0.9": files(), "1.0": files()}, ""),
        ({"1.0": files(), "1.1": files(attested=True)}, ""),
        ({"0.9": files(attested=True)}, ""),
    ],
    ids=["lost", "kept", "never", "later", "not there"],
)
def test_attestations_are_missing_where_an_earlier_version_has_them(
    versions: Mapping[str, Mapping[str, ListedFile]], what: str
) -> None:
    """A later version with them is no reason to expect them of this one."""
    held = {Version(version): each for version, each in versions.items()}
    here, attested = held.get(ONE, {}), attested_versions(held)
    assert [each.what for each in attestation_findings("v1.0", ONE, "pypi", here, attested)] == list(
        filter(None, [what])
    )


@pytest.mark.parametrize(
    ("status", "findings"),
    [
        (None, []),
        (ProjectStatus(), []),
        (ProjectStatus(marker="deprecated"), []),
        (ProjectStatus(marker="archived"), ["project-archived"]),
        (ProjectStatus(marker="quarantined", reason="malware"), ["project-quarantined"]),
    ],
    ids=["no project", "active", "deprecated", "archived", "quarantined"],
)
def test_the_status_of_a_project(status: ProjectStatus | None, findings: list[str]) -> None:
    """A deprecated project can still be released."""
    found = list(project_findings("pypi", status))
    assert [each.finding for each in found] == findings
    assert all(status is not None and status.reason in each.what for each in found)


@pytest.mark.parametrize(
    ("public", "yanked", "tag"),
    [
        ({}, (), ""),
        ({"v1.0": "1.0", "v1.10": "1.10", "v1.9": "1.9"}, (), "v1.10"),
        ({"v1.0": "1.0", "v2.0rc1": "2.0rc1"}, (), "v1.0"),
        ({"v1.0": "1.0", "v1.1": "1.1"}, ("1.1",), "v1.0"),
    ],
    ids=["nothing", "numbers", "prerelease", "yanked"],
)
def test_the_highest_release(public: Mapping[str, str], yanked: tuple[str, ...], tag: str) -> None:
    """Prereleases and yanked versions do not count."""
    versions = {name: Version(version) for name, version in public.items()}
    held = {Version(version): files(yanked=True) for version in yanked}
    assert highest_tag(versions, held) == tag


@pytest.mark.parametrize(
    ("latest", "highest", "is_found"),
    [("v1.0", "v1.0", False), (None, "", False), ("v0.9", "v1.0", True), (None, "v1.0", True)],
    ids=["right", "nothing", "another", "none"],
)
def test_the_latest_release_is_the_highest(latest: str | None, highest: str, *, is_found: bool) -> None:
    """The command is that of the release which should be marked."""
    found = list(latest_findings(latest, highest, command="unmoor release v1.0"))
    assert [each.finding for each in found] == ["latest-stale"] * is_found
    assert all("unmoor release v1.0" in each.next_step for each in found)
