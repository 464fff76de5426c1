"""What ``status`` and ``undo`` make of every partial state, on the servers of a local world.

The rows are those of docs/reference/partial-states.md; tests/repository/test_partial_states.py compares the two.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.support.partial_states import HOSTS, Part, start_parts

from unmoor.adapters.clock import MonotonicClock
from unmoor.artifacts import oci
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.notebook import StateNotebook
from unmoor.artifacts.run_dir import RunFolder
from unmoor.images import oci_documents
from unmoor.ports.registry import OciManifest
from unmoor.products import TagPosition
from unmoor.publish.push_record import PushRecord
from unmoor.rehearsal.registry import process, registries

Fill = Callable[[Part], Part | None]
ONE = HOSTS[:1]
_MANY = 20
"""More requests than an undo sends that change something."""


@dataclass(frozen=True)
class Row:
    """A partial state, what `status` says of it, what `undo` removes, and what it keeps to finish the release.

    ``removes`` and ``keeps`` are names of stages. ``codes`` are the exit codes of `status` and `undo`. ``image`` is
    true for a project with an image, ``None`` for one with two platforms. ``first``: the images are the first ones.
    """

    name: str
    fill: Fill
    state: str
    codes: tuple[int, int]
    removes: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    image: bool | None = False
    first: bool = False

    @property
    def slow(self) -> bool:
        """Whether it takes registries, or a server that does not answer."""
        return self.image is not False

    def __str__(self) -> str:
        return self.name


def nothing(_part: Part) -> None:
    """Leave every surface as it is."""


def empty_draft(part: Part) -> None:
    """A run ended right after it had made the draft."""
    part.draft(0)


def partial_draft(part: Part) -> None:
    """A run ended before it had attached the manifest."""
    part.draft(1)


def whole_draft(part: Part) -> None:
    """A run ended after the draft."""
    part.draft()


def two_drafts(part: Part) -> None:
    """Two runs each made a draft."""
    part.draft()
    part.draft(2)


def draft_and_images_on_one(part: Part) -> None:
    """A run ended while it pushed."""
    part.draft()
    part.image("sha", hosts=ONE)


def draft_and_images(part: Part) -> None:
    """A run ended after the push."""
    part.draft()
    part.image("sha")


def legs_alone(part: Part) -> None:
    """A run ended between the platforms and the index over them."""
    part.draft()
    part.legs(index=False, hosts=ONE)


def legs_and_index(part: Part) -> None:
    """A run ended after the push of two platforms."""
    part.draft()
    part.legs(index=True)


def images_alone(part: Part) -> None:
    """Somebody deleted the draft."""
    part.image("sha")


def marked_image(part: Part) -> None:
    """An undo ended after it had put a copy of the image under the tag, to delete that."""
    built = part.image()
    data = oci_documents.with_mark(built.manifest.data, "a mark")
    part.put(OciManifest(data=data, digest=oci.digest_of(data), media_type=built.manifest.media_type), "sha")


def staged_in_part(part: Part) -> None:
    """A run ended during the upload to the staging index."""
    part.draft()
    part.upload(1, staging=True)


def staged_alone(part: Part) -> None:
    """Somebody deleted the draft after the staging."""
    part.upload(2, staging=True)


def uploaded_in_part(part: Part) -> None:
    """A run ended during the upload to the index."""
    part.draft()
    part.image("sha")
    part.upload(2, staging=True)
    part.upload(1)


def uploaded_in_part_known_here(part: Part) -> None:
    """The same on the machine that has the manifest."""
    checkout = part.at.repo.path
    notebook = StateNotebook.of("acme/demo", part.tag, part.release.commit, checkout=checkout)
    RunFolder.of(checkout, part.tag, Belief(notebook=notebook)).write_manifest(part.manifest)
    uploaded_in_part(part)


def uploaded_with_partial_draft(part: Part) -> None:
    """Somebody deleted assets of the draft after a part of the upload."""
    part.draft(1)
    part.upload(1)


def whole_upload_with_partial_draft(part: Part) -> None:
    """Every file is on the index, but nothing says that these are all."""
    part.draft(2)
    part.upload(2)


def uploaded_in_part_without_draft(part: Part) -> None:
    """Somebody deleted the draft during the upload."""
    part.upload(1)


def uploaded_in_part_with_images(part: Part) -> None:
    """The same for a project with images."""
    part.image("sha")
    part.upload(1)


def other_bytes(part: Part) -> None:
    """The index holds a file of another build."""
    part.draft()
    path = part.at.folder / "other" / part.files[0].name
    part.upload_other(path)


def uploaded(part: Part) -> None:
    """A run ended after the upload to the index."""
    part.draft()
    part.upload(2)


def uploaded_without_release(part: Part) -> None:
    """Somebody deleted the draft after the upload."""
    part.upload(2)


def version_tags(part: Part) -> None:
    """A run ended between the version's tags and the floating ones."""
    part.draft()
    part.upload(2)
    part.image("sha", part.tag)


def floating_tags(part: Part) -> None:
    """A run ended after the floating tags had moved."""
    part.upload(2)
    part.image("sha", part.tag, "latest")
    before = part.image(version="0.9").manifest.digest
    names = [f"{host}/acme/part{part.number}" for host in HOSTS]
    positions = tuple(TagPosition(name=name, tag="latest", digest=before) for name in names)
    part.draft(record=PushRecord(tag=part.tag, commit=part.release.commit, images=(), before=positions))


def floating_tags_without_record(part: Part) -> None:
    """A run ended after the floating tags had moved, and nothing says where they were."""
    part.draft()
    part.upload(2)
    part.image("sha", part.tag, "latest")


def public(part: Part) -> None:
    """A release that is whole."""
    part.upload(2, staging=True)
    part.upload(2)
    part.publish(part.draft())


def public_and_a_draft(part: Part) -> None:
    """Another run made a second draft."""
    public(part)
    part.draft(1)


def public_without_an_asset(part: Part) -> None:
    """Somebody published the draft too early, or deleted an asset."""
    part.upload(2)
    draft = part.draft()
    asset = next(each for each in part.at.services.forge.releases(part.tag)[0].assets if each.name.endswith(".whl"))
    part.at.services.forge.detach(asset)
    part.publish(draft)


def public_without_a_manifest(part: Part) -> None:
    """Somebody published a draft that was not whole."""
    part.upload(2)
    part.publish(part.draft(2))


def public_and_uploaded_in_part(part: Part) -> None:
    """Somebody published the draft during the upload."""
    part.upload(1)
    part.publish(part.draft())


def public_alone(part: Part) -> None:
    """Somebody published the draft before the upload."""
    part.publish(part.draft())


def moved_tag_of_a_draft(part: Part) -> None:
    """Somebody moved the tag after the push."""
    draft_and_images(part)
    part.move_tag()


def moved_tag_of_a_release(part: Part) -> None:
    """Somebody moved the tag after the release."""
    public(part)
    part.move_tag()


def deleted_tag_of_a_draft(part: Part) -> None:
    """Somebody deleted the tag on the remote after the push."""
    draft_and_images(part)
    part.delete_tag()


def deleted_tag_everywhere(part: Part) -> None:
    """A clone that was made after somebody had deleted the tag."""
    draft_and_images(part)
    part.delete_tag(here=True)


def deleted_tag_of_a_release(part: Part) -> None:
    """Somebody deleted the tag on the remote after the release."""
    public(part)
    part.delete_tag()


def no_index(part: Part) -> Part:
    """The index does not answer."""
    part.draft()
    part.image("sha")
    return part.unreachable(part.at.running.addresses["pypi"])


def no_registry(part: Part) -> Part:
    """One registry does not answer."""
    part.draft()
    part.image("sha")
    return part.unreachable(part.at.running.registries[HOSTS[1]])


def no_forge(part: Part) -> Part:
    """The forge does not answer."""
    part.image("sha")
    return part.unreachable(part.at.running.addresses["forge"])


ROWS = (
    Row("nothing", nothing, "not released", (12, 0)),
    Row("an empty draft", empty_draft, "incomplete", (12, 0), ("draft",)),
    Row("a draft with some assets", partial_draft, "incomplete", (12, 0), ("draft",)),
    Row("a whole draft", whole_draft, "incomplete", (12, 0), ("draft",)),
    Row("two drafts", two_drafts, "incomplete", (12, 0), ("draft",)),
    Row(
        "a draft, and images on one of two registries",
        draft_and_images_on_one,
        "incomplete",
        (12, 0),
        ("registry", "draft"),
        image=True,
    ),
    Row("a draft and images", draft_and_images, "incomplete", (12, 0), ("registry", "draft"), image=True),
    Row(
        "a draft, and the first images of a project on GHCR",
        draft_and_images,
        "incomplete",
        (12, 12),
        ("registry", "draft"),
        image=True,
        first=True,
    ),
    Row(
        "a draft, and images without their index", legs_alone, "incomplete", (12, 0), ("registry", "draft"), image=None
    ),
    Row(
        "a draft, and images for two platforms",
        legs_and_index,
        "incomplete",
        (12, 0),
        ("registry", "draft"),
        image=None,
    ),
    Row("images without a draft", images_alone, "incomplete", (12, 0), ("registry",), image=True),
    Row("images that an undo began to remove", marked_image, "incomplete", (12, 0), ("registry",), image=True),
    Row("a draft, and one of two files on testpypi", staged_in_part, "incomplete", (12, 0), ("draft",)),
    Row("files on testpypi without a draft", staged_alone, "incomplete", (12, 0)),
    Row(
        "a draft, images, and one of two files on pypi",
        uploaded_in_part,
        "incomplete",
        (12, 12),
        keeps=("registry", "draft"),
        image=True,
    ),
    Row(
        "the same, where the files were built",
        uploaded_in_part_known_here,
        "incomplete",
        (12, 12),
        keeps=("registry", "draft"),
        image=True,
    ),
    Row(
        "a draft without a manifest, and one of two files on pypi",
        uploaded_with_partial_draft,
        "incomplete",
        (12, 12),
        keeps=("draft",),
    ),
    Row(
        "a draft without a manifest, and all files on pypi",
        whole_upload_with_partial_draft,
        "incomplete",
        (12, 12),
        keeps=("draft",),
    ),
    Row("one of two files on pypi, and no draft", uploaded_in_part_without_draft, "incomplete", (12, 0)),
    Row(
        "one of two files on pypi, images, and no draft",
        uploaded_in_part_with_images,
        "incomplete",
        (12, 12),
        keeps=("registry",),
        image=True,
    ),
    Row("a draft, and other bytes on pypi", other_bytes, "conflicting", (9, 12), keeps=("draft",)),
    Row("a draft, and all files on pypi", uploaded, "incomplete", (12, 0), ("draft",)),
    Row("all files on pypi, and no release", uploaded_without_release, "incomplete", (12, 0)),
    Row(
        "a draft, all files on pypi, and the version's image tags",
        version_tags,
        "incomplete",
        (12, 0),
        ("draft",),
        image=True,
    ),
    Row(
        "the same, and floating tags that moved",
        floating_tags,
        "incomplete",
        (12, 0),
        ("image-tags", "draft"),
        image=True,
    ),
    Row(
        "the same, and floating tags that moved without a record",
        floating_tags_without_record,
        "incomplete",
        (12, 12),
        ("draft",),
        image=True,
    ),
    Row("a public release", public, "complete", (0, 0)),
    Row("a public release and a draft", public_and_a_draft, "complete", (0, 0), ("draft",)),
    Row("a public release that lacks an asset", public_without_an_asset, "incomplete", (12, 0)),
    Row("a public release without a manifest", public_without_a_manifest, "incomplete", (12, 0)),
    Row("a public release, and one of two files on pypi", public_and_uploaded_in_part, "incomplete", (12, 0)),
    Row("a public release, and no file on pypi", public_alone, "incomplete", (12, 0)),
    Row(
        "a draft and images, and a tag that moved",
        moved_tag_of_a_draft,
        "conflicting",
        (9, 0),
        ("registry", "draft"),
        image=True,
    ),
    Row("a public release, and a tag that moved", moved_tag_of_a_release, "conflicting", (9, 0)),
    Row(
        "a draft and images, and no tag on the remote",
        deleted_tag_of_a_draft,
        "incomplete",
        (12, 0),
        ("registry", "draft"),
        image=True,
    ),
    Row(
        "a draft and images, and no tag anywhere",
        deleted_tag_everywhere,
        "incomplete",
        (12, 0),
        ("registry", "draft"),
        image=True,
    ),
    Row("a public release, and no tag on the remote", deleted_tag_of_a_release, "incomplete", (12, 0)),
    Row(
        "a draft and images, and pypi does not answer",
        no_index,
        "unknown",
        (10, 10),
        keeps=("registry", "draft"),
        image=True,
    ),
    Row(
        "a draft and images, and a registry does not answer",
        no_registry,
        "unknown",
        (10, 10),
        ("registry",),
        image=True,
    ),
    Row("images, and the forge does not answer", no_forge, "unknown", (10, 10), ("registry",), image=True),
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Part]]:
    """A release for each row, with an older tag on its registries: GHCR keeps the last tagged version of a package."""
    if process.find_program() is None:
        pytest.skip(registries.MISSING)
    with start_parts(tmp_path_factory.mktemp("parts"), [row.image for row in ROWS]) as running:
        yield {row.name: part for row, part in zip(ROWS, running, strict=True)}


def stages(out: str, word: str) -> set[str]:
    """The stages whose lines contain some words."""
    return {line.partition(":")[0] for line in out.splitlines() if word in line.partition("; ")[0]}


@pytest.mark.parametrize(
    "row", [pytest.param(row, marks=pytest.mark.journey if row.slow else ()) for row in ROWS], ids=str
)
def test_every_partial_state(parts: dict[str, Part], row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """`status` says what it is, `undo` what it would do; `--apply` does just that, and a second time no more."""
    part = parts[row.name]
    if row.image is not False and not row.first:
        part.image("v0.9", version="0.9")
    part = row.fill(part) or part
    if row.state == "unknown":  # every read of what does not answer is tried again twice
        monkeypatch.setattr(MonotonicClock, "sleep", lambda _clock, _seconds: None)
    seen = part.unmoor("status", "--json")
    if row.state == "not released":
        assert (seen.code, seen.out) == (row.codes[0], "")
        assert row.state in seen.err
    else:
        assert (seen.code, seen.json["state"]) == (row.codes[0], row.state), seen.out
        assert ("release-it" in seen.json["advice"]) is (row.state not in {"complete", "pending"})
        assert bool(seen.json["next_step"]) is bool(seen.json["advice"])
    before = part.surfaces()
    dry = part.unmoor("undo")
    assert part.surfaces() == before
    assert stages(dry.out, "would be") == set(row.removes), dry.out
    assert stages(dry.out, "so that the release can be finished") == set(row.keeps), dry.out
    applied = part.unmoor("undo", "--apply")
    assert applied.out == dry.out.replace("would be ", "")
    assert (dry.code, applied.code) == (row.codes[1], row.codes[1]), applied.err
    after = part.surfaces()
    assert (after != before) is bool(row.removes)
    if row.removes:
        again = part.unmoor("undo", "--apply")
        assert part.surfaces() == after
        assert not stages(again.out, ": deleted: ") | stages(again.out, ": removed: ")
        assert again.code == row.codes[1]


@pytest.mark.journey
def test_an_undo_that_is_stopped_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever request that changes something is the last one, the next run ends as if nothing had happened."""
    if process.find_program() is None:
        pytest.skip(registries.MISSING)
    with start_parts(tmp_path, [True]) as (part,):
        part.image("v0.9", version="0.9")
        part.upload(2)
        ends = []
        for last in itertools.count():
            assert last < _MANY
            prepare_floating(part)
            with monkeypatch.context() as patch, contextlib.suppress(Killed):
                stopped = stop_after_writes(patch, last)
                part.unmoor("undo", "--apply")
            again = part.unmoor("undo", "--apply")
            assert again.code == 0, again.out + again.err
            ends.append(part.surfaces())
            if not stopped:
                break
        assert last >= 4, "move latest back, put a copy under the tag of the commit, delete it, delete the draft"
        assert ends == [ends[-1]] * len(ends)
        assert part.tags() == {"v0.9", "latest"}


class Killed(BaseException):
    """The run is over: nothing can catch this."""


def prepare_floating(part: Part) -> None:
    """The state after the floating tags have moved, without a tag of the version."""
    before = part.image(version="0.9").manifest.digest
    part.image("sha", "latest", hosts=ONE)
    names = [f"{host}/acme/part{part.number}" for host in ONE]
    positions = tuple(TagPosition(name=name, tag="latest", digest=before) for name in names)
    part.draft(record=PushRecord(tag=part.tag, commit=part.release.commit, images=(), before=positions))


def stop_after_writes(patch: pytest.MonkeyPatch, count: int) -> list[str]:
    """Let that many requests through that change something, and stop the run at the next one. Return those stopped."""
    stopped: list[str] = []
    written: list[str] = []
    send = requests.Session.send

    def stopping(self: requests.Session, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        method = request.method or ""
        if method in {"PUT", "POST", "PATCH", "DELETE"}:
            if len(written) == count:
                stopped.append(method)
                raise Killed
            written.append(method)
        return send(self, request, **more)

    patch.setattr(requests.Session, "send", stopping)
    return stopped
