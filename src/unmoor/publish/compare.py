"""Compare every surface with the manifest, by digest. Only reads; a failure on one surface never hides another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import checksum_lines
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import Denied, Internal, Interrupted, Unknown, UnmoorError
from unmoor.images.image_plan import ImagePlan, registries
from unmoor.images.image_state import compare_images
from unmoor.ports.forge import Forge, ForgeAsset, ForgeRelease
from unmoor.ports.index import Holding, Index
from unmoor.ports.registry import Registry
from unmoor.products import PushedImage, Release
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.publish import push_record
from unmoor.publish.file_comparison import FileComparison, Match
from unmoor.publish.index_state import compare_listed
from unmoor.publish.release_assets import SUMS, compare_asset, content_of, find_asset, same_files
from unmoor.util.text import clean

FORGE = "forge"
_STATES = {
    Match.ABSENT: State.INCOMPLETE,
    Match.SAME: State.COMPLETE,
    Match.DIFFERENT: State.CONFLICTING,
    Match.UNKNOWN: State.UNKNOWN,
}


def compare(
    manifest: Manifest,
    *,
    index: Index,
    staging: Index | None,
    forge: Forge,
    registry: Callable[[str], Registry] | None = None,
    plans: Sequence[ImagePlan] = (),
    release: Callable[[], Release] | None = None,
) -> tuple[SurfaceState, ...]:
    """Read every surface, without credentials if it is public: staging index, index, forge, registries.

    ``registry`` opens the registry for an image's name; without it images are not compared. ``plans``
    and ``release`` say where their tags belong; without them only the commit's tag is compared.

    A surface that cannot be read raises nothing: its state is ``unknown``, with the reason.
    """
    comparisons: list[tuple[str, Callable[[], SurfaceState]]] = [
        *((each.name, partial(compare_index, manifest, each)) for each in (staging, index) if each is not None),
        (FORGE, partial(compare_forge, manifest, forge)),
    ]
    if registry is not None:
        comparisons += _image_comparisons(manifest, registry, forge, plans, release)
    with ThreadPoolExecutor(max_workers=len(comparisons), thread_name_prefix="surfaces") as pool:
        return tuple(pool.map(lambda compare_surface: _compare_or_unknown(*compare_surface), comparisons))


def _image_comparisons(
    manifest: Manifest,
    registry: Callable[[str], Registry],
    forge: Forge,
    plans: Sequence[ImagePlan],
    release: Callable[[], Release] | None,
) -> list[tuple[str, Callable[[], SurfaceState]]]:
    """How to compare each registry. If it cannot be read what was pushed, each one planned is unknown."""
    try:
        pushed = find_pushed(manifest, forge)
    except (Denied, Unknown) as error:
        reason = error.in_brief(where=True)
        return [
            (each.name, partial(SurfaceState, surface=each.name, state=State.UNKNOWN, note=reason))
            for each in registries(plans)
        ]
    return [
        (name, partial(compare_images, pushed, registry(name), forge, plans=plans, release=release))
        for name in dict.fromkeys(image.name for image in pushed)
    ]


def _compare_or_unknown(surface: str, compare_surface: Callable[[], SurfaceState]) -> SurfaceState:
    try:
        return compare_surface()
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return SurfaceState(surface=surface, state=State.UNKNOWN, note=error.in_brief(where=True))


def compare_index(manifest: Manifest, index: Index) -> SurfaceState:
    """Compare one index. Raises `Unknown` if it cannot be read."""
    holding = index.holding(manifest.project, manifest.version)
    items = [_index_item(name, digest, holding) for name, digest in _digests(manifest).items()]
    items += [
        Item(
            name=name,
            state=State.CONFLICTING,
            expected="",
            seen=listed.sha256 if (listed := holding.listed(name)) else None,
            note="the manifest lists no such file",
        )
        for name in sorted(holding.names - _digests(manifest).keys())
    ]
    url = index.page.replace("{project}", manifest.project).replace("{version}", manifest.version)
    return SurfaceState.of(index.name, items, url=url)


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


def compare_forge(manifest: Manifest, forge: Forge) -> SurfaceState:
    """Compare the public release on the forge. Raises `Denied`, `Unknown` if it cannot be read."""
    forge_release = forge.public(manifest.tag)
    if forge_release is None:
        return SurfaceState(surface=FORGE, state=State.INCOMPLETE, note=_no_release(manifest.tag, forge))
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
    return {**_digests(manifest), SUMS: sha256(checksum_lines(dists.files)).hexdigest()}


def _no_release(tag: str, forge: Forge) -> str:
    """Say that there is no public release, and name a draft. Only a token with push access can see drafts."""
    try:
        drafts = forge.releases(tag) if forge.has_token() else ()
    except UnmoorError:
        drafts = ()
    if not drafts:
        return f"no public release of {tag}"
    return f"no public release of {tag}; there is a draft at {drafts[0].url} with {len(drafts[0].assets)} assets"


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


def find_manifest(folder: RunFolder, forge: Forge, tag: str) -> Manifest | None:
    """Return the manifest of a tag: the run folder's, else the one on its public release or draft.

    ``None`` if there is neither. Raises `Unknown` if it cannot be read or is of another tag, and what the
    forge raises. Without a token drafts are not searched.
    """
    found = folder.read_manifest()
    if found is None:
        found = _read_from_release(forge, tag)
    if found is not None and found.tag != tag:
        raise Unknown(
            f"the manifest is of {clean(found.tag)}, not of {clean(tag)}",
            where=str(folder.manifest),
            next_step="check the release by hand",
            retryable=False,
        )
    return found


def find_pushed(manifest: Manifest, forge: Forge) -> tuple[PushedImage, ...]:
    """Return what the registries should hold: what the release records, else its manifest if a former version wrote it.

    Raises `Unknown` if the record cannot be read or is of another commit, and what the forge raises.
    """
    forge_release = forge.public(manifest.tag) or _find_draft(forge, manifest.tag)
    held = push_record.read_record(forge_release, forge) if forge_release is not None else None
    if held is None:
        return manifest.pushed
    if held.record is None or (held.record.tag, held.record.commit) != (manifest.tag, manifest.commit):
        raise Unknown(
            f"{push_record.NAME} on the release of {manifest.tag} is of another commit, or malformed",
            where=forge.address,
            next_step="release it again, which replaces the file as long as the release is a draft",
            retryable=False,
        )
    return held.record.images


def _read_from_release(forge: Forge, tag: str) -> Manifest | None:
    forge_release = forge.public(tag) or _find_draft(forge, tag)
    asset = find_asset(forge_release, manifests.NAME) if forge_release is not None else None
    if asset is None or not asset.uploaded:
        return None
    return manifests.decode(content_of(asset, forge), where=asset.url)


def _find_draft(forge: Forge, tag: str) -> ForgeRelease | None:
    if not forge.has_token():
        return None
    releases = forge.releases(tag)
    return next((each for each in releases if find_asset(each, manifests.NAME)), next(iter(releases), None))
