"""A branch of pages, read and written with the real git."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.pages import GitPages
from unmoor.adapters.process.shell import LocalShell
from unmoor.deploy.docs.objects import object_id, site_tree
from unmoor.errors import Unknown
from unmoor.ports.git_writer import PushState
from unmoor.ports.pages import PagesChange, PagesState
from unmoor.util.secret import Secret

SITE = {"index.html": b"<p>\r\n", ".gitattributes": b"* text=auto eol=crlf\n", ".gitignore": b"*\n", "a/b.txt": b"b\n"}


def pages(tmp_path: Path, shell: LocalShell) -> tuple[GitPages, Repo]:
    """The branch ``gh-pages`` of a remote that has another branch only."""
    repo = Repo.new(tmp_path / "repo")
    remote = repo.remote(tmp_path / "remote.git")
    remote.git("config", "uploadpack.allowFilter", "true")
    return GitPages(checkout=GitCheckout(repo.path, shell), remote="origin", branch="gh-pages"), remote


def fresh(tmp_path: Path) -> Path:
    """A new empty folder."""
    folder = tmp_path / f"work-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    return folder


def written(tmp_path: Path) -> Path:
    """A folder with the site."""
    folder = fresh(tmp_path)
    for name, data in SITE.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_pages_are_committed_as_they_are_and_found_again(tmp_path: Path, shell: LocalShell) -> None:
    """No attribute and no ignore list in the pages changes them; whatever else is on the branch stays."""
    branch, remote = pages(tmp_path, shell)
    first = branch.open(fresh(tmp_path))
    assert first.state == PagesState()
    tree = first.add(written(tmp_path))
    assert tree == site_tree((path, object_id("blob", data)) for path, data in SITE.items())
    change = PagesChange(message="One\n\nUnmoor-Docs: 1.0 " + tree, folders={"1.0": tree}, files={"CNAME": b"x.org\n"})
    assert first.push(change).state is PushState.DONE

    second = branch.open(fresh(tmp_path))
    assert second.state.tree("1.0") == tree
    assert second.read("CNAME") == b"x.org\n"
    assert second.read("1.0") is second.read("gone") is None
    assert second.push(PagesChange(message="Two", folders={"stable": tree})).state is PushState.DONE
    assert remote.git("ls-tree", "--name-only", "gh-pages").splitlines() == ["1.0", "CNAME", "stable"]
    assert remote.git("rev-list", "--count", "gh-pages") == "2"

    third = branch.open(fresh(tmp_path))
    former = third.former(tree)
    assert former is not None
    assert (former.folder, former.before) == ("1.0", PagesState())
    assert third.former("a" * 40) is None
    assert third.push(PagesChange(message="Three", folders={"1.0": "", "stable": ""})).state is PushState.DONE
    assert remote.git("ls-tree", "--name-only", "gh-pages") == "CNAME"
    remote.git("fsck", "--strict")


def test_a_push_that_is_too_late_changes_nothing(tmp_path: Path, shell: LocalShell) -> None:
    """The lease is on what was read, so a commit of somebody else meanwhile is never lost."""
    branch, remote = pages(tmp_path, shell)
    late, early = branch.open(fresh(tmp_path)), branch.open(fresh(tmp_path))
    assert early.push(PagesChange(message="First", files={"a": b""})).state is PushState.DONE
    outcome = late.push(PagesChange(message="Late", files={"b": b""}))

    assert outcome.state is PushState.MOVED
    assert remote.git("ls-tree", "--name-only", "gh-pages") == "a"


def test_a_protected_branch_says_why(tmp_path: Path, shell: LocalShell) -> None:
    """What the remote prints about its rule is in the outcome."""
    branch, remote = pages(tmp_path, shell)
    hook = remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'GH013: Repository rule violations found' >&2\nexit 1\n", "utf-8", newline="\n")
    hook.chmod(0o755)
    outcome = branch.open(fresh(tmp_path)).push(PagesChange(message="No", files={"a": b""}))

    assert outcome.state is PushState.REFUSED
    assert "GH013" in outcome.reason


def test_a_remote_that_is_gone(tmp_path: Path, shell: LocalShell) -> None:
    """It is never taken for one without the branch."""
    repo = Repo.new(tmp_path / "repo")
    branch = GitPages(checkout=GitCheckout(repo.path, shell), remote=str(tmp_path / "gone.git"), branch="gh-pages")

    with pytest.raises(Unknown):
        branch.open(fresh(tmp_path))


def test_the_token_goes_to_its_host_only_and_never_into_an_argument(tmp_path: Path, shell: LocalShell) -> None:
    """Git reads the header from variables, and only for the site of the forge; the user's own settings stay."""
    repo = Repo.new(tmp_path / "repo")
    checkout = GitCheckout(repo.path, shell)
    login = base64.b64encode(b"x-access-token:s3cret").decode()

    def settings(remote: str) -> dict[str, str]:
        branch = GitPages(
            checkout=checkout, remote=remote, branch="gh-pages", site="https://github.com", token=Secret("s3cret")
        )
        found = branch.variables({"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "x"})
        count = int(found["GIT_CONFIG_COUNT"])
        numbers = [number for number in range(count) if f"GIT_CONFIG_KEY_{number}" in found]
        return {found[f"GIT_CONFIG_KEY_{each}"]: found[f"GIT_CONFIG_VALUE_{each}"] for each in numbers}

    ours = settings("https://github.com/o/r.git")
    assert ours["http.https://github.com/.extraHeader"] == f"Authorization: Basic {login}"
    assert "user.name" not in ours
    for other in ("https://example.org/o/r.git", "https://me:pw@github.com/o/r.git", "ssh://git@github.com/o/r.git"):
        assert login not in str(settings(other))


@pytest.mark.parametrize(
    ("forge", "custom", "address"),
    [
        (("https://github.com", "Owner/Tide"), None, "https://owner.github.io/Tide/"),
        (("https://github.com", "owner/owner.github.io"), None, "https://owner.github.io/"),
        (("https://github.com", "o/r"), b"Docs.Example.org\n", "https://docs.example.org/"),
        (("https://github.com", "o/r"), b"no domain <b>", "https://o.github.io/r/"),
        (("https://ghe.example", "o/r"), None, "https://ghe.example/o/r/tree/gh-pages/"),
        (("", ""), None, ""),
    ],
    ids=["project", "owner", "domain", "no-domain", "enterprise", "none"],
)
def test_where_users_see_the_pages(
    shell: LocalShell, forge: tuple[str, str], custom: bytes | None, address: str
) -> None:
    """The address is that of the user's domain, of GitHub Pages, or of the branch."""
    checkout = GitCheckout(Path(), shell)
    branch = GitPages(checkout=checkout, remote="origin", branch="gh-pages", site=forge[0], repository=forge[1])

    assert branch.address(PagesState(), custom) == address
