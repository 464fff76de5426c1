"""The stage ``registry``: push the images under the tag of their commit, annotate them, and read them back.

The draft holds the bytes by then. What the registries hold is attached to it, for every later run and reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from unmoor.artifacts import oci
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone
from unmoor.errors import Denied, Unknown, UnmoorError
from unmoor.images.annotate import index_over, is_annotated
from unmoor.images.existing import find_existing
from unmoor.images.image_names import BuildTarget
from unmoor.images.image_plan import (
    ImagePlan,
    manifest_by_digest,
    product,
    read_remote,
    registries,
    require_image,
)
from unmoor.images.push import COMMIT_TAKEN, ImagePusher
from unmoor.images.tag_placement import positions_before
from unmoor.images.untag import other_tags_on, untag
from unmoor.ports.clock import Clock
from unmoor.ports.engine import Engine
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.registry import OciManifest, Packages, Registry
from unmoor.ports.services import Services
from unmoor.products import Draft, Image, Images, Proof, Pushed, PushedImage, Release
from unmoor.publish import push_record
from unmoor.publish.asset_upload import find_release
from unmoor.publish.gates import Gates
from unmoor.publish.push_record import HeldRecord
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class PushImages(Push[Pushed]):
    """Pushes every target to every registry, with an index over its platforms if there are several.

    ``plans`` are the configured images. ``packages`` maps a registry's name to the forge's package API,
    for registries that have one.
    """

    name: str = "registry"
    release: Output[Release]
    images: Output[Images]
    proof: Output[Proof]
    draft: Output[Draft]
    engine: Engine
    forge: Forge
    plans: tuple[ImagePlan, ...]
    folder: RunFolder
    clock: Clock
    packages: Mapping[str, Packages] = field(default_factory=dict)

    @property
    def registries(self) -> tuple[Registry, ...]:
        """Every repository that the stage pushes to, each once."""
        return registries(self.plans)

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        images: Output[Images],
        proof: Output[Proof],
        draft: Output[Draft],
        gates: Gates,
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            images=images,
            proof=proof,
            draft=draft,
            engine=services.engine,
            forge=services.forge,
            plans=request.image_plans(services),
            folder=request.folder,
            clock=services.clock,
            packages=request.packages(services),
            after=gates.outputs,
        )

    def plan(self) -> str:
        """Say what would be pushed, and where."""
        names = ", ".join(registry.name for registry in self.registries)
        return (
            f"push the images to {names} under the tag of their commit, read them back by digest, and attach"
            f" {push_record.NAME} to the draft"
        )

    def find(self, context: StageContext) -> Pushed | None:
        """Return the pushed images if every registry holds all of them, with annotations, and the draft says so.

        Raises `Conflict` if the commit's tag, or a tag of the version, points at another image, or if a public
        release lists other images.
        """
        release, images = context[self.release], context[self.images]
        on_release = _OnRelease(self.forge, context[self.draft])
        found = [
            self._look_up(destination, release, destination.wanted(images), on_release)
            for destination in self._destinations()
        ]
        complete = [each.product for each in found if each.product is not None]
        if len(complete) < len(found):
            return None
        return push_record.recorded(on_release.held, on_release.forge_release, release, tuple(complete))

    def make(self, context: StageContext) -> Pushed:
        """Push what is missing, and attach what is there to the draft. If a registry fails, the others get theirs."""
        release, images = context[self.release], context[self.images]
        # Check everything first: nothing is pushed if a platform is missing or a tag is taken.
        ready = [(destination, destination.wanted(images)) for destination in self._destinations()]
        on_release = _OnRelease(self.forge, context[self.draft])
        seen = [self._look_up(destination, release, wanted, on_release) for destination, wanted in ready]
        done: list[PushedImage] = []
        failed: dict[str, UnmoorError] = {}
        for (destination, wanted), there in zip(ready, seen, strict=True):
            if destination.registry.name in failed:
                continue
            try:
                done.append(self._ensure_pushed(destination, there, wanted, context.say))
            except UnmoorError as error:
                failed[destination.registry.name] = error
        if failed:
            raise _describe_failures(failed, done)
        return self._record(context, tuple(done))

    def _record(self, context: StageContext, images: tuple[PushedImage, ...]) -> Pushed:
        """Attach to the draft what the registries hold. A public release stays as it is."""
        release = context[self.release]
        # The push may have taken long: read the release again.
        on_release = _OnRelease(self.forge, context[self.draft])
        held = on_release.held
        if not on_release.forge_release.draft:
            if held is None:
                context.say(f"the release is public and has no {push_record.NAME}: it stays as it is")
            pushed = push_record.recorded(held, on_release.forge_release, release, images)
            assert pushed is not None  # noqa: S101 - only a draft has none
            return pushed
        earlier = held.record.before if held is not None and held.record is not None else ()
        record = push_record.PushRecord(
            tag=release.tag,
            commit=release.commit,
            images=images,
            before=positions_before(self.plans, release, images, earlier),
        )
        return push_record.attach_record(
            record, on_release.forge_release, self.forge, folder=self.folder, clock=self.clock, say=context.say
        )

    def undo(self, product: Pushed) -> Undone | NotUndone:
        """Remove the tags of the commit. They stay while any other tag has the same digest."""
        known = {registry.name: registry for registry in self.registries}
        answers = [answer for each in product.images for answer in self._undo_target(known[each.name], each)]
        left = [answer.why for answer in answers if isinstance(answer, NotUndone)]
        gone = [answer.what for answer in answers if isinstance(answer, Undone)]
        return NotUndone("; ".join([*left, *gone])) if left else Undone("; ".join(gone))

    def _destinations(self) -> Iterator[_Destination]:
        for plan in self.plans:
            for registry in plan.registries:
                for target in plan.targets:
                    yield _Destination(plan=plan, registry=registry, target=target)

    def _look_up(
        self, destination: _Destination, release: Release, wanted: Sequence[Image], on_release: _OnRelease
    ) -> _TargetState:
        """Look up what the commit's tag points at. An image under the version's own tags is released and never changes.

        Raises `Conflict` if the commit's tag or a tag of the version points at another image.
        """
        registry, target = destination.registry, destination.target
        there = find_existing(destination.plan, registry, target, release, wanted)
        if there.remote is None:
            return _TargetState(tag=there.tag, released=there.released)
        manifest = there.remote.manifest
        is_final = there.released is not None or on_release.lists(registry, there.tag, manifest.digest)
        if not is_final and not is_annotated(registry, manifest, [image.id for image in wanted]):
            return _TargetState(tag=there.tag)
        return _TargetState(
            tag=there.tag, product=product(registry, target, there.tag, there.remote, destination.plan.platforms)
        )

    def _ensure_pushed(
        self, destination: _Destination, there: _TargetState, wanted: Sequence[Image], say: Callable[[str], None]
    ) -> PushedImage:
        """Push one target to one registry, unless it is already there."""
        if there.product is not None:
            say(f"{there.product.name} has {there.tag} already: {there.product.digest}")
            return there.product
        registry, tag = destination.registry, there.tag
        pusher = ImagePusher(engine=self.engine, clock=self.clock)
        if there.released is not None:
            say(f"tagging {there.released.digest}, which is released, as {registry.name}:{tag} again")
            registry.put(tag, there.released)
        elif len(wanted) == 1:
            pusher.push(registry, wanted[0], tag, say)
        else:
            legs = {each.platform: pusher.push(registry, each, oci.leg_tag(tag, each.platform), say) for each in wanted}
            index = index_over(registry, legs)
            say(f"pushing one index over {len(wanted)} platforms to {registry.name}:{tag}")
            registry.put(tag, index)
        seen = read_remote(registry, tag)
        if seen is None:
            raise Unknown(f"{tag} was pushed, but is not there when read back", where=registry.name)
        require_image(seen, wanted, registry, tag, COMMIT_TAKEN, retryable=True)
        return product(registry, destination.target, tag, seen, destination.plan.platforms)

    def _undo_target(self, registry: Registry, pushed: PushedImage) -> Iterator[Undone | NotUndone]:
        """Remove the tag of the target first, then those of its platforms."""
        packages = self.packages.get(registry.name)
        legs = [(oci.leg_tag(pushed.tag, platform), digest) for platform, digest in pushed.platforms]
        own = [(pushed.tag, pushed.digest), *(leg for leg in legs if leg[1] != pushed.digest)]
        ours = frozenset(tag for tag, _ in own)
        for tag, digest in own:
            there = registry.head(tag)
            others = other_tags_on(registry, packages, digest, ours) if there == digest else ()
            if there is None:
                yield Undone(f"{registry.name}:{tag} was already gone")
            elif there != digest:
                yield NotUndone(f"{registry.name}:{tag} stays: it points at {there} now, not at {digest}")
            elif others:
                yield NotUndone(f"{registry.name}:{tag} stays: {', '.join(others)} has the same digest")
                return
            else:
                yield untag(registry, packages, tag, manifest_by_digest(registry, digest), self.clock)


@dataclass(frozen=True, kw_only=True)
class _Destination:
    """One target on one registry."""

    plan: ImagePlan
    registry: Registry
    target: BuildTarget

    def wanted(self, images: Images) -> tuple[Image, ...]:
        """The images of this target, one for each platform. Raises `Incomplete` if one was not built."""
        return self.plan.every_image_of(self.target, images)


@dataclass(frozen=True)
class _OnRelease:
    """The release object of the draft, and the record on it: read once, and only when needed."""

    forge: Forge
    draft: Draft

    @cached_property
    def forge_release(self) -> ForgeRelease:
        """The release object. Raises `Unknown` if it is gone."""
        found = find_release(self.forge, self.draft.tag, self.draft.id)
        if found is None:
            raise Unknown(f"the draft of {self.draft.tag} is no longer listed", where=self.forge.address)
        return found

    @cached_property
    def held(self) -> HeldRecord | None:
        """The record. Raises `Unknown`."""
        return push_record.read_record(self.forge_release, self.forge)

    def lists(self, registry: Registry, tag: str, digest: str) -> bool:
        """Whether the record lists an image under a tag."""
        images = self.held.record.images if self.held is not None and self.held.record is not None else ()
        return any((each.name, each.tag, each.digest) == (registry.name, tag, digest) for each in images)


@dataclass(frozen=True, kw_only=True)
class _TargetState:
    """The tag of a target, and the product if the registry holds all of it.

    ``released`` is what the version's own tags point at if the commit's tag is gone.
    """

    tag: str
    product: PushedImage | None = None
    released: OciManifest | None = None


def _describe_failures(failed: Mapping[str, UnmoorError], done: Sequence[PushedImage]) -> UnmoorError:
    """The first failure, extended by the others and by what was pushed."""
    first, *others = failed.items()
    error = first[1]
    also = [f"{name} also failed: {other.what}" for name, other in others]
    there = ", ".join(f"{each.name}:{each.tag}" for each in done)
    also.append(f"pushed: {there}" if there else "nothing else was pushed")
    retryable = error.retryable or isinstance(error, Denied)  # with the permission granted, the same command continues
    return error.amended(also="; ".join(also), where=error.where or first[0], retryable=retryable)
