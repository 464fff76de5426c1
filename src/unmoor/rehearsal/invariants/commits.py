"""I9: the tag, the artifacts, the labels of the images, the release's target and name are of one commit and version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from packaging.version import Version

from unmoor.filesystem.files import read_regular
from unmoor.rehearsal.invariants.effects import version_of
from unmoor.rehearsal.invariants.evidence import End, Finding, ImageExpected
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.git_objects import commit_of
from unmoor.rehearsal.invariants.stores import ForgePage
from unmoor.util.decode import decode_json

REVISION_LABEL = "org.opencontainers.image.revision"
VERSION_LABEL = "org.opencontainers.image.version"
_DOCUMENTS = frozenset({"manifest.json", "images.json", "pushed.json"})
"""Assets that name the commit of what they describe."""
_LIMIT = 16 << 20


def mixed_commits(facts: Facts) -> Iterator[Finding]:
    """Compare every place that names the commit or the version."""
    expected = facts.expected
    if expected.end is End.CONVERGED:
        found = commit_of(facts.evidence.remote, f"refs/tags/{expected.tag}")
        if found != expected.commit:
            yield Finding(f"the tag {expected.tag} leads to {found or 'nothing'}, not {expected.commit}", "remote")
    for page in facts.pages:
        if page.tag == expected.tag:
            yield from _page(facts, page)
    for image in expected.images:
        yield from _image(facts, image)
    yield from _mirrors(facts)


def _page(facts: Facts, page: ForgePage) -> Iterator[Finding]:
    expected = facts.expected
    if page.target != expected.commit:
        yield Finding(f"its target is {page.target}, not {expected.commit}", f"release page of {page.tag}")
    if not page.draft and page.prerelease != expected.prerelease:
        yield Finding(f"prerelease is {page.prerelease}, but the version is {expected.version}", page.tag)
    if page.name and version_of(page.name) not in {None, Version(expected.version)}:
        yield Finding(f"its name is {page.name!r}, but the version is {expected.version}", page.tag)
    for asset in page.assets:
        if asset.name not in _DOCUMENTS or asset.state != "uploaded":
            continue
        data = read_regular(facts.evidence.world / "forge" / "assets" / str(asset.id), _LIMIT)
        document = decode_json(data, dict[str, Any])
        for field, wanted in (("commit", expected.commit), ("tag", expected.tag), ("version", expected.version)):
            if field in document and document[field] != wanted:
                yield Finding(f"{asset.name} is of the {field} {document[field]}, not {wanted}", page.tag)


def _image(facts: Facts, image: ImageExpected) -> Iterator[Finding]:
    stored = facts.stored(image)
    for tag in image.tags if stored else ():
        digest = stored.tags.get(tag) if stored else None
        if stored is None or digest is None:
            continue
        for config, labels in stored.configs(digest):
            for label, wanted in ((REVISION_LABEL, facts.expected.commit), (VERSION_LABEL, facts.expected.version)):
                if labels.get(label) != wanted:
                    what = f"{tag} has the label {label}={labels.get(label)} ({config[:19]}), not {wanted}"
                    yield Finding(what, str(stored))


def _mirrors(facts: Facts) -> Iterator[Finding]:
    """Each tag of the version leads to one digest, whatever the registry."""
    digests: dict[str, dict[str, str]] = {}
    for image in facts.expected.images:
        stored = facts.stored(image)
        for tag in image.tags if stored else ():
            if stored is not None and (digest := stored.tags.get(tag)):
                digests.setdefault(f"{image.name}:{tag}", {})[image.host] = digest
    for name, held in digests.items():
        if len(set(held.values())) > 1:
            yield Finding(f"it differs between registries: {held}", name)
