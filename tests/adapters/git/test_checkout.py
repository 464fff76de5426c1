"""A checkout is read and cloned with the real git, and reading changes nothing."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.program import without_login
from unmoor.adapters.process.shell import LocalShell
from unmoor.errors import Refused, ToolMissing, Unknown, UnmoorError
from unmoor.ports.shell import Ran


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one commit."""
    return Repo.new(tmp_path / "project")


def test_folder_head_and_date(repo: Repo, shell: LocalShell) -> None:
    """From an inner folder, the checkout gives its top folder, HEAD, and the time of that commit."""
    (repo.path / "inner").mkdir()
    git = GitCheckout(repo.path / "inner", shell)
    head = repo.git("rev-parse", "HEAD")
    assert git.folder == repo.path
    assert git.head() == head
    assert git.date_of(head) == 1_700_000_000
    assert not git.shallow()


@pytest.mark.parametrize("branch", ["main", "release/2.x", ""])
def test_the_default_branch_is_the_one_that_the_clone_knows(repo: Repo, shell: LocalShell, branch: str) -> None:
    """A clone records it; a remote that was only added, and an address in its place, have none."""
    if branch:
        repo.git("symbolic-ref", "refs/remotes/origin/HEAD", f"refs/remotes/origin/{branch}")
    assert GitCheckout(repo.path, shell).default_branch() == branch
    assert GitCheckout(repo.path, shell, remote="https://example.org/a.git").default_branch() == ""


def test_content_of_a_commit_is_cached(repo: Repo, shell: LocalShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git reads the content of a commit once; what can change is read again each time."""
    commands: list[str] = []
    run = LocalShell.run

    def counting(self: LocalShell, args: Sequence[str], **options: Any) -> Ran:
        commands.append(next(word for word in args[1:] if not word.startswith("-") and "=" not in word))
        return run(self, args, **options)

    monkeypatch.setattr(LocalShell, "run", counting)
    head = repo.commit({"inner/data": "1\n"})
    first, second = GitCheckout(repo.path, shell), GitCheckout(repo.path, shell)
    for git in (first, second, second.at("inner")):
        path = "data" if git.path else "inner/data"
        assert git.read(head, path) == b"1\n"
        assert path in git.files(head)
        assert git.head() == head
    assert [word for word in commands if word in {"ls-tree", "cat-file"}] == ["ls-tree", "cat-file"]
    later = repo.commit({"inner/data": "2\n"})
    assert second.head() == later
    assert second.read(later, "inner/data") == b"2\n"
    assert second.read(head, "inner/data") == b"1\n"


def test_tags_are_peeled(repo: Repo, shell: LocalShell) -> None:
    """Annotated tags, tags of tags and packed ones give commits; tags of files are left out."""
    head = repo.git("rev-parse", "HEAD")
    repo.git("tag", "plain")
    repo.git("tag", "-a", "-m", "x", "annotated")
    repo.git("tag", "-a", "-m", "x", "nested", "annotated")
    repo.git("tag", "-a", "-m", "x", "v1/é$(id)")
    repo.git("tag", "of-a-file", "HEAD:README")
    repo.git("pack-refs", "--all")
    git = GitCheckout(repo.path, shell)
    assert git.tags() == dict.fromkeys(("plain", "annotated", "nested", "v1/é$(id)"), head)
    assert git.commit_of("nested") == head
    assert git.commit_of(head) == head
    assert git.commit_of("of-a-file") is None
    assert git.commit_of("f" * 40) is None


def test_a_branch_is_never_taken_for_a_tag(repo: Repo, shell: LocalShell) -> None:
    """Only refs/tags/X counts: neither a branch X nor a branch called refs/tags/X."""
    repo.git("branch", "v1.0.0")
    repo.git("update-ref", "refs/heads/refs/tags/v2.0.0", "HEAD")
    git = GitCheckout(repo.path, shell)
    assert git.commit_of("v1.0.0") is None
    assert git.commit_of("v2.0.0") is None
    assert git.tags() == {}


@pytest.mark.parametrize(
    "name", ["", "--output=x", "a..b", "v1^{}", "a b", "v1\n", "../x", "v1:README", "v1@{1}", "x.lock", "a//b", "@"]
)
def test_invalid_ref_names(repo: Repo, shell: LocalShell, name: str) -> None:
    """A name that git would parse as an expression, an option or a path never reaches it."""
    with pytest.raises(Refused, match="not a valid name for a git tag"):
        GitCheckout(repo.path, shell).commit_of(name)


def test_changed_files(repo: Repo, shell: LocalShell) -> None:
    """Modified tracked files count, staged or not, whatever their names; untracked and merely touched files do not."""
    repo.commit({"a b.txt": "1", "é.txt": "1", "gone": "1", "same": "1"})
    repo.write({"a b.txt": "2", "é.txt": "2", "new.txt": "untracked"})
    repo.git("add", "é.txt")
    (repo.path / "gone").unlink()
    os.utime(repo.path / "same", (1, 1))
    before = repo.state()
    assert GitCheckout(repo.path, shell).changed() == ("a b.txt", "gone", "é.txt")
    assert repo.state() == before


def test_empty_repository(tmp_path: Path, shell: LocalShell) -> None:
    """A repository without a commit has no HEAD and no tags."""
    repo = tmp_path / "empty"
    repo.mkdir()
    Repo(repo).git("init", "--quiet")
    git = GitCheckout(repo, shell)
    assert git.head() is None
    assert git.tags() == {}
    assert git.changed() == ()


def test_read_returns_the_exact_bytes(repo: Repo, shell: LocalShell) -> None:
    """Binary content is returned unchanged. Links inside the tree are followed, links out of it count as missing."""
    binary = b"\xff\xfe caf\xe9\r\n\x00"
    (repo.path / "odd.bin").write_bytes(binary)
    (repo.path / "deep").mkdir()
    (repo.path / "deep" / "link").symlink_to("../odd.bin")
    (repo.path / "out").symlink_to("/etc/passwd")
    (repo.path / "up").symlink_to("../../x")
    (repo.path / "loop").symlink_to("loop")
    commit = repo.commit({":(glob)*": "literal"})
    repo.commit({"odd.bin": "later"})
    before = repo.state()
    git = GitCheckout(repo.path, shell)
    assert git.read(commit, "odd.bin") == binary
    assert git.read(commit, "./deep/link") == binary
    assert git.read(commit, ":(glob)*") == b"literal"
    for missing in ("out", "up", "loop", "deep", "none", "../odd.bin", "/etc/passwd", ".", "*"):
        assert git.read(commit, missing) is None
    assert set(git.files(commit)) == {"README", "odd.bin", "deep/link", "out", "up", "loop", ":(glob)*"}
    assert repo.state() == before


def test_read_has_a_limit(repo: Repo, shell: LocalShell) -> None:
    """A file above ten megabytes is not read."""
    commit = repo.commit({"big": "x" * 10_000_001})
    with pytest.raises(Unknown, match="10000001 bytes"):
        GitCheckout(repo.path, shell).read(commit, "big")


def test_texts(repo: Repo, shell: LocalShell) -> None:
    """Many files are read at once, relative to the folder. Empty, binary and absent ones are left out."""
    files = {"p/a.py": "import x\n\ny: z\n", "p/empty.py": "", "p/[b].py": "no end", "p/c.bin": "\0\n", "a.py": "other"}
    commit = repo.commit(files)
    assert GitCheckout(repo.path, shell).at("p").texts(
        commit, ["a.py", "empty.py", "[b].py", "c.bin", "absent.py"]
    ) == {
        "a.py": "import x\n\ny: z\n",
        "[b].py": "no end\n",
    }


@pytest.mark.parametrize(
    ("folder", "expected"), [("", {"run.sh", "one/two/a b.sh"}), ("one", {"two/a b.sh"}), ("other", set())]
)
def test_executable_files(repo: Repo, shell: LocalShell, folder: str, expected: set[str]) -> None:
    """Git records them, whether this disk and this system do so or not; a link is none."""
    repo.commit({"run.sh": "", "one/two/a b.sh": "", "other/x.txt": "", "data.sh": ""})
    repo.git("update-index", "--chmod=+x", "run.sh", "one/two/a b.sh")
    blob = repo.git("rev-parse", "HEAD:data.sh").strip()
    repo.git("update-index", "--add", "--cacheinfo", f"120000,{blob},other/link.sh")
    repo.git("commit", "--quiet", "-m", "modes")
    head = repo.git("rev-parse", "HEAD").strip()
    assert GitCheckout(repo.path, shell).at(folder).executables(head) == expected


def test_deleted_files(repo: Repo, shell: LocalShell) -> None:
    """Returns the given paths that the history of a commit deletes; special characters in names mean nothing."""
    git = GitCheckout(repo.path, shell)
    repo.commit({"old.py": "1", ":(glob)*": "1", "moved.py": "long enough to be seen as the same file\n" * 9})
    repo.git("rm", "--quiet", "--", "old.py", ":(literal):(glob)*")
    repo.git("mv", "moved.py", "there.py")
    commit = repo.commit({})
    wanted = ("old.py", "moved.py", "never.py", ":(glob)*", "there.py")
    assert git.deleted(commit, wanted) == {"old.py", "moved.py", ":(glob)*"}
    assert git.at("inner").deleted(commit, ("../old.py", "old.py")) == {"../old.py"}
    assert git.deleted(repo.git("rev-list", "--max-parents=0", "HEAD"), wanted) == frozenset()


def test_log(repo: Repo, shell: LocalShell) -> None:
    """The log covers the commits from a tag to a commit, newest first, without merges, with printable subjects."""
    repo.git("tag", "v1")
    first = repo.commit({"a": "1"}, "One \x1b[31mred\x1b[0m thing\n\nbody")
    repo.git("checkout", "--quiet", "-b", "side")
    second = repo.commit({"b": "1"}, "Two", date=1_700_000_100)
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "-m", "Merge it", "side", date=1_700_000_200)
    head = repo.git("rev-parse", "HEAD")
    git = GitCheckout(repo.path, shell)
    assert [(c.id, c.date, c.subject) for c in git.log(since="v1", until=head)] == [
        (second, 1_700_000_100, "Two"),
        (first, 1_700_000_000, "One red thing"),
    ]
    assert len(git.log(since=None, until=head)) == 3
    assert len(git.log(since=None, until=head, limit=1)) == 1
    with pytest.raises(Unknown, match="has no 'v0'"):
        git.log(since="v0", until=head)


def test_remote_tags_are_peeled(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """The remote's tags are its current ones, each with its commit, and reading changes nothing."""
    head = repo.git("rev-parse", "HEAD")
    remote = repo.remote(tmp_path / "remote.git")
    remote.git("tag", "-a", "-m", "x", "v1.0.0", head)
    remote.git("tag", "v1.1.0", head)
    before = repo.state()
    git = GitCheckout(repo.path, shell)
    assert git.remote_tags() == {"v1.0.0": head, "v1.1.0": head}
    assert git.tags() == {}
    assert git.remote() == str(remote.path)
    assert repo.state() == before
    assert GitCheckout(repo.path, shell, remote=str(remote.path)).remote_tags() == git.remote_tags()


def test_no_remote(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """A missing remote is reported as such; an unreadable remote is unknown, never empty."""
    git = GitCheckout(repo.path, shell)
    assert git.remote() is None
    with pytest.raises(Unknown, match="no remote named origin"):
        git.remote_tags()
    repo.git("remote", "add", "origin", str(tmp_path / "nowhere"))
    with pytest.raises(Unknown, match="does not appear to be a git repository"):
        git.remote_tags()


def test_a_remote_may_be_empty(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """A remote that answers without any tags has no tags."""
    repo.remote(tmp_path / "remote.git")
    assert GitCheckout(repo.path, shell).remote_tags() == {}


def pretend_git(folder: Path, script: str) -> dict[str, str]:
    """Put a program named git before the real one on PATH. ``script`` is its table of cases over all arguments."""
    folder.mkdir()
    program = folder / "git"
    program.write_text(f'#!/bin/sh\ncase "$*" in\n{script}\nesac\nPATH="${{PATH#*:}}" exec git "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("*ls-remote*) sleep 30;;", "no answer within 0.5 s"),
        ("*ls-remote*) echo '<html>hello</html>'; exit 0;;", "not a list of tags"),
        ("*ls-remote*) yes abcdefghij | head -c 30000000; exit 0;;", "longer than 20000000 bytes"),
        (
            "*ls-remote*) echo \"fatal: unable to access 'https://me:sesame@example.invalid/x/': no\" >&2; exit 128;;",
            "unable to access 'https://example.invalid/x/'",
        ),
    ],
)
def test_a_remote_that_answers_badly(  # the table is the test
    repo: Repo, shell: LocalShell, tmp_path: Path, script: str, words: str
) -> None:
    """Silence, nonsense, oversized answers and refusals of the remote are unknown, and the error has no password."""
    repo.remote(tmp_path / "remote.git")
    patience = 0.5 if "sleep" in script else 60.0
    git = GitCheckout(repo.path, shell, environ=pretend_git(tmp_path / "bin", script), timeout=patience)
    with pytest.raises(Unknown) as caught:
        git.remote_tags()
    assert words in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("answer", ["echo 'fatal: the remote hung up' >&2; exit 128", "echo '<html>'; exit 0"])
def test_a_remote_that_answers_badly_once(repo: Repo, shell: LocalShell, tmp_path: Path, answer: str) -> None:
    """Its tags are read again."""
    repo.remote(tmp_path / "remote.git")
    repo.git("tag", "v1.0.0")
    repo.git("push", "--quiet", "origin", "v1.0.0")
    once = f"mkdir {tmp_path / 'once'} 2>/dev/null && {{ {answer}; }}"
    git = GitCheckout(repo.path, shell, environ=pretend_git(tmp_path / "bin", f"*ls-remote*) {once};;"))
    assert list(git.remote_tags()) == ["v1.0.0"]
    assert (tmp_path / "once").exists()


def not_a_repository(path: Path) -> Path:
    """An empty folder."""
    path.mkdir()
    return path


def bare(path: Path) -> Path:
    """A bare repository."""
    path.mkdir()
    Repo(path).git("init", "--quiet", "--bare")
    return path


@pytest.mark.parametrize(
    ("make", "words", "step"),
    [
        (lambda path: path, "no such folder", "name the project's checkout"),
        (not_a_repository, "not in a git repository", "change to the checkout"),
        (bare, "bare repository", "change to the checkout"),
    ],
)
def test_no_checkout(tmp_path: Path, shell: LocalShell, make: Callable[[Path], Path], words: str, step: str) -> None:
    """A folder that is not a checkout is refused, with the next step."""
    with pytest.raises(Refused, match=words) as caught:
        GitCheckout(make(tmp_path / "x"), shell).head()
    assert step in caught.value.next_step


def test_another_users_repository(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """If git does not trust the folder's owner, the next step is the command to trust it."""
    command = f"echo \"fatal: detected dubious ownership in repository at '{repo.path}'\" >&2; exit 128"
    git = GitCheckout(repo.path, shell, environ=pretend_git(tmp_path / "bin", f"*) {command};;"))
    with pytest.raises(Refused, match="belongs to another user") as caught:
        git.tags()
    assert f"safe.directory {repo.path}" in caught.value.next_step


def test_no_git(repo: Repo, shell: LocalShell) -> None:
    """A machine without git raises `ToolMissing`."""
    with pytest.raises(ToolMissing, match="git"):
        GitCheckout(repo.path, shell, environ={"PATH": "/nonexistent"}).head()


@pytest.mark.parametrize("remote", ["", "--upload-pack=x", "a\nb"])
def test_invalid_remote_names(repo: Repo, shell: LocalShell, remote: str) -> None:
    """A remote name that git could parse as an option is refused."""
    with pytest.raises(Refused, match="neither the name nor the address"):
        GitCheckout(repo.path, shell, remote=remote)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://user:tok@example.org/o/r.git", "https://example.org/o/r.git"),
        ("https://tok@example.org:8443/o/r@2", "https://example.org:8443/o/r@2"),
        ("https://a:b@c@example.org/r", "https://example.org/r"),
        ("ssh://git:pw@example.org/r", "ssh://git@example.org/r"),
        ("git@example.org:o/r.git", "git@example.org:o/r.git"),
        ("/some/folder", "/some/folder"),
    ],
)
def test_no_login_is_shown(repo: Repo, shell: LocalShell, address: str, expected: str) -> None:
    """The address of the remote is given without passwords and tokens."""
    assert without_login(address) == expected
    repo.git("remote", "add", "origin", address)
    assert GitCheckout(repo.path, shell).remote() == expected


def test_the_environment_cannot_point_elsewhere(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """Git never gets GIT_DIR and the like, and gets the forge's token only to talk to a remote."""
    other = Repo.new(tmp_path / "other")
    repo.remote(tmp_path / "remote.git")
    seen = tmp_path / "seen"
    environ = pretend_git(tmp_path / "bin", f'*) env >> "{seen}";;') | {
        "GIT_DIR": str(other.path / ".git"),
        "TWINE_PASSWORD": "sesame",
        "GH_TOKEN": "forge-token",
    }
    git = GitCheckout(repo.path, shell, environ=environ)
    assert git.folder == repo.path
    git.tags()
    assert "forge-token" not in seen.read_text()
    git.remote_tags()
    assert "GH_TOKEN=forge-token" in seen.read_text()
    assert "sesame" not in seen.read_text()


def test_no_hook_and_no_helper_of_the_repository_runs(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """Reading and cloning run no hook, no template and no file system monitor."""
    ran = tmp_path / "ran"
    hook = repo.path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        hook.with_name(name).write_text(f"#!/bin/sh\necho {name} >> '{ran}'\n")
        hook.with_name(name).chmod(0o755)
    templates = tmp_path / "templates"
    (templates / "hooks").mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction"):
        (templates / "hooks" / name).write_text(f"#!/bin/sh\necho template >> '{ran}'\n")
        (templates / "hooks" / name).chmod(0o755)
    repo.git("config", "core.fsmonitor", f"echo monitor >> '{ran}'; false")
    repo.git("config", "init.templateDir", str(templates))
    ran.unlink(missing_ok=True)
    git = GitCheckout(repo.path, shell)
    head = git.head()
    assert head is not None
    git.changed()
    git.clone(tmp_path / "clone", commit=head, tag="v1.0.0")
    assert not ran.exists()


def test_clone_has_one_tag_on_its_commit(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """The clone has the commit checked out, its annotated tag, the tags of other commits, and the real origin."""
    old = repo.git("rev-parse", "HEAD")
    repo.git("tag", "v1.0.0")
    commit = repo.commit({"src/x.py": "x = 1\n"})
    repo.git("tag", "-a", "-m", "words", "v1.1.0")
    repo.git("tag", "v1.1.0rc1")
    repo.git("tag", "-a", "-m", "x", "v1")
    repo.commit({"later": "1"})
    repo.git("remote", "add", "origin", "https://me:sesame@example.org/o/r.git")
    before = repo.state()
    GitCheckout(repo.path, shell).clone(tmp_path / "clone", commit=commit, tag="v1.1.0")
    clone = Repo(tmp_path / "clone")
    assert repo.state() == before
    assert clone.git("rev-parse", "HEAD") == commit
    assert clone.git("tag").split() == ["v1.0.0", "v1.1.0"]
    assert clone.git("cat-file", "-t", "v1.1.0") == "tag"
    assert clone.git("rev-parse", "v1.0.0") == old
    assert clone.git("status", "--porcelain") == ""
    assert clone.git("describe") == "v1.1.0"
    assert clone.git("remote", "get-url", "origin") == "https://example.org/o/r.git"
    assert "sesame" not in clone.state()
    assert (clone.path / "src" / "x.py").read_text() == "x = 1\n"


def test_clone_checks_out_the_commit_itself(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """A branch that is named after the commit, and points elsewhere, changes nothing."""
    repo.git("tag", "v1.0.0")
    commit = repo.git("rev-parse", "HEAD")
    repo.commit({"evil": "1"})
    repo.git("branch", "--move", commit)
    GitCheckout(repo.path, shell).clone(tmp_path / "clone", commit=commit, tag="v1.0.0")
    clone = Repo(tmp_path / "clone")
    assert clone.git("rev-parse", "--verify", "--quiet", "HEAD") == commit
    assert not (clone.path / "evil").exists()


def test_clone_onto_another_disk(repo: Repo, shell: LocalShell) -> None:
    """If temporary files are on another disk, git copies the objects, since it cannot hard-link them."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == repo.path.stat().st_dev:
        pytest.skip("there is no /dev/shm on a file system of its own")
    repo.git("tag", "v1.0.0")
    commit = repo.git("rev-parse", "HEAD")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        GitCheckout(repo.path, shell).clone(Path(folder) / "clone", commit=commit, tag="v1.0.0")
        assert Repo(Path(folder) / "clone").git("rev-parse", "v1.0.0") == commit


def test_clone_makes_a_missing_tag(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """A tag that the checkout lacks is made only in the clone, also from a detached commit and without a remote."""
    repo.git("checkout", "--quiet", "--detach")
    commit = repo.commit({"a": "1"})
    git = GitCheckout(repo.path, shell)
    git.clone(tmp_path / "clone", commit=commit, tag="v2.0.0")
    clone = Repo(tmp_path / "clone")
    assert clone.git("tag", "--points-at", "HEAD") == "v2.0.0"
    assert clone.git("remote") == ""
    assert git.tags() == {}


def test_clone_of_a_commit_that_no_branch_holds(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """A commit that no ref points to can be cloned."""
    commit = repo.commit({"a": "1"})
    repo.git("reset", "--quiet", "--hard", "HEAD~")
    GitCheckout(repo.path, shell).clone(tmp_path / "clone", commit=commit, tag="v2.0.0")
    assert Repo(tmp_path / "clone").git("rev-parse", "HEAD") == commit


def test_clone_from_a_worktree(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """A linked work tree works like the main one."""
    repo.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "side")
    commit = Repo(tmp_path / "tree").commit({"a": "1"})
    git = GitCheckout(tmp_path / "tree", shell)
    assert git.read(commit, "a") == b"1"
    git.clone(tmp_path / "clone", commit=commit, tag="v2.0.0")
    assert (tmp_path / "clone" / "a").read_text() == "1"


def a_moved_tag(repo: Repo, into: Path) -> None:
    """The tag is on another commit than the requested one."""
    repo.git("tag", "v1.0.0")
    repo.commit({"a": "1"})
    assert not into.exists()


def a_full_folder(repo: Repo, into: Path) -> None:
    """The folder is not empty."""
    into.mkdir()
    (into / "kept").write_text("kept")
    assert repo.path != into


@pytest.mark.parametrize(
    ("prepare", "words"), [(a_moved_tag, "the tag v1.0.0 is on commit"), (a_full_folder, "not empty")]
)
def test_clone_refuses(
    repo: Repo, shell: LocalShell, tmp_path: Path, prepare: Callable[[Repo, Path], None], words: str
) -> None:
    """A tag on another commit, and a folder that is not empty, are refused before anything is made."""
    into = tmp_path / "clone"
    prepare(repo, into)
    git = GitCheckout(repo.path, shell)
    with pytest.raises(Refused, match=words):
        git.clone(into, commit=repo.git("rev-parse", "HEAD"), tag="v1.0.0")
    assert [path.name for path in into.rglob("*")] in ([], ["kept"])


@pytest.mark.parametrize("call", ["date_of", "files"])
def test_only_full_commit_ids(repo: Repo, shell: LocalShell, call: str) -> None:
    """Only a full commit id reaches git."""
    with pytest.raises(UnmoorError, match="not a full commit id"):
        getattr(GitCheckout(repo.path, shell), call)("--output=x")


def test_shallow(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """A clone with a truncated history is shallow."""
    repo.commit({"a": "1"})
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    assert GitCheckout(tmp_path / "shallow", shell).shallow()


def test_a_partial_clone_is_never_taken_for_whole(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """Git only warns about missing files; here it is an error, with the command that completes the clone."""
    repo.git("config", "uploadpack.allowFilter", "true")
    commit = repo.git("rev-parse", "HEAD")
    partial = tmp_path / "partial"
    repo.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{repo.path}", str(partial))
    with pytest.raises(Unknown, match="does not have every file") as caught:
        GitCheckout(partial, shell).clone(tmp_path / "clone", commit=commit, tag="v1.0.0")
    assert "git fetch --refetch --no-filter" in caught.value.next_step
    Repo(partial).git("fetch", "--quiet", "--refetch", "--no-filter")
    GitCheckout(partial, shell).clone(tmp_path / "again", commit=commit, tag="v1.0.0")
    assert (tmp_path / "again" / "README").read_text() == "hello\n"


def test_checkout_at_a_folder(tmp_path: Path, shell: LocalShell) -> None:
    """Files and the log are those of the folder; tags, changes and clones are those of the whole repository."""
    repo = Repo.new(tmp_path / "all", {"one/a.txt": "one", "one-more/b.txt": "two", "top.txt": "top"})
    repo.commit({"one/a.txt": "changed"}, "Change one")
    head = repo.commit({"one-more/b.txt": "changed"}, "Change one more")
    repo.git("tag", "one-v1.0")
    (repo.path / "one" / "link").symlink_to("../top.txt")
    (repo.path / "one" / "out").symlink_to("../../secret.txt")
    linked = repo.commit({}, "Link")
    repo.write({"top.txt": "not committed"})
    top = GitCheckout(repo.path / "one", shell)
    git = top.at("one")
    assert (top.path, git.path, git.at("").path) == ("", "one", "")
    assert git.folder == top.folder == repo.path
    assert git.files(head) == ("a.txt",)
    assert git.read(head, "a.txt") == b"changed"
    assert git.read(linked, "../top.txt") == git.read(linked, "link") == b"top"
    for outside in ("../../secret.txt", "out", "/top.txt", ".", "top.txt"):
        assert git.read(linked, outside) is None
    assert [commit.subject for commit in git.log(since=None, until=head)] == ["Change one", "Change things"]
    assert git.changed() == ("top.txt",)
    assert git.tags() == {"one-v1.0": head}
    folder = git.clone(tmp_path / "clone", commit=head, tag="one-v1.0")
    assert folder == tmp_path / "clone" / "one"
    assert (folder / "a.txt").read_text() == "changed"
    assert (tmp_path / "clone" / "top.txt").read_text() == "top"
    assert top.clone(tmp_path / "other", commit=head, tag="one-v1.0") == tmp_path / "other"
