"""The images on their registries, under the tag of their commit, read back and pulled by digest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from unmoor import oci
from unmoor.errors import Conflict, Denied, Incomplete, Unknown, UnmoorError, Unproven
from unmoor.folder import RunFolder
from unmoor.imagery import Target
from unmoor.ports.clock import Clock
from unmoor.ports.engine import Engine
from unmoor.ports.registry import OciManifest, Packages, Registry
from unmoor.products import Image, Images, Proof, Pushed, PushedImage, Release
from unmoor.pushing import AGAIN, Line, by_digest, look, must_be, of_commit_alone, product, registries, under_commit
from unmoor.stage import Have, Left, Promise, Push, Undone
from unmoor.untagging import others_on, untag

# Seconds before each try at a push: an answer that was lost is looked for before it is sent again.
_PAUSES = (0.0, 2.0, 8.0)
_TAKEN = "tags of versions are never moved: release under a new version, or find out who pushed that image"
_COMMIT_TAKEN = (
    "an image of this commit was built differently before; delete that tag if nothing of it is released,"
    " then run the same command again"
)


@dataclass(frozen=True, kw_only=True)
class PushImages(Push[Pushed]):
    """Pushes every target to every registry; several platforms get one index over them.

    ``lines`` are the configured images, ``packages`` the forge's side of registries that have one,
    by the registry's name.
    """

    release: Promise[Release]
    images: Promise[Images]
    proof: Promise[Proof]
    engine: Engine
    lines: tuple[Line, ...]
    folder: RunFolder
    clock: Clock
    packages: Mapping[str, Packages] = field(default_factory=dict)

    @property
    def registries(self) -> tuple[Registry, ...]:
        """Every repository that is pushed to, each once."""
        return registries(self.lines)

    def plan(self) -> str:
        """Say what would be pushed where."""
        names = ", ".join(registry.name for registry in self.registries)
        return f"push the images to {names} under the tag of their commit, and read them back by digest"

    def find(self, have: Have) -> Pushed | None:
        """Return what is on every registry if all of it is.

        Raises `Conflict` where the commit's tag, or the tag of the version, holds another image.
        """
        release, images = have[self.release], have[self.images]
        found = [self._found(place, release, place.wanted(images)) for place in self._places()]
        whole = [each for each in found if isinstance(each, PushedImage)]
        return Pushed(images=tuple(whole)) if len(whole) == len(found) else None

    def make(self, have: Have) -> Pushed:
        """Push what is missing. Each registry has its own outcome: one that fails keeps nobody from the others."""
        release, images = have[self.release], have[self.images]
        # Nothing is pushed where a platform is missing or a name is taken.
        ready = [(place, place.wanted(images)) for place in self._places()]
        seen = [self._found(place, release, wanted) for place, wanted in ready]
        done: list[PushedImage] = []
        failed: dict[str, UnmoorError] = {}
        for (place, wanted), there in zip(ready, seen, strict=True):
            if place.registry.name in failed:
                continue
            try:
                done.append(self._brought(place, there, wanted, have.say))
            except UnmoorError as error:
                failed[place.registry.name] = error
        if failed:
            raise _with_the_rest(failed, done)
        return Pushed(images=tuple(done))

    def undo(self, product: Pushed) -> Undone | Left:
        """Take the tags of the commit away; they stay while any other tag has their digest."""
        known = {registry.name: registry for registry in self.registries}
        answers = [answer for each in product.images for answer in self._taken_back(known[each.name], each)]
        left = [answer.why for answer in answers if isinstance(answer, Left)]
        gone = [answer.what for answer in answers if isinstance(answer, Undone)]
        return Left("; ".join([*left, *gone])) if left else Undone("; ".join(gone))

    def _places(self) -> Iterator[_Place]:
        for line in self.lines:
            for registry in line.registries:
                for target in line.targets:
                    yield _Place(line=line, registry=registry, target=target)

    def _found(self, place: _Place, release: Release, wanted: Sequence[Image]) -> PushedImage | str:
        """What is there under the commit's tag, or that tag alone where nothing is.

        Raises `Conflict` for other images there or under the version's tags.
        """
        registry, target = place.registry, place.target
        alone = of_commit_alone(place.line, release, target)
        for tag in place.line.planner(release, target).fixed:
            seen = look(registry, tag) if tag not in alone else None
            if seen is not None:
                must_be(seen, wanted, registry, tag, _TAKEN)
        tag, seen = under_commit(registry, release, target, wanted)
        if seen is None:
            return tag
        must_be(seen, wanted, registry, tag, _COMMIT_TAKEN)
        return product(registry, target, tag, seen, place.line.platforms)

    def _brought(
        self, place: _Place, there: PushedImage | str, wanted: Sequence[Image], say: Callable[[str], None]
    ) -> PushedImage:
        """Push one target to one registry under the tag ``there``, unless it is there already."""
        if isinstance(there, PushedImage):
            say(f"{there.name} has {there.tag} already: {there.digest}")
            return there
        registry, tag = place.registry, there
        if len(wanted) == 1:
            self._pushed(registry, wanted[0], tag, say)
        else:
            index = self._index(registry, wanted, tag, say)
            say(f"putting one index over {len(wanted)} platforms to {registry.name}:{tag}")
            registry.put(tag, index)
        seen = look(registry, tag)
        if seen is None:
            raise Unknown(f"{tag} was pushed, and read back it is not there", where=registry.name, next_step=AGAIN)
        must_be(seen, wanted, registry, tag, _COMMIT_TAKEN)
        return product(registry, place.target, tag, seen, place.line.platforms)

    def _index(self, registry: Registry, wanted: Sequence[Image], tag: str, say: Callable[[str], None]) -> OciManifest:
        """Push each platform under its own tag, and write the index over their digests."""
        legs = []
        for image in wanted:
            own = oci.leg_tag(tag, image.platform)
            seen = look(registry, own)
            if seen is not None:
                must_be(seen, [image], registry, own, _COMMIT_TAKEN)
            manifest = seen.manifest if seen else self._pushed(registry, image, own, say)
            size = len(manifest.data)
            legs.append(
                oci.Leg(platform=image.platform, digest=manifest.digest, media_type=manifest.media_type, size=size)
            )
        data, kind = oci.index_over(legs)
        return OciManifest(data=data, digest=oci.digest_of(data), media_type=kind)

    def _pushed(self, registry: Registry, image: Image, tag: str, say: Callable[[str], None]) -> OciManifest:
        """Push one image; a lost answer is looked for before anything is sent again."""
        trouble: Unknown | None = None
        for pause in _PAUSES:
            self.clock.sleep(pause)
            if trouble is not None and self._landed(registry, image, tag):
                say(f"{registry.name}:{tag} is there after all")
                return self._proven(registry, image, registry.head(tag) or "")
            say(f"pushing {image.target or 'the image'} for {image.platform} to {registry.name}:{tag}")
            try:
                digest = self.engine.push(image.id, f"{registry.address}:{tag}", login=registry.login, hear=say)
            except Unknown as error:
                trouble = error
                say(f"no good answer, looking before pushing again: {error.what}")
                continue
            except Denied as error:
                error.next_step = f"{error.next_step}; who may write to the package is set at {registry.page}"
                raise
            seen = registry.head(tag)
            if seen != digest:
                raise Conflict(
                    f"{digest} was pushed as {tag}, and the registry has {seen or 'nothing'} there",
                    where=registry.name,
                    next_step="see who else pushes this tag, then run the same command again",
                )
            return self._proven(registry, image, digest)
        if trouble is not None and self._landed(registry, image, tag):
            return self._proven(registry, image, registry.head(tag) or "")
        raise trouble or Unknown("nothing was pushed", where=registry.name, next_step=AGAIN)

    def _landed(self, registry: Registry, image: Image, tag: str) -> bool:
        seen = look(registry, tag)
        return seen is not None and seen.is_of([image])

    def _proven(self, registry: Registry, image: Image, digest: str) -> OciManifest:
        """Pull it back by its digest: it must be the image that was tested."""
        pulled = self.engine.pull(f"{registry.address}@{digest}", login=registry.login, platform=image.platform)
        if pulled != image.id:
            raise Unproven(
                f"{digest}, pulled back, is the image {pulled}; {image.id} was tested",
                where=registry.name,
                next_step="do not use it; find out what stands between this machine and the registry",
            )
        return by_digest(registry, digest)

    def _taken_back(self, registry: Registry, pushed: PushedImage) -> Iterator[Undone | Left]:
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
                yield Left(f"{registry.name}:{tag} stays: it is {there} now, and was {digest}")
            elif others:
                yield Left(f"{registry.name}:{tag} stays: {', '.join(others)} has the same digest")
                return
            else:
                yield untag(registry, packages, tag, by_digest(registry, digest), self.clock)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """One target on one registry."""

    line: Line
    registry: Registry
    target: Target

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
                next_step="build every platform first, or take it out of tool.unmoor.image.platforms",
            )
        return tuple(mine[platform] for platform in self.line.platforms)


def _with_the_rest(failed: Mapping[str, UnmoorError], done: Sequence[PushedImage]) -> UnmoorError:
    """The first failure, with the others', and with what is there."""
    first, *others = failed.items()
    error = first[1]
    also = "".join(f"; {name} failed, too: {other.what}" for name, other in others)
    there = ", ".join(f"{each.name}:{each.tag}" for each in done)
    error.what = f"{error.what}{also}; {f'pushed: {there}' if there else 'nothing else was pushed'}"
    error.where = error.where or first[0]
    if "again" not in error.next_step:
        error.next_step = f"{error.next_step}; then {AGAIN}"
    return error
