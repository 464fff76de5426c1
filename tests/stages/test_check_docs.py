"""The stage ``check-docs`` finds what would stop the documentation while nothing has left this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.sample_values import sample_release
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.pages import GitPages
from unmoor.artifacts.files import describe_file
from unmoor.core.stage import Output, StageContext
from unmoor.deploy.docs.archive import pack
from unmoor.errors import Refused
from unmoor.products import BuiltDocs, Release
from unmoor.stages.check_docs import CheckDocs
from unmoor.util.values import replace

RELEASE: Output[Release] = Output("tag")
DOCS: Output[BuiltDocs] = Output("build-docs")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[CheckDocs]:
    """The stage for a branch whose list of versions is none."""
    repo = Repo.new(tmp_path / "repo", {"versions.json": "{"})
    repo.remote(tmp_path / "remote.git").git("branch", "gh-pages")
    with shell_for_tests() as shell:
        pages = GitPages(checkout=GitCheckout(repo.path, shell), remote="origin", branch="gh-pages")
        yield CheckDocs(release=RELEASE, docs=DOCS, branches=(pages,))


def test_branch_is_checked(stage: CheckDocs, tmp_path: Path) -> None:
    """What the deployment would refuse is refused; once it is right, the branch is named."""
    page = tmp_path / "page"
    page.write_text("one", "utf-8")
    archive = tmp_path / "tide-1.0-docs.tar.gz"
    pack({"index.html": page}, archive, 1_700_000_000)
    context = StageContext({RELEASE.by: sample_release(), DOCS.by: BuiltDocs(file=describe_file(archive))})
    with pytest.raises(Refused, match=r"versions\.json on the branch is no list of versions"):
        stage.make(context)
    remote = Repo(tmp_path / "remote.git")
    remote.git("update-ref", "refs/heads/gh-pages", remote.git("commit-tree", "-m", "x", remote.git("mktree")))
    assert stage.make(context).branches == (f"{remote.path} (gh-pages)",)
    assert replace(stage, pushes=True).make(context).branches == (f"{remote.path} (gh-pages)",)
    assert "may push" in replace(stage, pushes=True).plan()
    assert "may push" not in stage.plan()


def test_nothing_to_deploy_is_nothing_to_check(stage: CheckDocs) -> None:
    """A release that goes on without documentation needs no branch."""
    context = StageContext({RELEASE.by: sample_release(), DOCS.by: BuiltDocs(why_not="it did not build")})
    assert stage.make(context).branches == ()
