"""The tags that users pull: put on the very bytes that were pushed, tested and proven. No image is made anew."""

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
    """Points the version's tags at the pushed digests, then the floating ones that are rightly this release's.

    Floating tags are decided from what the registry holds at that moment. Where each pointed before
    is written into the run's folder first, so that `undo_partly` can put it back.
    """

    name: str = "image-tags"
    release: Output[Release]
    pushed: Output[Pushed]
    lines: tuple[ImagePlan, ...]
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
            lines=request.image_plans(services),
            folder=request.folder,
            git=services.git,
            clock=services.clock,
            packages=request.packages(services),
            after=(uploaded,),
        )

    def plan(self) -> str:
        """Say what would be pointed where."""
        names = ", ".join(registry.name for registry in registries(self.lines))
        return (
            f"point the version's tags at the pushed images on {names}, and floating tags if no higher version is there"
        )

    def find(self, context: StageContext) -> MovedTags | None:
        """Return the tags if every one of them is where it belongs.

        Raises `Conflict` where a tag that names the version is another digest.
        """
        release, pushed = context[self.release], context[self.pushed]
        record = _read(self.folder)
        spots = list(placements(self.lines, release, pushed.images))
        pointers: list[MovedTag] = []
        left: list[str] = []
        for spot in spots:
            there, stays = spot.fixed(release)
            if len(there) + len(stays) < len(spot.tags.fixed):
                return None
            pointers += [_pointer(spot, tag) for tag in there]
            left += stays.values()
        for spot in spots:
            mine, stays = spot.floating(release)
            if any(spot.registry.head(tag) != spot.image.digest for tag in mine):
                return None
            pointers += [_pointer(spot, tag, record) for tag in mine]
            left += stays.values()
        return MovedTags(pointers=tuple(pointers), left=tuple(left))

    def make(self, context: StageContext) -> MovedTags:
        """Move the version's tags everywhere, then the floating ones, each decided at the last moment."""
        release, pushed = context[self.release], context[self.pushed]
        verify_tag_unmoved(self.git, release)
        spots = list(placements(self.lines, release, pushed.images))
        moving = _Moving(context=context, folder=self.folder, undecided=list(spots))
        moving.wanted += [(spot, tag) for spot in spots for tag in spot.tags.fixed]
        try:
            for spot in spots:
                moving.fixed(spot, release)
            # A refusal so far has moved no floating tag anywhere.
            for spot in spots:
                moving.floating(spot, release)
        except UnmoorError as error:
            raise moving.told(error) from error
        return MovedTags(pointers=tuple(moving.done), left=tuple(moving.left))

    def remedy(self, product: MovedTags) -> str:
        """Say how floating tags go back; the version's own stay."""
        fixed = ", ".join(f"{each.name}:{each.tag}" for each in product.pointers if not each.floating)
        record = _read(self.folder)
        back = "; ".join(
            f"{each.name}:{each.tag} to {record.get(_key(each)) or 'where it was'}"
            for each in product.pointers
            if each.floating
        )
        moved = f" Floating tags can go back, which undo does: {back}." if back else ""
        return f"{fixed} stay: people may have pulled them.{moved} Then release a corrected version."

    def undo_partly(self, product: MovedTags) -> tuple[Undone | NotUndone, ...]:
        """Put every floating tag back to the digest that it had before this release moved it."""
        record = _read(self.folder)
        known = {registry.name: registry for registry in registries(self.lines)}
        answers: list[Undone | NotUndone] = []
        for each in (each for each in product.pointers if each.floating):
            if _key(each) in record:
                answers.append(self._back(known[each.name], each, record[_key(each)]))
            else:
                record_of = self.folder.path / RECORD
                answers.append(NotUndone(f"{each.name}:{each.tag} stays: {record_of} does not say where it was before"))
        return tuple(answers)

    def _back(self, registry: Registry, pointer: MovedTag, before: str | None) -> Undone | NotUndone:
        where = f"{registry.name}:{pointer.tag}"
        there = registry.head(pointer.tag)
        if there == before:
            return Undone(f"{where} was back already")
        if there != pointer.digest:
            return NotUndone(f"{where} stays: it has moved on to {there}")
        try:
            if before is None:
                manifest = manifest_by_digest(registry, pointer.digest)
                return untag(registry, self.packages.get(registry.name), pointer.tag, manifest, self.clock)
            registry.put(pointer.tag, manifest_by_digest(registry, before))
        except UnmoorError as error:
            return NotUndone(f"{where} stays: {error.what}")
        return Undone(f"{where} is {before} again")


@dataclass(kw_only=True)
class _Moving:
    """One run of `make`: what is moved, what is still to be, and what stays.

    ``undecided`` are the spots whose floating tags were not looked at yet.
    """

    context: StageContext
    folder: RunFolder
    undecided: list[TagPlacement]
    wanted: list[tuple[TagPlacement, str]] = field(default_factory=list)
    done: list[MovedTag] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def fixed(self, spot: TagPlacement, release: Release) -> None:
        """Put the tags of the version."""
        right, stays = spot.fixed(release)
        self._leave(stays)
        self.wanted = [each for each in self.wanted if each[0] is not spot or each[1] not in stays]
        manifest = manifest_by_digest(spot.registry, spot.image.digest)
        for tag in (tag for tag in spot.tags.fixed if tag not in stays):
            if tag not in right:
                spot.registry.put(tag, manifest)
                self.context.say(f"{spot.registry.name}:{tag} is {manifest.digest}")
            self.done.append(_pointer(spot, tag))

    def floating(self, spot: TagPlacement, release: Release) -> None:
        """Move the floating tags; where each pointed is on the disk before it is moved."""
        mine, stays = spot.floating(release)
        self.undecided.remove(spot)
        self._leave(stays)
        self.wanted += [(spot, tag) for tag in mine]
        manifest = manifest_by_digest(spot.registry, spot.image.digest)
        for tag in mine:
            before = spot.registry.head(tag)
            if before != manifest.digest:
                _note(self.folder, (spot.registry.name, tag, manifest.digest), before)
                spot.registry.put(tag, manifest)
                self.context.say(f"{spot.registry.name}:{tag} is {manifest.digest}, and was {before or 'nowhere'}")
            self.done.append(_pointer(spot, tag, _read(self.folder)))

    def _leave(self, stays: Mapping[str, str]) -> None:
        for why in stays.values():
            self.context.say(why)
        self.left += stays.values()

    def told(self, error: UnmoorError) -> UnmoorError:
        """Name what was moved and what was not."""
        moved = {(each.name, each.tag) for each in self.done}
        names = [f"{spot.registry.name}:{tag}" for spot, tag in self.wanted if (spot.registry.name, tag) not in moved]
        there = ", ".join(f"{name}:{tag}" for name, tag in sorted(moved))
        later = [spot.target.stage or spot.registry.name for spot in self.undecided if spot.tags.floating]
        names += [f"any floating tag of {', '.join(dict.fromkeys(later))}"] if later else []
        return error.amended(
            also=f"moved: {there or 'nothing'}; not moved: {', '.join(names) or 'nothing else'}",
            # With the right given, the same command goes on.
            retryable=error.retryable or isinstance(error, Denied),
        )


_Key = tuple[str, str, str]
"""The image's name, the tag, and the digest that it was moved to."""


def _key(pointer: MovedTag) -> _Key:
    return pointer.name, pointer.tag, pointer.digest


def _pointer(spot: TagPlacement, tag: str, record: Mapping[_Key, str | None] | None = None) -> MovedTag:
    """A tag of a target as a product; with the record, a floating one."""
    name, digest = spot.registry.name, spot.image.digest
    before = (record or {}).get((name, tag, digest))
    return MovedTag(name=name, tag=tag, digest=digest, floating=record is not None, before=before)


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    tag: str
    digest: str
    before: str | None


def _read(folder: RunFolder) -> dict[_Key, str | None]:
    """What was written down, oldest first. Raises `Unknown` for a record that is broken: nothing is guessed."""
    path = folder.path / RECORD
    try:
        notes = decode_json(read_regular(path, _LIMIT), tuple[_Note, ...])
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Unknown(
            "the record of where floating tags pointed cannot be read",
            where=str(path),
            next_step="put the file right or remove it; without it floating tags are put back by hand",
            retryable=False,
        ) from error
    return {(each.name, each.tag, each.digest): each.before for each in notes}


def _note(folder: RunFolder, key: _Key, before: str | None) -> None:
    """Write down where a tag points, before it is moved."""
    with _WRITING:
        record = {**_read(folder), key: before}
        notes = [_Note(name=name, tag=tag, digest=digest, before=was) for (name, tag, digest), was in record.items()]
        folder.open()
        write_atomic(folder.path / RECORD, msgspec.json.format(msgspec.json.encode(notes), indent=2) + b"\n")
