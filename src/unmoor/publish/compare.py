"""Every surface compared with the manifest, by digest. Reads alone; one surface's trouble never hides another's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import checksum_lines
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import Denied, Internal, Interrupted, Unknown, UnmoorError
from unmoor.images.image_plan import ImagePlan
from unmoor.images.image_state import compare_images
from unmoor.ports.forge import Forge, ForgeAsset, ForgeRelease
from unmoor.ports.index import Holding, Index
from unmoor.ports.registry import Registry
from unmoor.products import Release
from unmoor.products.surface_state import Item, State, SurfaceState
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
    lines: Sequence[ImagePlan] = (),
    release: Callable[[], Release] | None = None,
) -> tuple[SurfaceState, ...]:
    """Read every surface, without credentials where it is public: staging index, index, forge, registries.

    ``registry`` opens the registry behind an image's name; without it images are not looked at. ``lines``
    and ``release`` say where their tags belong; without them the commit's alone is looked at.

    Never raises for one surface's trouble: what could not be read is ``unknown``, with the reason.
    """
    looks: list[tuple[str, Callable[[], SurfaceState]]] = [
        *((each.name, partial(compare_index, manifest, each)) for each in (staging, index) if each is not None),
        (FORGE, partial(compare_forge, manifest, forge)),
    ]
    if registry is not None:
        names = dict.fromkeys(image.name for image in manifest.pushed)
        looks += [
            (name, partial(compare_images, manifest, registry(name), forge, lines=lines, release=release))
            for name in names
        ]
    with ThreadPoolExecutor(max_workers=len(looks), thread_name_prefix="surfaces") as pool:
        return tuple(pool.map(lambda look: _guarded(*look), looks))


def _guarded(surface: str, look: Callable[[], SurfaceState]) -> SurfaceState:
    try:
        return look()
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return SurfaceState(surface=surface, state=State.UNKNOWN, note=error.in_brief(where=True))


def compare_index(manifest: Manifest, index: Index) -> SurfaceState:
    """Compare one index. Raises `Unknown` where it cannot be read."""
    holding = index.holding(manifest.project, manifest.version)
    items = [_index_item(name, digest, holding) for name, digest in _digests(manifest).items()]
    items += [
        Item(
            name=name,
            state=State.CONFLICTING,
            expected="",
            seen=listed.sha256 if (listed := holding.listed(name)) else None,
            note="the manifest names no such file",
        )
        for name in sorted(holding.names - _digests(manifest).keys())
    ]
    url = index.page.replace("{project}", manifest.project).replace("{version}", manifest.version)
    return SurfaceState.of(index.name, items, url=url)


def _digests(manifest: Manifest) -> dict[str, str]:
    return {artifact.name: artifact.sha256 for artifact in manifest.artifacts}


def _index_item(name: str, expected: str, holding: Holding) -> Item:
    """Compare one file, and see whether installers are shown it."""
    item = _item(name, compare_listed(holding, name, expected))
    if item.state is not State.COMPLETE:
        return item
    if name in holding.stale:
        return replace(item, state=State.PENDING, note="there, but installers cannot see it yet")
    yanked = any(voice[name].yanked for voice in (holding.json, holding.simple) if voice and name in voice)
    return replace(item, note="yanked") if yanked else item


def _item(name: str, compared: FileComparison) -> Item:
    """What came of a comparison, as a line of the report."""
    return Item(
        name=name,
        state=_STATES[compared.match],
        expected=compared.expected,
        seen=compared.seen,
        note=compared.reason,
    )


def compare_forge(manifest: Manifest, forge: Forge) -> SurfaceState:
    """Compare the public release on the forge. Raises `Denied`, `Unknown` where it cannot be read."""
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
        note = f"marked as {'a prerelease' if forge_release.prerelease else 'final'}, and is not"
    return SurfaceState.of(FORGE, items, note=note, url=forge_release.url)


def _expected_assets(manifest: Manifest) -> dict[str, str]:
    dists = manifest.dists(Path())
    return {**_digests(manifest), SUMS: sha256(checksum_lines(dists.files)).hexdigest()}


def _no_release(tag: str, forge: Forge) -> str:
    """Say what there is instead of a public release; drafts are shown only to who may push."""
    try:
        drafts = forge.releases(tag) if forge.has_token() else ()
    except UnmoorError:
        drafts = ()
    if not drafts:
        return f"no public release of {tag}"
    return f"no public release of {tag}; a draft waits at {drafts[0].url} with {len(drafts[0].assets)} assets"


def _manifest_item(forge_release: ForgeRelease, manifest: Manifest, forge: Forge) -> Item:
    """The manifest asset: the same bytes, or other words about the very same files."""
    expected = sha256(manifests.encode(manifest)).hexdigest()
    asset = find_asset(forge_release, manifests.NAME)
    item = _item(manifests.NAME, compare_asset(asset, expected, forge))
    if item.state is not State.CONFLICTING or asset is None:
        return item
    there = _decoded(asset, forge)
    if there is None or not same_files(there, manifest):
        return item
    return replace(item, state=State.COMPLETE, note="other words about the same files")


def _decoded(asset: ForgeAsset, forge: Forge) -> Manifest | None:
    content = content_of(asset, forge)
    try:
        return manifests.decode(content, where=asset.url)
    except Unknown:
        return None


def find_manifest(folder: RunFolder, forge: Forge, tag: str) -> Manifest | None:
    """Return the manifest of a tag: the run folder's, else the one on its public release or draft.

    The folder's may be from before the images were pushed: then the release's counts, if it speaks of
    the very same files. ``None`` where there is neither. Raises `Unknown` for one that cannot be read
    or is of another tag, and what the forge raises. Without a token drafts are not looked for.
    """
    found = folder.read_manifest()
    if found is None:
        found = _on_the_release(forge, tag)
    elif not found.pushed:
        # What the forge cannot tell now, the comparison itself will say.
        with suppress(Denied, Unknown):
            there = _on_the_release(forge, tag)
            found = there if there is not None and there.artifacts == found.artifacts else found
    if found is not None and found.tag != tag:
        raise Unknown(
            f"the manifest is of {clean(found.tag)}, not of {clean(tag)}",
            where=str(folder.manifest),
            next_step="look at the release by hand",
            retryable=False,
        )
    return found


def _on_the_release(forge: Forge, tag: str) -> Manifest | None:
    forge_release = forge.public(tag) or _drafted(forge, tag)
    asset = find_asset(forge_release, manifests.NAME) if forge_release is not None else None
    if asset is None or not asset.uploaded:
        return None
    return manifests.decode(content_of(asset, forge), where=asset.url)


def _drafted(forge: Forge, tag: str) -> ForgeRelease | None:
    if not forge.has_token():
        return None
    releases = forge.releases(tag)
    return next((each for each in releases if find_asset(each, manifests.NAME)), next(iter(releases), None))
