"""Remove one tag from a registry, and nothing else.

Registries delete digests with every tag on them; GHCR deletes versions, which is the same. Therefore this puts
a unique manifest (the same image with one more annotation) under the tag, and deletes that. If a step
fails, the tag stays on the image it had.
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

# Seconds between reads of a list of versions that lags behind the registry.
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)


def untag(
    registry: Registry, packages: Packages | None, tag: str, manifest: OciManifest, clock: Clock
) -> Undone | NotUndone:
    """Remove a tag that points at ``manifest``. Raises `Unknown` if an answer was lost."""
    data = oci_documents.with_mark(manifest.data, f"{tag} {secrets.token_hex(8)}")
    substitute = OciManifest(data=data, digest=oci.digest_of(data), media_type=manifest.media_type)
    where = f"{registry.name}:{tag}"
    try:
        registry.put(tag, substitute)
    except (Rejected, Denied) as error:
        return NotUndone(f"{where} stays: {error.in_brief()}")
    try:
        problem = _delete(registry, packages, tag, substitute, clock)
    except UnmoorError as error:
        problem = error.what
    if problem and registry.head(tag) == substitute.digest:
        registry.put(tag, manifest)
        return NotUndone(f"{where} stays: {problem}. Delete it by hand at {registry.page}, if it must go")
    if registry.head(tag) is not None:
        return NotUndone(f"{where} stays: somebody moved it in the meantime")
    return Undone(f"removed {where}; {manifest.digest} itself stays until the registry is cleaned")


def _delete(registry: Registry, packages: Packages | None, tag: str, substitute: OciManifest, clock: Clock) -> str:
    """Delete the manifest that only this tag has. Return why that failed, or the empty text."""
    if packages is None:
        registry.delete(substitute.digest)
        return ""
    version = _version(packages, substitute.digest, clock)
    if version is None:
        return "the forge does not list the manifest that was put there"
    if version.tags != (tag,):
        return f"the forge lists {', '.join(version.tags) or 'no tag'} for it, not only {tag}"
    packages.delete(version)
    return ""


def _version(packages: Packages, digest: str, clock: Clock) -> PackageVersion | None:
    def look() -> PackageVersion | None:
        found = next((each for each in packages.versions() if each.digest == digest), None)
        return found if found is not None and found.tags else None

    return poll(look, waits=_PAUSES, clock=clock)


def other_tags_on(registry: Registry, packages: Packages | None, digest: str, ours: frozenset[str]) -> tuple[str, ...]:
    """Return the other tags on a digest, sorted. Raises what the registry and the forge raise."""
    if packages is not None:
        listed = {tag for version in packages.versions() if version.digest == digest for tag in version.tags}
        # The registry decides: the forge's list may lag behind.
        listed |= {tag for tag in registry.tags() if tag not in ours and registry.head(tag) == digest}
        return tuple(sorted(listed - ours))
    return tuple(sorted(tag for tag in registry.tags() if tag not in ours and registry.head(tag) == digest))
