"""The stage ``registry``: push the images under the tag of their commit, annotate them, and read them back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from unmoor.artifacts import oci
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone
from unmoor.errors import CheckFailed, Conflict, Denied, Incomplete, ToolMissing, Unknown, UnmoorError
from unmoor.images.annotate import index_over, is_annotated, put_annotated
from unmoor.images.image_names import BuildTarget
from unmoor.images.image_plan import (
    ImagePlan,
    commit_only,
    manifest_by_digest,
    product,
    read_commit_tag,
    read_remote,
    registries,
    require_image,
)
from unmoor.images.untag import other_tags_on, untag
from unmoor.ports.clock import Clock
from unmoor.ports.engine import Engine
from unmoor.ports.poll import poll
from unmoor.ports.registry import OciManifest, Packages, Registry
from unmoor.ports.services import Services
from unmoor.products import Draft, Image, Images, Proof, Pushed, PushedImage, Release
from unmoor.publish.gates import Gates
from unmoor.release_request import ReleaseRequest

# Seconds before each attempt to push. After a lost answer the registry is checked first.
_PAUSES = (0.0, 2.0, 8.0)
_TAKEN = "version tags are never moved: release a new version, or find out who pushed that image"
_COMMIT_TAKEN = "an earlier build of this commit gave another image; delete that tag if nothing of it is released"


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
            plans=request.image_plans(services),
            folder=request.folder,
            clock=services.clock,
            packages=request.packages(services),
            after=tuple(gates),
        )

    def plan(self) -> str:
        """Say what would be pushed, and where."""
        names = ", ".join(registry.name for registry in self.registries)
        return f"push the images to {names} under the tag of their commit, and read them back by digest"

    def find(self, context: StageContext) -> Pushed | None:
        """Return the pushed images if every registry holds all of them, with their annotations.

        Raises `Conflict` if the commit's tag, or a tag of the version, points at another image.
        """
        release, images = context[self.release], context[self.images]
        found = [
            self._look_up(destination, release, destination.wanted(images)) for destination in self._destinations()
        ]
        complete = [each.product for each in found if each.product is not None]
        return Pushed(images=tuple(complete)) if len(complete) == len(found) else None

    def make(self, context: StageContext) -> Pushed:
        """Push what is missing. If one registry fails, the others still get their images."""
        release, images = context[self.release], context[self.images]
        # Check everything first: nothing is pushed if a platform is missing or a tag is taken.
        ready = [(destination, destination.wanted(images)) for destination in self._destinations()]
        seen = [self._look_up(destination, release, wanted) for destination, wanted in ready]
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
        return Pushed(images=tuple(done))

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

    def _look_up(self, destination: _Destination, release: Release, wanted: Sequence[Image]) -> _TargetState:
        """Look up what the commit's tag points at. An image under the version's own tags is released and never changes.

        Raises `Conflict` if the commit's tag or a tag of the version points at another image.
        """
        registry, target = destination.registry, destination.target
        alone = commit_only(destination.plan, release, target)
        released: OciManifest | None = None
        for tag in destination.plan.planner(release, target).fixed:
            seen = read_remote(registry, tag) if tag not in alone else None
            if seen is not None:
                require_image(seen, wanted, registry, tag, _TAKEN)
                released = seen.manifest
        tag, seen = read_commit_tag(registry, release, target, wanted)
        if seen is None:
            return _TargetState(tag=tag, released=released)
        require_image(seen, wanted, registry, tag, _COMMIT_TAKEN, retryable=True)
        is_final = released is not None or self._is_recorded(registry, tag, seen.manifest.digest)
        if not is_final and not is_annotated(registry, seen.manifest, [image.id for image in wanted]):
            return _TargetState(tag=tag)
        return _TargetState(tag=tag, product=product(registry, target, tag, seen, destination.plan.platforms))

    def _is_recorded(self, registry: Registry, tag: str, digest: str) -> bool:
        """Whether the release manifest already lists a digest as pushed."""
        manifest = self.folder.read_manifest()
        pushed = manifest.pushed if manifest else ()
        return any((each.name, each.tag, each.digest) == (registry.name, tag, digest) for each in pushed)

    def _ensure_pushed(
        self, destination: _Destination, there: _TargetState, wanted: Sequence[Image], say: Callable[[str], None]
    ) -> PushedImage:
        """Push one target to one registry, unless it is already there."""
        if there.product is not None:
            say(f"{there.product.name} has {there.tag} already: {there.product.digest}")
            return there.product
        registry, tag = destination.registry, there.tag
        if there.released is not None:
            say(f"tagging {there.released.digest}, which is released, as {registry.name}:{tag} again")
            registry.put(tag, there.released)
        elif len(wanted) == 1:
            self._push_platform(registry, wanted[0], tag, say)
        else:
            legs = {
                each.platform: self._push_platform(registry, each, oci.leg_tag(tag, each.platform), say)
                for each in wanted
            }
            index = index_over(registry, legs)
            say(f"pushing one index over {len(wanted)} platforms to {registry.name}:{tag}")
            registry.put(tag, index)
        seen = read_remote(registry, tag)
        if seen is None:
            raise Unknown(f"{tag} was pushed, but is not there when read back", where=registry.name)
        require_image(seen, wanted, registry, tag, _COMMIT_TAKEN, retryable=True)
        return product(registry, destination.target, tag, seen, destination.plan.platforms)

    def _push_platform(self, registry: Registry, image: Image, tag: str, say: Callable[[str], None]) -> OciManifest:
        """Push one platform's image under a tag, annotate it and pull it back; skip what is already there."""
        seen = read_remote(registry, tag)
        if seen is not None:
            require_image(seen, [image], registry, tag, _COMMIT_TAKEN, retryable=True)
        there = seen.manifest if seen else manifest_by_digest(registry, self._push(registry, image, tag, say))
        complete = put_annotated(registry, image, tag, there, say)
        if seen is None:
            self._verify_pull(registry, image, complete.digest)
        elif complete.digest != there.digest:
            # Another machine pushed it: without an engine here, the digest of its configuration must suffice.
            try:
                self._verify_pull(registry, image, complete.digest)
            except ToolMissing:
                say(f"not pulling {complete.digest} back, since there is no engine here")
        return complete

    def _push(self, registry: Registry, image: Image, tag: str, say: Callable[[str], None]) -> str:
        """Push one image and return its digest on the registry. After a lost answer, check before pushing again."""
        lost: list[Unknown] = []

        def attempt() -> str | None:
            if lost and (arrived := _find_pushed(registry, image, tag)):
                say(f"{registry.name}:{tag} is there after all")
                return arrived
            say(f"pushing {image.target or 'the image'} for {image.platform} to {registry.name}:{tag}")
            try:
                digest = self.engine.push(image.id, f"{registry.address}:{tag}", login=registry.login, hear=say)
            except Unknown as error:
                lost.append(error)
                say(f"no usable answer, checking before pushing again: {error.what}")
                return None
            except Denied as error:
                where_set = f"set who may write to the package at {registry.page}"
                raise error.amended(next_step="; ".join(filter(None, (error.next_step, where_set)))) from error
            seen = registry.head(tag)
            if seen != digest:
                raise Conflict(
                    f"{digest} was pushed as {tag}, but the registry has {seen or 'nothing'} there",
                    where=registry.name,
                    next_step="find out who else pushes this tag",
                    retryable=True,
                )
            return digest

        digest = poll(attempt, waits=_PAUSES, clock=self.clock) or _find_pushed(registry, image, tag)
        if not digest:
            raise lost[-1]
        return digest

    def _verify_pull(self, registry: Registry, image: Image, digest: str) -> None:
        """Pull the image by its digest. Raises `CheckFailed` if it is not the tested one."""
        pulled = self.engine.pull(f"{registry.address}@{digest}", login=registry.login, platform=image.platform)
        if pulled != image.id:
            raise CheckFailed(
                f"{digest} is the image {pulled} when pulled back, but {image.id} was tested",
                where=registry.name,
                next_step="do not use it; find out what is between this machine and the registry",
            )

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
        mine = {
            oci.plain_platform(image.platform): image
            for image in images.images
            if (str(oci.ImageName.parse(image.name)), image.target) == (self.plan.name, self.target.stage)
        }
        missing = [platform for platform in self.plan.platforms if platform not in mine]
        if missing:
            raise Incomplete(
                f"{self.target.stage or 'the image'} was not built for {', '.join(missing)}: nothing is pushed",
                where=self.plan.name,
                next_step="build every platform, or pass what another machine built (--leg DIR), or remove it from"
                " tool.unmoor.image.platforms",
                retryable=False,
            )
        return tuple(mine[platform] for platform in self.plan.platforms)


@dataclass(frozen=True, kw_only=True)
class _TargetState:
    """The tag of a target, and the product if the registry holds all of it.

    ``released`` is what the version's own tags point at if the commit's tag is gone.
    """

    tag: str
    product: PushedImage | None = None
    released: OciManifest | None = None


def _find_pushed(registry: Registry, image: Image, tag: str) -> str:
    """The digest that a tag points at if it is this image, else an empty string."""
    seen = read_remote(registry, tag)
    return seen.manifest.digest if seen is not None and seen.is_of([image]) else ""


def _describe_failures(failed: Mapping[str, UnmoorError], done: Sequence[PushedImage]) -> UnmoorError:
    """The first failure, extended by the others and by what was pushed."""
    first, *others = failed.items()
    error = first[1]
    also = [f"{name} also failed: {other.what}" for name, other in others]
    there = ", ".join(f"{each.name}:{each.tag}" for each in done)
    also.append(f"pushed: {there}" if there else "nothing else was pushed")
    retryable = error.retryable or isinstance(error, Denied)  # with the permission granted, the same command continues
    return error.amended(also="; ".join(also), where=error.where or first[0], retryable=retryable)
