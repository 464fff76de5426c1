"""I3: floating pointers never move back, never to a prerelease, and only after the version itself is there.

The pointers are tags of images such as ``latest``, ``1`` and ``1.0``, and the release page that the forge shows as the
latest.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from packaging.version import Version

from unmoor.rehearsal.invariants.effects import split_tag, version_of
from unmoor.rehearsal.invariants.evidence import Finding
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.stores import INDEX, StoredImages, latest_page

VERSION_LABEL = "org.opencontainers.image.version"


def wrong_pointers(facts: Facts) -> Iterator[Finding]:
    """Follow every pointer: by what the stores remember, and in the order of the log."""
    yield from _latest_page(facts)
    for image in facts.expected.images:
        if (stored := facts.stored(image)) is not None:
            for tag in image.floating:
                yield from _tag_by_history(facts, stored, tag)
                yield from _tag_by_log(facts, stored, tag)
    yield from _early(facts)


def _latest_page(facts: Facts) -> Iterator[Finding]:
    """The latest page in the end, against all that were it before; and the moves in the log."""
    latest = latest_page(facts.pages)
    order = [page.tag for page in sorted(facts.pages, key=lambda page: page.mark) if page.mark]
    moves = [each.tag for each in facts.log if each.server == "forge" and each.latest and each.done]
    for name, tags in (("by its marks", order), ("in the log", moves)):
        for before, after in pairwise(tags):
            (prefix, old), (other, new) = split_tag(before), split_tag(after)
            if prefix == other and old and new and new < old:
                yield Finding(f"the latest release moved back from {before} to {after} ({name})", "forge")
    for tag in dict.fromkeys((*moves, latest.tag if latest else "")):
        if tag and _is_prerelease(version_of(tag)):
            yield Finding(f"the latest release is the prerelease {tag}", "forge")


def _tag_by_history(facts: Facts, stored: StoredImages, tag: str) -> Iterator[Finding]:
    """The registry remembers every digest that a tag had."""
    current = stored.tags.get(tag)
    if current is None:
        return
    now = _version(facts, stored, current)
    for digest in stored.history(tag):
        version = _version(facts, stored, digest)
        if version is None:
            yield Finding(f"{tag} was moved to {digest}, which is of no version", str(stored))
        elif version.is_prerelease:
            yield Finding(f"{tag} was moved to the prerelease {version}", str(stored))
        elif now is not None and version > now:
            yield Finding(f"{tag} is at {now}, and was at {version} before", str(stored))


def _tag_by_log(facts: Facts, stored: StoredImages, tag: str) -> Iterator[Finding]:
    before: Version | None = None
    for request in facts.log:
        if request.method != "PUT" or not request.done or request.host != stored.host or not request.digest:
            continue
        if request.manifest != (stored.name, tag):
            continue
        version = _version(facts, stored, request.digest)
        if before is not None and version is not None and version < before:
            yield Finding(f"{tag} moved back from {before} to {version}", request.where)
        before = version or before


def _version(facts: Facts, stored: StoredImages, digest: str) -> Version | None:
    """The version of an image: its label says it, else a tag that names a whole version and leads there."""
    for _, labels in stored.configs(digest):
        if version := version_of(labels.get(VERSION_LABEL, "")):
            return version
    floating = {tag for image in facts.expected.images for tag in image.floating}
    named = (tag for tag, at in stored.tags.items() if at == digest and tag not in floating)
    return next((version for tag in named if not tag.startswith("sha") and (version := version_of(tag))), None)


def _early(facts: Facts) -> Iterator[Finding]:
    """Pointers that moved to this release before it was whole on the index, and under its own tags."""
    here: dict[str, int] = {}
    for at, effect in enumerate(facts.effects):
        here.setdefault(f"{effect.surface} {effect.what}", at)
    names = [f"{INDEX} {name}" for name in facts.expected.files]
    for image in facts.expected.images:
        own = [f"{image.host} {image.name}:{tag}" for tag in image.tags]
        for pointer in (f"{image.host} {image.name}:{tag}" for tag in image.floating):
            if (moved := here.get(pointer)) is not None:
                yield from _late(facts, here, moved, [*names, *own], pointer.partition(" ")[2])
    names += [f"{i.host} {i.name}:{tag}" for i in facts.expected.images for tag in i.tags]
    if (made := next((at for at, each in enumerate(facts.effects) if each.request.latest), None)) is not None:
        yield from _late(facts, here, made, names, "the latest release")


def _late(facts: Facts, here: dict[str, int], at: int, names: list[str], pointer: str) -> Iterator[Finding]:
    """What came after a pointer moved, or never came. What is there without a line in the log came before it."""
    late = [name for name in names if here.get(name, -1) > at or (name not in here and not facts.is_there(name))]
    if late:
        yield Finding(
            f"{pointer} moved to {facts.expected.tag} before {', '.join(late)}", facts.effects[at].request.where
        )


def _is_prerelease(version: Version | None) -> bool:
    return version is not None and version.is_prerelease
