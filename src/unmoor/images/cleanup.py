"""Clean one repository of images: read all of it, decide by `unmoor.images.sweep`, delete, and check again.

GHCR lists every manifest as a version of a package, and deletes versions. Other registries list only
tags: a manifest that no tag reaches is invisible there, and is left to the registry's garbage collection, unless it is
about one that is visible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec

from unmoor import advice
from unmoor.artifacts import oci
from unmoor.errors import Conflict, Incomplete, Rejected, Unknown
from unmoor.images.sweep import Graph, Node, Sweep
from unmoor.ports.registry import OciManifest, Packages, PackageVersion, Registry
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.util.values import replace

_AT_ONCE = 6
_CREATED = "org.opencontainers.image.created"


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What a repository held when it was read; ``versions`` by digest, empty if the registry does not list them."""

    graph: Graph
    versions: Mapping[str, PackageVersion]


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """The digests that were deleted, and those that were spared after all, each with the reason."""

    deleted: tuple[str, ...]
    spared: tuple[tuple[str, str], ...]


def survey(registry: Registry, packages: Packages | None, *, say: Callable[[str], None] = lambda _: None) -> Survey:
    """Read every visible manifest; one that cannot be read gets `Node.lost`. Raises `Denied`, `Unknown`."""
    versions = {version.digest: version for version in packages.versions()} if packages else {}
    tags = {tag: version.digest for version in versions.values() for tag in version.tags}
    # The list of versions may lag behind the registry, so a tag counts if either of them has it.
    missing = [tag for tag in registry.tags() if tag not in tags]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        heads = zip(missing, pool.map(registry.head, missing), strict=True)
        tags |= {tag: digest for tag, digest in heads if digest is not None}
        about = [subject for tag in tags if (subject := oci.subject_of_tag(tag)) is not None]
        # By digest, the media type that another manifest claims for it; empty if none does.
        kinds = dict.fromkeys((*versions, *tags.values(), *about), "")
        nodes: dict[str, Node] = {}
        while pending := [digest for digest in kinds if digest not in nodes]:
            say(f"reading {len(pending)} manifests of {registry.name}")
            requests = [(digest, kinds[digest]) for digest in pending]
            for node, named in pool.map(lambda each: _read(registry, *each, lists=packages is None), requests):
                nodes[node.digest] = _dated(node, versions.get(node.digest))
                # Look for a subject that no list has, too: it may exist without a tag.
                kinds = {**({node.subject: ""} if node.subject else {}), **kinds, **named}
    absent = {digest for digest in _only_subjects(nodes, tags, versions) if nodes[digest].lost == _ABSENT}
    nodes = {digest: node for digest, node in nodes.items() if digest not in absent}
    return Survey(graph=Graph(nodes=_with_dates(nodes), tags=tags), versions=versions)


_ABSENT = "404: it is not there"


def _only_subjects(
    nodes: Mapping[str, Node], tags: Mapping[str, str], versions: Mapping[str, PackageVersion]
) -> set[str]:
    """Return the digests that only a referrer names: no index, tag or version does."""
    named = {child for node in nodes.values() for child in node.children or ()}
    return set(nodes) - named - set(tags.values()) - set(versions)


def _read(registry: Registry, digest: str, kind: str, *, lists: bool) -> tuple[Node, dict[str, str]]:
    """Read one manifest: the node, and the digests that it names with the media types it claims for them.

    ``lists``: also those that the registry lists as about it, since no tag may lead to them.
    """
    try:
        manifest = registry.manifest(digest)
        if manifest is not None:
            node, named = _node(registry, manifest)
            return node, {**(_about(registry, digest) if lists else {}), **named}
        lost = _ABSENT
    except (Unknown, Conflict) as error:
        lost = clean(error.what)
    # The manifest that names it says whether it is an index. Otherwise it may be one, over anything.
    known = lost == _ABSENT or kind in oci.MANIFESTS
    return Node(digest=digest, children=() if known else None, lost=lost), {}


def _about(registry: Registry, digest: str) -> dict[str, str]:
    """The digests that are about a digest, with their media types. Raises `Unknown`."""
    try:
        return {each.digest: each.media_type for each in registry.referrers(digest)}
    except Conflict:
        return {}  # the tag for the list is on something else, which the list of tags has


def _node(registry: Registry, manifest: OciManifest) -> tuple[Node, dict[str, str]]:
    document = oci.read_manifest(manifest.data, manifest.media_type, where=f"{registry.name}, {manifest.digest}")
    created = document.annotations.get(_CREATED, "")
    if isinstance(document, oci.ImageIndex):
        named = {each.digest: each.media_type for each in document.manifests}
        node = Node(
            digest=manifest.digest, children=tuple(named), subject=document.subject, created=to_timestamp(created)
        )
        return node, named
    if not created:
        created = _created(registry, document)
    return Node(digest=manifest.digest, subject=document.subject, created=to_timestamp(created)), {}


class _Config(msgspec.Struct, frozen=True):
    created: str = ""


def _created(registry: Registry, document: oci.ImageManifest) -> str:
    """Return when an image was made according to its configuration; empty if that does not say."""
    if document.config.size > oci.LIMIT:
        return ""
    try:
        return decode_json(registry.blob(document.config.digest), _Config).created
    except (Unknown, Conflict, ValueError):
        return ""


def to_timestamp(text: str) -> float | None:
    """Convert an ISO 8601 time to seconds since 1970; ``None`` if it is not one."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _dated(node: Node, version: PackageVersion | None) -> Node:
    """Use the forge's upload time: it is later than the time at which the image was made, and decides."""
    uploaded = to_timestamp(version.created) if version else None
    return node if uploaded is None else replace(node, created=max(uploaded, node.created or uploaded))


def _with_dates(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """Give an index without a time of its own that of the youngest of its parts."""
    dated = dict(nodes)
    for digest, node in nodes.items():
        if node.created is None and node.children:
            dates = [nodes[child].created for child in node.children if child in nodes]
            if dates and all(date is not None for date in dates):
                dated[digest] = replace(node, created=max(date for date in dates if date is not None))
    return dated


def apply(
    registry: Registry, packages: Packages | None, before: Survey, plan: Sweep, *, say: Callable[[str], None]
) -> Cleaned:
    """Delete what may go, after a last check of each digest; then check that every remaining tag still resolves.

    Raises `Incomplete` if a tag that resolved before no longer does.
    """
    going = set(plan.gone)
    remaining = [
        tag for tag, digest in before.graph.tags.items() if digest not in going and _was_complete(before.graph, digest)
    ]
    fresh = {version.digest: version for version in packages.versions()} if packages else None
    deleted: list[str] = []
    spared: dict[str, str] = {}
    for digest in plan.gone:
        why = spared.get(digest) or _changed(registry, before, digest, fresh)
        if not why:
            why = _deleted(registry, packages, (fresh or {}).get(digest), digest)
        if why:
            # Its parts stay with it.
            spared |= {digest: why, **dict.fromkeys(before.graph.nodes[digest].children or (), f"{digest} stays")}
            continue
        say(f"deleted {digest}{_tags(before, digest)}")
        deleted.append(digest)
    broken = sorted(set(remaining) - set(_resolving(registry, remaining)))
    if broken:
        raise Incomplete(
            f"after {len(deleted)} deletions these tags no longer resolve: {', '.join(broken)}",
            where=registry.name,
            next_step=advice.PUSH_IMAGES_AGAIN(),
            retryable=False,
        )
    return Cleaned(
        deleted=tuple(deleted), spared=tuple((digest, spared[digest]) for digest in plan.gone if digest in spared)
    )


def _deleted(registry: Registry, packages: Packages | None, version: PackageVersion | None, digest: str) -> str:
    """Delete one digest. Return why the registry or forge refuses, or the empty text on success."""
    try:
        if packages is None:
            registry.delete(digest)
        elif version is not None:
            packages.delete(version)
    except Rejected as error:
        return error.what
    return ""


def _was_complete(graph: Graph, digest: str) -> bool:
    """Whether everything that a digest names was there when the repository was read."""
    node = graph.nodes.get(digest)
    if node is None or node.lost or node.children is None:
        return False
    return all(_was_complete(graph, child) for child in node.children)


def _tags(before: Survey, digest: str) -> str:
    tags = before.graph.tags_on(digest)
    return f" ({', '.join(tags)})" if tags else ""


def _changed(registry: Registry, before: Survey, digest: str, fresh: Mapping[str, PackageVersion] | None) -> str:
    """Return what has changed about a digest since the repository was read; empty if nothing has."""
    known = before.graph.tags_on(digest)
    if fresh is not None:
        if digest not in fresh:
            return "the forge does not list it, or no longer does"
        if tuple(sorted(fresh[digest].tags)) != known:
            return "its tags have changed"
    moved = [tag for tag in known if registry.head(tag) != digest]
    return f"{', '.join(moved)} was moved" if moved else ""


def _resolving(registry: Registry, tags: Iterable[str]) -> list[str]:
    """Return the tags whose manifest is there with everything that it names."""
    names = list(tags)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        complete = pool.map(lambda tag: _is_complete(registry, tag), names)
        return [tag for tag, is_complete in zip(names, complete, strict=True) if is_complete]


def _is_complete(registry: Registry, reference: str, depth: int = 4) -> bool:
    manifest = registry.manifest(reference)
    if manifest is None or not depth:
        return False
    document = oci.read_manifest(manifest.data, manifest.media_type, where=f"{registry.name}, {reference}")
    if isinstance(document, oci.ImageManifest):
        return True
    return all(_is_complete(registry, each.digest, depth - 1) for each in document.manifests)
