"""What a release must be at its end, read from the end of one without faults in a world of its own."""

from __future__ import annotations

import re

from packaging.version import Version

from unmoor.rehearsal.invariants.effects import is_of
from unmoor.rehearsal.invariants.evidence import Expected, ImageExpected
from unmoor.rehearsal.invariants.final_state import FinalState
from unmoor.rehearsal.invariants.stores import INDEX, STAGING

_OF_COMMIT = re.compile(r"sha-.*")
_FLOATING = re.compile(r"(?:latest|[0-9]+(?:\.[0-9]+)?)(?P<suffix>-[a-z].*)?")


def expect(baseline: FinalState, *, repository: str, project: str, tag: str, version: str, commit: str) -> Expected:
    """Derive what to expect. Raises `ValueError` if the baseline holds no release of the tag."""
    bare = Expected(repository=repository, project=project, tag=tag, version=version, commit=commit, files={})
    files = {
        name: digest for held in baseline.indexes[INDEX].values() for name, digest in held.items() if is_of(name, bare)
    }
    page = next((page for page in baseline.pages.get(tag, ()) if not page.draft), None)
    if page is None or not files:
        msg = f"the release without faults left no files or no release page of {tag}"
        raise ValueError(msg)
    return Expected(
        repository=repository,
        project=project,
        tag=tag,
        version=version,
        commit=commit,
        files=files,
        assets=tuple(sorted(page.assets)),
        images=_images(baseline, version),
        prerelease=page.prerelease,
        highest=baseline.latest == tag,
        staging=any(name in held for held in baseline.indexes[STAGING].values() for name in files),
    )


def _images(baseline: FinalState, version: str) -> tuple[ImageExpected, ...]:
    """Every image, with its tags that name the version, and those that lead to the same and move later."""
    found = []
    for at, tags in baseline.images.items():
        host, _, name = at.partition("/")
        own = [tag for tag in tags if not _OF_COMMIT.fullmatch(tag) and not _FLOATING.fullmatch(tag)]
        own = [tag for tag in own if _names(tag, version)]
        images = {tags[tag] for tag in own}
        floating = [tag for tag in tags if _FLOATING.fullmatch(tag) and tags[tag] in images]
        found.append(ImageExpected(host=host, name=name, tags=tuple(own), floating=tuple(floating)))
    return tuple(found)


def _names(tag: str, version: str) -> bool:
    """Whether a tag names the version: ``v1.0``, ``1.0.1``, ``1.0.1-dev``."""
    text = tag.removeprefix("v")
    wanted = {version, str(Version(version)), version.replace("+", "_")}
    return any(text == each or text.startswith(f"{each}-") for each in wanted)
