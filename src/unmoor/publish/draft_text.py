"""What a draft says: its name, target and notes, which end with how to verify the files if they are signed."""

from __future__ import annotations

from functools import lru_cache
from shlex import quote  # noqa: TID251 - for readers on any system, and the same from every run

import msgspec

from unmoor.core.waivers import Emergency
from unmoor.notes.announced import keep_markers, without_markers
from unmoor.ports.forge import ForgeRelease
from unmoor.products import Notes, Release, Signed
from unmoor.provenance.names import provenance_name
from unmoor.publish.emergencies import text_of, without_text
from unmoor.publish.release_assets import find_asset, same_text


class DraftText(msgspec.Struct, frozen=True, kw_only=True):
    """The text of the draft of a release. ``changelog`` are the notes without an ending.

    ``signed`` are the signatures that this run has, ``None`` if it makes none: then the ending of a draft that has
    signatures stays. ``emergencies`` are those in which the release is or was made: the text begins with them.
    """

    release: Release
    changelog: Notes
    signed: Signed | None
    emergencies: tuple[Emergency, ...] = ()

    @property
    def notes(self) -> Notes:
        """The notes of this run."""
        if not self._signs or self.signed is None:
            return self._told
        return _ended(self.release, self._told, self.signed.stored)

    @property
    def _signs(self) -> bool:
        return self.signed is not None and self.signed.named(self._bundle) is not None

    @property
    def _told(self) -> Notes:
        """The changelog below the emergencies."""
        return _begun(self.changelog, self.emergencies) if self.emergencies else self.changelog

    def is_ours(self, body: str) -> bool:
        """Whether a run of this release may have written a body, in an emergency or not."""
        plain = without_text(without_markers(body))
        return any(same_text(plain, each) for each in (self.changelog.body, *self._endings(self.changelog)))

    def body_for(self, there: ForgeRelease) -> str:
        """The body that a draft should have. What it says about announcements stays."""
        return keep_markers(self._text_for(there), there.body)

    def _text_for(self, there: ForgeRelease) -> str:
        if self._signs or find_asset(there, self._bundle) is None:
            return self.notes.body
        # Another run has signed it.
        stored, bundled = self._endings(self._told)
        return stored if same_text(without_markers(there.body), stored) else bundled

    def is_on(self, there: ForgeRelease) -> bool:
        """Whether a release on the forge has this name, target, mark and body."""
        release = self.release
        return (
            there.name == release.tag
            and there.target == release.commit
            and there.prerelease == release.prerelease
            and same_text(without_markers(there.body), self._text_for(there))
        )

    @property
    def _bundle(self) -> str:
        return provenance_name(self.release.project, self.release.version)

    def _endings(self, notes: Notes) -> tuple[str, str]:
        """The bodies of signed releases: with provenance that the forge stores, and that is only an asset."""
        stored, bundled = (_ended(self.release, notes, each) for each in (True, False))
        return stored.body, bundled.body


def _begun(notes: Notes, emergencies: tuple[Emergency, ...]) -> Notes:
    from unmoor.notes.beginning import with_beginning  # and the reader of Markdown

    return with_beginning(notes, "\n\n".join(map(text_of, emergencies)))


@lru_cache(maxsize=4)
def _ended(release: Release, notes: Notes, stored: bool) -> Notes:  # noqa: FBT001 - lru_cache prefers them so
    from unmoor.notes.ending import with_ending  # and the reader of Markdown

    return with_ending(notes, how_to_verify(release, stored=stored))


def how_to_verify(release: Release, *, stored: bool) -> str:
    """The line below the notes of a signed release. Unless the provenance is ``stored``, GitHub's tool needs it."""
    bundle = "" if stored else f" --bundle {provenance_name(release.project, release.version)}"
    return (
        f"To verify these files: `unmoor verify {quote(f'{release.repository}@{release.tag}')}`. Without unmoor:"
        f" `gh attestation verify FILE --repo {quote(release.repository)}{bundle}`."
    )
