"""The documentation of a release, built and packed."""

from __future__ import annotations

import msgspec

from unmoor.products.dists import File
from unmoor.products.forge import Asset
from unmoor.util.text import clean, size


class BuiltDocs(msgspec.Struct, frozen=True, kw_only=True):
    """The archive of the built pages, which is an asset of the release.

    ``why_not`` says why there is none, empty if there is.
    """

    file: File | None = None
    why_not: str = ""

    @property
    def assets(self) -> tuple[Asset, ...]:
        """The archive as the manifest lists it."""
        each = self.file
        return (Asset(name=each.name, sha256=each.sha256, size=each.size),) if each is not None else ()

    @property
    def summary(self) -> str:
        """The archive and its size, in one line."""
        if self.file is None:
            return f"no documentation: {clean(self.why_not)}"
        return f"{self.file.name} ({size(self.file.size)})"
