"""Push one image to one registry, annotate it and pull it back; skip what is there already."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from unmoor import advice
from unmoor.errors import CheckFailed, Conflict, Denied, ToolMissing, Unknown
from unmoor.images.annotate import put_annotated
from unmoor.images.image_plan import manifest_by_digest, read_remote, require_image
from unmoor.ports.clock import Clock
from unmoor.ports.engine import Engine
from unmoor.ports.failure import require_not_put_off
from unmoor.ports.poll import poll
from unmoor.ports.registry import OciManifest, Registry
from unmoor.products import Image

COMMIT_TAKEN = advice.DELETE_COMMIT_TAG()
"""What to do about another image under the tag of a commit."""
# Seconds before each attempt to push. After a lost answer the registry is checked first.
_PAUSES = (0.0, 2.0, 8.0)


class ImagePusher(msgspec.Struct, frozen=True, kw_only=True):
    """Pushes images from an engine."""

    engine: Engine
    clock: Clock

    def push(
        self, registry: Registry, image: Image, tag: str, say: Callable[[str], None], *, moves: bool = False
    ) -> OciManifest:
        """Push one platform's image under a tag, annotate it and pull it back; skip what is already there.

        If the tag ``moves``, it may point at another image now. Else that raises `Conflict`.
        """
        seen = read_remote(registry, tag)
        if moves and seen is not None and not seen.is_of([image]):
            seen = None
        if seen is not None:
            require_image(seen, [image], registry, tag, COMMIT_TAKEN, retryable=True)
        there = seen.manifest if seen else manifest_by_digest(registry, self._send(registry, image, tag, say))
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

    def _send(self, registry: Registry, image: Image, tag: str, say: Callable[[str], None]) -> str:
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
                where_set = advice.SET_PACKAGE_WRITERS(page=registry.page)
                raise error.amended(next_step=error.next_step.then(where_set)) from error
            seen = registry.head(tag)
            if seen != digest:
                raise Conflict(
                    f"{digest} was pushed as {tag}, but the registry has {seen or 'nothing'} there",
                    where=registry.name,
                    next_step=advice.FIND_OTHER_PUSHER(),
                    retryable=True,
                )
            return digest

        digest = poll(attempt, waits=_PAUSES, clock=self.clock) or _find_pushed(registry, image, tag)
        if not digest:
            require_not_put_off(lost[-1])
            raise lost[-1]
        return digest

    def _verify_pull(self, registry: Registry, image: Image, digest: str) -> None:
        """Pull the image by its digest. Raises `CheckFailed` if it is not the tested one.

        The engine here may name images by their manifest, and the one that built it by their configuration, or
        the other way round.
        """
        pulled = self.engine.pull(f"{registry.address}@{digest}", login=registry.login, platform=image.platform)
        remote = read_remote(registry, digest)
        if remote is None or not remote.is_of([image]) or pulled not in {digest, *remote.configs}:
            raise CheckFailed(
                f"{digest} is the image {pulled} when pulled back, but {image.id} was tested",
                where=registry.name,
                next_step=advice.FIND_WHAT_IS_BETWEEN(),
            )


def _find_pushed(registry: Registry, image: Image, tag: str) -> str:
    """The digest that a tag points at if it is this image, else an empty string."""
    seen = read_remote(registry, tag)
    return seen.manifest.digest if seen is not None and seen.is_of([image]) else ""
