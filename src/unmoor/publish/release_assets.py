"""The assets that a release on the forge must have, and how the assets it has differ from them.

Used by the stage that fills the draft and by every later comparison. This module is long because each kind of asset
may differ in its own way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import ReadSignature
from unmoor.artifacts.files import checksum_lines
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import IMAGES, RunFolder
from unmoor.errors import Conflict, Refused, Unknown
from unmoor.filesystem.commands import remove_command
from unmoor.filesystem.temporary import temporary_folder
from unmoor.images import image_record
from unmoor.ports.forge import Forge, ForgeAsset, ForgeRelease
from unmoor.ports.signer import MAX_BUNDLE, Bundle, UnreadableSignature
from unmoor.products import Dists, File, Notes
from unmoor.provenance.names import bundle_name, is_bundle, is_signature, signed_file
from unmoor.publish.documents import Documents
from unmoor.publish.file_comparison import FileComparison, Match

SUMS = "SHA256SUMS"
NOTES = "RELEASE_NOTES.md"
MAX_ASSETS = 1000
"""GitHub's limit of assets per release."""
ASSET_SIZE_LIMIT = 2 << 30
"""GitHub's limit: an asset must be smaller than this, in bytes."""
# GitHub replaces every other character by a dot, and SHA256SUMS would then list a file that is not there.
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
DISTS = (".whl", ".tar.gz", ".zip")
"""The endings of the names of distributions."""


class ReleaseAssets(msgspec.Struct, frozen=True, kw_only=True):
    """Every asset of a release in upload order: files, their SBOMs, docs, signatures, then texts, the manifest last.

    ``records`` are the paths of those texts that record an emergency.
    """

    files: tuple[File, ...]
    texts: tuple[tuple[Path, bytes], ...]
    documents: Documents
    records: tuple[Path, ...] = ()

    @classmethod
    def of(
        cls,
        documents: Documents,
        dists: Dists,
        notes: Notes,
        folder: RunFolder,
        *,
        signatures: tuple[File, ...] = (),
        records: tuple[tuple[str, bytes], ...] = (),
    ) -> ReleaseAssets:
        """Compute every asset; write nothing. ``records`` are the names and bytes of records of emergencies.

        Raises `Refused` for a name that the forge would change, and for a file size or file count above its limits.
        """
        texts = [(folder.assets / SUMS, checksum_lines(dists.files))]
        if notes.full != notes.body:
            texts.append((folder.assets / NOTES, notes.full.encode()))
        if documents.record is not None:
            texts.append((folder.assets / IMAGES, documents.record_data))
        texts += [(folder.assets / name, data) for name, data in records]
        texts.append((folder.assets / manifests.NAME, documents.manifest_data))
        for file in (*dists.files, *documents.manifest.docs_files(folder.docs)):
            _require_safe_name(file)
            _require_size(file)
        sboms = (*documents.manifest.sbom_files(folder.sboms), *documents.manifest.docs_files(folder.docs))
        # What the registries hold is attached once the images are pushed.
        _require_count(len(dists.files) + len(sboms) + len(signatures) + len(texts) + (documents.record is not None))
        files = (*dists.files, *sboms, *signatures, *(_file(*text) for text in texts))
        return cls(
            files=files,
            texts=tuple(texts),
            documents=documents,
            records=tuple(folder.assets / name for name, _ in records),
        )

    def require_room(self, forge_release: ForgeRelease) -> None:
        """Check that all files fit next to assets that others attached. Raises `Refused`."""
        ours = {file.name for file in self.files}
        foreign = sum(asset.name not in ours for asset in forge_release.assets)
        _require_count(len(self.files) + foreign, forge_release.url)

    def write(self, folder: RunFolder) -> None:
        """Write the texts to the paths in their `File`."""
        for path, data in self.texts:
            folder.write_asset(path.name, data)


def _require_safe_name(file: File) -> None:
    if _SAFE_NAME.fullmatch(file.name) is None:
        raise Refused(
            f"the forge would rename {file.name}: it allows only letters, digits, '.', '_' and '-'",
            next_step=advice.RENAME_FILE(),
        )


def _require_size(file: File) -> None:
    if file.size >= ASSET_SIZE_LIMIT:
        raise Refused(
            f"{file.name} has {file.size:,} bytes, but an asset must be smaller than 2 GiB ({ASSET_SIZE_LIMIT:,})",
            next_step=advice.SHRINK_ASSET(),
        )


def _require_count(count: int, where: str = "") -> None:
    if count > MAX_ASSETS:
        raise Refused(
            f"the release would have {count} files, but the forge accepts {MAX_ASSETS} per release",
            where=where,
            next_step=advice.BUILD_FEWER_WHEELS(),
        )


def _file(path: Path, data: bytes) -> File:
    return File(name=path.name, sha256=sha256(data).hexdigest(), size=len(data), path=path)


class DifferenceKind(StrEnum):
    """How one asset differs."""

    MISSING = "is missing"
    BROKEN = "is an incomplete upload"
    OTHER = "holds other bytes"
    REWORDED = "describes the same files in another text"
    ALIEN = "is a distribution that is not of this release"
    STALE = "signs a file that is replaced"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One asset that is not as it should be; ``seen`` is the asset on the forge, ``None`` if it is missing."""

    name: str
    kind: DifferenceKind
    expected: str = ""
    found: str = ""
    seen: ForgeAsset | None = None

    @property
    def replaces(self) -> bool:
        """Whether to repair it means to remove bytes of another build."""
        return self.kind in {DifferenceKind.OTHER, DifferenceKind.ALIEN}

    def __str__(self) -> str:
        if self.kind is DifferenceKind.OTHER and self.name in {manifests.NAME, IMAGES}:
            # Its sha256 would be taken for the one to vouch with, and nobody knows yet who wrote this document.
            return f"{self.name} is of another build"
        if self.kind is DifferenceKind.OTHER:
            return f"{self.name} is {self.found} there, but sha256 {self.expected} here"
        return f"{self.name} {self.kind}"


def differences(forge_release: ForgeRelease, bundle: ReleaseAssets, forge: Forge) -> tuple[Difference, ...]:
    """Compare the assets of a release object with ours. Downloads only if the forge gives no digest.

    Foreign assets that are not distributions are ignored. Raises `Unknown`.
    """
    ours = {file.name: file for file in bundle.files}
    found = [each for file in bundle.files if (each := _difference(forge_release, file, bundle, forge)) is not None]
    found += [
        Difference(name=asset.name, kind=DifferenceKind.ALIEN, seen=asset)
        for asset in forge_release.assets
        if is_foreign_dist(asset, ours)
    ]
    return tuple([*found, *_stale_signatures(forge_release, found, ours)] if forge_release.draft else found)


def _stale_signatures(
    forge_release: ForgeRelease, found: Iterable[Difference], ours: Container[str]
) -> Iterator[Difference]:
    """Signatures in a draft that are none of ours, of files that differ: a run that cannot sign replaces none of them.

    All others stay, since somebody made them for the very same files.
    """
    changed = {each.name for each in found if each.replaces or each.kind is DifferenceKind.REWORDED}
    any_dist = any(name.endswith(DISTS) for name in changed)
    for asset in forge_release.assets:
        signed = signed_file(asset.name)
        if asset.name not in ours and is_bundle(asset.name) and (signed in changed or (not signed and any_dist)):
            yield Difference(name=asset.name, kind=DifferenceKind.STALE, seen=asset)


def is_foreign_dist(asset: ForgeAsset, ours: Container[str]) -> bool:
    """Whether an asset is a distribution, but none of ours. Other foreign assets do not matter."""
    return asset.name not in ours and asset.name.endswith(DISTS)


def repairable_differences(
    forge_release: ForgeRelease, bundle: ReleaseAssets, forge: Forge, folder: RunFolder
) -> tuple[Difference, ...]:
    """Return the differences that may be repaired, none for a public release. Raises `Conflict`, and `Unknown`.

    A public release is never changed: another text of its documents that lists the same bytes is fine, any other
    difference is a conflict. So are other bytes in a draft with our manifest, and in a draft of another build that is
    vouched for. Only the record of images may change, if an image was lost and built again. A draft that nothing
    vouches for may be replaced, as far as what is out allows it.
    """
    found = differences(forge_release, bundle, forge)
    if _is_another_build(found) and _is_vouched_for(forge_release, forge, folder):
        raise Conflict(
            "another run also built this commit, and the release has the files of its build:\n"
            + "\n".join(str(each) for each in found if each.replaces),
            where=forge_release.url,
            next_step=advice.CONTINUE_WITH_THOSE(command=remove_command(folder.path)),
            retryable=True,
        )
    wrong = _wrong_in_draft(found) if forge_release.draft else _wrong_in_public(found)
    if wrong:
        step, retryable = _advice(forge_release, wrong)
        raise Conflict("\n".join(map(str, wrong)), where=forge_release.url, next_step=step, retryable=retryable)
    return found if forge_release.draft else ()


def _is_another_build(found: Sequence[Difference]) -> bool:
    """Whether the release has another manifest than ours, and other bytes."""
    return replaces_bytes(found) and any(each.name == manifests.NAME for each in found)


def _wrong_in_draft(found: Sequence[Difference]) -> list[Difference]:
    """What must not differ in a draft that has our manifest."""
    if any(each.name == manifests.NAME for each in found):
        return []
    # A signature that does not verify was not taken from the draft: this run has made another.
    return [each for each in found if each.replaces and each.name != IMAGES and not is_signature(each.name)]


def _wrong_in_public(found: Sequence[Difference]) -> list[Difference]:
    """What must not differ in a public release."""
    return [each for each in found if each.kind is not DifferenceKind.REWORDED and each.name != NOTES]


def _advice(forge_release: ForgeRelease, wrong: Sequence[Difference]) -> tuple[NextStep, bool]:
    """What to do about assets that must not differ, and whether the same command may succeed after that."""
    if forge_release.draft:
        return advice.COMPARE_DRAFT(), True
    rule = (
        "an immutable release cannot be changed"
        if forge_release.immutable
        else "unmoor never changes a published release"
    )
    if any(each.kind is DifferenceKind.OTHER for each in wrong):
        return advice.VOUCH_OR_NEXT_VERSION(rule=rule), False
    return advice.RELEASE_NEW_VERSION(why=rule), False


def _is_vouched_for(forge_release: ForgeRelease, forge: Forge, folder: RunFolder) -> bool:
    """Whether the manifest on a draft counts, though it is not ours."""
    manifest = find_asset(forge_release, manifests.NAME)
    if manifest is None or not manifest.uploaded:
        return False
    signature = attached_signature(forge_release, manifests.NAME, forge)
    return folder.belief.vouches_for(content_of(manifest, forge), signature)


def replaces_bytes(found: Iterable[Difference]) -> bool:
    """Whether repairing these differences removes files of another build, and not only adds what is missing."""
    return any(each.replaces for each in found)


def _difference(forge_release: ForgeRelease, file: File, bundle: ReleaseAssets, forge: Forge) -> Difference | None:
    asset = find_asset(forge_release, file.name)
    compared = compare_asset(asset, file.sha256, forge, size=file.size)
    if compared.match is Match.SAME:
        return None
    if asset is None:
        return Difference(name=file.name, kind=DifferenceKind.MISSING, expected=file.sha256)
    if compared.match is Match.ABSENT:
        return Difference(name=file.name, kind=DifferenceKind.BROKEN, expected=file.sha256, seen=asset)
    kind = DifferenceKind.REWORDED if _may_be_reworded(asset, bundle.documents, forge) else DifferenceKind.OTHER
    found = f"sha256 {compared.seen}" if compared.seen else f"{asset.size} bytes"
    return Difference(name=file.name, kind=kind, expected=file.sha256, found=found, seen=asset)


def compare_asset(asset: ForgeAsset | None, expected: str, forge: Forge, *, size: int | None = None) -> FileComparison:
    """Compare one asset by its sha256. Downloads it if the forge gives no digest and ``size`` does not differ.

    ``size`` is in bytes, ``None`` if it is not known. Raises `Unknown`.
    """
    if asset is None or not asset.uploaded:
        reason = "not there" if asset is None else "incomplete upload"
        return FileComparison(match=Match.ABSENT, expected=expected, reason=reason)
    same_size = size is None or asset.size == size
    seen = asset.sha256 or (digest_of(asset, forge, expected) if same_size else None)
    if seen == expected and same_size:
        return FileComparison(match=Match.SAME, expected=expected, seen=seen)
    return FileComparison(match=Match.DIFFERENT, expected=expected, seen=seen, reason="other bytes")


def _may_be_reworded(asset: ForgeAsset, documents: Documents, forge: Forge) -> bool:
    """Whether an asset is only another text: the notes, or a document that lists the same bytes."""
    if asset.name == NOTES:
        return True
    try:
        if asset.name == manifests.NAME:
            return same_files(manifests.decode(content_of(asset, forge), where=asset.name), documents.manifest)
        if asset.name == IMAGES and documents.record is not None:
            there = image_record.decode(content_of(asset, forge), where=asset.name)
            return set(there.images) == set(documents.record.images)
    except Unknown:
        return False
    return False


def same_files(one: Manifest, other: Manifest) -> bool:
    """Whether two manifests have the same tag, version and commit, and list the same files and images."""
    return _content_of(one) == _content_of(other)


def _content_of(manifest: Manifest) -> tuple[object, ...]:
    return (manifest.tag, manifest.version, manifest.commit, frozenset(manifest.artifacts))


def find_asset(forge_release: ForgeRelease, name: str) -> ForgeAsset | None:
    """Return the asset of that name, ``None`` if there is none."""
    return next((asset for asset in forge_release.assets if asset.name == name), None)


def digest_of(asset: ForgeAsset, forge: Forge, expected: str) -> str:
    """Download an asset and return its sha256, after a second download if it is not the expected one.

    Raises `Unknown`.
    """
    with temporary_folder() as folder:
        seen = forge.fetch(asset, folder).sha256
        return seen if seen == expected else forge.fetch(asset, folder).sha256


def content_of(asset: ForgeAsset, forge: Forge, *, limit: int = manifests.LIMIT) -> bytes:
    """Download a small text asset. Raises `Unknown`, also if it is larger than ``limit`` bytes."""
    if asset.size > limit:
        raise Unknown(
            f"{asset.name} has {asset.size} bytes, more than the {limit} that such a file may have",
            where=asset.url,
            next_step=advice.CHECK_RELEASE_BY_HAND(),
            retryable=False,
        )
    with temporary_folder() as folder:
        return forge.fetch(asset, folder).path.read_bytes()


def attached_signature(forge_release: ForgeRelease, name: str, forge: Forge) -> ReadSignature:
    """Return what reads the signature of a document from the same release object."""

    def read() -> Bundle | None:
        asset = find_asset(forge_release, bundle_name(name))
        if asset is None or not asset.uploaded:
            return None
        if asset.size > MAX_BUNDLE:
            raise UnreadableSignature(
                f"{asset.name} has {asset.size} bytes, and signatures at most {MAX_BUNDLE}",
                where=asset.url,
                next_step=advice.REJECT_SIGNATURE(),
                retryable=False,
            )
        return content_of(asset, forge, limit=MAX_BUNDLE)

    return read


class DraftSelection(msgspec.Struct, frozen=True, kw_only=True):
    """The release object to continue with, and empty second drafts that unmoor created."""

    chosen: ForgeRelease | None
    spare: tuple[ForgeRelease, ...]


def select_draft(releases: Iterable[ForgeRelease], *, is_ours: Callable[[str], bool]) -> DraftSelection:
    """Choose among the release objects of one tag: the one that is public or has assets, else the oldest.

    A tag may have several drafts: two concurrent runs may each create one. ``is_ours``: whether a body is one that
    unmoor writes. Raises `Conflict` if a second one has assets or a foreign text.
    """
    found = sorted(releases, key=lambda each: each.id)
    full = [each for each in found if not each.draft or each.assets]
    chosen = full[0] if full else next(iter(found), None)
    spare = tuple(each for each in found if each is not chosen)
    foreign = [
        each for each in spare if each.assets or not each.draft or not (is_ours(each.body) or not each.body.strip())
    ]
    if chosen is not None and foreign:
        raise Conflict(
            "the tag has several releases: " + ", ".join(each.url for each in (chosen, *foreign)),
            next_step=advice.KEEP_ONE_RELEASE(),
            retryable=True,
        )
    return DraftSelection(chosen=chosen, spare=spare)


def same_text(one: str, other: str) -> bool:
    """Whether two texts are equal, except for line endings and trailing white space."""
    return _normalized(one) == _normalized(other)


def _normalized(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).rstrip()
