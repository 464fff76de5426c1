"""Cleaning one repository of images: read all of it, decide by `unmoor.images.sweep`, delete, and look again.

GHCR lists every manifest as a version of a package, and deletes versions. Other registries list
tags alone: what no tag reaches cannot be seen there, and is left to the registry's own collection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec

from unmoor.artifacts import oci
from unmoor.errors import Conflict, Incomplete, Rejected, Unknown
from unmoor.images.sweep import Graph, Node, Sweep
from unmoor.ports.registry import OciManifest, Packages, PackageVersion, Registry
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

_AT_ONCE = 6
_CREATED = "org.opencontainers.image.created"


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a repository was seen to hold; ``versions`` by digest, empty where there is no list of them."""

    graph: Graph
    versions: Mapping[str, PackageVersion]


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """What was deleted, and what was not after all, each with the reason."""

    deleted: tuple[str, ...]
    spared: tuple[tuple[str, str], ...]


def survey(registry: Registry, packages: Packages | None, *, say: Callable[[str], None] = lambda _: None) -> Survey:
    """Read every manifest that can be seen. One that cannot be read is noted as lost. Raises `Denied`, `Unknown`."""
    versions = {version.digest: version for version in packages.versions()} if packages else {}
    tags = {tag: version.digest for version in versions.values() for tag in version.tags}
    # The list of versions may lag behind the registry: what only one of them knows counts.
    missing = [tag for tag in registry.tags() if tag not in tags]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        heads = zip(missing, pool.map(registry.head, missing), strict=True)
        tags |= {tag: digest for tag, digest in heads if digest is not None}
        about = [subject for tag in tags if (subject := oci.subject_of_tag(tag)) is not None]
        # By digest the media type that somebody says it has, empty where nobody does.
        kinds = dict.fromkeys((*versions, *tags.values(), *about), "")
        nodes: dict[str, Node] = {}
        while pending := [digest for digest in kinds if digest not in nodes]:
            say(f"reading {len(pending)} manifests of {registry.name}")
            asked = [(digest, kinds[digest]) for digest in pending]
            for node, named in pool.map(lambda each: _read(registry, *each), asked):
                nodes[node.digest] = _dated(node, versions.get(node.digest))
                # A subject that nobody lists is looked for, too: it may be there without a tag.
                kinds = {**({node.subject: ""} if node.subject else {}), **kinds, **named}
    gone = {digest for digest in _unlisted(nodes, tags, versions) if nodes[digest].lost == _ABSENT}
    nodes = {digest: node for digest, node in nodes.items() if digest not in gone}
    return Survey(graph=Graph(nodes=_with_dates(nodes), tags=tags), versions=versions)


_ABSENT = "404: it is not there"


def _unlisted(nodes: Mapping[str, Node], tags: Mapping[str, str], versions: Mapping[str, PackageVersion]) -> set[str]:
    """What is only spoken of by what says something about it."""
    named = {child for node in nodes.values() for child in node.children or ()}
    return set(nodes) - named - set(tags.values()) - set(versions)


def _read(registry: Registry, digest: str, kind: str) -> tuple[Node, dict[str, str]]:
    """Read one manifest: the node, and what it names with the media types that it says these have."""
    try:
        manifest = registry.manifest(digest)
        if manifest is not None:
            return _node(registry, manifest)
        lost = _ABSENT
    except (Unknown, Conflict) as error:
        lost = clean(error.what)
    # Whoever names it knows whether it is an index; else it may be one, over anything.
    known = lost == _ABSENT or kind in oci.MANIFESTS
    return Node(digest=digest, children=() if known else None, lost=lost), {}


def _node(registry: Registry, manifest: OciManifest) -> tuple[Node, dict[str, str]]:
    document = oci.read_manifest(manifest.data, manifest.media_type, where=f"{registry.name}, {manifest.digest}")
    created = document.annotations.get(_CREATED, "")
    if isinstance(document, oci.ImageIndex):
        named = {each.digest: each.media_type for each in document.manifests}
        node = Node(digest=manifest.digest, children=tuple(named), subject=document.subject, created=seconds(created))
        return node, named
    if not created:
        created = _created(registry, document)
    return Node(digest=manifest.digest, subject=document.subject, created=seconds(created)), {}


class _Config(msgspec.Struct, frozen=True):
    created: str = ""


def _created(registry: Registry, document: oci.ImageManifest) -> str:
    """When an image was made, by its configuration; the empty text where that does not say."""
    if document.config.size > oci.LIMIT:
        return ""
    try:
        return decode_json(registry.blob(document.config.digest), _Config).created
    except (Unknown, Conflict, ValueError):
        return ""


def seconds(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 time, ``None`` where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _dated(node: Node, version: PackageVersion | None) -> Node:
    """The forge knows when a digest came; that is later than when the image was made, and counts."""
    came = seconds(version.created) if version else None
    return node if came is None else replace(node, created=max(came, node.created or came))


def _with_dates(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """An index that does not say when it was made is as young as the youngest of its parts."""
    dated = dict(nodes)
    for digest, node in nodes.items():
        if node.created is None and node.children:
            dates = [nodes[child].created for child in node.children if child in nodes]
            if dates and all(date is not None for date in dates):
                dated[digest] = replace(node, created=max(date for date in dates if date is not None))
    return dated


def apply(
    registry: Registry, packages: Packages | None, seen: Survey, plan: Sweep, *, say: Callable[[str], None]
) -> Cleaned:
    """Delete what may go, each looked at once more right before, and see that every tag that remains still resolves.

    Raises `Incomplete` where one does not that did before.
    """
    going = set(plan.gone)
    remaining = [tag for tag, digest in seen.graph.tags.items() if digest not in going and _sound(seen.graph, digest)]
    fresh = {version.digest: version for version in packages.versions()} if packages else None
    deleted: list[str] = []
    spared: dict[str, str] = {}
    for digest in plan.gone:
        why = spared.get(digest) or _changed(registry, seen, digest, fresh)
        if not why:
            why = _deleted(registry, packages, (fresh or {}).get(digest), digest)
        if why:
            # Its parts stay with it.
            spared |= {digest: why, **dict.fromkeys(seen.graph.nodes[digest].children or (), f"{digest} stays")}
            continue
        say(f"deleted {digest}{_tags(seen, digest)}")
        deleted.append(digest)
    broken = sorted(set(remaining) - set(_resolving(registry, remaining)))
    if broken:
        raise Incomplete(
            f"after {len(deleted)} deletions these tags no longer resolve: {', '.join(broken)}",
            where=registry.name,
            next_step="push these images again; the digests that were deleted are named above",
            retryable=False,
        )
    return Cleaned(
        deleted=tuple(deleted), spared=tuple((digest, spared[digest]) for digest in plan.gone if digest in spared)
    )


def _deleted(registry: Registry, packages: Packages | None, version: PackageVersion | None, digest: str) -> str:
    """Delete one digest; return why the other side refuses, the empty text where it is gone."""
    try:
        if packages is None:
            registry.delete(digest)
        elif version is not None:
            packages.delete(version)
    except Rejected as error:
        return error.what
    return ""


def _sound(graph: Graph, digest: str) -> bool:
    """Whether everything that a digest names was there when everything was read."""
    node = graph.nodes.get(digest)
    if node is None or node.lost or node.children is None:
        return False
    return all(_sound(graph, child) for child in node.children)


def _tags(seen: Survey, digest: str) -> str:
    tags = seen.graph.tags_on(digest)
    return f" ({', '.join(tags)})" if tags else ""


def _changed(registry: Registry, seen: Survey, digest: str, fresh: Mapping[str, PackageVersion] | None) -> str:
    """Why a digest is no longer what it was when everything was read, the empty text where it is."""
    known = seen.graph.tags_on(digest)
    if fresh is not None:
        if digest not in fresh:
            return "the forge does not list it (any more)"
        if tuple(sorted(fresh[digest].tags)) != known:
            return "its tags have changed"
    moved = [tag for tag in known if registry.head(tag) != digest]
    return f"{', '.join(moved)} was moved" if moved else ""


def _resolving(registry: Registry, tags: Iterable[str]) -> list[str]:
    """The tags whose manifest, and everything that it names, is there."""
    names = list(tags)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [
            tag for tag, whole in zip(names, pool.map(lambda tag: _whole(registry, tag), names), strict=True) if whole
        ]


def _whole(registry: Registry, reference: str, depth: int = 4) -> bool:
    manifest = registry.manifest(reference)
    if manifest is None or not depth:
        return False
    document = oci.read_manifest(manifest.data, manifest.media_type, where=f"{registry.name}, {reference}")
    if isinstance(document, oci.ImageManifest):
        return True
    return all(_whole(registry, each.digest, depth - 1) for each in document.manifests)
