"""What `unmoor watch` finds: releases that are not, or no longer, as they should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from unmoor.products.surface_state import State

FindingId: TypeAlias = Literal[
    "not-released",
    "stopped",
    "draft-left",
    "tag-gone",
    "tag-moved",
    "release-without-files",
    "release-differs",
    "index-lacks-files",
    "index-differs",
    "yanked",
    "no-attestations",
    "image-missing",
    "image-differs",
    "image-tag-stale",
    "latest-stale",
    "project-archived",
    "project-quarantined",
]
"""The id of a finding, by which people accept it."""

FINDINGS: Mapping[FindingId, str] = {
    "not-released": "The tag is on the remote, and nothing of it is on any surface.",
    "stopped": "A run ended before it was done: a part of the release is out, and there is no public release.",
    "draft-left": "A draft is left: nothing else of the release is out, or it is public without that draft.",
    "tag-gone": "The remote no longer has the tag of a release.",
    "tag-moved": "The tag on the remote names another commit than the one that was released.",
    "release-without-files": "The public release lacks its manifest, or files that the manifest lists.",
    "release-differs": "The public release has other files than the manifest lists, or a wrong mark.",
    "index-lacks-files": "The index lacks files of a public release.",
    "index-differs": "The index has other files than the manifest lists.",
    "yanked": "The version is yanked on the index.",
    "no-attestations": "Files on the index lack attestations, and those of an earlier version have them.",
    "image-missing": "A registry lacks an image of the release, or one of the version's own tags.",
    "image-differs": "One of the version's own tags points at another image.",
    "image-tag-stale": "A floating tag such as `latest` or `1.2` points at the wrong release.",
    "latest-stale": "The forge's latest release is not the highest final version.",
    "project-archived": "The project is archived on the index, which takes no files for it.",
    "project-quarantined": "The project is quarantined on the index, which shows no files of it.",
}
"""What each finding means."""
MAY_BE_RUNNING: frozenset[FindingId] = frozenset({"not-released", "stopped", "draft-left"})
"""What a run that has not ended explains."""


class DriftFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it should be.

    ``tag`` is empty if it is about the project. ``state`` is incomplete or conflicting, as `status` calls it.
    ``next_step`` says how to fix it, and ``advice`` are the ids of that.
    """

    tag: str
    finding: FindingId
    surface: str
    state: State
    what: str
    next_step: str
    advice: tuple[str, ...]


class NotKnown(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be read, why, and the tags that it is about; none if it is about the project."""

    surface: str
    why: str
    tags: tuple[str, ...]


class RunningTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag that a run of a workflow is still about. Such a tag has no finding yet."""

    tag: str
    url: str


class AcceptedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that the settings accept, and why."""

    finding: DriftFinding
    reason: str
