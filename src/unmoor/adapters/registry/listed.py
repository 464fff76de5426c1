"""A registry that is asked once for each tag, for a command that looks at many releases."""

from __future__ import annotations

from dataclasses import dataclass, field

from unmoor.adapters.registry.client import OciRegistry
from unmoor.ports.registry import OciManifest
from unmoor.util.asked_once import AskedOnce


@dataclass(frozen=True)
class ListedRegistry(OciRegistry):
    """Reads each tag once, and the list of tags once, so that floating tags are not read for every release.

    A tag that moves meanwhile is seen as it was. So it is for commands that only read.
    """

    once: AskedOnce = field(default_factory=AskedOnce, compare=False, repr=False)

    def head(self, reference: str) -> str | None:
        """The digest behind a tag or digest, read once; see the port."""
        return self.once(("head", reference), lambda: super(ListedRegistry, self).head(reference))

    def manifest(self, reference: str, *, anonymous: bool = False) -> OciManifest | None:
        """A manifest, read once; see the port."""
        return self.once(
            ("manifest", reference, anonymous),
            lambda: super(ListedRegistry, self).manifest(reference, anonymous=anonymous),
        )

    def tags(self) -> tuple[str, ...]:
        """Every tag, read once; see the port."""
        return self.once("tags", super().tags)

    def blob(self, digest: str) -> bytes:
        """A small blob, read once; see the port."""
        return self.once(("blob", digest), lambda: super(ListedRegistry, self).blob(digest))
