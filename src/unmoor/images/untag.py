"""Taking one tag away from a registry, and nothing else.

Registries delete digests, with every tag on them; GHCR deletes versions, which is the same. So a
manifest that nobody else has is put under the tag (the same image with one more annotation), and
that one is deleted. Whatever breaks off on the way, the tag is left on the image it had.
"""

from __future__ import annotations

import secrets

from unmoor.artifacts import oci
from unmoor.core.stage import NotUndone, Undone
from unmoor.errors import Denied, Rejected, UnmoorError
from unmoor.images import oci_documents
from unmoor.ports.clock import Clock
from unmoor.ports.poll import poll
from unmoor.ports.registry import OciManifest, Packages, PackageVersion, Registry

# Seconds between looks at a list of versions that lags behind the registry.
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)


def untag(
    registry: Registry, packages: Packages | None, tag: str, manifest: OciManifest, clock: Clock
) -> Undone | NotUndone:
    """Take a tag away that points at ``manifest``. Raises `Unknown` where the answer was lost on the way."""
    data = oci_documents.marked(manifest.data, f"{tag} {secrets.token_hex(8)}")
    aside = OciManifest(data=data, digest=oci.digest_of(data), media_type=manifest.media_type)
    where = f"{registry.name}:{tag}"
    try:
        registry.put(tag, aside)
    except (Rejected, Denied) as error:
        return NotUndone(f"{where} stays: {error.in_brief()}")
    try:
        trouble = _deleted(registry, packages, tag, aside, clock)
    except UnmoorError as error:
        trouble = error.what
    if trouble and registry.head(tag) == aside.digest:
        registry.put(tag, manifest)
        return NotUndone(f"{where} stays: {trouble}. Delete it by hand at {registry.page}, if it must go")
    if registry.head(tag) is not None:
        return NotUndone(f"{where} stays: somebody moved it in the meantime")
    return Undone(f"{where} was taken away; {manifest.digest} itself stays until the registry is cleaned")


def _deleted(registry: Registry, packages: Packages | None, tag: str, aside: OciManifest, clock: Clock) -> str:
    """Delete the manifest that only this tag has; return why not, the empty text where it is done."""
    if packages is None:
        registry.delete(aside.digest)
        return ""
    version = _version(packages, aside.digest, clock)
    if version is None:
        return "the forge does not list what was put there"
    if version.tags != (tag,):
        return f"the forge says that {', '.join(version.tags) or 'no tag'} is on it, and not {tag} alone"
    packages.delete(version)
    return ""


def _version(packages: Packages, digest: str, clock: Clock) -> PackageVersion | None:
    def look() -> PackageVersion | None:
        found = next((each for each in packages.versions() if each.digest == digest), None)
        return found if found is not None and found.tags else None

    return poll(look, waits=_PAUSES, clock=clock)


def others_on(registry: Registry, packages: Packages | None, digest: str, ours: frozenset[str]) -> tuple[str, ...]:
    """Which other tags have a digest. Raises as the registry and the forge do."""
    if packages is not None:
        listed = {tag for version in packages.versions() if version.digest == digest for tag in version.tags}
        # The registry has the last word: the list may lag behind.
        listed |= {tag for tag in registry.tags() if tag not in ours and registry.head(tag) == digest}
        return tuple(sorted(listed - ours))
    return tuple(sorted(tag for tag in registry.tags() if tag not in ours and registry.head(tag) == digest))
