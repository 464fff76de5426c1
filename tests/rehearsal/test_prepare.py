"""A rehearsal is prepared from any checkout, which stays unchanged."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.core.stage import StageContext
from unmoor.errors import Refused
from unmoor.rehearsal.prepare import Prepared, prepare
from unmoor.stages.tag import ResolveTag

pytestmark = pytest.mark.journey  # real builds, clones or servers, one after the other

SCM = "[project]\nname = 'p'\ndynamic = ['version']\n[tool.setuptools_scm]\n"
FRAGMENTS = "[tool.towncrier]\ndirectory = 'news'\n"


def static(version: str) -> str:
    """Return a pyproject.toml with a version."""
    return f"[build-system]\nrequires = []\n\n[project]\nname = 'p'\nversion = '{version}' # here\n"


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


@pytest.fixture
def make(shell: LocalShell, tmp_path: Path) -> Callable[..., Prepared]:
    """Prepare a rehearsal; check that the checkout is unchanged and the tag can be released from the clone."""

    def make(repo: Repo, tag: str | None = None, place: str = "world") -> Prepared:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_AUTHOR", "GIT_COMM"))}
        before = repo.state()
        prepared = prepare(GitCheckout(repo.path, shell, environ=environ), shell, tmp_path / place, tag=tag)
        assert repo.state() == before
        assert prepared.checkout == tmp_path / place / "checkout"
        remote = str(tmp_path / place / "remote.git")
        clone = Repo(prepared.checkout)
        assert clone.git("remote", "get-url", "origin") == remote
        assert clone.git("status", "--porcelain") == ""
        stage = ResolveTag(
            name="tag",
            tag=prepared.tag,
            named=True,
            repository="owner/name",
            real=False,
            git=GitCheckout(prepared.checkout, shell, remote),
        )
        assert stage.make(StageContext({})).tag == prepared.tag
        return prepared

    return make


Make = Callable[..., Prepared]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A project, the tags on an older commit and on HEAD, the requested tag, and the expected result.

    ``files`` is its pyproject.toml, ``others`` the rest of it.
    ``made`` is the tag that is rehearsed, ``sets`` the version that a commit in the clone had to set.
    """

    files: str
    others: dict[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    on_head: tuple[str, ...] = ()
    tag: str | None = None
    made: str
    sets: str = ""
    words: str


CASES = {
    "file": Case(files=static("1.2.0"), made="v1.2.0", words="the version in pyproject.toml, line 6"),
    "file, tagged": Case(
        files=static("1.2.0"), before=("v1.1.0",), on_head=("v1.2.0",), made="v1.2.0", words="v1.2.0, which is on"
    ),
    "file, released": Case(
        files=static("1.2.0"), before=("v1.2.0",), made="v1.2.1", sets="1.2.1", words="has that version already"
    ),
    "next one taken": Case(
        files=static("1.2.0"), before=("v1.2.0", "v1.2.1"), made="v1.2.2", sets="1.2.2", words="rehearsing 1.2.2"
    ),
    "dev": Case(
        files=static("1.3.0.dev0"), before=("v1.2.0",), made="v1.3.0", sets="1.3.0", words="which is never a release"
    ),
    "dev of a candidate": Case(
        files=static("1.3.0rc2.dev1+abc"), made="v1.3.0rc2", sets="1.3.0rc2", words="rehearsing 1.3.0rc2"
    ),
    "dev, tags without v": Case(
        files=static("1.3.0-dev"), before=("1.2.0",), made="1.3.0", sets="1.3.0", words="rehearsing 1.3.0"
    ),
    "dev, base on HEAD": Case(
        files=static("1.3.0-dev"), on_head=("v1.3.0",), made="v1.3.1", sets="1.3.1", words="has that version already"
    ),
    "a tag that moves": Case(files=static("1.0.0"), before=("v1",), made="v1.0.0", words="rehearsing 1.0.0"),
    "named, differs": Case(
        files=static("1.2.0"), tag="v2.0.0rc1", made="v2.0.0rc1", sets="2.0.0rc1", words="line 6 says 1.2.0"
    ),
    "named, agrees": Case(files=static("1.2.0"), tag="v1.2", made="v1.2", words="there is no tag v1.2 yet"),
    "named, exists": Case(
        files=static("1.2.0"), on_head=("v1.2.0",), tag="v1.2.0", made="v1.2.0", words="rehearsing the tag v1.2.0"
    ),
    "scm, tagged": Case(files=SCM, on_head=("v1.2.0",), made="v1.2.0", words="the tag v1.2.0, which is on"),
    "scm, next": Case(files=SCM, before=("v1.2.0",), made="v1.2.1", words="the version after 1.2.0"),
    "scm, after a candidate": Case(
        files=SCM, before=("v1.2.0", "v1.3.0rc1"), made="v1.3.0", words="the version after 1.3.0rc1"
    ),
    "scm, first": Case(files=SCM, made="v0.1.0", words="the first version"),
    "scm, named": Case(files=SCM, before=("v1.2.0",), tag="v9.0.0", made="v9.0.0", words="there is no tag v9.0.0 yet"),
    "two, one named": Case(
        files=SCM, on_head=("v1.2.0rc1", "v1.2.0"), tag="v1.2.0", made="v1.2.0", words="rehearsing the tag"
    ),
    "scm, a development tag": Case(
        files=SCM, before=("v1.2.0", "v1.3.0.dev0"), made="v1.3.0", words="to which a development tag leads"
    ),
    "scm, an old development tag": Case(
        files=SCM, before=("v1.2.0.dev0", "v1.2.0"), made="v1.2.1", words="after 1.2.0"
    ),
    "likely": Case(
        files="",
        others={
            "setup.py": "exec(open('p.py').read())\nsetup(name='p', version=V)\n",
            "p.py": "__version__ = '1.2.0'\n",
        },
        before=("v1.2.0",),
        made="v1.2.1",
        sets="1.2.1",
        words="p.py, line 1 says 1.2.0",
    ),
    "unknown, named": Case(
        files="[project]\nname = 'p'\n", tag="v1.3.0", made="v1.3.0", words="the build itself must give 1.3.0"
    ),
    "unknown": Case(
        files="[project]\nname = 'p'\n", before=("v1.2.0",), made="v1.2.1", words="no file has a readable version"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_rehearsed(tmp_path: Path, make: Make, case: Case) -> None:
    """The version in a file, the tag on HEAD, or the next version; a message gives the reason."""
    repo = Repo.new(tmp_path / "project")
    for name in case.before:
        repo.git("tag", name)
    head = repo.commit({"pyproject.toml": case.files} | case.others)
    for name in case.on_head:
        repo.git("tag", "-a", "-m", "x", name)
    prepared = make(repo, case.tag)
    clone = Repo(prepared.checkout)
    assert prepared.tag == case.made
    assert case.words in "\n".join(prepared.messages)
    assert prepared.uncommitted == ()
    if case.sets:
        assert clone.git("log", "-1", "--format=%s %P") == f"Set the version to {case.sets} (rehearsal) {head}"
        assert case.sets in prepared.diff
    else:
        assert clone.git("rev-parse", "HEAD") == head
        assert prepared.diff == ""


@pytest.mark.parametrize(
    ("fragments", "version", "why"),
    [
        (["1.bugfix.md"], "1.2.1", "(its fragments are of kind bugfix)"),
        (["1.bugfix.md", "+x.feature.md"], "1.3.0", "(a fragment is of kind feature)"),
        (["1.removal.md", "3.feature.md"], "2.0.0", "(a fragment is of kind removal)"),
        (["README.md"], "1.2.1", ""),
    ],
)
@pytest.mark.parametrize("content", [SCM, static("1.2.0")])
def test_fragments_decide_the_next_version(
    *, tmp_path: Path, make: Make, fragments: list[str], version: str, why: str, content: str
) -> None:
    """After a released version, the kinds of the fragments on HEAD decide, and a message says which one."""
    repo = Repo.new(tmp_path / "project")
    repo.git("tag", "v1.2.0")
    repo.commit({"pyproject.toml": content + FRAGMENTS} | {f"news/{name}": "x" for name in fragments})
    repo.write({"news/2.removal.md": "not committed"})
    prepared = make(repo)
    assert prepared.tag == f"v{version}"
    assert why in prepared.messages[0]
    assert ("kind" in prepared.messages[0]) is bool(why)


@pytest.mark.parametrize(
    "repeated",
    [
        {"p/__init__.py": "__version__ = '1.2.0'\n"},
        {"src/p/__init__.py": "import os\n__version__: str = '1.2.0'\r\n"},
        {"src/p/__init__.py": "from p.v import __version__\n", "src/p/v.py": "__version__ = '1.2.0'\n"},
        {"setup.cfg": "[metadata]\nversion = 1.2.0\n", "p.py": "__version__ = '1.2.0'\n"},
    ],
    ids=["flat", "src", "imported", "two files"],
)
def test_a_new_version_is_written_wherever_it_is_repeated(tmp_path: Path, make: Make, repeated: dict[str, str]) -> None:
    """As a cut writes it: tests of real projects compare the two. Other numbers and the checkout stay."""
    repo = Repo.new(tmp_path / "project")
    other = {"q.py": "__version__ = '1.2.1'\nwith_version = '1.2.0'\n"}
    repo.commit({"pyproject.toml": static("1.2.0")} | repeated | other)
    repo.git("tag", "v1.2.0")
    repo.commit({"README": "more"})
    prepared = make(repo)
    for name, content in repeated.items():
        assert (prepared.checkout / name).read_bytes() == content.replace("1.2.0", "1.2.1").encode()
        assert (repo.path / name).read_bytes() == content.encode()
    assert (prepared.checkout / "q.py").read_bytes() == other["q.py"].encode()
    assert Repo(prepared.checkout).git("status", "--porcelain") == ""


LOG = "## Unreleased\n\n- New.\n\n## 1.2.0\n\n- Old.\n"


@pytest.mark.parametrize(
    ("content", "tag", "made", "log"),
    [
        (static("1.2.0"), None, "v1.2.1", "## 1.2.1 ("),
        (SCM, None, "v1.2.1", "## 1.2.1 ("),
        (static("2.0.0"), None, "v2.0.0", "## 2.0.0 ("),
        (static("1.2.0"), "v1.2.0", "v1.2.0", "## Unreleased"),
        (SCM, "v1.1.9", "v1.1.9", "## Unreleased"),
        (SCM + FRAGMENTS, None, "v1.2.1", "## Unreleased"),
    ],
    ids=["after a release", "from tags", "a new version", "a tag that exists", "an older version", "with fragments"],
)
def test_the_next_version_gets_the_unreleased_changes(
    *, tmp_path: Path, make: Make, content: str, tag: str | None, made: str, log: str
) -> None:
    """A rehearsal of the next version names it above the unreleased changes, in one commit of the clone only."""
    repo = Repo.new(tmp_path / "project")
    repo.git("tag", "v1.2.0", repo.commit({"pyproject.toml": content, "CHANGELOG.md": LOG}))
    files = {"news/1.bugfix.md": "x"} if FRAGMENTS in content else {"x": "y"}
    head = repo.commit(files)
    prepared = make(repo, tag)
    clone = Repo(prepared.checkout)
    assert prepared.tag == made
    assert clone.git("show", f"{made}:CHANGELOG.md").startswith(log)
    named = log != "## Unreleased"
    assert ("'Unreleased' of CHANGELOG.md" in "\n".join(prepared.messages)) is named
    if named:
        assert clone.git("rev-parse", f"{made}~1") == head
        assert log in prepared.diff
    assert repo.git("status", "--porcelain") == ""


def test_files_that_differ_after_a_checkout(tmp_path: Path, shell: LocalShell) -> None:
    """A file whose bytes are invalid in its declared encoding cannot be committed again, and is not."""
    repo = Repo.new(tmp_path / "project")
    repo.commit({"odd.txt": "\u4e00\n"})
    files = {".gitattributes": "odd.txt text working-tree-encoding=latin1\n", "pyproject.toml": static("1.2.0")}
    repo.write(files)
    repo.git("add", *files)
    repo.git("commit", "--quiet", "-m", "Declare an encoding")
    clone = Repo(prepare(GitCheckout(repo.path, shell), shell, tmp_path / "world", tag="v1.3.0").checkout)
    assert clone.git("diff", "--name-only", "HEAD~1", "HEAD") == "pyproject.toml"


def test_the_one_line(tmp_path: Path, make: Make) -> None:
    """The commit in the clone changes one line, is on top of HEAD, and gives the diff; the tag is annotated."""
    repo = Repo.new(tmp_path / "project")
    repo.commit({"pyproject.toml": static("1.2.0").replace("\n", "\r\n")}, date=1_700_000_777)
    repo.git("tag", "other")
    prepared = make(repo, "v2.0.0rc1")
    changed = [line.rstrip() for line in prepared.diff.split("\n") if line.startswith(("+", "-"))]
    assert changed == [
        "--- a/pyproject.toml",
        "+++ b/pyproject.toml",
        "-version = '1.2.0' # here",
        "+version = '2.0.0rc1' # here",
    ]
    clone = Repo(prepared.checkout)
    content = (clone.path / "pyproject.toml").read_bytes()
    assert content == (repo.path / "pyproject.toml").read_bytes().replace(b"1.2.0", b"2.0.0rc1")
    assert clone.git("rev-parse", "HEAD~") == repo.git("rev-parse", "HEAD")
    assert clone.git("log", "-1", "--format=%an %ae %at %ct") == (
        "unmoor rehearsal rehearsal@example.invalid 1700000777 1700000777"
    )
    assert clone.git("cat-file", "-t", "v2.0.0rc1") == "tag"
    assert repo.git("tag") == "other"


def test_prepare_is_reproducible(tmp_path: Path, make: Make) -> None:
    """The same checkout gives the same commit and the same tag object."""
    repo = Repo.new(tmp_path / "project")
    repo.commit({"pyproject.toml": static("1.2.0")})
    first, second = (make(repo, "v2.0.0rc1", place) for place in ("one", "two"))
    assert Repo(first.checkout).git("show-ref", "--tags") == Repo(second.checkout).git("show-ref", "--tags")


def test_a_dirty_checkout(tmp_path: Path, make: Make) -> None:
    """Uncommitted changes are not part of the rehearsal, and are listed."""
    repo = Repo.new(tmp_path / "project")
    repo.commit({"pyproject.toml": static("1.2.0"), "a": "1"})
    repo.write({"pyproject.toml": static("9.9.9"), "a": "2", "untracked": "x"})
    prepared = make(repo)
    assert prepared.tag == "v1.2.0"
    assert prepared.uncommitted == ("a", "pyproject.toml")
    assert not (prepared.checkout / "untracked").exists()


def test_a_detached_head_and_a_fork(tmp_path: Path, make: Make) -> None:
    """A commit that is on no branch gets one, and an unreachable remote does not matter."""
    repo = Repo.new(tmp_path / "project", {"pyproject.toml": SCM})
    repo.git("remote", "add", "origin", "https://me:sesame@example.invalid/fork.git")
    repo.git("checkout", "--quiet", "--detach")
    head = repo.commit({"a": "1"})
    prepared = make(repo)
    remote = Repo(prepared.checkout.parent / "remote.git")
    assert remote.git("symbolic-ref", "HEAD") == "refs/heads/rehearsal"
    assert remote.git("rev-parse", "HEAD") == head
    assert remote.git("remote") == ""
    assert "sesame" not in remote.state() + Repo(prepared.checkout).state()


def test_an_old_tag_from_elsewhere(tmp_path: Path, make: Make) -> None:
    """An existing tag that is named is rehearsed at its own commit, not at HEAD."""
    repo = Repo.new(tmp_path / "project", {"pyproject.toml": static("1.0.0")})
    old = repo.git("rev-parse", "HEAD")
    repo.git("tag", "v1.0.0")
    repo.commit({"pyproject.toml": static("2.0.0")})
    prepared = make(repo, "v1.0.0")
    assert Repo(prepared.checkout).git("rev-parse", "HEAD") == old
    assert prepared.diff == ""


def test_a_maintenance_branch_continues_from_its_own_release(tmp_path: Path, make: Make) -> None:
    """The next version follows the releases before HEAD, not the newest of another branch."""
    repo = Repo.new(tmp_path / "project", {"pyproject.toml": SCM})
    repo.git("tag", "v1.1.0")
    repo.commit({"a": "1"})
    repo.git("tag", "v2.0.0")
    repo.git("checkout", "--quiet", "-b", "fixes", "v1.1.0")
    repo.commit({"b": "1"})
    assert make(repo).tag == "v1.1.1"


def test_hooks_do_not_run(tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """No git hook of the user or the project runs in the clone: not on clone, commit or push."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "post-commit", "post-checkout", "pre-push", "update", "post-receive"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> '{tmp_path}/ran'\nexit 1\n")
        (hooks / name).chmod(0o755)
    repo = Repo.new(tmp_path / "project", {"pyproject.toml": static("1.2.0")})
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    monkeypatch.setenv("GIT_CONFIG_KEY_1", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_1", str(hooks))
    make(repo, "v3.0.0")
    assert not (tmp_path / "ran").exists()


def test_a_link_that_leads_out(tmp_path: Path, shell: LocalShell) -> None:
    """A version file that is a link to outside the project is never written; it counts as missing."""
    outside = tmp_path / "VERSION"
    outside.write_text("1.0.0\n")
    repo = Repo.new(tmp_path / "project")
    (repo.path / "VERSION").symlink_to(outside)
    text = "[project]\nname = 'p'\ndynamic = ['version']\n[tool.setuptools.dynamic]\nversion = {file = 'VERSION'}\n"
    repo.commit({"pyproject.toml": text})
    prepared = prepare(GitCheckout(repo.path, shell), shell, tmp_path / "world", tag="v2.0.0")
    assert prepared.diff == ""
    assert outside.read_text() == "1.0.0\n"


def test_a_link_inside(tmp_path: Path, make: Make) -> None:
    """A version file that is a link inside the project is followed, and its target is changed."""
    repo = Repo.new(tmp_path / "project")
    repo.write({"src/VERSION": "1.0.0\n"})
    (repo.path / "VERSION").symlink_to("src/VERSION")
    text = "[project]\nname = 'p'\ndynamic = ['version']\n[tool.setuptools.dynamic]\nversion = {file = 'VERSION'}\n"
    repo.commit({"pyproject.toml": text})
    prepared = make(repo, "v2.0.0")
    assert (prepared.checkout / "src" / "VERSION").read_text() == "2.0.0\n"
    assert (prepared.checkout / "VERSION").is_symlink()


def disagreeing(repo: Repo) -> None:
    """The tag exists, but the file at its commit has another version."""
    repo.commit({"pyproject.toml": static("1.2.0")})
    repo.git("tag", "v1.3.0")


def twin(repo: Repo) -> None:
    """Another spelling of the version is on another commit."""
    repo.git("tag", "1.3.0")
    repo.commit({"pyproject.toml": SCM})


def garbled(repo: Repo) -> None:
    """The file has an invalid version."""
    repo.commit({"pyproject.toml": static("soon")})


def two_on_head(repo: Repo) -> None:
    """Two versions on HEAD."""
    repo.commit({"pyproject.toml": SCM})
    repo.git("tag", "v1.0.0")
    repo.git("tag", "v1.0.0rc1")


@pytest.mark.parametrize(
    ("arrange", "tag", "words"),
    [
        (disagreeing, "v1.3.0", "pyproject.toml, line 6: the tag v1.3.0 names version 1.3.0, but the file says 1.2.0"),
        (twin, "v1.3.0", "the tags v1.3.0 and 1.3.0 name the same version"),
        (garbled, None, "pyproject.toml, line 6: 'soon' is not a version"),
        (two_on_head, None, "name different versions: v1.0.0rc1, v1.0.0"),
        (garbled, "v1.0.0$(id)", "it contains $ ( )"),
        (garbled, "v1.0.dev1", "development version"),
    ],
)
def test_refused(
    tmp_path: Path, shell: LocalShell, arrange: Callable[[Repo], None], tag: str | None, words: str
) -> None:
    """What cannot be rehearsed is refused with a specific error, and the checkout stays unchanged."""
    repo = Repo.new(tmp_path / "project")
    arrange(repo)
    before = repo.state()
    with pytest.raises(Refused) as caught:
        prepare(GitCheckout(repo.path, shell), shell, tmp_path / "world", tag=tag)
    assert words in str(caught.value)
    assert caught.value.next_step
    assert repo.state() == before


def test_an_empty_repository(tmp_path: Path, shell: LocalShell) -> None:
    """Without a commit there is nothing to rehearse."""
    repo = Repo(tmp_path / "empty")
    repo.path.mkdir()
    repo.git("init", "--quiet")
    with pytest.raises(Refused, match="no commit yet"):
        prepare(GitCheckout(repo.path, shell), shell, tmp_path / "world", tag=None)


def test_shallow(tmp_path: Path, shell: LocalShell) -> None:
    """A shallow clone is refused with the command that deepens it."""
    repo = Repo.new(tmp_path / "project")
    repo.commit({"a": "1"})
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    with pytest.raises(Refused, match="shallow") as caught:
        prepare(GitCheckout(tmp_path / "shallow", shell), shell, tmp_path / "world", tag=None)
    assert "git fetch --unshallow --tags" in caught.value.next_step
