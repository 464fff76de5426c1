"""The stage ``testpypi`` on the staging index of a local world."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.support.local_indexes import DISTS, RELEASE, LocalIndexes, start_indexes

from unmoor.adapters.index import PackageIndex
from unmoor.artifacts.files import describe_file
from unmoor.core.stage import NotUndone, Reach
from unmoor.errors import Conflict, Denied, Refused, Rejected, Unknown
from unmoor.ports.world import Login
from unmoor.products import Dists, Subject, Uploaded
from unmoor.stages.testpypi import UploadStaging
from unmoor.util.secret import Secret
from unmoor.util.values import replace


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalIndexes]:
    """One world for this module; every test has its own version."""
    with start_indexes(tmp_path_factory.mktemp("indexes")) as running:
        yield running


def stage_at(at: LocalIndexes, index: PackageIndex | None = None) -> UploadStaging:
    """The stage for the staging index."""
    return UploadStaging(
        name="testpypi", release=RELEASE, dists=DISTS, index=index or at.staging, clock=at.clock, git=at.git
    )


def test_what_was_made_is_found(at: LocalIndexes) -> None:
    """At first nothing is found, then the same product, and a second make sends nothing."""
    stage, context = stage_at(at), at.context("1.0")
    assert stage.find(context) is None
    made = stage.make(context)
    files = context[DISTS].files
    assert made == Uploaded(index="testpypi", files=tuple(Subject(name=f.name, sha256=f.sha256) for f in files))
    assert stage.find(context) == stage.make(context) == made
    assert at.uploads(at.staging, context) == ["stored"] * len(files)
    assert at.uploads(at.index, context) == []


def test_a_moved_tag_stops_before_anything_is_sent(at: LocalIndexes) -> None:
    """A name on the staging index is used up too, so the tag is read before it."""
    context = at.context("2.0")
    at.repo.git("push", "--quiet", "origin", ":refs/tags/v2.0")
    with pytest.raises(Refused, match=r"v2\.0 is no longer on the remote"):
        stage_at(at).make(context)
    assert at.uploads(at.staging, context) == []


def test_a_partial_upload_is_completed(at: LocalIndexes) -> None:
    """If the index has only the wheel, the sdist is uploaded."""
    stage, context = stage_at(at), at.context("1.1")
    at.staging.send(context[DISTS].files[0])
    assert stage.find(context) is None
    assert stage.make(context).files[1].name == "demo-1.1.tar.gz"
    assert at.uploads(at.staging, context) == ["stored", "stored"]


def test_the_same_bytes_sent_again_are_no_upload(at: LocalIndexes) -> None:
    """As on PyPI, the same bytes get 200, and nothing is stored."""
    context = at.context("1.2")
    stage_at(at).make(context)
    at.staging.send(context[DISTS].files[0])
    assert at.uploads(at.staging, context)[:2] == ["stored"] * 2
    assert at.uploads(at.staging, context)[2] != "stored"


def test_other_bytes_are_a_conflict(at: LocalIndexes) -> None:
    """Both find and make raise, with both digests; nothing is sent."""
    stage, context = stage_at(at), at.context("1.3")
    stage.make(context)
    wheel, sdist = context[DISTS].files
    have_other = replace(
        context, products={**context.products, "dists": Dists(files=(replace(wheel, sha256="0" * 64), sdist))}
    )
    for act in (stage.find, stage.make):
        with pytest.raises(Conflict, match=f"{wheel.sha256} there, {'0' * 64} here"):
            act(have_other)
    assert at.uploads(at.staging, context) == ["stored"] * 2


def test_other_bytes_are_refused_by_the_index_too(at: LocalIndexes) -> None:
    """Without the check before the upload, the index refuses in PyPI's words."""
    context = at.context("1.4")
    stage_at(at).make(context)
    sdist = context[DISTS].files[1]
    sdist.path.write_bytes(sdist.path.read_bytes() + b"\0")
    answer = at.staging.send(describe_file(sdist.path))
    assert re.match("File already exists", getattr(answer, "reason", ""))


def test_a_wrong_token_is_denied(at: LocalIndexes) -> None:
    """The error has the index's message and the origin of the credential."""
    login = Login(username="__token__", secret=Secret("pypi-wrong"), origin="env:TOKEN")
    wrong = PackageIndex(replace(at.staging.place, login=login), at.http, at.clock)
    context = at.context("1.5")
    with pytest.raises(Denied, match=r"env:TOKEN.*403 Invalid or non-existent authentication") as caught:
        stage_at(at, wrong).make(context)
    assert "0 of 2 files are on testpypi" in caught.value.what
    assert at.uploads(at.staging, context) == []


def test_an_address_without_its_slash_is_named(at: LocalIndexes) -> None:
    """The redirect is a refusal with a reason, not a lost answer."""
    place = replace(at.staging.place, upload=at.staging.place.upload.rstrip("/"))
    context = at.context("1.6")
    with pytest.raises(Rejected):
        stage_at(at, PackageIndex(place, at.http, at.clock)).make(context)
    assert at.uploads(at.staging, context) == []


def test_an_index_that_is_gone_is_unknown(at: LocalIndexes) -> None:
    """An unreachable index is unknown: neither found nor absent."""
    place = replace(at.staging.place, simple="http://127.0.0.1:1/simple/", json="")
    with pytest.raises(Unknown, match="Connection refused"):
        stage_at(at, PackageIndex(place, at.http, at.clock)).find(at.context("1.7"))


def test_a_file_is_fetched_back(at: LocalIndexes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The downloaded bytes are the uploaded ones."""
    context = at.context("1.8")
    stage_at(at).make(context)
    wheel = context[DISTS].files[0]
    listed = at.staging.holding("Demo", "1.8").listed(wheel.name)
    assert listed is not None
    fetched = at.staging.fetch(listed, tmp_path_factory.mktemp("fetched"))
    assert fetched == wheel
    assert fetched.path.read_bytes() == wheel.path.read_bytes()


def test_the_plan_names_the_index_and_undo_leaves_the_files(at: LocalIndexes) -> None:
    """The plan names the index; undo says why the files stay."""
    stage = stage_at(at)
    assert stage.reach is Reach.REMOTE
    assert "testpypi" in stage.plan()
    left = stage.undo(Uploaded(index="testpypi", files=(Subject(name="demo-1.tar.gz", sha256="0" * 64),)))
    assert isinstance(left, NotUndone)
    assert "could never be used again" in left.why
