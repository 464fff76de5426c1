"""Cut releases of real repositories with real remotes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.cuts import PROJECT, REFUSE_MAIN, Cuttable, Listener, Pulls
from tests.support.git_repos import Repo
from tests.support.systems import posix

from unmoor.errors import Refused, UnmoorError
from unmoor.scaffold.cut.model import CutResult, CutState, CutStep
from unmoor.scaffold.cut.version_choice import InDoubt

ROOT = Path(__file__).parents[3]


@pytest.fixture
def cuttable(tmp_path: Path) -> Cuttable:
    """A project that can be cut."""
    return Cuttable.new(tmp_path)


def require_released(cuttable: Cuttable, version: str = "1.3.0") -> None:
    """Assert that checkout and remote have the release, and that nothing else differs between them."""
    head = cuttable.repo.git("rev-parse", "HEAD")
    assert cuttable.hub.git("rev-parse", "main") == head
    assert cuttable.hub.git("cat-file", "-t", f"refs/tags/v{version}") == "tag"
    assert cuttable.repo.git("rev-parse", f"refs/tags/v{version}") == cuttable.hub.git(
        "rev-parse", f"refs/tags/v{version}"
    )
    assert f'__version__ = "{version}"' in cuttable.repo.git("show", f"v{version}:demo/__init__.py")
    assert f'version = "{version}"  # kept' in cuttable.repo.git("show", f"v{version}:pyproject.toml")
    assert cuttable.repo.git("status", "--porcelain", "--untracked-files=no") == ""
    assert cuttable.repo.git("worktree", "list").count("\n") == 0


def test_a_release_is_written_committed_tagged_and_pushed(cuttable: Cuttable) -> None:
    """One commit with the version and the changelog, one annotated tag, both on the remote and in the checkout."""
    before = cuttable.repo.git("rev-parse", "HEAD")
    result = cuttable.cut("minor")
    assert isinstance(result, CutResult)
    assert (result.state, result.tag, result.left) == (CutState.PUSHED, "v1.3.0", ())
    require_released(cuttable)
    assert cuttable.repo.git("rev-parse", "HEAD^") == before
    assert cuttable.repo.git("log", "-1", "--format=%s") == "Release 1.3.0"
    assert "## 1.3.0 (2026-11-29)\n\n- Something new." in cuttable.repo.git("show", "HEAD:CHANGELOG.md")


def test_without_approval_nothing_changes(cuttable: Cuttable) -> None:
    """A plan that is not approved leaves checkout and remote as they were, and holds the diff and the commands."""
    listener = Listener(approves=False)
    before, remote = cuttable.state(), cuttable.remote_state()
    result = cuttable.cut("patch", listener=listener)
    assert isinstance(result, CutResult)
    assert result.state is CutState.PLANNED
    assert (cuttable.state(), cuttable.remote_state()) == (before, remote)
    planned = listener.planned[0]
    assert '+__version__ = "1.2.4"' in planned.diff
    assert planned.commands[-1].endswith("main v1.2.4")


def test_the_user_chooses_in_doubt(cuttable: Cuttable) -> None:
    """Nothing says what kind of release it is, so all kinds are named, each with its version."""
    result = cuttable.cut()
    assert isinstance(result, InDoubt)
    assert [(words, str(version)) for words, version in result.choices] == [
        ("--bump major", "2.0.0"),
        ("--bump minor", "1.3.0"),
        ("--bump patch", "1.2.4"),
    ]


@posix
@pytest.mark.parametrize("step", [step for step in CutStep if step is not CutStep.REHEARSE])
def test_a_kill_at_any_step_leaves_a_state_from_which_the_same_command_goes_on(
    cuttable: Cuttable, step: CutStep
) -> None:
    """Until the push nothing has changed, after it the same command only finishes. Both ways end in one release."""
    before, remote = cuttable.state(), cuttable.remote_state()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.cuts", str(cuttable.repo.path.parent), step],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == -9, ran.stderr
    assert cuttable.state() == before
    assert (cuttable.remote_state() == remote) == (step is not CutStep.FINISH)
    result = cuttable.cut("minor")
    assert isinstance(result, CutResult)
    assert result.state is CutState.PUSHED
    require_released(cuttable)
    assert cuttable.repo.git("rev-list", "--count", "v1.2.3..HEAD") == "2"


@pytest.mark.parametrize("step", [CutStep.WRITE, CutStep.COMMIT, CutStep.TAG, CutStep.PUSH])
def test_a_failure_before_the_push_changes_nothing(cuttable: Cuttable, step: CutStep) -> None:
    """Whatever fails: branch, index, files and tags are as they were, and no work tree is left."""
    before, remote = cuttable.state(), cuttable.remote_state()

    def fail(reached: CutStep) -> None:
        if reached is step:
            raise Refused("no", retryable=True)

    with pytest.raises(Refused):
        cuttable.cut("minor", listener=Listener(reached=fail))
    assert (cuttable.state(), cuttable.remote_state()) == (before, remote)
    assert cuttable.repo.git("worktree", "list").count("\n") == 0


def _dirty(cuttable: Cuttable) -> None:
    cuttable.repo.write({"demo/__init__.py": "changed\n"})


def _detached(cuttable: Cuttable) -> None:
    cuttable.repo.git("checkout", "--quiet", "--detach")


def _no_remote(cuttable: Cuttable) -> None:
    cuttable.repo.git("remote", "remove", "origin")


def _other_clone(cuttable: Cuttable) -> Repo:
    other = Repo(cuttable.repo.path.parent / "other")
    cuttable.repo.git("clone", "--quiet", str(cuttable.hub.path), str(other.path))
    return other


def _behind(cuttable: Cuttable) -> None:
    other = _other_clone(cuttable)
    other.commit({"x": "1"}, "Work of somebody else")
    other.git("push", "--quiet", "origin", "main")


def _tag_there(cuttable: Cuttable) -> None:
    cuttable.hub.git("tag", "v1.3.0", "main")


def _tag_here(cuttable: Cuttable) -> None:
    cuttable.repo.git("tag", "1.3", "HEAD^")


def _branch_unknown(cuttable: Cuttable) -> None:
    cuttable.repo.git("switch", "--quiet", "--create", "topic")


def _two_versions(cuttable: Cuttable) -> None:
    text = PROJECT["pyproject.toml"] + '\n[tool.poetry]\nversion = "1.2.0"\n'
    cuttable.repo.commit({"pyproject.toml": text})
    cuttable.push()


def _no_version(cuttable: Cuttable) -> None:
    text = PROJECT["pyproject.toml"].replace('version = "1.2.3"', 'dynamic = ["version"]')
    cuttable.repo.commit({"pyproject.toml": text})
    cuttable.push()


def _shallow(cuttable: Cuttable) -> None:
    (cuttable.repo.path / ".git" / "shallow").write_text(cuttable.repo.git("rev-parse", "HEAD") + "\n")


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (_dirty, "uncommitted changes"),
        (_detached, "no branch is checked out"),
        (_no_remote, "no remote"),
        (_behind, "is behind the remote"),
        (_tag_there, "lacks tags of the remote"),
        (_tag_here, "names 1.3.0 already"),
        (_branch_unknown, "the remote has no branch topic"),
        (_two_versions, "two versions"),
        (_no_version, "no file has a version"),
        (_shallow, "shallow"),
    ],
)
def test_what_must_not_be_cut_is_refused_before_anything_is_written(
    cuttable: Cuttable, prepare: object, said: str
) -> None:
    """Each state has its own message with a next step, and nothing changes."""
    assert callable(prepare)
    prepare(cuttable)
    remote = cuttable.remote_state()
    with pytest.raises(UnmoorError, match=said) as raised:
        cuttable.cut("minor")
    assert raised.value.next_step
    assert cuttable.remote_state() == remote
    assert not (cuttable.repo.path / ".unmoor").exists()


def test_a_version_on_the_index_is_refused(cuttable: Cuttable) -> None:
    """The index takes no other files of a version that it has."""
    with pytest.raises(Refused, match=r"the index has files of demo 1\.3\.0"):
        cuttable.cut("minor", on_index=["1.3.0"])


def test_a_remote_that_moves_meanwhile_gets_nothing(cuttable: Cuttable) -> None:
    """A commit that is pushed between the look and the push: neither branch nor tag arrives."""

    def move(step: CutStep) -> None:
        if step is CutStep.PUSH:
            _behind(cuttable)

    before = cuttable.state()
    with pytest.raises(Refused, match="is behind the remote"):
        cuttable.cut("minor", listener=Listener(reached=move))
    assert cuttable.state() == before
    assert "v1.3.0" not in cuttable.remote_state()
    cuttable.repo.git("pull", "--quiet", "--rebase", "origin", "main")
    cuttable.cut("minor")
    require_released(cuttable)


def test_a_tag_that_appears_meanwhile_stops_both(cuttable: Cuttable) -> None:
    """Somebody pushes the same tag first: the branch stays as it is, too."""

    def tag(step: CutStep) -> None:
        if step is CutStep.PUSH:
            _tag_there(cuttable)

    before = cuttable.hub.git("rev-parse", "main")
    with pytest.raises(Refused, match=r"has a tag v1\.3\.0 since a moment ago"):
        cuttable.cut("minor", listener=Listener(reached=tag))
    assert cuttable.hub.git("rev-parse", "main") == before


@posix
def test_a_protected_branch_gets_a_pull_request_after_the_refused_push(cuttable: Cuttable) -> None:
    """The refused push leads to a release branch and a pull request; the checkout stays, and twice gives the same."""
    cuttable.add_hook("pre-receive", REFUSE_MAIN, at=cuttable.hub)
    pulls, listener = Pulls(), Listener()
    before, main = cuttable.state(), cuttable.hub.git("rev-parse", "main")
    result = cuttable.cut("minor", pulls=pulls, listener=listener)
    assert isinstance(result, CutResult)
    assert (result.state, result.url) == (CutState.REQUESTED, "https://forge.example/pull/1")
    assert any("GH006" in line for line in listener.said)
    assert cuttable.state() == before
    assert cuttable.hub.git("rev-parse", "main") == main
    assert cuttable.hub.git("rev-parse", "refs/heads/release/v1.3.0^") == main
    assert "refs/tags/v1.3.0" not in cuttable.remote_state()
    again = cuttable.cut("minor", pulls=pulls)
    assert isinstance(again, CutResult)
    assert (again.url, len(pulls.opened)) == (result.url, 1)


def test_a_branch_with_rules_gets_a_pull_request_at_once(cuttable: Cuttable) -> None:
    """If the forge says that the branch takes no push, none is tried, and the plan says why."""
    pulls, listener = Pulls(), Listener()
    result = cuttable.cut("minor", pulls=pulls, listener=listener, protected="pull_request")
    assert isinstance(result, CutResult)
    assert result.state is CutState.REQUESTED
    assert (listener.planned[0].through, listener.planned[0].why) == ("release/v1.3.0", "pull_request")
    assert pulls.opened[0].base == "main"


@posix
def test_hooks_run_and_what_they_edit_is_committed(cuttable: Cuttable) -> None:
    """A hook that fixes files and fails once, as formatters do, gets a second try; its edit is in the commit."""
    hook = "#!/bin/sh\ngrep -q fixed demo/new.py && exit 0\necho '# fixed' >> demo/new.py\nexit 1\n"
    cuttable.add_hook("pre-commit", hook)
    cuttable.add_hook("commit-msg", '#!/bin/sh\necho "Signed-off-by: hook" >> "$1"\n')
    cuttable.cut("minor")
    require_released(cuttable)
    assert "# fixed" in cuttable.repo.git("show", "HEAD:demo/new.py")
    assert "Signed-off-by: hook" in cuttable.repo.git("log", "-1", "--format=%B")


@posix
def test_a_hook_that_refuses_stops_the_cut(cuttable: Cuttable) -> None:
    """The hook's words are shown, its edits stay in no file of the checkout, and ``--no-verify`` skips it."""
    cuttable.add_hook("pre-commit", "#!/bin/sh\necho edited >> demo/new.py\necho 'line 3: no good'\nexit 1\n")
    before = cuttable.state()
    with pytest.raises(Refused, match="line 3: no good"):
        cuttable.cut("minor")
    assert cuttable.state() == before
    cuttable.cut("minor", verify=False)
    require_released(cuttable)


@posix
def test_hooks_of_a_relative_folder_run(cuttable: Cuttable) -> None:
    """A folder of hooks that git does not track, as husky's, is found from the work tree."""
    folder = cuttable.repo.path / ".husky"
    folder.mkdir()
    (folder / ".gitignore").write_text("*\n")
    (folder / "commit-msg").write_text('#!/bin/sh\necho "By husky" >> "$1"\n')
    (folder / "commit-msg").chmod(0o755)
    cuttable.repo.git("config", "core.hooksPath", ".husky")
    cuttable.cut("minor")
    assert "By husky" in cuttable.repo.git("log", "-1", "--format=%B")


def test_the_next_version_opens_after_the_release(tmp_path: Path) -> None:
    """With ``after-release = "dev"`` a second commit follows, and the tag is on the first."""
    files = PROJECT | {"unmoor.toml": '[cut]\nafter-release = "dev"\n'}
    cuttable = Cuttable.new(tmp_path, files)
    cuttable.cut("minor")
    assert cuttable.repo.git("rev-parse", "v1.3.0^{commit}") == cuttable.repo.git("rev-parse", "HEAD^")
    assert cuttable.hub.git("rev-parse", "main") == cuttable.repo.git("rev-parse", "HEAD")
    assert '__version__ = "1.3.1.dev0"' in (cuttable.repo.path / "demo/__init__.py").read_text()
    assert '__version__ = "1.3.0"' in cuttable.repo.git("show", "v1.3.0:demo/__init__.py")
    cuttable.repo.commit({"demo/more.py": ""}, "More")
    cuttable.push()
    again = cuttable.cut()
    assert isinstance(again, CutResult)
    assert again.version == "1.3.1"


def test_a_version_from_tags_needs_no_commit(tmp_path: Path) -> None:
    """Where nothing has to be written, the tag is put on the current commit."""
    text = '[build-system]\nrequires = ["setuptools", "setuptools-scm"]\nbuild-backend = "setuptools.build_meta"\n\n'
    text += '[project]\nname = "demo"\ndynamic = ["version"]\n\n[tool.setuptools_scm]\n'
    cuttable = Cuttable.new(tmp_path, {"pyproject.toml": text})
    head = cuttable.repo.git("rev-parse", "HEAD")
    cuttable.cut("minor")
    assert cuttable.hub.git("rev-parse", "v1.3.0^{commit}") == head
    assert cuttable.repo.git("rev-parse", "HEAD") == head


def test_a_maintenance_branch_counts_its_own_tags(cuttable: Cuttable) -> None:
    """After 2.0.0 on main, the branch of 1.2 goes on with 1.2.4."""
    cuttable.cut("major")
    cuttable.repo.git("switch", "--quiet", "--create", "1.2.x", "v1.2.3")
    cuttable.repo.commit({"demo/fix.py": ""}, "Fix")
    cuttable.push()
    result = cuttable.cut("patch")
    assert isinstance(result, CutResult)
    assert result.version == "1.2.4"
    assert cuttable.hub.git("rev-parse", "1.2.x") == cuttable.repo.git("rev-parse", "HEAD")


def test_fragments_decide_and_become_the_changelog(tmp_path: Path) -> None:
    """A feature raises the minor number; the fragments are gone, and their text is in the changelog."""
    towncrier = '\n[tool.towncrier]\ndirectory = "changelog.d"\nfilename = "CHANGELOG.md"\n'
    start = "# Changes\n\n<!-- towncrier release notes start -->\n"
    files = {
        "pyproject.toml": PROJECT["pyproject.toml"] + towncrier,
        "demo/__init__.py": PROJECT["demo/__init__.py"],
        "CHANGELOG.md": start,
        "changelog.d/1.feature.md": "A new thing.\n",
        "changelog.d/README.md": "How to write fragments.\n",
    }
    cuttable = Cuttable.new(tmp_path, files)
    result = cuttable.cut()
    assert isinstance(result, CutResult)
    assert result.version == "1.3.0"
    assert "A new thing." in cuttable.repo.git("show", "HEAD:CHANGELOG.md")
    assert cuttable.repo.git("ls-files", "changelog.d") == "changelog.d/README.md"
    require_released(cuttable)


def test_a_signed_tag_is_signed(cuttable: Cuttable, tmp_path: Path) -> None:
    """If git is configured to sign tags, the tag is signed with the user's key."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)  # noqa: S607
    for name, value in {"gpg.format": "ssh", "user.signingKey": str(key), "tag.gpgSign": "true"}.items():
        cuttable.repo.git("config", name, value)
    cuttable.cut("minor")
    assert "BEGIN SSH SIGNATURE" in cuttable.hub.git("cat-file", "tag", "v1.3.0")


def test_a_key_that_cannot_sign_stops_the_cut(cuttable: Cuttable) -> None:
    """A missing key is reported before anything is pushed, and no tag stays."""
    for name, value in {"gpg.format": "ssh", "user.signingKey": "/nowhere/key", "tag.gpgSign": "true"}.items():
        cuttable.repo.git("config", name, value)
    before, remote = cuttable.state(), cuttable.remote_state()
    with pytest.raises(Refused, match=r"cannot make the tag v1\.3\.0"):
        cuttable.cut("minor")
    assert (cuttable.state(), cuttable.remote_state()) == (before, remote)


def test_a_rehearsal_sees_the_new_commit(cuttable: Cuttable) -> None:
    """With ``rehearse`` the work tree of the release is handed over before the push."""
    listener = Listener()
    cuttable.cut("minor", listener=listener, rehearse=True)
    assert [tag for _, tag in listener.rehearsed] == ["v1.3.0"]
