"""The images on their registries, under the tag of their commit, annotated, read back and pulled by digest."""

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
    read_remote,
    registries,
    require_image,
    under_commit,
)
from unmoor.images.untag import others_on, untag
from unmoor.ports.clock import Clock
from unmoor.ports.engine import Engine
from unmoor.ports.poll import poll
from unmoor.ports.registry import OciManifest, Packages, Registry
from unmoor.ports.services import Services
from unmoor.products import Image, Images, Notes, Proof, Pushed, PushedImage, Release
from unmoor.publish.gates import Gates
from unmoor.release_request import ReleaseRequest

# Seconds before each try at a push: an answer that was lost is looked for before it is sent again.
_PAUSES = (0.0, 2.0, 8.0)
_TAKEN = "tags of versions are never moved: release under a new version, or find out who pushed that image"
_COMMIT_TAKEN = "an image of this commit was built differently before; delete that tag if nothing of it is released"


@dataclass(frozen=True, kw_only=True)
class PushImages(Push[Pushed]):
    """Pushes every target to every registry; several platforms get one index over them.

    ``lines`` are the configured images, ``packages`` the forge's side of registries that have one,
    by the registry's name.
    """

    name: str = "registry"
    release: Output[Release]
    images: Output[Images]
    proof: Output[Proof]
    engine: Engine
    lines: tuple[ImagePlan, ...]
    folder: RunFolder
    clock: Clock
    packages: Mapping[str, Packages] = field(default_factory=dict)

    @property
    def registries(self) -> tuple[Registry, ...]:
        """Every repository that is pushed to, each once."""
        return registries(self.lines)

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        images: Output[Images],
        proof: Output[Proof],
        notes: Output[Notes],
        gates: Gates,
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            images=images,
            proof=proof,
            engine=services.engine,
            lines=request.image_plans(services),
            folder=request.folder,
            clock=services.clock,
            packages=request.packages(services),
            after=(notes, *gates),
        )

    def plan(self) -> str:
        """Say what would be pushed where."""
        names = ", ".join(registry.name for registry in self.registries)
        return f"push the images to {names} under the tag of their commit, and read them back by digest"

    def find(self, context: StageContext) -> Pushed | None:
        """Return what is on every registry if all of it is, annotations too.

        Raises `Conflict` where the commit's tag, or the tag of the version, holds another image.
        """
        release, images = context[self.release], context[self.images]
        found = [self._found(place, release, place.wanted(images)) for place in self._places()]
        whole = [each.product for each in found if each.product is not None]
        return Pushed(images=tuple(whole)) if len(whole) == len(found) else None

    def make(self, context: StageContext) -> Pushed:
        """Push what is missing. Each registry has its own outcome: one that fails keeps nobody from the others."""
        release, images = context[self.release], context[self.images]
        # Nothing is pushed where a platform is missing or a name is taken.
        ready = [(place, place.wanted(images)) for place in self._places()]
        seen = [self._found(place, release, wanted) for place, wanted in ready]
        done: list[PushedImage] = []
        failed: dict[str, UnmoorError] = {}
        for (place, wanted), there in zip(ready, seen, strict=True):
            if place.registry.name in failed:
                continue
            try:
                done.append(self._brought(place, there, wanted, context.say))
            except UnmoorError as error:
                failed[place.registry.name] = error
        if failed:
            raise _with_the_rest(failed, done)
        return Pushed(images=tuple(done))

    def undo(self, product: Pushed) -> Undone | NotUndone:
        """Take the tags of the commit away; they stay while any other tag has their digest."""
        known = {registry.name: registry for registry in self.registries}
        answers = [answer for each in product.images for answer in self._taken_back(known[each.name], each)]
        left = [answer.why for answer in answers if isinstance(answer, NotUndone)]
        gone = [answer.what for answer in answers if isinstance(answer, Undone)]
        return NotUndone("; ".join([*left, *gone])) if left else Undone("; ".join(gone))

    def _places(self) -> Iterator[_Place]:
        for line in self.lines:
            for registry in line.registries:
                for target in line.targets:
                    yield _Place(line=line, registry=registry, target=target)

    def _found(self, place: _Place, release: Release, wanted: Sequence[Image]) -> _Found:
        """What is there under the commit's tag. What the version's own tags hold is released, and stays as it is.

        Raises `Conflict` for other images there or under the version's tags.
        """
        registry, target = place.registry, place.target
        alone = commit_only(place.line, release, target)
        released: OciManifest | None = None
        for tag in place.line.planner(release, target).fixed:
            seen = read_remote(registry, tag) if tag not in alone else None
            if seen is not None:
                require_image(seen, wanted, registry, tag, _TAKEN)
                released = seen.manifest
        tag, seen = under_commit(registry, release, target, wanted)
        if seen is None:
            return _Found(tag=tag, released=released)
        require_image(seen, wanted, registry, tag, _COMMIT_TAKEN, retryable=True)
        kept = released is not None or self._is_recorded(registry, tag, seen.manifest.digest)
        if not kept and not is_annotated(registry, seen.manifest, [image.id for image in wanted]):
            return _Found(tag=tag)
        return _Found(tag=tag, product=product(registry, target, tag, seen, place.line.platforms))

    def _is_recorded(self, registry: Registry, tag: str, digest: str) -> bool:
        """Whether the release's manifest names a digest already, as the one that was pushed."""
        manifest = self.folder.read_manifest()
        pushed = manifest.pushed if manifest else ()
        return any((each.name, each.tag, each.digest) == (registry.name, tag, digest) for each in pushed)

    def _brought(
        self, place: _Place, there: _Found, wanted: Sequence[Image], say: Callable[[str], None]
    ) -> PushedImage:
        """Bring one target to one registry, unless it is there already."""
        if there.product is not None:
            say(f"{there.product.name} has {there.tag} already: {there.product.digest}")
            return there.product
        registry, tag = place.registry, there.tag
        if there.released is not None:
            say(f"putting {there.released.digest}, which is released, under {registry.name}:{tag} again")
            registry.put(tag, there.released)
        elif len(wanted) == 1:
            self._one(registry, wanted[0], tag, say)
        else:
            legs = {each.platform: self._one(registry, each, oci.leg_tag(tag, each.platform), say) for each in wanted}
            index = index_over(registry, legs)
            say(f"putting one index over {len(wanted)} platforms to {registry.name}:{tag}")
            registry.put(tag, index)
        seen = read_remote(registry, tag)
        if seen is None:
            raise Unknown(f"{tag} was pushed, and read back it is not there", where=registry.name)
        require_image(seen, wanted, registry, tag, _COMMIT_TAKEN, retryable=True)
        return product(registry, place.target, tag, seen, place.line.platforms)

    def _one(self, registry: Registry, image: Image, tag: str, say: Callable[[str], None]) -> OciManifest:
        """One platform's image under a tag: pushed, annotated, proven. What is there of it already is kept."""
        seen = read_remote(registry, tag)
        if seen is not None:
            require_image(seen, [image], registry, tag, _COMMIT_TAKEN, retryable=True)
        there = seen.manifest if seen else manifest_by_digest(registry, self._pushed(registry, image, tag, say))
        whole = put_annotated(registry, image, tag, there, say)
        if seen is None:
            self._prove(registry, image, whole.digest)
        elif whole.digest != there.digest:
            # It was pushed elsewhere: where there is no engine, the digest of its configuration has to do.
            try:
                self._prove(registry, image, whole.digest)
            except ToolMissing:
                say(f"{whole.digest} is not pulled back, since there is no engine here")
        return whole

    def _pushed(self, registry: Registry, image: Image, tag: str, say: Callable[[str], None]) -> str:
        """Push one image and return the digest that is there; a lost answer is looked for before it is sent again."""
        lost: list[Unknown] = []

        def attempt() -> str | None:
            if lost and (landed := _landed(registry, image, tag)):
                say(f"{registry.name}:{tag} is there after all")
                return landed
            say(f"pushing {image.target or 'the image'} for {image.platform} to {registry.name}:{tag}")
            try:
                digest = self.engine.push(image.id, f"{registry.address}:{tag}", login=registry.login, hear=say)
            except Unknown as error:
                lost.append(error)
                say(f"no good answer, looking before pushing again: {error.what}")
                return None
            except Denied as error:
                where_set = f"who may write to the package is set at {registry.page}"
                raise error.amended(next_step="; ".join(filter(None, (error.next_step, where_set)))) from error
            seen = registry.head(tag)
            if seen != digest:
                raise Conflict(
                    f"{digest} was pushed as {tag}, and the registry has {seen or 'nothing'} there",
                    where=registry.name,
                    next_step="see who else pushes this tag",
                    retryable=True,
                )
            return digest

        digest = poll(attempt, waits=_PAUSES, clock=self.clock) or _landed(registry, image, tag)
        if not digest:
            raise lost[-1]
        return digest

    def _prove(self, registry: Registry, image: Image, digest: str) -> None:
        """Pull it back by its digest: it must be the image that was tested."""
        pulled = self.engine.pull(f"{registry.address}@{digest}", login=registry.login, platform=image.platform)
        if pulled != image.id:
            raise CheckFailed(
                f"{digest}, pulled back, is the image {pulled}; {image.id} was tested",
                where=registry.name,
                next_step="do not use it; find out what stands between this machine and the registry",
            )

    def _taken_back(self, registry: Registry, pushed: PushedImage) -> Iterator[Undone | NotUndone]:
        """The tag of the whole first, then those of its platforms."""
        packages = self.packages.get(registry.name)
        legs = [(oci.leg_tag(pushed.tag, platform), digest) for platform, digest in pushed.platforms]
        own = [(pushed.tag, pushed.digest), *(leg for leg in legs if leg[1] != pushed.digest)]
        ours = frozenset(tag for tag, _ in own)
        for tag, digest in own:
            there = registry.head(tag)
            others = others_on(registry, packages, digest, ours) if there == digest else ()
            if there is None:
                yield Undone(f"{registry.name}:{tag} was gone already")
            elif there != digest:
                yield NotUndone(f"{registry.name}:{tag} stays: it is {there} now, and was {digest}")
            elif others:
                yield NotUndone(f"{registry.name}:{tag} stays: {', '.join(others)} has the same digest")
                return
            else:
                yield untag(registry, packages, tag, manifest_by_digest(registry, digest), self.clock)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """One target on one registry."""

    line: ImagePlan
    registry: Registry
    target: BuildTarget

    def wanted(self, images: Images) -> tuple[Image, ...]:
        """The images of this target, one for each platform. Raises `Incomplete` where one was not built."""
        mine = {
            oci.plain_platform(image.platform): image
            for image in images.images
            if (str(oci.ImageName.parse(image.name)), image.target) == (self.line.name, self.target.stage)
        }
        missing = [platform for platform in self.line.platforms if platform not in mine]
        if missing:
            raise Incomplete(
                f"{self.target.stage or 'the image'} was not built for {', '.join(missing)}: nothing is pushed",
                where=self.line.name,
                next_step="build every platform, or hand over what another machine built (--leg DIR), or take it out of"
                " tool.unmoor.image.platforms",
                retryable=False,
            )
        return tuple(mine[platform] for platform in self.line.platforms)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Where a target belongs, and what is there if nothing of it is missing.

    ``released`` is what the version's own tags hold while the commit's is gone.
    """

    tag: str
    product: PushedImage | None = None
    released: OciManifest | None = None


def _landed(registry: Registry, image: Image, tag: str) -> str:
    """The digest under a tag if it is the image, else the empty text."""
    seen = read_remote(registry, tag)
    return seen.manifest.digest if seen is not None and seen.is_of([image]) else ""


def _with_the_rest(failed: Mapping[str, UnmoorError], done: Sequence[PushedImage]) -> UnmoorError:
    """The first failure, with the others', and with what is there."""
    first, *others = failed.items()
    error = first[1]
    also = [f"{name} failed, too: {other.what}" for name, other in others]
    there = ", ".join(f"{each.name}:{each.tag}" for each in done)
    also.append(f"pushed: {there}" if there else "nothing else was pushed")
    again = error.retryable or isinstance(error, Denied)  # with the right given, the same command goes on
    return error.amended(also="; ".join(also), where=error.where or first[0], retryable=again)
