"""The evidence, with what it leads to: each store read once, and the log as what the release did, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from unmoor.rehearsal.invariants.effects import Effect, effects
from unmoor.rehearsal.invariants.evidence import Evidence, Expected, ImageExpected, RunEvidence
from unmoor.rehearsal.invariants.request_log import LoggedRequest
from unmoor.rehearsal.invariants.stores import (
    INDEX,
    STAGING,
    ForgePage,
    IndexProject,
    StoredImages,
    read_images,
    read_index,
    read_pages,
)


@dataclass(frozen=True)
class Facts:
    """What the judge works on. Whatever reads a store raises `ValueError` or `OSError`, where it is needed."""

    evidence: Evidence
    log: Sequence[LoggedRequest]

    @property
    def expected(self) -> Expected:
        """What the release must be at its end."""
        return self.evidence.expected

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes that must hold the files, the staging index first."""
        return (STAGING, INDEX) if self.expected.staging else (INDEX,)

    @cached_property
    def projects(self) -> dict[str, tuple[IndexProject, ...]]:
        """Every project, by index."""
        return {index: read_index(self.evidence.world / index) for index in (STAGING, INDEX)}

    @cached_property
    def pages(self) -> tuple[ForgePage, ...]:
        """Every release page."""
        return read_pages(self.evidence.world / "forge")

    @cached_property
    def images(self) -> tuple[StoredImages, ...]:
        """Every image."""
        return read_images(self.evidence.world)

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """What the runs changed of the release, in order. What was there before the first began is no change."""
        start, end = self._span
        found = effects(self.log, self.expected, self._own_digests())
        return tuple(each for each in found if start <= each.request.start < end)

    @property
    def of_runs(self) -> tuple[LoggedRequest, ...]:
        """The requests since the first run began. Who prepares a world may have sent something before."""
        start, _ = self._span
        return tuple(each for each in self.log if start <= each.start)

    @property
    def _span(self) -> tuple[int, int]:
        runs = self.evidence.runs
        return min((run.log_start for run in runs), default=0), max((run.log_end for run in runs), default=0)

    def _own_digests(self) -> frozenset[str]:
        """The digests that the tags of the version have, or had in the log."""
        own = {(image.host, image.name, tag) for image in self.expected.images for tag in image.tags}
        put = {(each.host, *each.manifest): each.digest for each in self.log if each.manifest and each.method == "PUT"}
        held = {(each.host, each.name, tag): digest for each in self.images for tag, digest in each.tags.items()}
        return frozenset(digest for found in (put, held) for at, digest in found.items() if at in own and digest)

    @cached_property
    def first_final(self) -> Effect | None:
        """The first change that cannot be taken back."""
        return next((each for each in self.effects if each.final), None)

    def stored(self, image: ImageExpected) -> StoredImages | None:
        """An image as its registry has it; ``None`` if it has none of that name."""
        return next((each for each in self.images if (each.host, each.name) == (image.host, image.name)), None)

    def is_there(self, name: str) -> bool:
        """Whether a store holds something: ``INDEX FILE``, or ``HOST IMAGE:TAG``."""
        surface, _, what = name.partition(" ")
        if surface in self.projects:
            return any(file.name == what for project in self.projects[surface] for file in project.files)
        image, _, tag = what.rpartition(":")
        return any((each.host, each.name) == (surface, image) and tag in each.tags for each in self.images)

    def requests_of(self, run: RunEvidence) -> tuple[LoggedRequest, ...]:
        """The requests of a run."""
        return tuple(each for each in self.log if run.log_start <= each.start < run.log_end)

    def effects_of(self, run: RunEvidence) -> tuple[Effect, ...]:
        """What a run changed."""
        return tuple(each for each in self.effects if run.log_start <= each.request.start < run.log_end)
