"""Signed tags: real signatures by ssh-keygen and gpg, verified against a list of allowed signers."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.errors import Refused
from unmoor.publish.tag_signature import trusted_signer

LIST = ".allowed_signers"


@dataclass(frozen=True)
class SignedRepo:
    """A checkout, its remote whose default branch lists alice, and the keys of alice and mallory."""

    repo: Repo
    remote: Repo
    git: GitCheckout
    keys: Path

    def sign(self, tag: str, who: str, *more: str) -> None:
        """Make a tag signed with somebody's ssh key."""
        key = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={self.keys / who}")
        self.repo.git(*key, "tag", "-s", "-m", tag, *more, tag)

    def signer(self, tag: str) -> str:
        """Who signed the tag, as the stage reads it."""
        return trusted_signer(self.git, tag, LIST)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SignedRepo]:
    """A repository with fresh keys."""
    for who in ("alice", "mallory"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", str(tmp_path / who)],  # noqa: S607
            check=True,
        )
    line = f"alice@example.org {(tmp_path / 'alice.pub').read_text()}"
    repo = Repo.new(tmp_path / "project", {LIST: f"# who may\n{line}", "a": "1"})
    remote = repo.remote(tmp_path / "remote.git")
    with shell_for_tests() as shell:
        yield SignedRepo(repo, remote, GitCheckout(repo.path, shell), tmp_path)


def test_a_tag_that_an_allowed_signer_signed(place: SignedRepo) -> None:
    """Returns the signer's name as the list writes it, also for a tag with a prefix."""
    place.sign("v1.0", "alice")
    place.sign("pkg/v1.0", "alice")
    assert place.signer("v1.0") == "alice@example.org"
    assert place.signer("pkg/v1.0") == "alice@example.org"


def test_projects_of_one_repository_share_a_list_or_have_their_own(place: SignedRepo) -> None:
    """If the folder has a list of its own, only that list counts."""
    place.sign("v1.0", "alice")
    git = place.git.at("packages/pkg")
    assert trusted_signer(git, "v1.0", LIST) == "alice@example.org"
    place.repo.commit({f"packages/pkg/{LIST}": f"mallory@example.org {(place.keys / 'mallory.pub').read_text()}"})
    place.repo.git("push", "--quiet", "origin", "main")
    with pytest.raises(Refused, match=r"signed by: mallory@example\.org"):
        trusted_signer(git, "v1.0", LIST)
    assert place.signer("v1.0") == "alice@example.org"


def lightweight(place: SignedRepo) -> None:
    """No tag object."""
    place.repo.git("tag", "v1.0")


def unsigned(place: SignedRepo) -> None:
    """An annotated tag without a signature."""
    place.repo.git("tag", "-a", "-m", "x", "v1.0")


def stranger(place: SignedRepo) -> None:
    """A valid signature by somebody who is not on the list."""
    place.sign("v1.0", "mallory")


def own_list(place: SignedRepo) -> None:
    """The list in the tagged commit names the stranger."""
    place.repo.commit({LIST: f"alice@example.org {(place.keys / 'mallory.pub').read_text()}"})
    place.sign("v1.0", "mallory")


def changed(place: SignedRepo) -> None:
    """A signed tag whose text was changed afterwards."""
    place.sign("v0.9", "alice")
    text = place.repo.git("cat-file", "tag", "v0.9").replace("tag v0.9\n", "tag v1.0\n") + "\n"
    (place.keys / "forged").write_text(text)
    forged = place.repo.git("hash-object", "-t", "tag", "-w", str(place.keys / "forged"))
    place.repo.git("update-ref", "refs/tags/v1.0", forged)


def renamed(place: SignedRepo) -> None:
    """A signed tag under another ref: the signature is valid, but for v0.9."""
    place.sign("v0.9", "alice")
    place.repo.git("update-ref", "refs/tags/v1.0", place.repo.git("rev-parse", "refs/tags/v0.9"))


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (lightweight, "is a lightweight tag"),
        (unsigned, "is not signed"),
        (stranger, "has no valid signature"),
        (own_list, "has no valid signature"),
        (changed, "has no valid signature"),
        (renamed, "was signed under another name, 'v0.9'"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_refused(place: SignedRepo, arrange: object, words: str) -> None:
    """Each refusal names the allowed signers."""
    assert callable(arrange)
    arrange(place)
    with pytest.raises(Refused) as caught:
        place.signer("v1.0")
    assert words in str(caught.value)
    assert "are signed by: alice@example.org" in str(caught.value)


def in_refs(place: SignedRepo, signed: str) -> None:
    """A ref directly in ``refs/``."""
    place.repo.git("update-ref", "refs/v1.0", signed)


def in_the_git_directory(place: SignedRepo, signed: str) -> None:
    """A file in the git directory, where git looks for a name first."""
    (place.repo.path / ".git" / "v1.0").write_text(f"{signed}\n")


def nested(place: SignedRepo, signed: str) -> None:
    """A tag whose name is a whole ref, next to one directly in ``refs/``."""
    place.repo.git("update-ref", "refs/tags/refs/tags/v1.0", signed)
    place.repo.git("update-ref", "refs/v1.0", signed)


def replaced(place: SignedRepo, signed: str) -> None:
    """A replacement for the object itself (git-replace)."""
    place.repo.git("replace", "--force", "refs/tags/v1.0", signed)


@pytest.mark.parametrize("shadow", [in_refs, in_the_git_directory, nested, replaced])
def test_only_the_tags_own_object_counts(place: SignedRepo, shadow: Callable[[SignedRepo, str], None]) -> None:
    """A signed tag that git finds first by the same name does not vouch for an unsigned one."""
    place.sign("v1.0", "alice")
    signed = place.repo.git("rev-parse", "refs/tags/v1.0")
    place.repo.commit({"evil": "1"})
    place.repo.git("tag", "--force", "-a", "-m", "-----BEGIN SSH SIGNATURE-----", "v1.0")
    shadow(place, signed)
    with pytest.raises(Refused, match="has no valid signature"):
        place.signer("v1.0")


@pytest.mark.parametrize("ref", ["refs/heads/HEAD", "refs/tags/HEAD", "refs/heads/a/HEAD"])
def test_the_list_comes_from_the_default_branch(place: SignedRepo, ref: str) -> None:
    """A branch or a tag called HEAD is not the default branch, even if the remote has none."""
    forged = place.repo.commit({LIST: f"mallory@example.org {(place.keys / 'mallory.pub').read_text()}"})
    place.sign("v1.0", "mallory")
    place.repo.git("push", "--quiet", "origin", f"{forged}:{ref}")
    with pytest.raises(Refused, match="are signed by: alice"):
        place.signer("v1.0")
    place.remote.git("symbolic-ref", "HEAD", "refs/heads/gone")
    with pytest.raises(Refused, match="the default branch has no file"):
        place.signer("v1.0")


def test_a_tag_that_a_checkout_flattened_is_fetched_again(place: SignedRepo) -> None:
    """CI checkouts may replace the signed tag with a lightweight one; the suggested command restores it."""
    place.sign("v1.0", "alice")
    place.repo.git("push", "--quiet", "origin", "v1.0")
    place.repo.git("tag", "--force", "--no-sign", "v1.0", "HEAD")
    with pytest.raises(Refused, match="is a lightweight tag here") as caught:
        place.signer("v1.0")
    command, _, _ = caught.value.next_step.partition(";")
    place.repo.git(*command.split()[1:])
    assert place.signer("v1.0") == "alice@example.org"


def test_without_a_list_nobody_may_sign(place: SignedRepo) -> None:
    """A missing list on the default branch is a refusal."""
    place.sign("v1.0", "alice")
    with pytest.raises(Refused, match="the default branch has no file signers"):
        trusted_signer(place.git, "v1.0", "signers")


def test_a_default_branch_that_is_not_here(place: SignedRepo, tmp_path: Path) -> None:
    """An outdated list in the checkout does not count."""
    place.sign("v1.0", "alice")
    other = tmp_path / "other"
    place.repo.git("clone", "--quiet", str(place.remote.path), str(other))
    Repo(other).commit({LIST: ""})
    Repo(other).git("push", "--quiet", "origin", "main")
    with pytest.raises(Refused) as caught:
        place.signer("v1.0")
    assert "git fetch origin" in caught.value.next_step


def test_openpgp_keys(place: SignedRepo) -> None:
    """With armoured keys, only OpenPGP signatures by those keys count, and the user's keyring never does."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        env = {**os.environ, "GNUPGHOME": home}
        gpg = ["gpg", "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"]
        subprocess.run([*gpg, "--quick-gen-key", "Bob <bob@example.org>", "ed25519", "sign"], env=env, check=True)
        armour = subprocess.run([*gpg, "--armor", "--export"], env=env, check=True, capture_output=True).stdout
        try:
            subprocess.run(
                ["git", "-c", "user.signingkey=bob@example.org", "tag", "-s", "-m", "x", "v1.0"],  # noqa: S607
                cwd=place.repo.path,
                env=env,
                check=True,
                capture_output=True,
            )
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], env=env, check=False)  # noqa: S607
    assert place.git.signer("v1.0", armour) == "Bob <bob@example.org>"
    with pytest.raises(Refused, match=r"signed by: alice@example\.org"):
        place.signer("v1.0")
    place.sign("v2.0", "alice")
    with pytest.raises(Refused, match=r"signed by: Bob <bob@example\.org>"):
        place.git.signer("v2.0", armour)
