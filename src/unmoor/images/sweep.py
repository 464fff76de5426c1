"""Decide what may be deleted from a repository of images: mark and sweep. Pure; reads and deletes nothing.

A manifest is needed if a remaining tag reaches it: directly, through indexes, or as a referrer (signature,
attestation or the like) of a needed manifest. A manifest that could not be read stays, and so does
everything that it may reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType

import msgspec

from unmoor.artifacts.oci import subject_of_tag

PASSING = ("sha-*", "pr-*")
"""Patterns of the tags that builds leave behind, one per commit or pull request. Only such tags may be deleted."""
DAY = 86_400.0


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest: what it names, the subject that it refers to, and when it was made (seconds since 1970).

    ``children`` is ``None`` if they are unknown: the manifest could not be read and may be an index.
    ``lost`` is why it could not be read; empty if it was read.
    """

    digest: str
    children: tuple[str, ...] | None = ()
    subject: str | None = None
    created: float | None = None
    lost: str = ""


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """The known manifests of a repository, by digest, and its tags with their digests."""

    nodes: Mapping[str, Node]
    tags: Mapping[str, str]

    def tags_on(self, digest: str) -> tuple[str, ...]:
        """Return the tags on a digest, sorted."""
        return tuple(sorted(tag for tag, at in self.tags.items() if at == digest))


class RetentionRules(msgspec.Struct, frozen=True, kw_only=True):
    """What may be deleted: older than ``older_than`` seconds, and not one of the ``keep`` newest candidates.

    ``passing`` are patterns of tags that may be deleted, ``protect`` of tags that never are.
    """

    keep: int = 10
    older_than: float = 30 * DAY
    passing: tuple[str, ...] = PASSING
    protect: tuple[str, ...] = ()


class Why(StrEnum):
    """Why a manifest stays."""

    TAGGED = "a tag that stays points at it"
    NEEDED = "a tag that stays needs it"
    ABOUT = "it refers to a manifest that stays"
    NEWEST = "it is one of the newest"
    YOUNG = "it is not old enough"
    UNDATED = "its date is unknown"
    LOST = "it could not be read"
    UNSURE = "an unreadable manifest may need it"


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """The digests that may be deleted, indexes before their parts, and why every other one stays."""

    gone: tuple[str, ...]
    kept: Mapping[str, Why] = msgspec.field(default_factory=lambda: MappingProxyType({}))


def sweep(graph: Graph, rules: RetentionRules, *, now: float) -> Sweep:
    """Decide which manifests of a repository may be deleted. ``now`` is in seconds since 1970."""
    edges = _Edges.of(graph)
    kept: dict[str, Why] = {}

    def keep(roots: Iterable[str], why: Why) -> None:
        for digest, reason in edges.reached(roots, why, kept):
            kept.setdefault(digest, reason)

    remaining = sorted(digest for digest in graph.nodes if any(_stays(tag, rules) for tag in graph.tags_on(digest)))
    keep(remaining, Why.TAGGED)
    lost = sorted(digest for digest, node in graph.nodes.items() if node.lost)
    keep(lost, Why.LOST)
    if any(graph.nodes[digest].children is None for digest in lost):
        keep(sorted(graph.nodes), Why.UNSURE)
    # A manifest that names an unreadable one stays with all its parts: which parts it shares is unknown.
    keep(sorted(digest for digest in graph.nodes if edges.names(digest, set(lost))), Why.UNSURE)

    roots = [digest for digest in edges.roots() if digest not in kept]
    undated = [digest for digest in roots if graph.nodes[digest].created is None]
    keep(undated, Why.UNDATED)
    dated = sorted((each for each in roots if each not in undated), key=lambda each: (-_made(graph, each), each))
    keep(dated[: rules.keep], Why.NEWEST)
    keep((each for each in dated if now - _made(graph, each) < rules.older_than), Why.YOUNG)
    return Sweep(gone=tuple(edges.ordered(set(graph.nodes) - kept.keys())), kept=MappingProxyType(kept))


def _stays(tag: str, rules: RetentionRules) -> bool:
    """Whether a tag is never deleted on its own. A referrer's tag stays or goes with its subject."""
    passing = subject_of_tag(tag) is not None or any(fnmatchcase(tag, pattern) for pattern in rules.passing)
    return not passing or any(fnmatchcase(tag, pattern) for pattern in rules.protect)


def _made(graph: Graph, digest: str) -> float:
    return graph.nodes[digest].created or 0.0


class _Edges(msgspec.Struct, frozen=True, kw_only=True):
    """Which manifests name which, and which refer to which as their subject."""

    graph: Graph
    parts: Mapping[str, Sequence[str]]
    subjects: Mapping[str, Sequence[str]]
    about: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, graph: Graph) -> _Edges:
        parts = {
            digest: [child for child in node.children or () if child in graph.nodes]
            for digest, node in graph.nodes.items()
        }
        subjects = {digest: [node.subject] if node.subject else [] for digest, node in graph.nodes.items()}
        for tag, digest in graph.tags.items():
            subject = subject_of_tag(tag)
            if subject is not None and digest in subjects:
                subjects[digest].append(subject)
        about: dict[str, list[str]] = {}
        for digest, named in subjects.items():
            for subject in named:
                about.setdefault(subject, []).append(digest)
        return cls(graph=graph, parts=parts, subjects=subjects, about=about)

    def reached(self, roots: Iterable[str], why: Why, known: Mapping[str, Why]) -> Iterator[tuple[str, Why]]:
        """Yield everything that must stay with these, each with its reason; skip what is known to stay."""
        seen = set(known)
        pending = [(root, why) for root in roots]
        while pending:
            digest, reason = pending.pop()
            if digest in seen or digest not in self.graph.nodes:
                continue
            seen.add(digest)
            yield digest, reason
            part = Why.NEEDED if reason in {Why.TAGGED, Why.NEEDED, Why.ABOUT} else reason
            pending += [(each, part) for each in self.parts[digest]]
            about = Why.ABOUT if part is Why.NEEDED else reason
            pending += [(each, about) for each in self.about.get(digest, ())]

    def names(self, digest: str, lost: set[str]) -> bool:
        """Whether a manifest names, directly or through indexes, one of these or an unknown one."""
        pending, seen = [digest], set()
        while pending:
            each = pending.pop()
            if each in seen:
                continue
            seen.add(each)
            children = self.graph.nodes[each].children or ()
            if any(child in lost or child not in self.graph.nodes for child in children):
                return True
            pending += children
        return False

    def roots(self) -> list[str]:
        """Return the manifests that no index names and that refer to no existing subject: each is one version."""
        named = {child for parts in self.parts.values() for child in parts}
        return [
            digest
            for digest in self.graph.nodes
            if digest not in named and not any(each in self.graph.nodes for each in self.subjects[digest])
        ]

    def ordered(self, going: set[str]) -> Iterator[str]:
        """Yield referrers first, then indexes, then their parts, so that a deletion leaves nothing dangling."""
        above: dict[str, set[str]] = {digest: set() for digest in going}
        for digest in going:
            for part in self.parts[digest]:
                if part in going:
                    above[part].add(digest)
            for each in self.about.get(digest, ()):
                if each in going:
                    above[digest].add(each)
        while above:
            ready = sorted(digest for digest, others in above.items() if not others & above.keys())
            for digest in ready or sorted(above)[:1]:
                yield digest
                del above[digest]
