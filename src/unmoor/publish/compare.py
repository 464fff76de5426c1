"""Compare an index and the release on the forge with the manifest, by digest. Only reads."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import checksum_lines
from unmoor.artifacts.manifest import Manifest
from unmoor.errors import Unknown
from unmoor.ports.forge import Forge, ForgeAsset, ForgeRelease
from unmoor.ports.index import Holding, Index
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.publish.file_comparison import FileComparison, Match
from unmoor.publish.index_state import compare_listed
from unmoor.publish.release_assets import SUMS, compare_asset, content_of, find_asset, same_files
from unmoor.util.values import replace

FORGE = "forge"
_STATES = {
    Match.ABSENT: State.INCOMPLETE,
    Match.SAME: State.COMPLETE,
    Match.DIFFERENT: State.CONFLICTING,
    Match.UNKNOWN: State.UNKNOWN,
}


def compare_index(manifest: Manifest, index: Index) -> SurfaceState:
    """Compare one index. Raises `Unknown` if it cannot be read."""
    page = index.page.replace("{project}", manifest.project).replace("{version}", manifest.version)
    return compare_holding(manifest, index.holding(manifest.project, manifest.version), name=index.name, page=page)


def compare_holding(manifest: Manifest, holding: Holding, *, name: str, page: str) -> SurfaceState:
    """Compare what an index holds. ``name`` is the index's, ``page`` the web address of the version there."""
    items = [_index_item(file, digest, holding) for file, digest in _digests(manifest).items()]
    items += [
        replace(file_item(file, holding), state=State.CONFLICTING, note="the manifest lists no such file")
        for file in sorted(holding.names - _digests(manifest).keys())
    ]
    return SurfaceState.of(name, items, url=page)


def file_item(name: str, holding: Holding) -> Item:
    """A file that an index holds, compared with nothing."""
    listed = holding.listed(name)
    return Item(name=name, state=State.COMPLETE, expected="", seen=listed.sha256 if listed else None)


def _digests(manifest: Manifest) -> dict[str, str]:
    return {artifact.name: artifact.sha256 for artifact in manifest.artifacts}


def _index_item(name: str, expected: str, holding: Holding) -> Item:
    """Compare one file, and check whether installers can see it."""
    item = _item(name, compare_listed(holding, name, expected))
    if item.state is not State.COMPLETE:
        return item
    if name in holding.stale:
        return replace(item, state=State.PENDING, note="there, but installers cannot see it yet")
    yanked = any(source[name].yanked for source in (holding.json, holding.simple) if source and name in source)
    return replace(item, note="yanked") if yanked else item


def _item(name: str, compared: FileComparison) -> Item:
    """A comparison as an item of the surface."""
    return Item(
        name=name,
        state=_STATES[compared.match],
        expected=compared.expected,
        seen=compared.seen,
        note=compared.reason,
    )


def compare_release(manifest: Manifest, forge_release: ForgeRelease, forge: Forge) -> SurfaceState:
    """Compare the public release on the forge. Raises `Denied`, `Unknown` if an asset cannot be read."""
    items = [
        _item(name, compare_asset(find_asset(forge_release, name), digest, forge))
        for name, digest in _expected_assets(manifest).items()
    ]
    items.append(_manifest_item(forge_release, manifest, forge))
    note = ""
    if forge_release.prerelease != manifest.prerelease:
        note = f"marked as {'a prerelease' if forge_release.prerelease else 'final'}, but is not"
    return SurfaceState.of(FORGE, items, note=note, url=forge_release.url)


def _expected_assets(manifest: Manifest) -> dict[str, str]:
    dists = manifest.dists(Path())
    beside = {each.name: each.sha256 for each in (*manifest.sboms, *manifest.docs)}
    return {**_digests(manifest), **beside, SUMS: sha256(checksum_lines(dists.files)).hexdigest()}


def _manifest_item(forge_release: ForgeRelease, manifest: Manifest, forge: Forge) -> Item:
    """Compare the manifest asset. Another text that lists the same files is complete, too."""
    expected = sha256(manifests.encode(manifest)).hexdigest()
    asset = find_asset(forge_release, manifests.NAME)
    item = _item(manifests.NAME, compare_asset(asset, expected, forge))
    if item.state is not State.CONFLICTING or asset is None:
        return item
    there = _decode(asset, forge)
    if there is None or not same_files(there, manifest):
        return item
    return replace(item, state=State.COMPLETE, note="another text about the same files")


def _decode(asset: ForgeAsset, forge: Forge) -> Manifest | None:
    content = content_of(asset, forge)
    try:
        return manifests.decode(content, where=asset.url)
    except Unknown:
        return None
