"""The forge's adapter against the forge of a real local world."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.support.local_forge import LocalForge, start_forge, text_file
from tests.support.sample_values import sample_run
from tests.support.signers import SigningJob

from unmoor.adapters.forge import GitHubForge, attestation, github, parse
from unmoor.adapters.github import client
from unmoor.errors import ConfigError, Denied, Rejected, Unknown, UnmoorError
from unmoor.ports.forge import ForgeRelease, ForgeTag
from unmoor.products import Release, Subject
from unmoor.provenance.statements import PROVENANCE, release_provenance


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("forge")) as running:
        yield running


def drafted(forge: GitHubForge, release: Release, *, body: str = "Notes") -> ForgeRelease:
    """Make a draft."""
    return forge.draft(
        tag=release.tag, target=release.commit, name=release.tag, body=body, prerelease=release.prerelease
    )


def test_a_draft_is_found_by_listing_and_is_not_public(at: LocalForge) -> None:
    """What was sent comes back, and strangers see nothing of it."""
    forge, release = at.forge(), at.release()
    assert forge.releases(release.tag) == ()
    made = drafted(forge, release)
    assert (made.draft, made.tag, made.target, made.name, made.body) == (
        True,
        release.tag,
        release.commit,
        release.tag,
        "Notes",
    )
    assert forge.releases(release.tag) == (made,)
    assert forge.public(release.tag) is None


def test_the_forge_says_for_how_long_a_draft_has_not_changed(at: LocalForge, tmp_path: Path) -> None:
    """A draft that was filled just now has changed within the last seconds."""
    forge, release = at.forge(), at.release()
    forge.attach(drafted(forge, release), text_file(tmp_path / "a.txt", "a"))
    (there,) = forge.releases(release.tag)
    assert there.quiet is None or there.quiet < 30


NOON = "Sat, 28 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("date", "assets", "release", "quiet"),
    [
        (NOON, ["2026-11-28T11:59:20Z", "2026-11-28T11:00:00Z"], None, 39.0),
        (NOON, ["2026-11-28T12:59:20+01:00"], "2026-11-28T11:59:50Z", 9.0),
        (NOON, ["2026-11-28T11:59:59Z"], None, 0.0),
        (NOON, ["2026-11-28T12:00:01Z"], None, None),
        (NOON, [], "2026-11-01T00:00:00Z", None),
        (NOON, ["2026-11-28T11:00:00Z", None], None, None),
        (NOON, ["2026-11-28T11:00:00"], None, None),
        (NOON, ["yesterday"], None, None),
        (NOON, [1764331200], None, None),
        (NOON, ["2026-11-28T11:00:00Z"], "now", None),
        ("", ["2026-11-28T11:00:00Z"], None, None),
        ("noon", ["2026-11-28T11:00:00Z"], None, None),
    ],
)
def test_an_unclear_time_is_unknown(date: str, assets: list[object], release: object, quiet: float | None) -> None:
    """The newest change counts, by the forge's own clock; what it does not say clearly is unknown, and no error."""
    raw: dict[str, Any] = {
        "id": 1,
        "tag_name": "v1",
        "target_commitish": "main",
        "draft": True,
        "prerelease": False,
        "html_url": "http://x",
        "upload_url": "http://x",
        "updated_at": release,
        "assets": [
            {"id": number, "name": f"{number}.txt", "size": 1, "state": "uploaded", "updated_at": updated}
            for number, updated in enumerate(assets, 1)
        ],
    }
    assert parse.forge_release(raw, where="", date=date).quiet == quiet
    for asset in raw["assets"]:
        asset["state"] = "starter"
    assert parse.forge_release(raw, where="", date=date).quiet is None


def test_drafts_of_a_tag_come_oldest_first_from_every_page(at: LocalForge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five drafts lie on three pages, and all of them are found."""
    monkeypatch.setattr(github, "PER_PAGE", 2)
    forge, release = at.forge(), at.release()
    made = [drafted(forge, release).id for _ in range(5)]
    assert [each.id for each in forge.releases(release.tag)] == sorted(made)


def test_a_list_that_never_ends_is_unknown(at: LocalForge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of pages is bounded."""
    monkeypatch.setattr(github, "PER_PAGE", 1)
    monkeypatch.setattr(client, "_PAGES", 2)
    forge, release = at.forge(), at.release()
    for _ in range(2):
        drafted(forge, release)
    with pytest.raises(Unknown, match="did not end after 2 pages"):
        forge.releases(release.tag)


def test_an_asset_goes_up_and_comes_back_with_its_digest(at: LocalForge, tmp_path: Path) -> None:
    """The answer, the listing and the download agree on name, size and sha256."""
    forge, release = at.forge(), at.release()
    forge_release = drafted(forge, release)
    file = text_file(tmp_path / "demo.txt", "hello")
    sent = forge.attach(forge_release, file)
    assert (sent.name, sent.size, sent.sha256, sent.uploaded) == ("demo.txt", 5, file.sha256, True)
    (listed,) = forge.releases(release.tag)
    assert listed.assets == (sent,)
    assert forge.fetch(sent, tmp_path / "down") == file


def test_a_name_that_is_taken_is_rejected_in_the_forges_words(at: LocalForge, tmp_path: Path) -> None:
    """The second asset of a name is refused, and says why."""
    forge = at.forge()
    forge_release = drafted(forge, at.release())
    file = text_file(tmp_path / "demo.txt", "hello")
    forge.attach(forge_release, file)
    with pytest.raises(Rejected, match="already_exists"):
        forge.attach(forge_release, file)


def test_a_removed_asset_is_gone_and_removing_it_again_is_fine(at: LocalForge, tmp_path: Path) -> None:
    """Detaching is done when the asset is gone, whoever removed it."""
    forge, release = at.forge(), at.release()
    asset = forge.attach(drafted(forge, release), text_file(tmp_path / "demo.txt", "hello"))
    forge.detach(asset)
    forge.detach(asset)
    assert forge.releases(release.tag)[0].assets == ()


def test_amending_changes_words_and_leaves_a_draft(at: LocalForge) -> None:
    """A draft with other words is still the same draft."""
    forge, release = at.forge(), at.release()
    made = drafted(forge, release, body="Old")
    amended = forge.amend(made, name="Name", body="New", prerelease=True)
    assert (amended.id, amended.name, amended.body, amended.prerelease, amended.draft) == (
        made.id,
        "Name",
        "New",
        True,
        True,
    )


@pytest.mark.parametrize(
    ("prerelease", "latest"),
    [(False, True), (False, False), (True, False)],
    ids=["highest", "backport", "prerelease"],
)
def test_publishing_says_every_flag_and_keeps_the_words(
    at: LocalForge, tmp_path: Path, *, prerelease: bool, latest: bool
) -> None:
    """Marks are those asked for, the words stay, and anybody may fetch the assets without credentials."""
    forge, release = at.forge(), at.release()
    before = forge.latest()
    forge_release = drafted(forge, release)
    file = text_file(tmp_path / "demo.txt", "hello")
    forge.attach(forge_release, file)
    assert release.tag not in forge.released()
    published = forge.publish(forge_release, prerelease=prerelease, latest=latest)
    assert release.tag in forge.released()
    assert (published.draft, published.prerelease, published.body) == (False, prerelease, "Notes")
    assert forge.latest() == (release.tag if latest else before)
    stranger = at.forge("")
    seen = stranger.public(release.tag)
    assert seen is not None
    assert seen.assets[0].public
    assert stranger.fetch(seen.assets[0], tmp_path / "down").sha256 == file.sha256


def test_a_published_release_is_never_removed(at: LocalForge) -> None:
    """Even one that was a draft when it was last seen."""
    forge, release = at.forge(), at.release()
    forge_release = drafted(forge, release)
    forge.publish(forge_release, prerelease=False, latest=False)
    with pytest.raises(Rejected, match="public"):
        forge.remove(forge_release)
    assert forge.public(release.tag) is not None


def reader(at: LocalForge) -> GitHubForge:
    """A token that may only read."""
    return at.forge(at.read_token)


def stranger(at: LocalForge) -> GitHubForge:
    """No token at all."""
    return at.forge("")


@pytest.mark.parametrize("who", [reader, stranger])
def test_who_may_not_push_never_hears_absent(at: LocalForge, who: Callable[[LocalForge], GitHubForge]) -> None:
    """Drafts are not listed to them, so an empty list is unknown, though a draft is there or not."""
    release = at.release()
    with pytest.raises(Unknown, match="lists drafts only to users with push access"):
        who(at).releases(release.tag)
    drafted(at.forge(), release)
    with pytest.raises(Unknown, match="lists drafts only to users with push access"):
        who(at).releases(release.tag)


def test_rights_are_read_from_the_repository(at: LocalForge) -> None:
    """The right to push is that of the token; ``None`` without a token."""
    assert [forge.repository().can_push for forge in (at.forge(), reader(at), stranger(at))] == [True, False, None]


CALLS: dict[str, Callable[[GitHubForge], object]] = {
    "repository": lambda forge: forge.repository(),
    "postings": lambda forge: forge.releases("v1.0"),
    "draft": lambda forge: forge.draft(tag="v1.0", target="a" * 40, name="v1.0", body="", prerelease=False),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_token_is_denied_and_never_shown(at: LocalForge, call: str) -> None:
    """The error for a rejected credential says so, and does not contain the token."""
    with pytest.raises(Denied, match="does not accept") as caught:
        CALLS[call](at.forge("ghp_secret"))
    assert "secret" not in repr((caught.value, caught.value.where, caught.value.next_step))


@pytest.mark.parametrize("call", CALLS)
def test_another_repository_is_not_found(at: LocalForge, call: str) -> None:
    """404 of a repository is a matter of access, with a hint, and never an empty list."""
    with pytest.raises(Denied, match="not found") as caught:
        CALLS[call](at.forge(repository="acme/other"))
    assert "private" in caught.value.next_step


def test_public_of_another_repository_is_not_absent(at: LocalForge) -> None:
    """404 of a release counts only where the repository itself can be read."""
    with pytest.raises(Denied):
        at.forge(repository="acme/other").public("v1.0")


def test_a_token_that_may_only_read_cannot_write(at: LocalForge) -> None:
    """The forge's refusal is an error of rights."""
    with pytest.raises(Denied, match="forbids"):
        drafted(reader(at), at.release())


@pytest.mark.parametrize("name", ["", "acme", "a/b/c", "../demo", "acme/demo?x=1", "acme/de mo", "acme/\u0430"])
def test_a_repository_that_is_none_is_refused(at: LocalForge, name: str) -> None:
    """The name becomes a part of addresses."""
    with pytest.raises(ConfigError):
        at.forge(repository=name)


def test_an_address_a_person_can_open(at: LocalForge) -> None:
    """The site and the repository."""
    assert at.forge().address.endswith("/acme/demo")
    assert at.forge().has_token()
    assert not stranger(at).has_token()


def test_removing_a_draft_that_is_gone_is_done(at: LocalForge) -> None:
    """Whoever removed it."""
    forge, release = at.forge(), at.release()
    forge_release = drafted(forge, release)
    forge.remove(forge_release)
    forge.remove(forge_release)
    with pytest.raises(UnmoorError):
        forge.publish(forge_release, prerelease=False, latest=False)


def test_an_immutable_release_is_attested_even_when_it_is_gone(at: LocalForge) -> None:
    """A draft of its tag can still be made, and is refused only when it is published: the attestation tells before."""
    forge, release = at.forge(), at.release()
    assert forge.attested(release.tag) is False
    assert forge.attested("v0.0.0-never") is None
    switch = at.world / "forge" / "immutable"
    switch.touch()
    try:
        public = forge.publish(drafted(forge, release), prerelease=False, latest=False)
    finally:
        switch.unlink()
    assert forge.attested(release.tag) is True
    tagged = forge.tagged(release.tag)
    assert tagged is not None
    (bundle,) = forge.release_attestations(tagged)
    assert json.loads(bundle)["verificationMaterial"]["timestampVerificationData"]
    address = f"{at.place.api}/repos/{at.place.repository}/releases/{public.id}"
    headers = {"Authorization": f"Bearer {at.place.login.secret.reveal()}"}
    requests.delete(address, headers=headers, timeout=20).raise_for_status()
    assert forge.public(release.tag) is None
    assert forge.attested(release.tag) is True
    again = drafted(forge, release)
    with pytest.raises(Rejected, match="tag_name was used by an immutable release") as caught:
        forge.publish(again, prerelease=False, latest=False)
    assert "release a new version" in caught.value.next_step
    forge.remove(again)


def statement(tag: str, kind: str = "https://in-toto.io/attestation/release/v0.1") -> dict[str, Any]:
    """A bundle with a statement about a tag."""
    payload = json.dumps({"predicateType": kind, "predicate": {"tag": tag}})
    return {"dsseEnvelope": {"payload": b64encode(payload.encode()).decode()}}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], False),
        ([{"bundle": statement("v1"), "initiator": "github"}], True),
        ([{"bundle": statement("v1")}], True),
        ([{"bundle": statement("v1"), "initiator": "user"}], False),
        ([{"bundle": statement("v2")}], False),
        ([{"bundle": statement("v1", "https://slsa.dev/provenance/v1")}], False),
        ([{"bundle": None, "initiator": "github"}], None),
        ([{"bundle": {"dsseEnvelope": {"payload": "%"}}}], None),
        ([{"bundle": {"dsseEnvelope": {"payload": "WzFd"}}}], None),
        ([{"bundle": None}, {"bundle": statement("v1")}], True),
    ],
    ids=[
        "none",
        "forge's",
        "no initiator",
        "a user's",
        "other tag",
        "other kind",
        "no bundle",
        "no base64",
        "list",
        "one of two",
    ],
)
def test_what_an_attestation_says(found: list[dict[str, Any]], *, expected: bool | None) -> None:
    """Only the forge's own attestation of exactly this tag counts. If none does, an unreadable one gives ``None``."""
    assert attestation.names({"attestations": found}, "v1", where="there") is expected


def test_attestations_that_are_none() -> None:
    """An answer of another shape is never taken for an empty list."""
    with pytest.raises(Unknown, match="a list of attestations"):
        attestation.names({}, "v1", where="there")


def test_an_attestation_is_stored_and_found_by_each_digest(at: LocalForge) -> None:
    """A bundle comes back as it was sent, for its own type only; without the permission nothing is stored."""
    signer = SigningJob(world=at.running).sigstore().signer
    subjects = [Subject(name=name, sha256=hashlib.sha256(name.encode()).hexdigest()) for name in ("a", "b")]
    bundle = signer.sign_statement(release_provenance(subjects, run=sample_run()))
    forge = at.forge()
    assert forge.repository().id == "2"
    with pytest.raises(Denied, match="Resource not accessible"):
        at.forge(at.read_token).attest(bundle)
    assert [forge.attestations(each.sha256, PROVENANCE) for each in subjects] == [(), ()]
    forge.attest(bundle)
    for each in subjects:
        (found,) = forge.attestations(each.sha256, PROVENANCE)
        assert json.loads(found) == json.loads(bundle)
        assert forge.attestations(each.sha256, "https://cyclonedx.org/bom") == ()
    with pytest.raises(Rejected, match="malformed bundle"):
        forge.attest(b"{}")


@pytest.mark.parametrize("found", [{}, {"attestations": None}, {"attestations": [{"bundle": None}]}, [], None])
def test_stored_attestations_that_cannot_be_read(found: object) -> None:
    """A list that is none, and an attestation that is not in the answer, are unknown and never absent."""
    with pytest.raises(Unknown, match="the answer is not a list of attestations"):
        attestation.bundles(found, where="there")


def test_the_attestations_of_the_forge_itself_are_no_workflows() -> None:
    """What the forge says of an immutable release is not what the repository stored."""
    listed = [{"bundle": statement("v1"), "initiator": "github"}, {"bundle": {"a": 1}, "initiator": "user"}]
    assert attestation.bundles({"attestations": listed}, where="there") == (b'{"a":1}',)


def test_what_a_tag_names(at: LocalForge) -> None:
    """The commit, through any tag objects; what is not there is absent, and a tag of something else unknown."""
    forge, commit = at.forge(token=""), at.repo.git("rev-parse", "HEAD")
    at.repo.git("tag", "-a", "-m", "x", "once", commit)
    at.repo.git("tag", "-a", "-m", "x", "twice", "once")
    at.repo.git("tag", "tree", f"{commit}^{{tree}}")
    at.repo.git("push", "--quiet", str(at.world / "remote.git"), "once", "twice", "tree")
    assert forge.tagged("v1.0") == ForgeTag(object=commit, commit=commit)
    for name in ("once", "twice"):
        assert forge.tagged(name) == ForgeTag(object=at.repo.git("rev-parse", name), commit=commit)
    assert forge.tagged("never") is None
    with pytest.raises(Unknown, match="it is of a tree"):
        forge.tagged("tree")
    assert forge.release_attestations(ForgeTag(object="d" * 40, commit=commit)) == ()
