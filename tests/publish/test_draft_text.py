"""What a draft says: the notes, and below them how to verify files that are signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.sample_values import sample_release

from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.products import File, Notes, Signed
from unmoor.publish.draft_text import DraftText, how_to_verify
from unmoor.util.values import replace

RELEASE = sample_release(repository="acme/demo")
NOTES = Notes(body="- Something new\n", full="- Something new\n", source="a test")
BUNDLE = "small-one-1.0.provenance.sigstore.json"
SIGNED = Signed(bundles=(File(name=BUNDLE, sha256="", size=1, path=Path(BUNDLE)),))
PLAIN, STORED, BUNDLED = (
    DraftText(release=RELEASE, changelog=NOTES, signed=signed).notes.body
    for signed in (None, replace(SIGNED, stored=True), SIGNED)
)


def draft(body: str, *assets: str) -> ForgeRelease:
    """A draft of the release."""
    held = (ForgeAsset(id=1, name=name, size=1, sha256=None, uploaded=True, url="") for name in assets)
    return ForgeRelease(
        id=1,
        tag="v1.0",
        target=RELEASE.commit,
        name="v1.0",
        body=body,
        draft=True,
        prerelease=False,
        url="",
        upload_url="",
        assets=tuple(held),
    )


def test_signed_notes_end_with_the_command() -> None:
    """It names the release; GitHub's own tool needs the asset if the forge does not store the provenance."""
    assert NOTES.body == PLAIN
    assert STORED == (
        "- Something new\n\n---\n\nTo verify these files: `unmoor verify acme/demo@v1.0`. Without unmoor:"
        " `gh attestation verify FILE --repo acme/demo`."
    )
    assert STORED.replace("acme/demo`.", f"acme/demo --bundle {BUNDLE}`.") == BUNDLED
    assert STORED.endswith(how_to_verify(RELEASE, stored=True))


@pytest.mark.parametrize("signed", [None, Signed(why_not="the repository is private")])
def test_unsigned_notes_are_the_changelogs(signed: Signed | None) -> None:
    """Without provenance there is nothing to verify with."""
    assert DraftText(release=RELEASE, changelog=NOTES, signed=signed).notes == NOTES


@pytest.mark.parametrize(
    ("signed", "there", "expected"),
    [
        (None, draft(PLAIN), PLAIN),
        (None, draft(STORED), PLAIN),
        (None, draft(PLAIN, BUNDLE), BUNDLED),
        (None, draft(STORED, BUNDLE), STORED),
        (None, draft(BUNDLED, BUNDLE), BUNDLED),
        (None, draft("by hand", BUNDLE), BUNDLED),
        (SIGNED, draft(PLAIN), BUNDLED),
        (SIGNED, draft(STORED, BUNDLE), BUNDLED),
        (replace(SIGNED, stored=True), draft(PLAIN, BUNDLE), STORED),
        (replace(SIGNED, stored=True), draft(STORED, BUNDLE), STORED),
    ],
)
def test_one_run_continues_the_draft_of_another(signed: Signed | None, there: ForgeRelease, expected: str) -> None:
    """A run that signs writes the ending; one that does not keeps it as long as the draft has the signatures."""
    text = DraftText(release=RELEASE, changelog=NOTES, signed=signed)
    assert text.body_for(there) == expected
    assert text.is_on(there) is (there.body == expected)
    assert text.is_on(replace(there, body=expected.replace("\n", "\r\n")))


@pytest.mark.parametrize(
    ("body", "ours"), [(PLAIN, True), (STORED, True), (BUNDLED, True), ("", False), ("by hand", False)]
)
def test_a_body_that_unmoor_writes_is_known(body: str, *, ours: bool) -> None:
    """An empty second draft with one of them can go, whichever run made it."""
    assert DraftText(release=RELEASE, changelog=NOTES, signed=None).is_ours(body) is ours
