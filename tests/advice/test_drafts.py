"""Every advice about releases and drafts on the forge, and their files, leads to a release that counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import cast

import pytest
import requests
from tests.stages import test_undraft, test_verify
from tests.support.advice_walks import Place, Walk, also, walk
from tests.support.beliefs import anything
from tests.support.listed_index import FakeIndex, listed_files
from tests.support.local_forge import DraftInputs, LocalForge, draft_inputs, start_forge, text_file

from unmoor.adapters.process.shell import LocalShell
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Output, StageContext
from unmoor.ports.forge import ForgeRelease
from unmoor.ports.index import Holding
from unmoor.products import Draft, PushedImage
from unmoor.publish import push_record
from unmoor.publish.draft_recheck import DraftRecheck, require_assets
from unmoor.publish.inventory import ForgeContent, _with_documents
from unmoor.publish.restore import Surfaces, missing_files, require_current
from unmoor.util.values import replace

DRAFT: Output[Draft] = Output("draft")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for all walks here; each has a tag of its own."""
    with start_forge(tmp_path_factory.mktemp("forge")) as running:
        yield running


def world(place: Place) -> LocalForge:
    """The world of a walk."""
    at = place.kept["at"]
    assert isinstance(at, LocalForge)
    return at


def drafted(place: Place) -> None:
    """Make a complete draft."""
    one = draft_inputs(world(place), place.folder)
    place.kept |= {"one": one, "draft": one.stage.make(one.context)}


def one_of(place: Place) -> DraftInputs:
    """The release of a walk."""
    one = place.kept["one"]
    assert isinstance(one, DraftInputs)
    return one


def listed(place: Place) -> tuple[ForgeRelease, ...]:
    """The release objects of the tag."""
    return world(place).forge().releases(one_of(place).release.tag)


def detach(place: Place, *_: str) -> None:
    """Remove the wheel from the release, as somebody with the right to write can."""
    name = one_of(place).dists.wheels[0].name
    world(place).forge().detach(next(each for each in listed(place)[0].assets if each.name == name))


def attach_other(place: Place, *_: str) -> None:
    """Attach other bytes under the wheel's name."""
    file = text_file(place.folder / "other" / one_of(place).dists.wheels[0].name, "other")
    world(place).forge().attach(listed(place)[0], file)


def attach_right(place: Place, text: str = "") -> None:
    """Attach the file that the run folder has, by hand."""
    if any(each.name == one_of(place).dists.wheels[0].name for each in listed(place)[0].assets):
        detach(place)
    assert "attach the right file" in text or "attach the file" in text
    world(place).forge().attach(listed(place)[0], one_of(place).dists.wheels[0])


def publish(place: Place, *_: str) -> None:
    """Publish the draft."""
    world(place).forge().publish(listed(place)[0], prerelease=False, latest=False)


def delete(place: Place, *_: str) -> None:
    """Delete the last release object by hand, through the forge's own interface."""
    at, last = world(place), listed(place)[-1]
    address = f"{at.place.api}/repos/{at.place.repository}/releases/{last.id}"
    headers = {"Authorization": f"Bearer {at.place.login.secret.reveal()}"}
    assert requests.delete(address, headers=headers, timeout=20).status_code == 204


def second(place: Place, *_: str) -> ForgeRelease:
    """Make another draft of the tag, with a file on it."""
    release = one_of(place).release
    forge = world(place).forge()
    made = forge.draft(tag=release.tag, target=release.commit, name="x", body="x", prerelease=False)
    forge.attach(made, text_file(place.folder / "a.txt", "a"))
    return made


def make(place: Place) -> object:
    """Run the stage ``draft``."""
    one = one_of(place)
    return one.stage.make(one.context)


def again(place: Place, *_: str) -> None:
    """Run the stage ``draft`` again."""
    place.kept["draft"] = make(place)


def make_other(place: Place) -> object:
    """Run the stage ``draft`` of another machine, which built the same commit again."""
    other = place.kept["other"]
    return other.stage.make(other.context)


def another_build(place: Place) -> None:
    """Prepare a second build of the release."""
    place.kept["other"] = draft_inputs(world(place), place.folder / "again", one_of(place).release, salt="again")


def believing(place: Place, *_: str) -> None:
    """Pass the sha256 of the manifest on the forge to the second run."""
    other, data = place.kept["other"], one_of(place).stage.folder.manifest.read_bytes()
    folder = RunFolder(other.stage.folder.path, Belief(given=frozenset({sha256(data).hexdigest()})))
    place.kept["other"] = replace(other, stage=replace(other.stage, folder=folder))


def staged_first(place: Place) -> None:
    """The staging index has the files of the first build, and the draft too."""
    another_build(place)
    files = {file.name: file.sha256 for file in one_of(place).dists.files}
    index = FakeIndex(Holding(simple=listed_files(files), json=None), name="testpypi")
    place.kept["other"] = replace(place.kept["other"], stage=replace(place.kept["other"].stage, indexes=(index,)))


def first_files(place: Place, *_: str) -> None:
    """Continue with the files of the first build."""
    place.kept["other"] = one_of(place)


def next_version(place: Place, text: str) -> None:
    """Release another version."""
    assert re.search("release (a new|the next) version|release under a new version", text)
    place.kept["one"] = place.kept["other"] = draft_inputs(world(place), place.folder / "next")


def recheck(place: Place) -> object:
    """Read the draft as the run does before the first upload."""
    at, context = world(place), StageContext({DRAFT.by: place.kept["draft"]})
    DraftRecheck(draft=DRAFT, pushed=None, forge=at.forge(), clock=at.clock).require_unchanged(context)
    return None


def look_again(place: Place) -> object:
    """Read the release as the run does when it has become public."""
    require_assets(listed(place)[0], place.kept["draft"].assets, world(place).forge())
    return None


def undraft(place: Place) -> object:
    """Publish, unless the draft is not the one of this run."""
    it = place.kept["it"]
    return it.stage.find(it.context)


def _other_public(place: Place) -> None:
    it = place.kept["it"] = test_undraft.full(world(place), place.folder)
    it.stage.forge.publish(it.forge_release(), prerelease=False, latest=True)
    place.kept |= {"one": it.one, "it": replace(it, draft=replace(it.draft, id=it.draft.id + 1))}


def _verified(spoil: str = "", *looks: Callable[[DraftInputs], Holding | BaseException]) -> Walk:
    """A public release that is not what was tested, until somebody corrects it."""

    def begin(place: Place) -> None:
        damage = (spoil, test_verify.swapped) if spoil else None
        wrong = test_verify.public(world(place), place.folder / "wrong", spoil=damage)
        place.kept["it"] = test_verify.seen(wrong, *looks) if looks else wrong

    def follow(place: Place, text: str) -> None:
        assert re.search("release a new version|look at http", text)
        place.kept["it"] = test_verify.public(world(place), place.folder / "right")

    return Walk(begin=begin, act=lambda place: place.kept["it"].verify(), follow=follow)


def _fetch(place: Place) -> object:
    one, at = one_of(place), world(place)
    surfaces = Surfaces(forge=at.forge(), index=FakeIndex(Holding(simple={}, json=None)), staging=None)
    found = surfaces.find_release(one.release, place.kept["belief"], one.context)
    into = place.folder / f"into-{len(list(place.folder.iterdir()))}"
    into.mkdir()
    forge_release = found.forge_release if found else None
    return surfaces.fetch(one.dists.wheels[0], one.release, forge_release, into)


def _vouched(place: Place) -> None:
    data = one_of(place).stage.folder.manifest.read_bytes()
    place.kept["belief"] = Belief(given=frozenset({sha256(data).hexdigest()}))


def _of_other_commit(place: Place) -> None:
    """A draft whose manifest is vouched for, and names another commit."""
    drafted(place)
    at, one = world(place), one_of(place)
    asset = next(each for each in listed(place)[0].assets if each.name == manifests.NAME)
    at.forge().detach(asset)
    data = manifests.encode(replace(Manifest.of(one.release, one.dists), commit="b" * 40))
    at.forge().attach(listed(place)[0], text_file(place.folder / "other" / manifests.NAME, data.decode()))
    place.kept["belief"] = Belief(given=frozenset({sha256(data).hexdigest()}))


def _changed_file(place: Place) -> None:
    place.kept["one"] = one = draft_inputs(world(place), place.folder)
    place.kept["data"] = one.dists.files[0].path.read_bytes()
    one.dists.files[0].path.write_bytes(b"changed")


def _put_back(place: Place, text: str) -> None:
    assert text.startswith("put that file back")
    one_of(place).dists.files[0].path.write_bytes(place.kept["data"])


def _record(place: Place) -> object:
    held = push_record.read_record(listed(place)[0], world(place).forge())
    return push_record.recorded(held, listed(place)[0], one_of(place).release, ())


def _with_record(data: bytes, *, public: bool = True) -> Callable[[Place], None]:
    def begin(place: Place) -> None:
        drafted(place)
        file = text_file(place.folder / "x" / push_record.NAME, data.decode())
        world(place).forge().attach(listed(place)[0], file)
        if public:
            publish(place)

    return begin


def _documents(place: Place) -> object:
    found, tag = listed(place)[0], one_of(place).release.tag
    return _with_documents(ForgeContent(), found, world(place).forge(), tag, anything())


def _new_record(place: Place, text: str) -> None:
    """Release again, which replaces the record on the draft."""
    assert "replaces the file as long as the release is a draft" in text
    at, release = world(place), one_of(place).release
    record = push_record.PushRecord(tag=release.tag, commit=release.commit, images=())
    folder = one_of(place).stage.folder
    push_record.attach_record(record, listed(place)[0], at.forge(), folder=folder, clock=at.clock, say=print)


def _without_record(place: Place, text: str) -> None:
    """Check the release by hand: the record is broken, and the registries hold nothing, so it is not needed."""
    assert "by hand" in text
    asset = next(each for each in listed(place)[0].assets if each.name == push_record.NAME)
    world(place).forge().detach(asset)


def _other_images(place: Place) -> None:
    one = draft_inputs(world(place), place.folder)
    place.kept["one"] = one
    image = PushedImage(name="ghcr.io/a/b", target="", tag="1.0", digest=f"sha256:{'0' * 64}", platforms=())
    data = push_record.encode(push_record.PushRecord(tag=one.release.tag, commit=one.release.commit, images=(image,)))
    one.stage.make(one.context)
    world(place).forge().attach(listed(place)[0], text_file(place.folder / "x" / push_record.NAME, data.decode()))
    publish(place)


def _right_images(place: Place, text: str) -> None:
    """Release a new version, whose record lists what the registries hold."""
    assert "release a new version" in text
    (place.folder / "next").mkdir()
    place.kept["one"] = one = draft_inputs(world(place), place.folder / "next")
    one.stage.make(one.context)


def inputs(place: Place) -> None:
    """A release that the forge does not know."""
    place.kept["one"] = draft_inputs(world(place), place.folder)


def _former(place: Place) -> object:
    require_current(place.kept["manifest"], "here")
    return None


def _of_former(place: Place) -> None:
    place.kept["one"] = one = draft_inputs(world(place), place.folder)
    place.kept["manifest"] = replace(Manifest.of(one.release, one.dists), schema=manifests.FORMER_SCHEMA)


def _new_manifest(place: Place, text: str) -> None:
    """Take it back with the former version, and release again."""
    assert "take it back with that version (unmoor undo) and release again" in text
    place.kept["manifest"] = Manifest.of(one_of(place).release, one_of(place).dists)


WALKS: dict[str, Walk] = {
    "keep-one-release": Walk(begin=also(drafted, second), act=make, follow=delete),
    "keep-one-release public": Walk(begin=_other_public, act=undraft, follow=delete),
    "compare-draft": Walk(begin=also(drafted, detach, attach_other), act=make, follow=delete),
    "find-who-changed-draft": Walk(begin=also(drafted, detach, attach_other), act=recheck, follow=also(delete, again)),
    "find-who-published": Walk(begin=also(drafted, publish), act=recheck, follow=again),
    "release-it-again": Walk(begin=_with_record(b"{}", public=False), act=_documents, follow=_new_record),
    "find-who-removed-file": Walk(begin=also(drafted, detach), act=recheck, follow=again),
    "find-who-deleted-draft": Walk(begin=also(drafted, delete), act=recheck, follow=again),
    "find-other-run": Walk(begin=also(drafted, delete, second), act=recheck, follow=also(delete, again)),
    "attach-right-file": Walk(begin=also(drafted, detach, attach_other, publish), act=look_again, follow=attach_right),
    "vouch-or-next-version": Walk(begin=also(drafted, another_build, publish), act=make_other, follow=next_version),
    "release-new-version": Walk(begin=also(drafted, detach, publish), act=make, follow=next_version),
    "pass-sha256-or-next-version": Walk(
        begin=also(drafted, staged_first), act=make_other, follow=believing, then="continue-with-those"
    ),
    "continue-with-those": Walk(begin=also(drafted, another_build, believing), act=make_other, follow=first_files),
    "attach-file": Walk(begin=also(drafted, _vouched, publish, detach), act=_fetch, follow=attach_right),
    "delete-draft": Walk(begin=also(drafted, _vouched, detach), act=_fetch, follow=delete),
    "delete-other-draft": Walk(begin=_of_other_commit, act=_fetch, follow=delete),
    "put-file-back": Walk(begin=_changed_file, act=lambda place: missing_files(one_of(place).dists), follow=_put_back),
    "check-release-by-hand": Walk(begin=_with_record(b"{}"), act=_record, follow=_without_record),
    "find-who-pushed": Walk(begin=_other_images, act=_record, follow=_right_images),
    "find-who-changed-release": _verified(".whl"),
    "find-who-uploaded": _verified("", test_verify.other),
    "use-former-version": Walk(begin=_of_former, act=_former, follow=_new_manifest),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, at: LocalForge) -> None:
    """After somebody corrects the draft, the token or the address as the advice says, the same step works."""
    walk(name, WALKS, Place(folder=tmp_path, shell=cast("LocalShell", None), kept={"at": at}))
