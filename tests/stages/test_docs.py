"""The stage ``docs`` deploys the archive of the release to every place, and says honestly what undo leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.git_repos import Repo
from tests.support.local_docs import LocalDocs, start_docs
from tests.support.sample_values import FakeClock
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.pages import GitPages
from unmoor.artifacts.files import describe_file
from unmoor.core.stage import NotUndone, Output, StageContext, Undone
from unmoor.deploy.docs.archive import pack
from unmoor.errors import Incomplete, Refused
from unmoor.products import BuiltDocs, Release
from unmoor.stages.docs import DeployDocs
from unmoor.util.values import replace

RELEASE: Output[Release] = Output("tag")
DOCS: Output[BuiltDocs] = Output("build-docs")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDocs]:
    """Read the Docs, with a repository that has a tag and a remote."""
    with start_docs(tmp_path_factory.mktemp("world")) as docs:
        yield docs


@pytest.fixture
def stage(server: LocalDocs) -> Iterator[DeployDocs]:
    """The stage for a branch and Read the Docs."""
    server.reset()
    top = server.folder.parent
    Repo(top / "repo").git("remote", "set-url", "origin", str(top / "remote.git"))
    with shell_for_tests() as shell:
        checkout = GitCheckout(top / "repo", shell)
        pages = GitPages(checkout=checkout, remote="origin", branch="gh-pages")
        yield DeployDocs(
            release=RELEASE,
            docs=DOCS,
            git=checkout,
            clock=FakeClock(),
            branches=(pages,),
            services=(server.service(),),
        )


def context(server: LocalDocs, folder: Path, text: str = "one", **release: Any) -> StageContext:
    """The products that the stage needs."""
    page = folder / "page"
    page.write_text(text, "utf-8")
    archive = folder / "tide-1.0-docs.tar.gz"
    pack({"index.html": page}, archive, 1_700_000_000)
    built = BuiltDocs(file=describe_file(archive))
    return StageContext({RELEASE.by: replace(server.release, **release), DOCS.by: built})


def test_it_is_deployed_found_and_taken_back(server: LocalDocs, stage: DeployDocs, tmp_path: Path) -> None:
    """What was made is found, equal; undo takes the pages back and says that Read the Docs keeps its build."""
    here = context(server, tmp_path)
    assert stage.find(here) is None
    made = stage.make(here)
    assert stage.find(here) == made
    assert made.counts == (("files", 1),)
    assert "gh-pages" in stage.plan()
    assert server.address in stage.plan()

    undone = stage.undo(made)
    assert isinstance(undone, NotUndone)
    assert "1.0/ is as it was before" in undone.why
    assert "keeps what it built" in undone.why
    assert stage.find(here) is None
    assert isinstance(replace(stage, services=()).undo(made), Undone)


def test_a_moved_tag_stops_it(server: LocalDocs, stage: DeployDocs, tmp_path: Path) -> None:
    """Pages of another commit than the tag's are not put online."""
    with pytest.raises(Refused):
        stage.make(context(server, tmp_path, commit="b" * 40))


def test_a_folder_of_a_branch_is_for_its_last_commit(server: LocalDocs, stage: DeployDocs, tmp_path: Path) -> None:
    """Those pages replace each other, but never with those of an earlier commit."""
    dev = replace(stage, services=(), folder="dev")
    one = dev.make(context(server, tmp_path, tag=""))
    two = dev.make(context(server, tmp_path, "two", tag=""))
    assert one.identity != two.identity
    assert dev.find(context(server, tmp_path)) is None

    with pytest.raises(Refused, match="the default branch is at"):
        dev.make(context(server, tmp_path, "three", commit="b" * 40))


def test_a_release_without_documentation(server: LocalDocs, stage: DeployDocs) -> None:
    """There is nothing to find, and nothing is made up."""
    here = StageContext({RELEASE.by: server.release, DOCS.by: BuiltDocs(why_not="it did not build")})
    assert stage.find(here) is None

    with pytest.raises(Incomplete, match="it did not build"):
        stage.make(here)


def test_places_that_a_world_lacks_are_named(server: LocalDocs, stage: DeployDocs, tmp_path: Path) -> None:
    """Nothing is left out in silence."""
    lacking = replace(stage, services=(), missing=("readthedocs:tide (this world has no such place)",))
    made = lacking.make(context(server, tmp_path))

    assert "readthedocs:tide" in made.summary
    assert cast("Undone", lacking.undo(made)).what
