"""The stage ``branch-images``: push the images of a branch under its tags, and read every tag back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from unmoor import advice
from unmoor.artifacts import oci
from unmoor.core.stage import NotUndone, Output, Push, StageContext
from unmoor.errors import ConfigError, Conflict, Unknown
from unmoor.images.annotate import index_over, is_annotated, labels_of
from unmoor.images.branch_tags import BranchTarget
from unmoor.images.image_names import REVISION
from unmoor.images.image_plan import RemoteImage, manifest_by_digest, read_remote
from unmoor.images.push import ImagePusher
from unmoor.ports.clock import Clock
from unmoor.ports.engine import Engine
from unmoor.ports.registry import OciManifest, Registry
from unmoor.ports.services import Services
from unmoor.products import BranchImage, Image, Images, LeftTag, Proof, PushedBranch, Release
from unmoor.util.digests import is_commit
from unmoor.util.text import list_some


@dataclass(frozen=True, kw_only=True)
class PushBranch(Push[PushedBranch]):
    """Pushes every target of a branch to every registry, with an index over its platforms if there are several.

    A tag that names the commit never changes. Any other moves, but not from an image of a later commit. ``precedes``
    tells whether the second of two commits continues from the first.
    """

    name: str = "branch-images"
    release: Output[Release]
    images: Output[Images]
    proof: Output[Proof]
    engine: Engine
    precedes: Callable[[str, str], bool]
    clock: Clock
    targets: tuple[BranchTarget, ...]

    @classmethod
    def of(
        cls,
        services: Services,
        *,
        targets: tuple[BranchTarget, ...],
        precedes: Callable[[str, str], bool],
        release: Output[Release],
        images: Output[Images],
        proof: Output[Proof],
    ) -> Self:
        """Build the stage for the targets of a branch."""
        return cls(
            release=release,
            images=images,
            proof=proof,
            engine=services.engine,
            precedes=precedes,
            clock=services.clock,
            targets=targets,
        )

    def plan(self) -> str:
        """Say what would be pushed, and where."""
        names = (
            f"{registry.name}:{tag}"
            for each in self.targets
            for registry in each.plan.registries
            for tag in each.tags.names
        )
        return f"push {', '.join(names)}, and read them back by digest"

    def find(self, context: StageContext) -> PushedBranch | None:
        """Return the images if every tag points at them already, or stays where it is. Raises `Conflict`, `Unknown`."""
        states = list(self._look_up_all(context))
        if any(state.missing for state in states):
            return None
        return PushedBranch(images=tuple(state.product(state.digest) for state in states))

    def make(self, context: StageContext) -> PushedBranch:
        """Push what is missing, once everything was looked up. Raises `ConfigError`, `Incomplete`, `Conflict`."""
        states = list(self._look_up_all(context))
        return PushedBranch(images=tuple(self._push(state, context.say) for state in states))

    def undo(self, product: PushedBranch) -> NotUndone:
        """Leave the tags: the next push to the branch moves them."""
        return NotUndone(f"the tags of a branch stay: {product.summary}")

    def _look_up_all(self, context: StageContext) -> Iterator[_State]:
        release, images = context[self.release], context[self.images]
        for each in self.targets:
            wanted = each.plan.every_image_of(each.target, images)
            if not each.tags.names:
                raise _no_tags(each)
            for registry in each.plan.registries:
                yield self._look_up(each, registry, wanted, release.commit)

    def _look_up(self, each: BranchTarget, registry: Registry, wanted: tuple[Image, ...], commit: str) -> _State:
        """Look up what every tag points at. Raises `Conflict` if a tag of the commit is of another commit."""
        digest, there, missing, kept = "", [], [], []
        for tag in each.tags.names:
            remote = read_remote(registry, tag)
            if remote is not None and _is_ours(registry, remote, wanted) and digest in {"", remote.manifest.digest}:
                digest = remote.manifest.digest
                there.append(tag)
            elif remote is not None and (why := self._why_kept(each, registry, tag, remote, commit)):
                kept.append((LeftTag(tag=tag, why=why), remote.manifest.digest))
            else:
                missing.append(tag)
        if not digest and not missing:
            digest = kept[0][1]
        return _State(
            each=each,
            registry=registry,
            wanted=wanted,
            digest=digest,
            there=tuple(there),
            missing=tuple(missing),
            kept=tuple(left for left, _ in kept),
        )

    def _why_kept(self, each: BranchTarget, registry: Registry, tag: str, remote: RemoteImage, commit: str) -> str:
        """Return why a tag stays on another image, empty if it moves."""
        config = remote.configs[0] if remote.configs else ""
        found = labels_of(registry, config).get(REVISION, "") if config else ""
        if tag in each.tags.fixed:
            if found == commit:
                return f"an earlier run pushed another build of this commit, {remote.manifest.digest}"
            raise Conflict(
                f"{tag} is an image of commit {found or 'unknown'}, {remote.manifest.digest}, not of commit {commit}",
                where=registry.name,
                next_step=advice.DELETE_COMMIT_TAG(),
            )
        if is_commit(found) and self.precedes(commit, found):
            return f"it is an image of a later commit, {found[:12]}"
        return ""

    def _push(self, state: _State, say: Callable[[str], None]) -> BranchImage:
        """Push one target to one registry under the tags that do not point at it yet, and read all back."""
        registry, each = state.registry, state.each
        for tag in state.there:
            say(f"{registry.name}:{tag} is already there: {state.digest}")
        for left in state.kept:
            say(f"{registry.name}:{left.tag} stays: {left.why}")
        missing = list(state.missing)
        digest = state.digest
        if missing and not digest:
            first = missing.pop(0)
            digest = self._send(state, first, say, moves=first in each.tags.floating)
        for tag in missing:
            say(f"tagging {digest} as {registry.name}:{tag}")
            registry.put(tag, manifest_by_digest(registry, digest))
        for tag in (*state.there, *state.missing):
            if (seen := registry.head(tag)) != digest:
                raise Conflict(
                    f"{digest} was pushed as {tag}, but the registry has {seen or 'nothing'} there",
                    where=registry.name,
                    next_step=advice.FIND_OTHER_PUSHER(),
                    retryable=True,
                )
        return state.product(digest)

    def _send(self, state: _State, tag: str, say: Callable[[str], None], *, moves: bool) -> str:
        """Push the images under a tag. Returns the digest that was read back."""
        registry, wanted = state.registry, state.wanted
        pusher = ImagePusher(engine=self.engine, clock=self.clock)
        if len(wanted) == 1:
            pusher.push(registry, wanted[0], tag, say, moves=moves)
        else:
            legs: dict[str, OciManifest] = {
                each.platform: pusher.push(registry, each, oci.leg_tag(tag, each.platform), say, moves=True)
                for each in wanted
            }
            say(f"pushing one index over {len(wanted)} platforms to {registry.name}:{tag}")
            registry.put(tag, index_over(registry, legs))
        seen = read_remote(registry, tag)
        if seen is None or not seen.is_of(wanted):
            raise Unknown(f"{tag} was pushed, but is not there when read back", where=registry.name)
        return seen.manifest.digest


@dataclass(frozen=True, kw_only=True)
class _State:
    """One target on one registry: which tags point at ``digest`` already, which do not yet, and which never will."""

    each: BranchTarget
    registry: Registry
    wanted: tuple[Image, ...]
    digest: str
    there: tuple[str, ...]
    missing: tuple[str, ...]
    kept: tuple[LeftTag, ...]

    def product(self, digest: str) -> BranchImage:
        """The product, once every tag points at a digest."""
        tags = tuple(tag for tag in self.each.tags.names if tag in {*self.there, *self.missing})
        return BranchImage(
            name=self.registry.name, target=self.each.target.stage, digest=digest, tags=tags, kept=self.kept
        )


def _is_ours(registry: Registry, remote: RemoteImage, wanted: Sequence[Image]) -> bool:
    return remote.is_of(wanted) and is_annotated(registry, remote.manifest, [image.id for image in wanted])


def _no_tags(each: BranchTarget) -> ConfigError:
    left = [f"{left.tag}: {left.why}" for left in each.tags.left]
    also = f" apart from {list_some(left, 3)}" if left else ""
    return ConfigError(
        f"no rule gives {each.target.stage or 'the image'} a tag for this branch{also}",
        where="tool.unmoor.image.tags",
        next_step=advice.ADD_TAG_RULE(),
    )
