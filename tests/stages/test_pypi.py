"""The stage ``pypi``: the second check of the tag, the upload, and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.local_forge import text_file
from tests.support.local_indexes import DISTS, DRAFT, RELEASE, LocalIndexes, start_indexes

from unmoor.core.stage import Output, Reach
from unmoor.errors import Conflict, Incomplete, Refused, Unknown
from unmoor.ports.forge import ForgeRelease
from unmoor.products import Pushed, Subject, Uploaded
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.stages.pypi import UploadIndex, management_url
from unmoor.stages.testpypi import UploadStaging
from unmoor.util.values import replace

PUSHED: Output[Pushed] = Output("registry")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalIndexes]:
    """One world for this module; every test has its own version."""
    with start_indexes(tmp_path_factory.mktemp("indexes")) as running:
        yield running


def stage_at(at: LocalIndexes) -> UploadIndex:
    """The stage for the index and the checkout."""
    return UploadIndex(
        name="pypi", release=RELEASE, dists=DISTS, index=at.index, clock=at.clock, git=at.git, recheck=at.recheck
    )


def test_what_was_made_is_found(at: LocalIndexes) -> None:
    """The staging index does not count; each file is stored once."""
    stage, context = stage_at(at), at.with_draft(at.context("1.0"))
    UploadStaging(name="testpypi", release=RELEASE, dists=DISTS, index=at.staging, clock=at.clock, git=at.git).make(
        context
    )
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
    context = at.with_draft(at.context("2.0"))
    moved = at.repo.commit({"more": "text"})
    at.repo.git("tag", "--force", "--annotate", "-m", "moved", "v2.0")
    at.repo.git("push", "--quiet", "--force", "origin", "v2.0")
    with pytest.raises(Refused, match=f"names commit {moved} now, but commit {context[RELEASE].commit} was tested"):
        stage_at(at).make(context)
    assert at.uploads(at.index, context) == []


def test_a_tag_created_again_on_its_commit_is_accepted(at: LocalIndexes) -> None:
    """A tag that was deleted and pushed again, as a lightweight one, is accepted: the commit decides."""
    context = at.with_draft(at.context("2.1"))
    at.repo.git("tag", "--force", "--no-sign", "v2.1", context[RELEASE].commit)
    at.repo.git("push", "--quiet", "origin", ":refs/tags/v2.1")
    at.repo.git("push", "--quiet", "origin", "v2.1")
    stage_at(at).make(context)
    assert at.uploads(at.index, context) == ["stored"] * 2


def test_a_deleted_tag_is_refused(at: LocalIndexes) -> None:
    """The error names the tested commit, and nothing is sent."""
    context = at.with_draft(at.context("3.0"))
    at.repo.git("push", "--quiet", "origin", ":refs/tags/v3.0")
    with pytest.raises(
        Refused, match=f"no longer on the remote; commit {context[RELEASE].commit} was tested"
    ) as caught:
        stage_at(at).make(context)
    assert "git push origin refs/tags/v3.0" in caught.value.next_step
    assert at.uploads(at.index, context) == []


def swap(at: LocalIndexes, name: str, folder: Path, *, bytes_too: bool) -> None:
    """Remove an asset from the newest draft, and attach other bytes under its name if ``bytes_too``."""
    there = newest(at)
    for asset in there.assets:
        if asset.name == name:
            at.forge.detach(asset)
    if bytes_too:
        at.forge.attach(there, text_file(folder / name, "other"))


def newest(at: LocalIndexes) -> ForgeRelease:
    """The release object that the last test made."""
    tags = at.repo.git("tag", "--sort=-creatordate").split()
    return max((each for tag in tags for each in at.forge.releases(tag)), key=lambda each: each.id)


def remake(at: LocalIndexes) -> None:
    """Delete the draft, and make another one in its place, as another run would."""
    there = newest(at)
    at.forge.remove(there)
    at.forge.draft(tag=there.tag, target=there.target, name=there.tag, body="", prerelease=False)


@pytest.mark.parametrize(
    ("version", "change", "error", "what"),
    [
        ("5.1", lambda at, _: at.forge.remove(newest(at)), Incomplete, "was deleted during this run"),
        ("5.2", lambda at, _: remake(at), Conflict, r"is gone, and there is another release of v5\.2"),
        ("5.3", lambda at, to: swap(at, "demo-5.3.tar.gz", to, bytes_too=False), Incomplete, r"lacks demo-5\.3"),
        (
            "5.4",
            lambda at, to: swap(at, "demo-5.4.tar.gz", to, bytes_too=True),
            Conflict,
            r"demo-5\.4\.tar\.gz is sha256",
        ),
        ("5.5", lambda at, to: swap(at, "manifest.json", to, bytes_too=False), Incomplete, r"lacks manifest\.json"),
        ("5.6", lambda at, to: swap(at, "manifest.json", to, bytes_too=True), Conflict, r"manifest\.json is sha256"),
        ("5.7", lambda at, to: swap(at, "pushed.json", to, bytes_too=False), Incomplete, r"lacks pushed\.json"),
        ("5.8", lambda at, to: swap(at, "pushed.json", to, bytes_too=True), Conflict, r"pushed\.json is sha256"),
        ("5.9", lambda at, to: swap(at, "demo-9.tar.gz", to, bytes_too=True), Conflict, r"demo-9\.tar\.gz is a distr"),
        (
            "5.10",
            lambda at, _: at.forge.publish(newest(at), prerelease=False, latest=False),
            Conflict,
            "somebody published the draft",
        ),
        ("5.11", lambda at, to: swap(at, "sbom.json", to, bytes_too=True), None, ""),
        ("5.12", lambda *_: None, None, ""),
    ],
)
def test_a_draft_that_changed_stops_the_upload(
    at: LocalIndexes,
    tmp_path: Path,
    *,
    version: str,
    change: Callable[[LocalIndexes, Path], None],
    error: type[Exception] | None,
    what: str,
) -> None:
    """The draft is read once more: if it is not what was tested, nothing is sent. Foreign files do not matter."""
    texts = [text_file(tmp_path / "ours" / name, "ours") for name in ("manifest.json", "pushed.json")]
    context = at.with_draft(at.context(version), *texts)
    change(at, tmp_path / "other")
    stage = stage_at(at)
    if error is None:
        stage.make(context)
        assert at.uploads(at.index, context) == ["stored"] * 2
        return
    with pytest.raises(error, match=what) as caught:
        stage.make(context)
    assert "this run sent nothing to pypi" in str(caught.value)
    assert at.uploads(at.index, context) == []


def test_a_release_that_was_public_before_is_finished(at: LocalIndexes) -> None:
    """If the release was public when the run began, it need not be a draft."""
    context = at.with_draft(at.context("6.0"))
    at.forge.publish(newest(at), prerelease=False, latest=False)
    public = replace(context[DRAFT], public=True)
    stage_at(at).make(replace(context, products={**context.products, DRAFT.by: public}))
    assert at.uploads(at.index, context) == ["stored"] * 2


@pytest.mark.parametrize(
    ("version", "record", "error"),
    [("7.0", True, None), ("7.1", False, Incomplete)],
    ids=["what was attached", "never attached"],
)
def test_the_record_of_images_is_on_the_draft(
    at: LocalIndexes, tmp_path: Path, version: str, error: type[Exception] | None, *, record: bool
) -> None:
    """A project with images uploads nothing before the draft says what the registries hold."""
    text = text_file(tmp_path / "pushed.json", "ours")
    context = at.with_draft(at.context(version), text)
    *assets, asset = context[DRAFT].assets
    draft, pushed = replace(context[DRAFT], assets=tuple(assets)), Pushed(images=(), record=asset if record else None)
    context = replace(context, products={**context.products, DRAFT.by: draft, PUSHED.by: pushed})
    stage = replace(stage_at(at), recheck=replace(at.recheck, pushed=PUSHED))
    if error is None:
        stage.make(context)
        return
    with pytest.raises(error, match=r"pushed\.json"):
        stage.make(context)
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
