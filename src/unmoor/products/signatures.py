"""The signatures of a release's files and images."""

from __future__ import annotations

import msgspec

from unmoor.products.dists import File
from unmoor.util.text import clean, count_of

BY_HAND = "released by hand, unsigned"
"""What a manifest says, as a decision, if a run without an identity, outside any CI, made it and sends its files.

No later run signs these files, since a manifest never changes.
"""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """The signatures of a release, as files: Sigstore bundles, sorted by name.

    ``why_not`` says why something is not signed, ``withheld`` why the indexes get no signature; empty if all is.
    ``required``: no index may get a file without its signature. ``stored``: the forge stores the provenance, too.
    ``signer`` is the address of the workflow file whose signatures these are, without a ref.
    """

    bundles: tuple[File, ...] = ()
    why_not: str = ""
    withheld: str = ""
    required: bool = False
    stored: bool = False
    signer: str = ""

    def named(self, name: str) -> File | None:
        """The signature of that name, ``None`` if there is none."""
        return next((each for each in self.bundles if each.name == name), None)

    @property
    def summary(self) -> str:
        """The number of signatures, and why there are no more, in one line."""
        counted = count_of(len(self.bundles), "signature")
        return f"{counted}: {clean(self.why_not)}" if self.why_not else counted


class SignedImage(msgspec.Struct, frozen=True, kw_only=True):
    """A pushed image with a signed statement: ``referrer`` is the digest of the manifest that holds the signature."""

    name: str
    digest: str
    referrer: str


class SignedImages(msgspec.Struct, frozen=True, kw_only=True):
    """The images whose provenance is signed, in the order in which they were pushed.

    ``sboms`` are those with a signed bill of materials: one for each platform, by its own digest. ``why_not`` says why
    some are not signed; empty if all are.
    """

    images: tuple[SignedImage, ...] = ()
    sboms: tuple[SignedImage, ...] = ()
    why_not: str = ""

    @property
    def summary(self) -> str:
        """The number of signed images, and why there are no more, in one line."""
        counted = count_of(len(self.images), "signed image")
        if self.sboms:
            counted += f", {count_of(len(self.sboms), 'signed SBOM')} of them"
        return f"{counted}: {clean(self.why_not)}" if self.why_not else counted


class SumsSignature(msgspec.Struct, frozen=True, kw_only=True):
    """The signature of SHA256SUMS with ``key``, as the settings name that. ``why_not`` says why there is no file."""

    key: str
    file: File | None = None
    why_not: str = ""

    @property
    def files(self) -> tuple[File, ...]:
        """The signature, if there is one."""
        return (self.file,) if self.file is not None else ()

    @property
    def summary(self) -> str:
        """The name of the signature and of the key, or why there is none, in one line."""
        return f"{self.file.name} by {clean(self.key)}" if self.file is not None else clean(self.why_not)
