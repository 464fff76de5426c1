"""The record of what the registries hold: what is read back, what is no record, and where it is attached."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.listed_index import FakeIndex
from tests.support.local_forge import LocalForge, start_forge, text_file
from tests.support.sample_values import FakeClock

from unmoor.advice import NextStep
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import Conflict, Incomplete, Rejected, Unknown
from unmoor.ports.forge import Forge, ForgeAsset, ForgeRelease
from unmoor.ports.index import Holding
from unmoor.products import Dists, File, PushedImage, Release, TagPosition
from unmoor.publish import push_record
from unmoor.publish.asset_upload import find_release
from unmoor.publish.inventory import Inventory, OwnManifest, take_inventory
from unmoor.publish.push_record import PushRecord, attach_record, read_record, recorded
from unmoor.publish.release_assets import content_of, find_asset
from unmoor.util.values import replace

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
IMAGE = PushedImage(
    name="ghcr.io/acme/demo", target="", tag="sha-0123456789ab", digest=ONE, platforms=(("linux/amd64", ONE),)
)
BEFORE = (
    TagPosition(name="ghcr.io/acme/demo", tag="latest", digest=TWO),
    TagPosition(name="ghcr.io/acme/demo", tag="1.0", digest=None),
)


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One forge for this module; every test has its own tag."""
    with start_forge(tmp_path_factory.mktemp("records")) as running:
        yield running


def record_of(release: Release, *images: PushedImage) -> PushRecord:
    """The record of some images of a release."""
    return PushRecord(tag=release.tag, commit=release.commit, images=images or (IMAGE,), before=BEFORE)


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A record with one change to its JSON."""
    document = json.loads(push_record.encode(PushRecord(tag="v1.0", commit="a" * 40, images=(IMAGE,), before=BEFORE)))
    change(document)
    return json.dumps(document).encode()


def test_a_record_is_read_as_it_was_written() -> None:
    """The bytes are the same each time, and give the same record."""
    record = PushRecord(tag="v1.0", commit="a" * 40, images=(IMAGE,), before=BEFORE)
    data = push_record.encode(record)
    assert push_record.decode(data) == record
    assert push_record.encode(record) == data
    assert json.loads(data)["before"][1] == {"digest": None, "name": "ghcr.io/acme/demo", "tag": "1.0"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"schema": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
        changed(lambda it: it.update(schema=2)),
        changed(lambda it: it.pop("images")),
        changed(lambda it: it["images"][0].update(digest="sha256:1")),
        changed(lambda it: it["images"][0].update(digest="../manifests/latest")),
        changed(lambda it: it["images"][0].update(tag="../../blobs")),
        changed(lambda it: it["images"][0].update(platforms=[["linux/amd64", "md5:1"]])),
        changed(lambda it: it["before"][0].update(digest="")),
        changed(lambda it: it["before"][0].update(digest="latest")),
        changed(lambda it: it["before"][0].update(tag="a b")),
        changed(lambda it: it["before"][0].pop("digest")),
        changed(lambda it: it["images"].extend(it["images"] * 5000)),
    ],
    ids=range(18),
)
def test_anything_else_is_no_record(data: bytes) -> None:
    """Another shape, another schema, too much of it, or a value that is no digest or tag."""
    assert push_record.decode(data) is None


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (lambda it: it, True),
        (lambda it: replace(it, before=()), True),
        (lambda it: replace(it, images=it.images[::-1]), True),
        (lambda it: replace(it, images=it.images[:1]), False),
        (lambda it: replace(it, tag="v2.0"), False),
        (lambda it: replace(it, commit="b" * 40), False),
        (lambda it: replace(it, images=(it.images[0], replace(it.images[1], digest=TWO))), False),
    ],
    ids=["equal", "floating tags", "order", "one image less", "tag", "commit", "digest"],
)
def test_what_a_record_says(at: LocalForge, other: Callable[[PushRecord], PushRecord], *, same: bool) -> None:
    """The images, the tag and the commit decide; where floating tags were before does not."""
    release = at.release()
    images = (IMAGE, replace(IMAGE, name="docker.io/acme/demo"))
    assert other(record_of(release, *images)).says(release, images) is same


@dataclass
class OneRelease:
    """A draft on the forge that the record is attached to."""

    at: LocalForge
    release: Release
    folder: RunFolder
    forge: Any = None
    clock: FakeClock = field(default_factory=FakeClock)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.forge = self.forge or self.at.forge()
        made = self.at.forge().draft(
            tag=self.release.tag, target=self.at.commit, name=self.release.tag, body="", prerelease=False
        )
        self.id = made.id

    @property
    def page(self) -> ForgeRelease:
        """The release object as it is now."""
        found = find_release(self.at.forge(), self.release.tag, self.id)
        assert found is not None
        return found

    def attach(self, record: PushRecord) -> Any:
        """Attach a record."""
        return attach_record(record, self.page, self.forge, folder=self.folder, clock=self.clock, say=self.said.append)

    def put(self, content: bytes) -> None:
        """Put other bytes under the record's name."""
        path = self.folder.path.parent / "other" / push_record.NAME
        file = text_file(path, content.decode("latin-1"))
        self.at.forge().attach(self.page, file)

    def content(self) -> bytes:
        """The bytes on the release."""
        asset = find_asset(self.page, push_record.NAME)
        assert asset is not None
        return content_of(asset, self.at.forge())

    def publish(self) -> None:
        """Publish the release."""
        self.at.forge().publish(self.page, prerelease=False, latest=False)


@pytest.fixture
def one(at: LocalForge, tmp_path: Path) -> OneRelease:
    """A release with an empty draft."""
    return OneRelease(at, at.release(), RunFolder(tmp_path / "run"))


def test_a_record_is_attached_once_and_replaced_by_another(one: OneRelease) -> None:
    """The same bytes are not sent again; other bytes take the place of the old ones."""
    record = record_of(one.release)
    pushed = one.attach(record)
    assert one.content() == push_record.encode(record)
    held = read_record(one.page, one.forge)
    assert held is not None
    assert (held.record, held.asset, pushed.record, pushed.before) == (record, pushed.record, held.asset, BEFORE)
    assert recorded(held, one.page, one.release, (IMAGE,)) == pushed
    first = one.page.assets
    one.attach(record)
    assert one.page.assets == first
    one.attach(replace(record, before=()))
    assert one.content() == push_record.encode(replace(record, before=()))
    assert len(one.page.assets) == 1


@dataclass(frozen=True)
class LossyForge:
    """The real forge, which loses the answers to uploads: after storing the file, before it, or by refusing it."""

    real: Any
    plan: list[str]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def attach(self, forge_release: ForgeRelease, file: File) -> ForgeAsset:
        """Attach by the plan."""
        match self.plan.pop(0) if self.plan else "":
            case "stored":
                self.real.attach(forge_release, file)
                raise Unknown("502", next_step=NextStep("look"))
            case "lost":
                raise Unknown("502", next_step=NextStep("look"))
            case "refused":
                raise Rejected("422", next_step=NextStep("look"))
            case _:
                found: ForgeAsset = self.real.attach(forge_release, file)
                return found


@pytest.mark.parametrize(
    ("plan", "error"),
    [
        (["stored"], None),
        (["lost"], None),
        (["lost", "stored"], None),
        (["lost"] * 3, Unknown),
        (["refused"], Rejected),
    ],
    ids=str,
)
def test_an_answer_that_is_lost(one: OneRelease, plan: list[str], error: type[Exception] | None) -> None:
    """A record that arrived is not sent again; one that did not is sent again, and the next run attaches it."""
    record = record_of(one.release)
    one.put(b"an older one")
    one.forge = LossyForge(one.at.forge(), plan)
    if error is not None:
        with pytest.raises(error):
            one.attach(record)
        assert one.page.assets == ()
    one.attach(record)
    assert (plan, one.content()) == ([], push_record.encode(record))


def test_a_record_that_does_not_read_back_is_incomplete(one: OneRelease) -> None:
    """The stage does not end before the draft shows the bytes that were sent."""

    @dataclass(frozen=True)
    class Forgetful(LossyForge):
        """Never lists the record."""

        def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
            """List, and leave the record out."""
            return tuple(replace(each, assets=()) for each in self.real.releases(tag))

    one.forge = Forgetful(one.at.forge(), [])
    with pytest.raises(Incomplete, match=r"pushed\.json is not on the draft"):
        one.attach(record_of(one.release))


ON_RELEASE = {
    "nothing": None,
    "ours": push_record.encode(PushRecord(tag="v", commit="c", images=(IMAGE,))),
    "another digest": push_record.encode(PushRecord(tag="v", commit="c", images=(replace(IMAGE, digest=TWO),))),
    "an image more": push_record.encode(PushRecord(tag="v", commit="c", images=(IMAGE, replace(IMAGE, target="b")))),
    "malformed": b"{",
    "too large": b" " * (push_record.LIMIT + 1),
}


@pytest.mark.parametrize("public", [False, True], ids=["draft", "public"])
@pytest.mark.parametrize("there", ON_RELEASE)
def test_what_a_release_says_of_the_images(one: OneRelease, there: str, *, public: bool) -> None:
    """A draft that does not say the same is incomplete; a public release may lack the record, but not say otherwise."""
    release = replace(one.release, tag="v", commit="c")
    content = ON_RELEASE[there]
    if content is not None:
        one.put(content)
    if public:
        one.publish()
    held = read_record(one.page, one.forge)
    expected: dict[str, type[Exception]] = {
        "another digest": Conflict,
        "an image more": Conflict,
        "malformed": Unknown,
        "too large": Unknown,
    }
    if public and there in expected:
        with pytest.raises(expected[there]) as caught:
            recorded(held, one.page, release, (IMAGE,))
        assert "pushed.json" in str(caught.value)
        return
    found = recorded(held, one.page, release, (IMAGE,))
    assert (found is not None) is (there == "ours" or (public and there == "nothing"))
    assert found is None or (found.record is not None) is (there == "ours")


def test_an_upload_that_broke_off_is_no_record(one: OneRelease) -> None:
    """An asset that the forge lists as incomplete counts as none."""
    record = record_of(one.release)
    one.attach(record)
    page = replace(one.page, assets=tuple(replace(each, uploaded=False) for each in one.page.assets))
    assert read_record(page, one.forge) is None


def inventory_of(one: OneRelease, manifest: Manifest, forge: Forge) -> Inventory:
    """The inventory of a release with a manifest on this machine."""
    return take_inventory(
        one.release,
        git=cast("Any", SimpleNamespace(remote_tags=dict, date_of=lambda _: 0)),
        forge=forge,
        index=FakeIndex(Holding(simple={}, json=None)),
        staging=None,
        own=OwnManifest(manifest=manifest, where="here", belief=Belief()),
    )


@pytest.mark.parametrize("public", [False, True], ids=["draft", "public"])
def test_status_reads_the_record_else_a_former_manifest(one: OneRelease, *, public: bool) -> None:
    """Without a record, what the manifest of a former version lists counts, else what the registries hold."""
    manifest = Manifest.of(one.release, Dists(files=()))
    former = replace(manifest, pushed=(replace(IMAGE, digest=TWO),))

    def pushed(known: Manifest, forge: Forge) -> tuple[PushedImage, ...]:
        return inventory_of(one, known, forge).pushed_to(IMAGE.name)

    assert pushed(manifest, one.forge) == ()
    assert pushed(former, one.forge) == former.pushed
    one.attach(record_of(one.release))
    if public:
        one.publish()
    assert pushed(manifest, one.forge) == pushed(former, one.forge) == (IMAGE,)
    assert pushed(manifest, one.at.forge("")) == ((IMAGE,) if public else ())


@pytest.mark.parametrize(
    ("content", "unread"), [(b"{", True), (ON_RELEASE["ours"], False)], ids=["malformed", "of another tag"]
)
def test_status_takes_no_other_record(one: OneRelease, content: bytes, *, unread: bool) -> None:
    """A record that is not of this tag and commit says nothing about it, and a malformed one is unknown."""
    one.put(content)
    seen = inventory_of(one, Manifest.of(one.release, Dists(files=())), one.forge)
    assert (seen.pushed_to(IMAGE.name), seen.before) == ((), ())
    assert isinstance(seen.forge.unread, Unknown) is unread
