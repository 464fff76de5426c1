"""What was deployed beside a release: documentation, a Space, a service; and who heard of it."""

from __future__ import annotations

import time

import msgspec

from unmoor.util.text import clean, list_some

_LATEST = 2**36  # seconds: no clock is past the year 4147


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment as it stands.

    ``what`` is ``docs``, ``space`` or ``service NAME``; ``address`` is where users see it, empty if there is none.
    ``identity`` is the tree, commit or digest by which it was found. ``counts`` are numbers with their names, such as
    ``("files", 20)``. ``when`` it was deployed is in seconds since 1970, 0 if that cannot be read there. ``left_out``
    names what was not deployed, each with the reason. Without an identity nothing was deployed, and ``left_out`` says
    why.
    """

    what: str
    address: str
    identity: str
    counts: tuple[tuple[str, int], ...] = ()
    when: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def is_there(self) -> bool:
        """Whether this release is deployed; if not, its deployment was left out."""
        return bool(self.identity)

    @property
    def summary(self) -> str:
        """Where it is, what proves it, and the counts, in one line."""
        if not self.is_there:
            return f"left as it is: {list_some([clean(each) for each in self.left_out], 3)}"
        parts = [clean(self.address), clean(self.identity, limit=19), self.numbers]
        parts += [f"without {list_some([clean(each) for each in self.left_out], 3)}"] if self.left_out else []
        return ", ".join(filter(None, parts)) or clean(self.what)

    @property
    def time(self) -> str:
        """When it was deployed, for people; empty if that is unknown."""
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.when)) if 0 < self.when < _LATEST else ""

    @property
    def numbers(self) -> str:
        """The counts, in one line."""
        return ", ".join(
            f"{number:,} {clean(name.removesuffix('s') if number == 1 else name)}" for name, number in self.counts
        )


class CheckedDocs(msgspec.Struct, frozen=True, kw_only=True):
    """The branches that documentation can be put onto, looked at before the release became public."""

    branches: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Where they are, in one line."""
        return ", ".join(clean(each) for each in self.branches)


class CheckedServices(msgspec.Struct, frozen=True, kw_only=True):
    """The services whose proxy, slots and image were looked at before the release became public."""

    services: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Their names, in one line."""
        return ", ".join(clean(each) for each in self.services)
