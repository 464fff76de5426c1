"""The stage ``pypi``: the second check of the tag, the upload, and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.support.local_indexes import DISTS, RELEASE, LocalIndexes, start_indexes

from unmoor.core.stage import Reach
from unmoor.errors import Refused, Unknown
from unmoor.products import Subject, Uploaded
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.stages.pypi import UploadIndex, management_url
from unmoor.stages.testpypi import UploadStaging


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalIndexes]:
    """One world for this module; every test has its own version."""
    with start_indexes(tmp_path_factory.mktemp("indexes")) as running:
        yield running


def stage_at(at: LocalIndexes) -> UploadIndex:
    """The stage for the index and the checkout."""
    return UploadIndex(name="pypi", release=RELEASE, dists=DISTS, index=at.index, clock=at.clock, git=at.git)


def test_what_was_made_is_found(at: LocalIndexes) -> None:
    """The staging index does not count; each file is stored once."""
    stage, context = stage_at(at), at.context("1.0")
    UploadStaging(name="testpypi", release=RELEASE, dists=DISTS, index=at.staging, clock=at.clock).make(context)
    assert stage.find(context) is None
    made = stage.make(context)
    assert made == Uploaded(
        index="pypi", files=tuple(Subject(name=f.name, sha256=f.sha256) for f in context[DISTS].files)
    )
    assert stage.find(context) == made
    assert at.uploads(at.index, context) == ["stored"] * 2
    assert at.messages[-2:] == [f"sending {f.name} ({f.size:,} bytes) to pypi" for f in context[DISTS].files]


def test_a_moved_tag_is_refused(at: LocalIndexes) -> None:
    """The error names both commits, and nothing is sent."""
    context = at.context("2.0")
    moved = at.repo.commit({"more": "text"})
    at.repo.git("tag", "--force", "--annotate", "-m", "moved", "v2.0")
    at.repo.git("push", "--quiet", "--force", "origin", "v2.0")
    with pytest.raises(Refused, match=f"names commit {moved} now, but commit {context[RELEASE].commit} was tested"):
        stage_at(at).make(context)
    assert at.uploads(at.index, context) == []


def test_a_tag_created_again_on_its_commit_is_accepted(at: LocalIndexes) -> None:
    """A tag that was deleted and pushed again, as a lightweight one, is accepted: the commit decides."""
    context = at.context("2.1")
    at.repo.git("tag", "--force", "--no-sign", "v2.1", context[RELEASE].commit)
    at.repo.git("push", "--quiet", "origin", ":refs/tags/v2.1")
    at.repo.git("push", "--quiet", "origin", "v2.1")
    stage_at(at).make(context)
    assert at.uploads(at.index, context) == ["stored"] * 2


def test_a_deleted_tag_is_refused(at: LocalIndexes) -> None:
    """The error names the tested commit, and nothing is sent."""
    context = at.context("3.0")
    at.repo.git("push", "--quiet", "origin", ":refs/tags/v3.0")
    with pytest.raises(
        Refused, match=f"no longer on the remote; commit {context[RELEASE].commit} was tested"
    ) as caught:
        stage_at(at).make(context)
    assert "git push origin refs/tags/v3.0" in caught.value.next_step
    assert at.uploads(at.index, context) == []


def test_a_remote_that_cannot_be_read_is_unknown(at: LocalIndexes) -> None:
    """If the remote cannot be read, the tag may have moved."""
    context = at.context("4.0")
    at.repo.git("remote", "set-url", "origin", str(at.folder / "nowhere.git"))
    try:
        with pytest.raises(Unknown):
            verify_tag_unmoved(at.git, context[RELEASE])
    finally:
        at.repo.git("remote", "set-url", "origin", str(at.folder / "remote.git"))


def test_it_says_what_it_would_do(at: LocalIndexes) -> None:
    """The plan names the index and says that the upload cannot be undone."""
    stage = stage_at(at)
    assert stage.reach is Reach.FINAL
    assert "to pypi: this cannot be taken back" in stage.plan()


PRODUCT = Uploaded(index="pypi", files=(Subject(name="my_demo-1.0rc1-py3-none-any.whl", sha256="0" * 64),))
SDIST = replace(PRODUCT, files=(Subject(name="my-demo-1.0rc1.tar.gz", sha256="0" * 64),))


@pytest.mark.parametrize(
    ("page", "product", "address"),
    [
        (
            "https://index.example.org/project/{project}/{version}/",
            PRODUCT,
            "https://index.example.org/manage/project/my-demo/release/1.0rc1/",
        ),
        (
            "https://example.org/project/{project}/{version}",
            SDIST,
            "https://example.org/manage/project/my-demo/release/1.0rc1",
        ),
        ("https://example.org/{project}#{version}", SDIST, "https://example.org/my-demo#1.0rc1"),
        ("https://example.org/", SDIST, "https://example.org/"),
    ],
)
def test_the_management_page(page: str, product: Uploaded, address: str) -> None:
    """PyPI's management page if the page has PyPI's form, else the page itself."""
    assert management_url(page, product) == address


def test_the_remedy_is_for_a_person(at: LocalIndexes) -> None:
    """It names the page and the steps."""
    remedy = stage_at(at).remedy(PRODUCT)
    assert management_url(at.index.page, PRODUCT) in remedy
    assert "yank" in remedy
