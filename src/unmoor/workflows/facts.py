"""What the workflows of a project depend on, all known when they are written."""

from __future__ import annotations

import msgspec

from unmoor.config.settings import Settings


class WorkflowFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A project at the commit whose workflows are written.

    ``path`` is its folder in the repository, empty for the top. ``tags`` are the patterns of its release tags, as
    ``on.push.tags`` takes them. ``wheels`` are the systems that build wheels with cibuildwheel, by the names of the
    setting; empty for a project that one machine builds. ``platforms`` are those of its images, as in ``linux/amd64``;
    empty if it has none. ``pythons`` are the minor versions that it supports, lowest first.
    """

    settings: Settings
    project: str
    path: str = ""
    tags: tuple[str, ...] = ("v[0-9]*", "[0-9]*")
    wheels: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ("3.11", "3.12", "3.13", "3.14")
    default_branch: str = "main"
