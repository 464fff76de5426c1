"""The stage ``image-tags``: point the tags that users pull at the digests that were pushed and tested."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import msgspec

from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, Publish, StageContext, Undone
from unmoor.errors import Denied, Unknown, UnmoorError
from unmoor.images.image_plan import ImagePlan, manifest_by_digest, registries
from unmoor.images.tag_placement import TagPlacement, placements
from unmoor.images.untag import untag
from unmoor.ports.clock import Clock
from unmoor.ports.git import Git
from unmoor.ports.registry import Packages, Registry
from unmoor.ports.services import Services
from unmoor.products import MovedTag, MovedTags, Pushed, Release, Uploaded
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.util.decode import decode_json
from unmoor.util.files import read_regular, write_atomic

RECORD = "pointers.json"
_LIMIT = 1_000_000
_WRITING = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class TagImages(Publish[MovedTags]):
    """Points the version's tags at the pushed digests, then the floating tags that belong to this release.

    What the registry holds at that moment decides which floating tags move. Where each pointed before is
    first recorded in the run folder, so that `undo_partly` can move it back.
    """

    name: str = "image-tags"
    release: Output[Release]
    pushed: Output[Pushed]
    plans: tuple[ImagePlan, ...]
    folder: RunFolder
    git: Git
    clock: Clock
    packages: Mapping[str, Packages] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        pushed: Output[Pushed],
        uploaded: Output[Uploaded],
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            pushed=pushed,
            plans=request.image_plans(services),
            folder=request.folder,
            git=services.git,
            clock=services.clock,
            packages=request.packages(services),
            after=(uploaded,),
        )

    def plan(self) -> str:
        """Say which tags would be moved."""
        names = ", ".join(registry.name for registry in registries(self.plans))
        return (
            f"point the version's tags at the pushed images on {names}, and floating tags if no version there is higher"
        )

    def find(self, context: StageContext) -> MovedTags | None:
        """Return the tags if each points where it belongs.

        Raises `Conflict` if a tag of the version points at another digest.
        """
        release, pushed = context[self.release], context[self.pushed]
        record = _read_record(self.folder)
        all_placements = list(placements(self.plans, release, pushed.images))
        pointers: list[MovedTag] = []
        left: list[str] = []
        for placement in all_placements:
            there, stays = placement.fixed(release)
            if len(there) + len(stays) < len(placement.tags.fixed):
                return None
            pointers += [_pointer(placement, tag) for tag in there]
            left += stays.values()
        for placement in all_placements:
            mine, stays = placement.floating(release)
            if any(placement.registry.head(tag) != placement.image.digest for tag in mine):
                return None
            pointers += [_pointer(placement, tag, record) for tag in mine]
            left += stays.values()
        return MovedTags(pointers=tuple(pointers), left=tuple(left))

    def make(self, context: StageContext) -> MovedTags:
        """Move the version's tags on every registry, then the floating ones; decide each at the last moment."""
        release, pushed = context[self.release], context[self.pushed]
        verify_tag_unmoved(self.git, release)
        all_placements = list(placements(self.plans, release, pushed.images))
        moving = _Moving(context=context, folder=self.folder, undecided=list(all_placements))
        moving.wanted += [(placement, tag) for placement in all_placements for tag in placement.tags.fixed]
        try:
            for placement in all_placements:
                moving.move_fixed(placement, release)
            # If anything was refused so far, no floating tag has moved anywhere.
            for placement in all_placements:
                moving.move_floating(placement, release)
        except UnmoorError as error:
            raise moving.with_progress(error) from error
        return MovedTags(pointers=tuple(moving.done), left=tuple(moving.left))

    def remedy(self, product: MovedTags) -> str:
        """Say how floating tags move back. The version's own tags stay."""
        fixed = ", ".join(f"{each.name}:{each.tag}" for each in product.pointers if not each.floating)
        record = _read_record(self.folder)
        back = "; ".join(
            f"{each.name}:{each.tag} to {record.get(_key(each)) or 'where it was'}"
            for each in product.pointers
            if each.floating
        )
        moved = f" Floating tags can move back, which undo does: {back}." if back else ""
        return f"{fixed} stay: people may have pulled them.{moved} Then release a corrected version."

    def undo_partly(self, product: MovedTags) -> tuple[Undone | NotUndone, ...]:
        """Move every floating tag back to the digest that it pointed at before this release."""
        record = _read_record(self.folder)
        known = {registry.name: registry for registry in registries(self.plans)}
        answers: list[Undone | NotUndone] = []
        for each in (each for each in product.pointers if each.floating):
            if _key(each) in record:
                answers.append(self._move_back(known[each.name], each, record[_key(each)]))
            else:
                record_path = self.folder.path / RECORD
                answers.append(
                    NotUndone(f"{each.name}:{each.tag} stays: {record_path} does not say where it pointed before")
                )
        return tuple(answers)

    def _move_back(self, registry: Registry, pointer: MovedTag, before: str | None) -> Undone | NotUndone:
        where = f"{registry.name}:{pointer.tag}"
        there = registry.head(pointer.tag)
        if there == before:
            return Undone(f"{where} was already moved back")
        if there != pointer.digest:
            return NotUndone(f"{where} stays: it has since moved to {there}")
        try:
            if before is None:
                manifest = manifest_by_digest(registry, pointer.digest)
                return untag(registry, self.packages.get(registry.name), pointer.tag, manifest, self.clock)
            registry.put(pointer.tag, manifest_by_digest(registry, before))
        except UnmoorError as error:
            return NotUndone(f"{where} stays: {error.what}")
        return Undone(f"{where} points at {before} again")


@dataclass(kw_only=True)
class _Moving:
    """One run of `make`: which tags have moved, which have yet to move, and which stay.

    ``undecided`` are the placements whose floating tags have not been decided yet.
    """

    context: StageContext
    folder: RunFolder
    undecided: list[TagPlacement]
    wanted: list[tuple[TagPlacement, str]] = field(default_factory=list)
    done: list[MovedTag] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def move_fixed(self, placement: TagPlacement, release: Release) -> None:
        """Point the tags of the version."""
        right, stays = placement.fixed(release)
        self._report_unmoved(stays)
        self.wanted = [each for each in self.wanted if each[0] is not placement or each[1] not in stays]
        manifest = manifest_by_digest(placement.registry, placement.image.digest)
        for tag in (tag for tag in placement.tags.fixed if tag not in stays):
            if tag not in right:
                placement.registry.put(tag, manifest)
                self.context.say(f"{placement.registry.name}:{tag} points at {manifest.digest}")
            self.done.append(_pointer(placement, tag))

    def move_floating(self, placement: TagPlacement, release: Release) -> None:
        """Move the floating tags. Where each points is written to disk before it moves."""
        mine, stays = placement.floating(release)
        self.undecided.remove(placement)
        self._report_unmoved(stays)
        self.wanted += [(placement, tag) for tag in mine]
        manifest = manifest_by_digest(placement.registry, placement.image.digest)
        for tag in mine:
            before = placement.registry.head(tag)
            if before != manifest.digest:
                _record(self.folder, (placement.registry.name, tag, manifest.digest), before)
                placement.registry.put(tag, manifest)
                earlier = f"instead of {before}" if before else "a new tag"
                self.context.say(f"{placement.registry.name}:{tag} points at {manifest.digest}, {earlier}")
            self.done.append(_pointer(placement, tag, _read_record(self.folder)))

    def _report_unmoved(self, stays: Mapping[str, str]) -> None:
        for why in stays.values():
            self.context.say(why)
        self.left += stays.values()

    def with_progress(self, error: UnmoorError) -> UnmoorError:
        """The error with the tags that moved and those that did not."""
        moved = {(each.name, each.tag) for each in self.done}
        names = [
            f"{placement.registry.name}:{tag}"
            for placement, tag in self.wanted
            if (placement.registry.name, tag) not in moved
        ]
        there = ", ".join(f"{name}:{tag}" for name, tag in sorted(moved))
        later = [
            placement.target.stage or placement.registry.name for placement in self.undecided if placement.tags.floating
        ]
        names += [f"any floating tag of {', '.join(dict.fromkeys(later))}"] if later else []
        return error.amended(
            also=f"moved: {there or 'nothing'}; not moved: {', '.join(names) or 'nothing else'}",
            # Once the permission is granted, the same command continues.
            retryable=error.retryable or isinstance(error, Denied),
        )


_Key = tuple[str, str, str]
"""The image's name, the tag, and the digest that it was moved to."""


def _key(pointer: MovedTag) -> _Key:
    return pointer.name, pointer.tag, pointer.digest


def _pointer(placement: TagPlacement, tag: str, record: Mapping[_Key, str | None] | None = None) -> MovedTag:
    """The product of one tag; with the record it is a floating tag."""
    name, digest = placement.registry.name, placement.image.digest
    before = (record or {}).get((name, tag, digest))
    return MovedTag(name=name, tag=tag, digest=digest, floating=record is not None, before=before)


class _RecordEntry(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    tag: str
    digest: str
    before: str | None


def _read_record(folder: RunFolder) -> dict[_Key, str | None]:
    """The recorded positions, oldest first. Raises `Unknown` if the record is malformed: nothing is guessed."""
    path = folder.path / RECORD
    try:
        notes = decode_json(read_regular(path, _LIMIT), tuple[_RecordEntry, ...])
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Unknown(
            "the record of where floating tags pointed cannot be read",
            where=str(path),
            next_step="fix the file or remove it; without it you have to move floating tags back by hand",
            retryable=False,
        ) from error
    return {(each.name, each.tag, each.digest): each.before for each in notes}


def _record(folder: RunFolder, key: _Key, before: str | None) -> None:
    """Record where a tag points before it moves."""
    with _WRITING:
        record = {**_read_record(folder), key: before}
        notes = [
            _RecordEntry(name=name, tag=tag, digest=digest, before=was) for (name, tag, digest), was in record.items()
        ]
        folder.open()
        write_atomic(folder.path / RECORD, msgspec.json.format(msgspec.json.encode(notes), indent=2) + b"\n")
