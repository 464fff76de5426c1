"""What the release object on the forge has to hold, and how what it holds differs from that.

Read by the stage that fills the draft, and by whoever looks at it later.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import checksum_lines
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import Conflict, Refused, Unknown
from unmoor.ports.forge import Forge, ForgeAsset, ForgeRelease
from unmoor.products import Dists, File, Notes
from unmoor.publish.file_comparison import FileComparison, Match

SUMS = "SHA256SUMS"
NOTES = "RELEASE_NOTES.md"
MOST = 1000
"""Assets of one release, as GitHub has it."""
LARGEST = 2 << 30
"""Bytes that an asset must stay under."""
# GitHub replaces every other character by a dot, and then the sums would name no file.
_KEPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_DISTS = (".whl", ".tar.gz", ".zip")


@dataclass(frozen=True, kw_only=True)
class ReleaseAssets:
    """Every asset of a release in the order of upload: the files, the texts, the manifest last."""

    files: tuple[File, ...]
    texts: tuple[tuple[Path, bytes], ...]
    manifest: Manifest

    @classmethod
    def of(cls, manifest: Manifest, dists: Dists, notes: Notes, folder: RunFolder) -> ReleaseAssets:
        """Work out every asset; nothing is written.

        Raises `Refused` for a name that the forge would change, for a file or a number of files that it would not take.
        """
        texts = [(folder.assets / SUMS, checksum_lines(dists.files))]
        if notes.full != notes.body:
            texts.append((folder.assets / NOTES, notes.full.encode()))
        texts.append((folder.assets / manifests.NAME, manifests.encode(manifest)))
        for file in dists.files:
            _require_safe_name(file)
            _require_size(file)
        _require_count(len(dists.files) + len(texts))
        return cls(files=(*dists.files, *(_file(*text) for text in texts)), texts=tuple(texts), manifest=manifest)

    def require_room(self, forge_release: ForgeRelease) -> None:
        """See that all files fit beside what somebody else has attached. Raises `Refused`."""
        ours = {file.name for file in self.files}
        foreign = sum(asset.name not in ours for asset in forge_release.assets)
        _require_count(len(self.files) + foreign, forge_release.url)

    def write(self, folder: RunFolder) -> None:
        """Write the texts to where their `File` says they lie."""
        for path, data in self.texts:
            folder.write_asset(path.name, data)


def _require_safe_name(file: File) -> None:
    if _KEPT.fullmatch(file.name) is None:
        raise Refused(
            f"{file.name} would get another name on the forge: only letters, digits, '.', '_' and '-' are kept",
            next_step="give the file a name (project, version, build tag) without other characters",
        )


def _require_size(file: File) -> None:
    if file.size >= LARGEST:
        raise Refused(
            f"{file.name} has {file.size:,} bytes, and a file of a release must be smaller than 2 GiB ({LARGEST:,})",
            next_step="make the file smaller: leave large data out, or give it a package of its own",
        )


def _require_count(count: int, where: str = "") -> None:
    if count > MOST:
        raise Refused(
            f"the release would have {count} files, and a forge takes {MOST} of one release",
            where=where,
            next_step="build fewer wheels (abi3 serves several Pythons), or leave some platforms to the sdist",
        )


def _file(path: Path, data: bytes) -> File:
    return File(name=path.name, sha256=sha256(data).hexdigest(), size=len(data), path=path)


class DifferenceKind(StrEnum):
    """How one asset differs."""

    MISSING = "is missing"
    BROKEN = "was begun and broken off"
    OTHER = "holds other bytes"
    REWORDED = "says the same of the files in other words"
    ALIEN = "is a distribution of no one's making here"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One asset that is not as it should be; ``seen`` is what lies there, if anything does."""

    name: str
    kind: DifferenceKind
    expected: str = ""
    found: str = ""
    seen: ForgeAsset | None = None

    def __str__(self) -> str:
        if self.kind is DifferenceKind.OTHER:
            return f"{self.name} is {self.found} there, and sha256 {self.expected} here"
        return f"{self.name} {self.kind}"


def differences(forge_release: ForgeRelease, bundle: ReleaseAssets, forge: Forge) -> tuple[Difference, ...]:
    """Compare the assets of a release object with ours. Downloads only where the forge gives no digest.

    Other assets that are not distributions are somebody's own, and left alone. Raises `Unknown`.
    """
    ours = {file.name: file for file in bundle.files}
    found = [each for file in bundle.files if (each := _difference(forge_release, file, bundle, forge)) is not None]
    found += [
        Difference(name=asset.name, kind=DifferenceKind.ALIEN, seen=asset)
        for asset in forge_release.assets
        if asset.name not in ours and asset.name.endswith(_DISTS)
    ]
    return tuple(found)


def repairable(
    forge_release: ForgeRelease, bundle: ReleaseAssets, forge: Forge, *, folder: RunFolder
) -> tuple[Difference, ...]:
    """The differences that may be mended. Raises `Conflict` for those that may not, and `Unknown`.

    What users see is never altered; a draft without a manifest is a broken-off attempt.
    """
    odd = differences(forge_release, bundle, forge)
    whole = (manifest := find_asset(forge_release, manifests.NAME)) is not None and manifest.uploaded
    if forge_release.draft:
        wrong = [
            each for each in odd if each.kind is DifferenceKind.ALIEN or (whole and each.kind is DifferenceKind.OTHER)
        ]
        again = True
        advice = "compare the two; if the draft is the wrong one, delete it by hand"
    else:
        # A manifest in other words says the same of the same files.
        wrong = [each for each in odd if each.kind is not DifferenceKind.REWORDED and each.name != NOTES]
        how = (
            "an immutable release cannot be altered"
            if forge_release.immutable
            else "a published release is never altered"
        )
        again = False
        advice = f"{how}: release a new version"
    if not wrong:
        return odd if forge_release.draft else ()
    if manifest is not None and whole and _is_of_another_build(manifest, bundle.manifest, forge):
        again = True
        advice = (
            "another run has built this commit too, and the files of its build are on the release;"
            f" to go on with those, remove {folder.path}"
        )
    raise Conflict("; ".join(map(str, wrong)), where=forge_release.url, next_step=advice, retryable=again)


def _is_of_another_build(asset: ForgeAsset, ours: Manifest, forge: Forge) -> bool:
    """Whether a manifest on the release names other files of the very same tag and commit."""
    try:
        there = manifests.decode(content_of(asset, forge), where=asset.url)
    except Unknown:
        return False
    return (there.tag, there.version, there.commit) == (ours.tag, ours.version, ours.commit) and not same_files(
        there, ours
    )


def _difference(forge_release: ForgeRelease, file: File, bundle: ReleaseAssets, forge: Forge) -> Difference | None:
    asset = find_asset(forge_release, file.name)
    compared = compare_asset(asset, file.sha256, forge, size=file.size)
    if compared.match is Match.SAME:
        return None
    if asset is None:
        return Difference(name=file.name, kind=DifferenceKind.MISSING, expected=file.sha256)
    if compared.match is Match.ABSENT:
        return Difference(name=file.name, kind=DifferenceKind.BROKEN, expected=file.sha256, seen=asset)
    kind = DifferenceKind.REWORDED if _may_be_reworded(asset, bundle.manifest, forge) else DifferenceKind.OTHER
    found = f"sha256 {compared.seen}" if compared.seen else f"{asset.size} bytes"
    return Difference(name=file.name, kind=kind, expected=file.sha256, found=found, seen=asset)


def compare_asset(asset: ForgeAsset | None, expected: str, forge: Forge, *, size: int | None = None) -> FileComparison:
    """Compare one asset by its sha256. It is downloaded if the forge gives no digest, unless ``size`` tells already.

    ``size`` in bytes, ``None`` if it is not known. Raises `Unknown`.
    """
    if asset is None or not asset.uploaded:
        reason = "not there" if asset is None else "begun and broken off"
        return FileComparison(match=Match.ABSENT, expected=expected, reason=reason)
    same_size = size is None or asset.size == size
    seen = asset.sha256 or (digest_of(asset, forge) if same_size else None)
    if seen == expected and same_size:
        return FileComparison(match=Match.SAME, expected=expected, seen=seen)
    return FileComparison(match=Match.DIFFERENT, expected=expected, seen=seen, reason="other bytes")


def _may_be_reworded(asset: ForgeAsset, manifest: Manifest, forge: Forge) -> bool:
    """Whether other bytes say the same of the files: the notes, or a manifest of the very same files."""
    if asset.name == NOTES:
        return True
    if asset.name != manifests.NAME:
        return False
    try:
        there = manifests.decode(content_of(asset, forge), where=asset.name)
    except Unknown:
        return False
    return same_files(there, manifest)


def same_files(one: Manifest, other: Manifest) -> bool:
    """Whether two manifests speak of one tag, version and commit, and of the same bytes."""
    return _bytes_of(one) == _bytes_of(other)


def _bytes_of(manifest: Manifest) -> tuple[object, ...]:
    named = (manifest.artifacts, manifest.images, manifest.pushed)
    return (manifest.tag, manifest.version, manifest.commit, *(frozenset(each) for each in named))


def find_asset(forge_release: ForgeRelease, name: str) -> ForgeAsset | None:
    """Return the asset of that name, ``None`` where there is none."""
    return next((asset for asset in forge_release.assets if asset.name == name), None)


def digest_of(asset: ForgeAsset, forge: Forge) -> str:
    """Download an asset and return its sha256. Raises `Unknown`."""
    with tempfile.TemporaryDirectory(prefix="unmoor-") as folder:
        return forge.fetch(asset, Path(folder)).sha256


def content_of(asset: ForgeAsset, forge: Forge, *, limit: int = manifests.LIMIT) -> bytes:
    """Download a small text asset. Raises `Unknown`, also for one above the limit (bytes)."""
    if asset.size > limit:
        raise Unknown(
            f"{asset.name} has {asset.size} bytes, more than the {limit} such a file may have",
            where=asset.url,
            next_step="look at the release by hand",
            retryable=False,
        )
    with tempfile.TemporaryDirectory(prefix="unmoor-") as folder:
        return forge.fetch(asset, Path(folder)).path.read_bytes()


@dataclass(frozen=True, kw_only=True)
class DraftSelection:
    """The release object to go on with, and empty second drafts of our own making."""

    kept: ForgeRelease | None
    spare: tuple[ForgeRelease, ...]


def select_draft(releases: Iterable[ForgeRelease], *, body: str) -> DraftSelection:
    """Choose among the release objects of one tag: the one that is public or holds assets, else the oldest.

    Drafts are not unique: two runs at once may each make one. Raises `Conflict` where a second
    one holds assets or somebody's words.
    """
    found = sorted(releases, key=lambda each: each.id)
    full = [each for each in found if not each.draft or each.assets]
    kept = full[0] if full else next(iter(found), None)
    spare = tuple(each for each in found if each is not kept)
    foreign = [each for each in spare if each.assets or not each.draft or not _is_ours(each, body)]
    if kept is not None and foreign:
        raise Conflict(
            "there are several releases of the tag: " + ", ".join(each.url for each in (kept, *foreign)),
            next_step="delete all but the right one by hand",
            retryable=True,
        )
    return DraftSelection(kept=kept, spare=spare)


def _is_ours(forge_release: ForgeRelease, body: str) -> bool:
    return same_text(forge_release.body, body) or not forge_release.body.strip()


def same_text(one: str, other: str) -> bool:
    """Whether two texts are the same to a reader: line ends and white space at the end do not count."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).rstrip()
