"""The stage ``tag`` gives one commit, or refuses with its own message and next step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.support.git_repos import Repo
from tests.support.listed_index import FakeIndex
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.advice import NextStep
from unmoor.core.stage import StageContext
from unmoor.errors import ConfigError, Refused, Unknown, UnmoorError
from unmoor.ports.forge import Forge
from unmoor.ports.index import Holding
from unmoor.products import Release
from unmoor.stages.tag import ResolveTag

NOTHING = Holding(simple={}, json=None)
STATIC = {"pyproject.toml": "[project]\nname = 'Some.Pkg'\nversion = '1.2.0'\n"}
SCM = {"pyproject.toml": "[project]\nname = 'Some.Pkg'\ndynamic = ['version']\n[tool.setuptools_scm]\n"}


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


@dataclass
class TagInputs:
    """A checkout with its remote, and the messages of the stage."""

    repo: Repo
    remote: Repo
    shell: LocalShell
    warned: list[str] = field(default_factory=list)

    def resolve(self, tag: str | None, **settings: object) -> Release:
        """Run the stage; a given tag counts as named."""
        stage = ResolveTag(
            **{  # type: ignore[arg-type]  # a test names only what it is about
                "name": "tag",
                "tag": tag,
                "named": tag is not None,
                "repository": "owner/name",
                "real": True,
                "git": GitCheckout(self.repo.path, self.shell),
                **settings,
            }
        )
        assert stage.plan()
        return stage.make(StageContext({}, warn=self.warned.append))

    def tag(self, name: str, *, push: bool = True) -> str:
        """Tag HEAD with an annotated tag, and push it."""
        self.repo.git("tag", "-a", "-m", "x", name)
        if push:
            self.repo.git("push", "--quiet", "origin", f"refs/tags/{name}")
        return self.repo.git("rev-parse", "HEAD")


@pytest.fixture
def place(tmp_path: Path, shell: LocalShell) -> TagInputs:
    """A project whose version comes from tags, with a remote."""
    repo = Repo.new(tmp_path / "project", SCM)
    return TagInputs(repo, repo.remote(tmp_path / "remote.git"), shell)


def test_a_named_tag_is_released_from_anywhere(place: TagInputs) -> None:
    """A named tag gives its own peeled commit, whatever is checked out or changed."""
    place.tag("v1.0.0")
    place.repo.commit({"a": "1"})
    place.tag("v1.1.0rc1")
    commit = place.repo.commit({"b": "1"}, date=1_700_000_500)
    place.tag("v1.1.0")
    place.repo.commit({"c": "1"})
    place.tag("v2.0.0a1")
    place.repo.git("checkout", "--quiet", "v1.0.0")
    place.repo.write({"pyproject.toml": "[broken"})
    before = place.repo.state()
    assert place.resolve("v1.1.0", commit=commit) == Release(
        repository="owner/name",
        project="Some.Pkg",
        tag="v1.1.0",
        version="1.1.0",
        commit=commit,
        date=1_700_000_500,
        prerelease=False,
        highest=True,
        previous="v1.0.0",
    )
    assert place.repo.state() == before
    assert place.warned == []


def test_the_tag_on_head(place: TagInputs) -> None:
    """Without a name the one release tag on HEAD is taken; untracked files and other tags do not count."""
    commit = place.tag("v1.0.0-rc.1")
    place.repo.git("tag", "nightly")
    place.repo.write({"untracked": "x"})
    release = place.resolve(None)
    assert (release.tag, release.version, release.commit) == ("v1.0.0-rc.1", "1.0.0rc1", commit)
    assert (release.prerelease, release.highest, release.previous) == (True, False, None)


@pytest.mark.parametrize(
    ("tag", "prerelease"),
    [
        *(("v1.0a1", True), ("v1.0.0b2", True), ("1.0rc3", True), ("v1.0.0-beta.1", True), ("v1.0.0-rc1", True)),
        *(("v1.0", False), ("v1.0.post1", False), ("v1.0-1", False), ("2024.1", False)),
    ],
)
def test_the_version_makes_a_prerelease(place: TagInputs, tag: str, *, prerelease: bool) -> None:
    """PEP 440 decides in any spelling, not a hyphen; a post release is final."""
    place.tag(tag)
    release = place.resolve(tag)
    assert (release.prerelease, release.highest) == (prerelease, not prerelease)


def test_a_commit_on_no_branch_is_a_warning(place: TagInputs) -> None:
    """If no remote branch contains the commit, the release continues with a warning."""
    place.tag("v1.0.0")
    place.resolve("v1.0.0")
    assert place.warned == []  # no branch of the remote is known here
    place.repo.git("push", "--quiet", "origin", "main")
    place.resolve("v1.0.0")
    assert place.warned == []
    place.repo.commit({"a": "1"})
    place.tag("v1.1.0")
    place.resolve("v1.1.0")
    (warned,) = place.warned
    assert "no branch of the remote" in warned
    assert "git push --atomic origin BRANCH v1.1.0" in warned
    place.resolve("v1.1.0", real=False)
    assert len(place.warned) == 1


def test_tags_that_only_the_remote_has_count(place: TagInputs) -> None:
    """Highest and previous version come from the tags of both sides."""
    place.tag("v1.0.0")
    place.remote.git("tag", "v3.0.0")
    place.remote.git("tag", "v0.9.0")
    release = place.resolve("v1.0.0")
    assert (release.highest, release.previous) == (False, "v0.9.0")


def test_of_two_versions_the_named_one_is_released(place: TagInputs) -> None:
    """If a tag is named, tags of other versions on the commit are allowed."""
    place.tag("v1.0.0rc1")
    place.tag("v1.0.0")
    assert place.resolve("v1.0.0rc1").version == "1.0.0rc1"


def test_a_tag_that_moves_is_no_twin(place: TagInputs) -> None:
    """A tag such as v1 on a later commit does not conflict with v1.0.0."""
    place.tag("v1.0.0")
    place.repo.commit({"a": "1"})
    place.tag("v1")
    assert place.resolve("v1.0.0").version == "1.0.0"


def test_the_configured_repository_by_any_case(place: TagInputs) -> None:
    """Case does not count, as on GitHub, and only the real world is compared."""
    place.tag("v1.0.0")
    place.resolve("v1.0.0", expected_repository="Owner/NAME")
    place.resolve("v1.0.0", expected_repository="other/one", real=False)


def test_submodules_cause_no_warning(place: TagInputs) -> None:
    """Submodules cause no warning, since the build's clone fetches them."""
    place.repo.commit({".gitmodules": ""})
    place.tag("v1.0.0")
    place.resolve("v1.0.0")
    assert place.warned == []


def test_without_a_remote(tmp_path: Path, shell: LocalShell) -> None:
    """Only the real world requires a remote."""
    repo = Repo.new(tmp_path / "project", SCM)
    repo.git("tag", "v1.0.0")
    place = TagInputs(repo, repo, shell)
    assert place.resolve("v1.0.0", real=False).version == "1.0.0"
    assert "no remote" in place.warned[0]
    with pytest.raises(Refused, match="has no remote") as caught:
        place.resolve("v1.0.0")
    assert "git remote add origin" in caught.value.next_step


def test_a_remote_that_cannot_be_read(place: TagInputs) -> None:
    """A remote that does not answer is unknown, not empty."""
    place.tag("v1.0.0")
    place.repo.git("remote", "set-url", "origin", "/nonexistent")
    with pytest.raises(Unknown, match="ls-remote failed"):
        place.resolve("v1.0.0")


# ---- refusals: preparation, settings, message, next step ----

Arrange = Callable[[TagInputs], object]


def nothing(_place: TagInputs) -> None:
    """Change nothing."""


def hostile_on_head(place: TagInputs) -> None:
    """The only tag on HEAD is hostile."""
    place.repo.git("tag", "v1.0.0$(touch${IFS}pwned)")


def dev_on_head(place: TagInputs) -> None:
    """The only tag on HEAD is of a development version."""
    place.repo.git("tag", "v1.0.0.dev1")


def epoch_on_head(place: TagInputs) -> None:
    """The commit has a tag with an epoch."""
    place.repo.git("tag", "v1!2.0")


def two_on_head(place: TagInputs) -> None:
    """Two versions on HEAD."""
    place.tag("v1.0.0rc1")
    place.tag("v1.0.0")


def changed(place: TagInputs) -> None:
    """Tracked files differ, staged and not."""
    place.repo.commit({"b": "1"})
    place.tag("v1.0.0")
    place.repo.write({"pyproject.toml": "x", "b": "2", "untracked": "x"})
    place.repo.git("add", "b")


def much_changed(place: TagInputs) -> None:
    """More files differ than the error lists."""
    files = [f"f{number:02}" for number in range(30)]
    place.repo.commit(dict.fromkeys(files, "1"))
    place.tag("v1.0.0")
    place.repo.write(dict.fromkeys(files, "2"))


def not_pushed(place: TagInputs) -> None:
    """The tag exists only here."""
    place.tag("v1.0.0", push=False)


def only_there(place: TagInputs) -> None:
    """The tag exists only on the remote."""
    place.tag("v1.0.0")
    place.repo.git("tag", "-d", "v1.0.0")


def moved(place: TagInputs) -> None:
    """The remote's tag names another commit."""
    place.tag("v1.0.0")
    place.repo.commit({"a": "1"})
    place.repo.git("tag", "--force", "-a", "-m", "x", "v1.0.0")


def tagged(place: TagInputs) -> None:
    """Everything is correct."""
    place.tag("v1.0.0")


def static(place: TagInputs) -> None:
    """The file says 1.2.0."""
    place.repo.commit(STATIC)
    place.tag("v1.0.0")


def candidate_of_a_final(place: TagInputs) -> None:
    """The tag is a candidate's, but the file has the final version."""
    place.repo.commit(STATIC)
    place.tag("v1.2.0rc1")


def garbled(place: TagInputs) -> None:
    """The file has an invalid version."""
    place.repo.commit({"pyproject.toml": STATIC["pyproject.toml"].replace("1.2.0", "soon")})
    place.tag("v1.0.0")


def twins(place: TagInputs) -> None:
    """Two spellings of one version on different commits."""
    place.tag("v1.0.0-rc.1")
    place.repo.commit({"a": "1"})
    place.tag("v1.0.0rc1")


def twin_there(place: TagInputs) -> None:
    """The other spelling exists only on the remote."""
    twins(place)
    place.repo.git("tag", "-d", "v1.0.0-rc.1")


HEAD_STEP = "name a tag, such as v1.2.3, or create one: git tag -a v1.2.3"
RELEASED_NAMES = "such as v1.2.3 or v1.2.3rc1"


@pytest.mark.parametrize(
    ("arrange", "tag", "settings", "words", "step"),
    [
        (nothing, "v1.0.0$(touch${IFS}pwned)", {}, "it contains $ ( ) { }", RELEASED_NAMES),
        (nothing, "v1.0.0\nv2.0.0", {}, "spaces or control characters", RELEASED_NAMES),
        (nothing, "v" + "1" * 299, {}, "300 characters long", RELEASED_NAMES),
        (nothing, "../x", {}, "it contains /", RELEASED_NAMES),
        (nothing, "--output=pwned", {}, "it contains =", RELEASED_NAMES),
        (nothing, "v\uff11.0.0", {}, "U+FF11", RELEASED_NAMES),
        (nothing, "stable-1", {}, "not known to be this project's", "set tag-prefix"),
        (nothing, "", {}, "it is empty", RELEASED_NAMES),
        (nothing, "v1.0.dev1", {}, "development version", RELEASED_NAMES),
        (nothing, "v1.0+local", {}, "local version", RELEASED_NAMES),
        (nothing, "v1!2.0", {}, "the epoch 1! in their names", "has no epoch"),
        (nothing, "some-pkg-2024!1.0rc1", {}, "the epoch 2024! in their names", "has no epoch"),
        (epoch_on_head, None, {}, "the epoch 1! in their names", "has no epoch"),
        (nothing, None, {}, "the checked-out commit has no release tag", HEAD_STEP),
        (hostile_on_head, None, {}, "it contains $ ( ) { }", RELEASED_NAMES),
        (dev_on_head, None, {}, "1.0.0.dev1 is a development version", RELEASED_NAMES),
        (two_on_head, None, {}, "name different versions: v1.0.0rc1, v1.0.0", "name the tag"),
        (changed, None, {}, "differ from the checked-out commit:\n  b\n  pyproject.toml", "commit, stash"),
        (changed, "v1.0.0", {"named": False}, "\n  b\n  pyproject.toml", "commit, stash or restore"),
        (much_changed, None, {}, "\n  f19\n  and 10 more", "commit, stash or restore"),
        (nothing, "v1.0.0", {}, "no tag v1.0.0 in this checkout, nor on the remote", "unmoor rehearse v1.0.0"),
        (
            only_there,
            "v1.0.0",
            {},
            "the remote has it, on commit",
            "git fetch origin refs/tags/v1.0.0:refs/tags/v1.0.0",
        ),
        (not_pushed, "v1.0.0", {}, "is not on the remote", "git push origin refs/tags/v1.0.0"),
        (moved, "v1.0.0", {}, "on the remote: it was moved", "never move a released tag"),
        (tagged, "v1.0.0", {"commit": "f" * 40}, "started for commit " + "f" * 40, "start a new run"),
        (tagged, "v1.0.0", {"expected_repository": "o/other"}, "released only from o/other", "in a fork, rehearse"),
        (static, "v1.0.0", {}, "names version 1.0.0, but the file says 1.2.0", "write 1.0.0 there"),
        (static, "v1.0.0", {}, "pyproject.toml, line 3: ", "write 1.0.0 there"),
        (
            candidate_of_a_final,
            "v1.2.0rc1",
            {},
            "names version 1.2.0rc1, but the file says 1.2.0",
            "write 1.2.0rc1 there",
        ),
        (garbled, "v1.0.0", {}, "the file says soon", "write 1.0.0 there"),
        (twins, "v1.0.0rc1", {}, "v1.0.0rc1 and v1.0.0-rc.1 name the same version, 1.0.0rc1", "git tag -d v1.0.0-rc.1"),
        (twin_there, "v1.0.0rc1", {}, "v1.0.0rc1 and v1.0.0-rc.1 name the same version", "git tag -d v1.0.0-rc.1"),
    ],
)
def test_refused(  # noqa: PLR0917  # the columns of the table
    place: TagInputs, arrange: Arrange, tag: str | None, settings: dict[str, object], words: str, step: str
) -> None:
    """Each refusal has its own message and next step; nothing is written, and no name is executed."""
    arrange(place)
    before = place.repo.state(), place.remote.state()
    with pytest.raises(Refused) as caught:
        place.resolve(tag, **settings)
    assert words in str(caught.value)
    assert step in caught.value.next_step
    assert (place.repo.state(), place.remote.state()) == before
    assert not list(place.repo.path.rglob("pwned*"))


def test_moved_names_both_commits(place: TagInputs) -> None:
    """The error for a moved tag has the commit here and the one on the remote, peeled."""
    there = place.repo.git("rev-parse", "HEAD")
    moved(place)
    here = place.repo.git("rev-parse", "HEAD")
    with pytest.raises(Refused, match=f"commit {here} here and commit {there} on the remote"):
        place.resolve("v1.0.0")


@pytest.mark.parametrize("depth", [1, 2])
def test_shallow(place: TagInputs, tmp_path: Path, depth: int) -> None:
    """A shallow clone is refused, with the command that fetches the rest, even if it has the tag."""
    place.tag("v0.9.0")
    place.repo.commit({"a": "1"})
    place.repo.commit({"a": "2"})
    place.tag("v1.0.0")
    place.repo.git("clone", "--quiet", f"--depth={depth}", f"file://{place.repo.path}", str(tmp_path / "shallow"))
    shallow = TagInputs(Repo(tmp_path / "shallow"), place.remote, place.shell)
    with pytest.raises(Refused, match="the clone is shallow") as caught:
        shallow.resolve("v1.0.0")
    assert "git fetch --unshallow --tags" in caught.value.next_step
    assert "fetch-depth: 0" in caught.value.next_step


@pytest.mark.parametrize(
    ("text", "settings", "error"),
    [
        ("[project]\nversion = '1.0.0'\n", {}, ConfigError),
        ("[project\n", {"project": "p"}, ConfigError),
        ("[project]\nversion = '1.0.0'\n", {"project": "../p"}, ConfigError),
    ],
)
def test_a_name_that_cannot_be_determined(
    place: TagInputs, text: str, settings: dict[str, object], error: type[UnmoorError]
) -> None:
    """Files without a name, or malformed ones, are a configuration error."""
    place.repo.commit({"pyproject.toml": text})
    place.tag("v1.0.0")
    with pytest.raises(error):
        place.resolve("v1.0.0", **settings)


def test_a_configured_name(place: TagInputs) -> None:
    """The configured name takes precedence over the files."""
    place.tag("v1.0.0")
    assert place.resolve("v1.0.0", project="other").project == "other"


def test_a_prefix_sees_only_its_own_tags(place: TagInputs) -> None:
    """Previous, highest and the tag on HEAD are those of one prefix; other tags do not count."""
    place.tag("some-pkg-1.0")
    place.tag("other-7.0")
    place.tag("v8.0")
    place.repo.commit({"a": "1"})
    commit = place.tag("some-pkg-1.1")
    release = place.resolve("some-pkg-1.1", index=FakeIndex(NOTHING), forge=None)
    assert (release.version, release.previous, release.prefix) == ("1.1", "some-pkg-1.0", "some-pkg-")
    assert (release.highest, release.bare_tag) == (True, "1.1")
    place.tag("other-9.0")
    assert place.resolve(None).commit == commit
    with pytest.raises(Refused, match="this project's tags start with 'some-pkg-'"):
        place.resolve("other-9.0", prefix="some-pkg-")


def test_a_project_in_a_folder(place: TagInputs) -> None:
    """Only the project's own files and tags count, even if packages share a commit."""
    pkg = {"pkg/pyproject.toml": "[project]\nname = 'pkg'\nversion = '1.1'\n"}
    place.tag("pkg-v1.0")
    commit = place.repo.commit(pkg | {"pyproject.toml": STATIC["pyproject.toml"]})
    for tag in ("v1.2.0", "pkg-v1.1", "other-v3.0"):
        place.tag(tag)
    git = GitCheckout(place.repo.path, place.shell, path="pkg")
    public = cast("Forge", SimpleNamespace(released=lambda: ("v1.2.0", "other-v3.0", "pkg-v1.0")))
    for named in ("pkg-v1.1", None):
        release = place.resolve(named, git=git, index=FakeIndex(NOTHING), forge=public)
        assert (release.project, release.path, release.tag, release.commit) == ("pkg", "pkg", "pkg-v1.1", commit)
        assert (release.highest, release.previous, release.prefix) == (True, "pkg-v1.0", "pkg-")
    assert place.resolve("v1.2.0").path == ""
    with pytest.raises(Refused, match=r"the file says 1\.1"):
        place.resolve("v1.2.0", git=git)
    place.repo.write({"pyproject.toml": "changed"})
    with pytest.raises(Refused, match="tracked files differ"):
        place.resolve(None, git=git)


def test_published_versions_decide(place: TagInputs) -> None:
    """An abandoned tag does not count; an unreadable index stops a run that would move tags."""
    place.tag("v3.0.0")
    place.repo.commit({"a": "1"})
    place.tag("v2.0.0")
    assert not place.resolve("v2.0.0").highest
    assert place.resolve("v2.0.0", index=FakeIndex(NOTHING, others={"1.0.0": False})).highest
    down = FakeIndex(Unknown("no answer", next_step=NextStep("try again")))
    with pytest.raises(Unknown, match="highest published"):
        place.resolve("v2.0.0", index=down)
    assert not place.resolve("v2.0.0", index=down, moves=False).highest
    assert "cannot determine whether 2.0.0 is the highest" in place.warned[-1]


def test_a_tag_that_must_be_signed(place: TagInputs) -> None:
    """If signatures are required and the default branch lists no signer, the tag is refused."""
    place.repo.commit({".allowed_signers": ""})
    place.repo.git("push", "--quiet", "origin", "main")
    place.tag("v1.0.0")
    with pytest.raises(Refused, match="is not signed; tags of this project are signed by: nobody"):
        place.resolve("v1.0.0", signers=".allowed_signers")


def test_a_second_place_with_another_version_is_a_warning(tmp_path: Path, shell: LocalShell) -> None:
    """It has the file and line of both; the version that the build reads counts."""
    second = {"setup.py": "from setuptools import setup\nsetup(name='Some.Pkg', version='1.1.0')\n"}
    repo = Repo.new(tmp_path / "project", STATIC | second)
    place = TagInputs(repo, repo.remote(tmp_path / "remote.git"), shell)
    place.tag("v1.2.0")
    assert place.resolve("v1.2.0").version == "1.2.0"
    assert place.warned[0].startswith("setup.py, line 2 says version 1.1.0, but pyproject.toml, line 3 says 1.2.0")
