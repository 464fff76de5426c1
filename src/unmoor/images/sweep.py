"""What of a repository of images may be deleted: mark and sweep. Pure; nothing is read or deleted here.

A manifest is needed if a tag that remains reaches it: directly, through indexes, or as something that
says a thing about what is needed (signatures, attestations and other referrers). What could not be
read is never taken for unneeded, and nothing that it may reach is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType

from unmoor.artifacts.oci import subject_of_tag

PASSING = ("sha-*", "pr-*")
"""Tags that builds leave behind by the dozen: of a commit, of a pull request. Only such tags may ever go."""
DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Node:
    """One manifest: what it names, what it says something about, and when it was made (seconds since 1970).

    ``children`` is ``None`` where they are not known, since the manifest could not be read and may
    be an index. ``lost`` is why it could not be read, empty where it was.
    """

    digest: str
    children: tuple[str, ...] | None = ()
    subject: str | None = None
    created: float | None = None
    lost: str = ""


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Every manifest that is known of a repository, by digest, and its tags with their digests."""

    nodes: Mapping[str, Node]
    tags: Mapping[str, str]

    def tags_on(self, digest: str) -> tuple[str, ...]:
        """The tags on a digest, sorted."""
        return tuple(sorted(tag for tag, at in self.tags.items() if at == digest))


@dataclass(frozen=True, kw_only=True)
class RetentionRules:
    """What may go: older than ``older_than`` seconds, and never one of the ``keep`` newest of those that could.

    ``passing`` are patterns of tags that may go, ``protect`` of tags that never do.
    """

    keep: int = 10
    older_than: float = 30 * DAY
    passing: tuple[str, ...] = PASSING
    protect: tuple[str, ...] = ()


class Why(StrEnum):
    """Why a manifest stays."""

    TAGGED = "a tag that stays is on it"
    NEEDED = "a tag that stays needs it"
    ABOUT = "it says something about what stays"
    NEWEST = "it is one of the newest"
    YOUNG = "it is not old enough"
    UNDATED = "it is not known when it was made"
    LOST = "it could not be read"
    UNSURE = "what could not be read may need it"


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What may go, whole things before their parts, and why everything else stays."""

    gone: tuple[str, ...]
    kept: Mapping[str, Why] = field(default_factory=lambda: MappingProxyType({}))


def sweep(graph: Graph, rules: RetentionRules, *, now: float) -> Sweep:
    """Decide. ``now`` in seconds since 1970."""
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
    # Whoever names something that could not be read stays whole: its parts cannot be told from others' parts.
    keep(sorted(digest for digest in graph.nodes if edges.names(digest, set(lost))), Why.UNSURE)

    roots = [digest for digest in edges.roots() if digest not in kept]
    undated = [digest for digest in roots if graph.nodes[digest].created is None]
    keep(undated, Why.UNDATED)
    dated = sorted((each for each in roots if each not in undated), key=lambda each: (-_made(graph, each), each))
    keep(dated[: rules.keep], Why.NEWEST)
    keep((each for each in dated if now - _made(graph, each) < rules.older_than), Why.YOUNG)
    return Sweep(gone=tuple(edges.ordered(set(graph.nodes) - kept.keys())), kept=MappingProxyType(kept))


def _stays(tag: str, rules: RetentionRules) -> bool:
    """Whether a tag is one that never goes by itself. One that says something about a digest stays with that."""
    passing = subject_of_tag(tag) is not None or any(fnmatchcase(tag, pattern) for pattern in rules.passing)
    return not passing or any(fnmatchcase(tag, pattern) for pattern in rules.protect)


def _made(graph: Graph, digest: str) -> float:
    return graph.nodes[digest].created or 0.0


@dataclass(frozen=True, kw_only=True)
class _Edges:
    """Who names whom, and who says something about whom."""

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
        """Everything that must stay with these, each with its reason; what is known to stay is passed over."""
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
        """Whether a manifest names, through whatever indexes, one of these, or one that is not known at all."""
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
        """What nobody names and what says nothing about another manifest that is there: each is one version."""
        named = {child for parts in self.parts.values() for child in parts}
        return [
            digest
            for digest in self.graph.nodes
            if digest not in named and not any(each in self.graph.nodes for each in self.subjects[digest])
        ]

    def ordered(self, going: set[str]) -> Iterator[str]:
        """What says something about others first, then indexes, then their parts: nothing is ever left dangling."""
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
