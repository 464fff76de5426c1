"""Every advice about repositories of an unusual kind, signed tags, submodules and large files leads to a clone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.adapters.git.test_checkout import pretend_git
from tests.support.advice_walks import Place, Walk, also, walk
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import LARGEST_FILE, GitCheckout
from unmoor.adapters.git.clone import clone_of
from unmoor.adapters.process.shell import LocalShell
from unmoor.dists.source_tree import require_large_files

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 9\n"
LFS = {".gitattributes": "*.png filter=lfs diff=lfs merge=lfs -text\n", "logo.png": POINTER}
PATIENCE = 20.0


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ssh key of alice, and the file of her public key."""
    folder = tmp_path_factory.mktemp("keys")
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "alice", "-f", str(folder / "alice")]
    subprocess.run(words, check=True)
    return folder


def git_of(place: Place) -> GitCheckout:
    """The checkout of the walk, with the programs and settings that the walk keeps."""
    kept = place.kept
    environ = kept.get("environ", os.environ)
    return GitCheckout(place.repo.path, place.shell, environ=environ, timeout=kept.get("timeout", PATIENCE))


def repo(files: dict[str, str] | None = None, *, remote: bool = True) -> Callable[[Place], None]:
    """Begin with a repository."""

    def begin(place: Place) -> None:
        place.new_repo(files or {"README": "hello\n"}, remote=remote)

    return begin


def pretending(script: str, timeout: float = PATIENCE) -> Callable[[Place], None]:
    """Put a program named git before the real one, which behaves like a broken machine or remote."""

    def begin(place: Place) -> None:
        repo()(place)
        place.kept |= {"environ": pretend_git(place.folder / "bin", script), "timeout": timeout}

    return begin


def repaired(place: Place, *_: str) -> None:
    """The real git, and time for it."""
    place.kept |= {"environ": os.environ, "timeout": PATIENCE}


def run(place: Place, text: str) -> None:
    """Run the command that the advice names, in the checkout."""
    place.run(text)


def _clone(place: Place) -> object:
    into = place.folder / f"clone-{len(list(place.folder.iterdir()))}"
    git = git_of(place)
    return git.clone(into, commit=place.repo.git("rev-parse", "HEAD"), tag="v1.0")


def _partial(place: Place) -> None:
    repo(remote=False)(place)
    place.repo.git("config", "uploadpack.allowFilter", "true")
    partial = place.folder / "partial"
    place.repo.git("clone", "--quiet", "--filter=blob:none", "--no-checkout", f"file://{place.repo.path}", str(partial))
    place.kept["repo"] = Repo(partial)


def _lost_object(place: Place) -> None:
    repo()(place)
    place.repo.git("push", "--quiet", "origin", "main")
    name = place.repo.git("rev-parse", "HEAD:README")
    (place.repo.path / ".git" / "objects" / name[:2] / name[2:]).unlink()


def _refetch(place: Place, text: str) -> None:
    """Run the check, which reports the missing object, and then what completes the clone."""
    check, _, complete = text.removeprefix("check the objects: ").partition("; ")
    with pytest.raises(AssertionError, match="missing"):
        place.run(check)
    place.run(complete)


def _submodule(place: Place) -> None:
    """A submodule on this machine, which git does not fetch by itself."""
    inner = Repo.new(place.folder / "inner")
    repo()(place)
    place.repo.git("submodule", "--quiet", "add", str(inner.path), "inner")
    place.repo.commit({})
    place.kept["environ"] = os.environ | {"GIT_CONFIG_GLOBAL": str(place.folder / "settings")}


def _allow(place: Place, text: str) -> None:
    """Run the command that says which addresses git accepts, with a file of settings of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(place.folder / "settings"))
        place.run(text.partition("only with: ")[2])


def _large(place: Place) -> None:
    repo(LFS)(place)
    tools = place.folder / "bin"
    tools.mkdir()
    (tools / "git").symlink_to(shutil.which("git") or "")
    place.kept["environ"] = {"PATH": str(tools), "HOME": str(place.folder)}


def _with_lfs(place: Place, text: str) -> None:
    """Install it: it is on the PATH of everything but this walk."""
    assert "apt-get install git-lfs" in text
    place.kept["environ"] = {"PATH": os.environ["PATH"], "HOME": str(place.folder)}


def _unpushed(place: Place) -> None:
    """The large file was committed on another machine, which pushed the pointer alone."""
    repo({".gitattributes": LFS[".gitattributes"]})(place)
    place.repo.git("lfs", "install", "--local", "--skip-repo")
    place.repo.commit({"logo.png": "the logo\n"})
    place.repo.git("push", "--quiet", "--no-verify", "origin", "main")
    (place.repo.path / ".git" / "lfs").rename(place.folder / "lfs")


def _push_large(place: Place, text: str) -> None:
    """Run the command of the advice on that machine."""
    (place.folder / "lfs").rename(place.repo.path / ".git" / "lfs")
    place.run(text.partition("has them: ")[2])
    (place.repo.path / ".git" / "lfs").rename(place.folder / "lfs")


def _signed(sign: Callable[[Place], object]) -> Callable[[Place], None]:
    """A repository whose tag is signed in this way, and the list with alice's key."""

    def begin(place: Place) -> None:
        repo()(place)
        keys = place.kept["keys"]
        for name, value in {"gpg.format": "ssh", "user.signingkey": str(keys / "alice")}.items():
            place.repo.git("config", name, value)
        place.kept |= {"allowed": f"alice {(keys / 'alice.pub').read_text()}".encode(), "tag": "v1.0"}
        sign(place)

    return begin


def _lightweight(place: Place) -> None:
    """A signed tag on the remote, and a lightweight one here, as some jobs of a CI fetch it."""
    place.repo.git("tag", "-s", "-m", "x", "v1.0")
    place.repo.git("push", "--quiet", "origin", "v1.0")
    place.repo.git("tag", "-d", "v1.0")
    place.repo.git("tag", "v1.0")


def _sign(place: Place, text: str) -> None:
    """Tag and sign a new version with the command of the advice."""
    place.run(text, TAG="v1.1")
    place.kept["tag"] = "v1.1"


def _signer(place: Place) -> object:
    return git_of(place).signer(place.kept["tag"], place.kept["allowed"])


def _no_keys(place: Place) -> None:
    _signed(lambda place: place.repo.git("tag", "v1.0"))(place)
    place.kept["allowed"] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nbroken\n"


def _export(place: Place, text: str) -> None:
    """Export the key of a signer with the command of the advice."""
    home = place.folder / "gpg"
    home.mkdir(mode=0o700)
    gpg = f"gpg --batch --homedir {home}"
    key = "--passphrase '' --quick-generate-key alice@example.org ed25519 sign never"
    subprocess.run(f"{gpg} --quiet {key}", shell=True, check=True, capture_output=True)  # noqa: S602 - one line
    command = text.partition("with: ")[2].replace("gpg", gpg)
    place.kept["allowed"] = subprocess.run(command, shell=True, check=True, capture_output=True).stdout  # noqa: S602
    subprocess.run(f"gpgconf --homedir {home} --kill all", shell=True, check=True)  # noqa: S602


def _behind(place: Place) -> None:
    """Somebody else has pushed to the default branch since this checkout was made."""
    repo()(place)
    other = place.folder / "other"
    place.repo.git("clone", "--quiet", str(place.folder / "remote.git"), str(other))
    Repo(other).commit({"later": "x"})
    Repo(other).git("push", "--quiet", "origin", "main")


def _unreadable_remote(place: Place) -> None:
    repo()(place)
    place.repo.git("remote", "set-url", "origin", "/nowhere.git")


def _right_remote(place: Place, _: str) -> None:
    place.repo.git("remote", "set-url", "origin", str(place.folder / "remote.git"))


def _with_line_break(place: Place) -> None:
    Repo.new(place.folder / "a\nb")
    place.kept["repo"] = Repo(place.folder / "a\nb")


def _move(place: Place, text: str) -> None:
    assert "no line break" in text
    place.kept["repo"] = Repo(place.repo.path.rename(place.folder / "ab"))


def _untrusted(place: Place) -> None:
    """The variable with which git's own tests let a repository belong to somebody else."""
    pretending("*) export GIT_TEST_ASSUME_DIFFERENT_OWNER=1;;")(place)
    place.kept["environ"] = place.kept["environ"] | {"GIT_CONFIG_GLOBAL": str(place.folder / "settings")}


def _trust(place: Place, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(place.folder / "settings"))
        place.run(text)


def _listed(place: Place) -> object:
    return git_of(place).git.run("ls-files", cwd=place.repo.path, limit=200)


def _clone_into(place: Place) -> object:
    clone_of(git_of(place).git, place.repo.path, place.folder / "into")
    return None


def _unpacked(place: Place) -> object:
    require_large_files(place.folder / "tree", "demo-1.0.tar.gz")
    return None


def write(name: str, text: str) -> Callable[..., None]:
    """Write a file."""

    def begin(place: Place, *_: str) -> None:
        path = place.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    return begin


def remote_tags(place: Place) -> object:
    """Read the tags of the remote."""
    return git_of(place).remote_tags()


WALKS: dict[str, Walk] = {
    "check-commit-time": Walk(
        begin=pretending("*--format=%ct*) echo soon; exit 0;;"),
        act=lambda place: git_of(place).date_of(place.repo.git("rev-parse", "HEAD")),
        follow=also(repaired),
    ),
    "check-objects": Walk(begin=_lost_object, act=lambda place: _read(place, "README"), follow=_refetch),
    "complete-clone": Walk(begin=_partial, act=_clone, follow=run),
    "check-remote": Walk(begin=pretending("*ls-remote*) sleep 9;;", 0.3), act=remote_tags, follow=repaired),
    "shorten-git-output slow": Walk(begin=pretending("*ls-files*) sleep 9;;", 0.3), act=_listed, follow=repaired),
    "check-remote-tags": Walk(begin=pretending("*ls-remote*) echo '<p>'; exit 0;;"), act=remote_tags, follow=repaired),
    "fix-what-git-reports": Walk(begin=_unreadable_remote, act=remote_tags, follow=_right_remote),
    "check-submodule": Walk(begin=_submodule, act=_clone, follow=_allow),
    "install-git-lfs": Walk(begin=_large, act=_clone, follow=_with_lfs, then="push-lfs-files"),
    "push-lfs-files": Walk(begin=_unpushed, act=_clone, follow=_push_large),
    "pull-lfs-files": Walk(
        begin=write("tree/logo.png", POINTER), act=_unpacked, follow=write("tree/logo.png", "the logo\n")
    ),
    "fetch-annotated-tag": Walk(begin=_signed(_lightweight), act=_signer, follow=run),
    "sign-a-tag": Walk(
        begin=_signed(lambda place: place.repo.git("tag", "-a", "-m", "x", "v1.0")), act=_signer, follow=_sign
    ),
    "export-keys": Walk(begin=_no_keys, act=_signer, follow=_export, then="fetch-annotated-tag"),
    "fetch-default-branch": Walk(begin=_behind, act=lambda place: git_of(place).default_head(), follow=run),
    "move-checkout": Walk(begin=_with_line_break, act=lambda place: git_of(place).folder, follow=_move),
    "trust-repository": Walk(begin=_untrusted, act=lambda place: git_of(place).head(), follow=_trust),
    "remove-folder": Walk(
        begin=also(repo(), write("into/x", "")),
        act=_clone_into,
        follow=lambda place, _: shutil.rmtree(place.folder / "into"),
    ),
    "shrink-file": Walk(
        begin=repo({"CHANGELOG.md": "x" * (LARGEST_FILE + 1)}),
        act=lambda place: _read(place, "CHANGELOG.md"),
        follow=lambda place, _: place.repo.commit({"CHANGELOG.md": "x"}),
    ),
    "shorten-git-output": Walk(
        begin=repo({f"{'x' * 80}{number}": "" for number in range(9)}),
        act=_listed,
        follow=lambda place, _: place.repo.git("rm", "--quiet", "--cached", "*"),
    ),
}


def _read(place: Place, path: str) -> object:
    git = git_of(place)
    return git.read(git.head() or "", path)


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell, keys: Path) -> None:
    """The command that the advice names works, and after it git reads what it could not read before."""
    walk(name, WALKS, Place(folder=tmp_path, shell=shell, kept={"keys": keys}))
