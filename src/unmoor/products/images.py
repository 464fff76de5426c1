"""Container images, as built and as pushed, and the tags that point at them."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from unmoor.products.forge import Asset
from unmoor.products.release import Release
from unmoor.util.text import count_of, size


@dataclass(frozen=True, kw_only=True)
class Image:
    """One built image: a target of a Dockerfile on one platform.

    ``id`` is the name that the engine gave it: the digest of its configuration or, in containerd's image store, of
    its manifest. ``name`` is the repository as users write it (``ghcr.io/owner/name``), the first one configured.
    """

    name: str
    target: str
    platform: str
    id: str
    size: int = field(compare=False)

    @property
    def summary(self) -> str:
        """The target, the platform and the size, in one line."""
        measured = f" ({size(self.size)})" if self.size else ""
        return f"{self.target or 'image'} for {self.platform}{measured}"


@dataclass(frozen=True, kw_only=True)
class Images:
    """Every built image, in the order of the settings.

    ``vouched`` is false for the images of a public release, by a record that nothing vouches for.
    """

    images: tuple[Image, ...]
    vouched: bool = field(default=True, compare=False)

    @property
    def summary(self) -> str:
        """Every image, in one line."""
        return ", ".join(image.summary for image in self.images)


class PushedImage(msgspec.Struct, frozen=True, kw_only=True):
    """One target on one registry: the digest that every tag will point at, and the digest of each platform.

    With one platform ``digest`` is that of the image's manifest; with several it is that of the index over them.
    """

    name: str
    target: str
    tag: str
    digest: str
    platforms: tuple[tuple[str, str], ...]


class TagPosition(msgspec.Struct, frozen=True, kw_only=True):
    """What a floating tag pointed at before a release: a digest, or ``None`` if there was no such tag."""

    name: str
    tag: str
    digest: str | None


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """The images that the registries hold under the commit tags, read back by digest.

    ``record`` is the asset of the release that says so, ``None`` if a public release lacks it. ``before`` is
    what it says of floating tags; a tag that is not listed is not known.
    """

    images: tuple[PushedImage, ...]
    record: Asset | None = None
    before: tuple[TagPosition, ...] = ()

    @property
    def summary(self) -> str:
        """Every image with its commit tag, in one line."""
        return ", ".join(f"{image.name}:{image.tag}" for image in self.images)


@dataclass(frozen=True, kw_only=True)
class MovedTag:
    """One moved tag: the digest it points at, and the one it pointed at before (``None`` if none, or unknown).

    ``floating`` tags move from release to release; the others always name this version. ``record`` names the
    file that says where it pointed before, and is empty if none does.
    """

    name: str
    tag: str
    digest: str
    floating: bool = False
    before: str | None = field(default=None, compare=False)
    record: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class MovedTags:
    """Every tag of the release and every floating tag that belongs to it, read back.

    ``left`` says, one text per tag, why other tags did not move. ``release`` is what they were moved for.
    """

    pointers: tuple[MovedTag, ...]
    left: tuple[str, ...] = field(default=(), compare=False)
    release: Release | None = field(default=None, compare=False)

    @property
    def summary(self) -> str:
        """The number of moved tags and the registries, in one line."""
        names = dict.fromkeys(pointer.name for pointer in self.pointers)
        kept = f"; {count_of(len(self.left), 'tag')} left where they were" if self.left else ""
        return f"{count_of(len(self.pointers), 'tag')} on {', '.join(names)}{kept}"


class LeftTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag that the rules give, but that an image does not get, and why."""

    tag: str
    why: str


class BranchImage(msgspec.Struct, frozen=True, kw_only=True):
    """One target of a branch on one registry.

    ``digest`` is what this run built, and what every tag in ``tags`` points at. ``kept`` are tags that stay on another
    image: of an earlier run of this commit, or of a later commit. If all stay, ``digest`` is that of the first one.
    """

    name: str
    target: str
    digest: str
    tags: tuple[str, ...]
    kept: tuple[LeftTag, ...] = ()


class PushedBranch(msgspec.Struct, frozen=True, kw_only=True):
    """The images of a branch that the registries hold, read back by digest."""

    images: tuple[BranchImage, ...]

    @property
    def summary(self) -> str:
        """Every image with its tags and its digest, in one line."""
        return "; ".join(f"{each.name}: {', '.join(each.tags)} at {each.digest}" for each in self.images)
