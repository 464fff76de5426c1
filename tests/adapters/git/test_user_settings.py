"""Git as its users have it: their settings change nothing in our clones, and another user's checkout can be trusted."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests
from tests.support.systems import IS_ROOT

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.cli.resolve_project import remote_repository
from unmoor.errors import Refused
from unmoor.rehearsal.prepare import prepare

FILES = {
    "pyproject.toml": '[project]\nname = "small-one"\nversion = "1.0"\n',
    ".gitattributes": "*.txt text\n*.up filter=upper\n",
    "unix.txt": "a\nb\n",
    "dos.md": "a\r\nb\r\n",
    "plain.md": "a\nb\n",
    "a.up": "lower\n",
}
# Settings of a user, with HOME for the home folder and HERE for the folder that everything is in.
SETTINGS: Mapping[str, str] = {
    "repositories and remotes": "[safe]\n\tbareRepository = explicit\n[clone]\n\tdefaultRemoteName = upstream\n"
    "\trejectShallow = true\n[checkout]\n\tdefaultRemote = x\n\tguess = false\n",
    "no paths": '[protocol "file"]\n\tallow = never\n',
    "no protocol": "[protocol]\n\tallow = never\n",
    "line ends": "[core]\n\tautocrlf = true\n\tsafecrlf = true\n\teol = crlf\n",
    "attributes": "[core]\n\tattributesFile = HOME/attributes\n\texcludesFile = HOME/everything\n",
    "hooks": "[core]\n\thooksPath = HOME/hooks\n\tfsmonitor = HOME/hooks/trap\n[init]\n\ttemplateDir = HOME/template\n",
    "addresses": '[url "https://mirror.example/"]\n\tinsteadOf = HERE/\n\tinsteadOf = /\n\tpushInsteadOf = HERE/\n',
    "checks": "[fetch]\n\tfsckObjects = true\n[transfer]\n\tfsckObjects = true\n\tunpackLimit = 1\n",
    "hidden refs": "[transfer]\n\thideRefs = refs/tags\n[uploadpack]\n\thideRefs = refs\n",
    "signatures and messages": "[commit]\n\tgpgSign = true\n\tcleanup = scissors\n\ttemplate = HOME/none\n[tag]\n"
    "\tgpgSign = true\n\tforceSignAnnotated = true\n[gpg]\n\tprogram = false\n[i18n]\n\tcommitEncoding = latin-1\n"
    "[user]\n\tuseConfigOnly = true\n[log]\n\tshowSignature = true\n",
    "submodules": "[submodule]\n\trecurse = true\n[push]\n\trecurseSubmodules = check\n\tfollowTags = true\n",
    "a filter": '[filter "upper"]\n\tclean = tr A-Z a-z\n\tsmudge = tr a-z A-Z\n\trequired = true\n',
    "a broken filter": '[filter "upper"]\n\tclean = cat\n\tsmudge = false\n\trequired = true\n',
    "formats": "[init]\n\tdefaultObjectFormat = sha256\n\tdefaultRefFormat = reftable\n\tdefaultBranch = a..b\n"
    "[core]\n\tsymlinks = false\n\tfileMode = false\n\tsharedRepository = 0600\n\tsparseCheckout = true\n"
    "\tpager = false\n[color]\n\tui = always\n",
}


def environ(home: Path, settings: str = "", **more: str) -> dict[str, str]:
    """The environment of a user with these settings."""
    for folder in (home / "hooks", home / "template" / "hooks"):
        folder.mkdir(parents=True)
        for name in ("trap", "post-checkout", "pre-commit", "reference-transaction", "pre-push"):
            (folder / name).write_text("#!/bin/sh\ntouch ran\nexit 1\n")
            (folder / name).chmod(0o755)
    (home / "attributes").write_text("* text eol=crlf filter=upper ident\n")
    (home / "everything").write_text("*\n")
    (home / ".gitconfig").write_text(settings.replace("HOME", str(home)).replace("HERE", str(home.parent)))
    return {"PATH": os.environ["PATH"], "HOME": str(home), **more}


def listed(folder: Path) -> dict[str, bytes | str]:
    """The files of a folder and their content, without git's own."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if ".git" not in path.relative_to(folder).parts and (path.is_symlink() or path.is_file())
    }


def project(path: Path) -> Repo:
    """A project with files that settings like to change. Its commit is always the same."""
    repo = Repo.new(path, FILES)
    (repo.path / "link").symlink_to("unix.txt")
    repo.commit({"run.sh": "#!/bin/sh\n"})
    repo.git("tag", "--annotate", "-m", "first", "v1.0")
    repo.git("remote", "add", "origin", "https://github.com/o/r.git")
    return repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """The project."""
    return project(tmp_path / "repo")


@pytest.fixture(scope="module")
def rehearsed_commit(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The commit that a rehearsal makes for somebody without settings."""
    folder = tmp_path_factory.mktemp("reference")
    with shell_for_tests() as shell:
        checkout = GitCheckout(project(folder / "repo").path, shell, environ=environ(folder / "home"))
        return Repo(prepare(checkout, shell, folder / "rehearsal", tag=None).checkout).git("rev-parse", "HEAD")


@pytest.mark.parametrize("what", SETTINGS)
def test_settings_of_the_user(what: str, repo: Repo, rehearsed_commit: str, tmp_path: Path, shell: LocalShell) -> None:
    """A clone has the bytes of the commit, and a rehearsal can be prepared and its remote read."""
    mine = environ(tmp_path / "home", SETTINGS[what])
    checkout = GitCheckout(repo.path, shell, environ=mine)
    head = repo.git("rev-parse", "HEAD")
    checkout.clone(tmp_path / "clone", commit=head, tag="v1.0")
    assert listed(tmp_path / "clone") == listed(repo.path)
    clone = Repo(tmp_path / "clone")
    assert clone.git("remote", "get-url", "origin") == "https://github.com/o/r.git"
    assert clone.git("describe") == "v1.0"
    assert clone.git("status", "--porcelain") == ""
    assert clone.git("fsck", "--strict") == ""
    prepared = prepare(checkout, shell, tmp_path / "rehearsal", tag=None)
    rehearsed = GitCheckout(prepared.checkout, shell, str(tmp_path / "rehearsal" / "remote.git"), environ=mine)
    assert rehearsed.remote_tags() == rehearsed.tags() == {"v1.0": head, prepared.tag: rehearsed.head()}
    assert rehearsed.head() == rehearsed_commit
    assert rehearsed.default_head() == head
    rehearsed.clone(tmp_path / "second", commit=str(rehearsed.head()), tag=prepared.tag)
    assert {**listed(tmp_path / "second"), "pyproject.toml": b""} == {**listed(repo.path), "pyproject.toml": b""}
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_ALLOW_PROTOCOL": "https"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "never"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.autocrlf", "GIT_CONFIG_VALUE_0": "true"},
        {"GIT_CONFIG_GLOBAL": "/none"},
    ],
)
def test_variables_of_the_user(variables: Mapping[str, str], repo: Repo, tmp_path: Path, shell: LocalShell) -> None:
    """Settings in variables count as little."""
    mine = environ(tmp_path / "home", "", **variables)
    checkout = GitCheckout(repo.path, shell, environ=mine)
    checkout.clone(tmp_path / "clone", commit=repo.git("rev-parse", "HEAD"), tag="v1.0")
    assert listed(tmp_path / "clone") == listed(repo.path)
    prepare(checkout, shell, tmp_path / "rehearsal", tag=None)
    remote = str(tmp_path / "rehearsal" / "remote.git")
    assert "v1.0" in GitCheckout(repo.path, shell, remote, environ=mine).remote_tags()


@pytest.mark.parametrize(
    "what", ["line ends", "attributes", "a filter", "a broken filter", "submodules", "hooks", "checks"]
)
def test_submodules(what: str, repo: Repo, tmp_path: Path, shell: LocalShell) -> None:
    """Submodules are fetched with the logins and addresses of the user, and with no other setting."""
    inner = Repo.new(tmp_path / "inner", FILES)
    repo.git("submodule", "--quiet", "add", str(inner.path), "inner")
    repo.git("config", "--file", ".gitmodules", "submodule.inner.url", "https://forge.example/inner.git")
    head = repo.commit({}, "Add a submodule")
    own = f'[url "{tmp_path}/"]\n\tinsteadOf = https://forge.example/\n[protocol "file"]\n\tallow = always\n'
    (tmp_path / "inner.git").symlink_to(inner.path / ".git")
    mine = environ(tmp_path / "home", SETTINGS[what] + own)
    GitCheckout(repo.path, shell, environ=mine).clone(tmp_path / "clone", commit=head, tag="v2.0")
    assert listed(tmp_path / "clone" / "inner") == listed(inner.path)
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files to another user")
@pytest.mark.parametrize("kind", ["clone", "folder below", "worktree", "submodule", "in a submodule", "link", "blank"])
def test_a_checkout_of_another_user(kind: str, tmp_path: Path, shell: LocalShell) -> None:
    """The advice names every folder that git checks: after it, reading, cloning and rehearsing succeed."""
    top = Repo.new(tmp_path / ("a 'blank" if kind == "blank" else "top"), {**FILES, "below/a": "a"})
    inner = Repo.new(tmp_path / "inner", {"inner.txt": "a\n"})
    if "submodule" in kind:
        top.git("submodule", "--quiet", "add", str(inner.path), "modules/inner one")
        top.commit({}, "Add a submodule")
    top.git("worktree", "add", "--quiet", str(tmp_path / "tree"))
    (tmp_path / "link").symlink_to(top.path)
    places = {
        "folder below": "top/below",
        "worktree": "tree",
        "in a submodule": "top/modules/inner one",
        "link": "link",
    }
    start = tmp_path / places.get(kind, top.path.name)
    for name in (top.path.name, "tree"):
        subprocess.run(["chown", "--recursive", "4242", tmp_path / name], check=True)  # noqa: S607
    mine = environ(tmp_path / "home", '[protocol "file"]\n\tallow = always\n')
    with pytest.raises(Refused, match="belongs to another user") as caught:
        GitCheckout(start, shell, environ=mine).head()
    advised = re.findall(r"git config --global --add safe\.directory ('.*?'(?= &&|$)|\S+)", caught.value.next_step)
    assert len(advised) >= 2
    subprocess.run(["sh", "-c", caught.value.next_step.partition(": ")[2]], check=True, env=mine)  # noqa: S607
    assert {shlex.split(each)[0] for each in advised} >= {str(GitCheckout(start, shell, environ=mine).folder)}
    checkout = GitCheckout(start, shell, environ=mine)
    assert checkout.changed() == ()
    head = checkout.head()
    assert head is not None
    checkout.clone(tmp_path / "copy", commit=head, tag="v1.0")
    assert listed(tmp_path / "copy") == listed(checkout.folder)
    if kind != "in a submodule":
        prepare(checkout, shell, tmp_path / "rehearsal", tag=None)


@pytest.mark.parametrize(
    ("written", "replaced", "by", "expected"),
    [
        ("https://github.com/o/r.git", "https://github.com/", "https://mirror.example/github/", "o/r"),
        ("git@github.com:o/r.git", "git@github.com:", "ssh://cache.example/", "o/r"),
        ("ssh://git@github.com/o/r", "ssh://git@github.com", "https://user:s3cret@mirror.example", "o/r"),
        ("gh:o/r", "gh:", "https://github.com/", "o/r"),
        ("https://github.com/o/r", "https://github.com/o/", "https://github.com/fork/", "fork/r"),
        ("https://other.example/o/r", "https://other.example/", "https://mirror.example/", ""),
    ],
)
def test_a_replaced_address(  # noqa: PLR0917  # the columns of the table
    written: str, replaced: str, by: str, expected: str, repo: Repo, tmp_path: Path, shell: LocalShell
) -> None:
    """The forge counts as it is written, where the user's settings replace its address by a mirror's."""
    repo.git("remote", "set-url", "origin", written)
    mine = environ(tmp_path / "home", f'[url "{by}"]\n\tinsteadOf = {replaced}\n')
    checkout = GitCheckout(repo.path, shell, environ=mine)
    assert remote_repository(checkout) == expected
    assert "s3cret" not in str(checkout.remote())
