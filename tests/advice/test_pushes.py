"""Every advice about pushes of images, and the tags that they set, leads to tags that are put."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.image_stages import FakeGitRemote, ImageStages, demo_release
from tests.support.local_forge import LocalForge, start_forge
from tests.support.real_registries import RealRegistry, make_image, put_image, run_registry

from unmoor import advice
from unmoor.adapters.process.shell import LocalShell
from unmoor.config.images import ImageSettings
from unmoor.errors import Denied
from unmoor.products import Images
from unmoor.stages.verify import VerifyRelease
from unmoor.util.values import replace

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry for all walks here; each has a repository of its own."""
    with run_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A forge for the drafts."""
    with start_forge(tmp_path_factory.mktemp("forge")) as running:
        yield running


def stages_of(place: Place) -> ImageStages:
    """The stages of a walk."""
    it = place.kept["stages"]
    assert isinstance(it, ImageStages)
    return it


def _push(place: Place) -> object:
    """Push the images of the version that the walk keeps."""
    it, release = stages_of(place), demo_release(place.kept.setdefault("version", "1.0"))
    it.git.tags[release.tag] = release.commit
    images = place.kept.get("images") or it.built(release, salt=place.kept.get("salt", ""))
    return it.push_stage().make(it.context(release, images))


def _tag(place: Place) -> object:
    """Tag the images that were pushed."""
    if place.kept.get("of") != place.kept.setdefault("version", "1.0"):
        place.kept |= {"pushed": _push(place), "of": place.kept["version"]}
    return stages_of(place).point(demo_release(place.kept["version"]), place.kept["pushed"])


def _pushed(place: Place) -> None:
    place.kept |= {"pushed": _push(place), "of": "1.0"}


def put(tag: str) -> Callable[[Place], object]:
    """Put another image under a tag."""
    return lambda place: put_image(stages_of(place).there[0], stages_of(place).repository, make_image("other"), tag)


def delete_tag(place: Place, text: str) -> None:
    """Delete the tag of the commit."""
    it = stages_of(place)
    assert "delete that tag" in text
    (digest,) = set(it.tags().values())
    it.registry().delete(digest)


def _next(place: Place, text: str) -> None:
    assert "release a new version" in text or "release under a new version" in text
    place.kept["version"] = "1.1"


def _denied(place: Place) -> None:
    stages_of(place).engine.troubles = [Denied("denied", next_step=advice.CHECK_IMAGE_LOGIN())]


def _one_platform(place: Place) -> None:
    it = stages_of(place)
    it.settings = ImageSettings(platforms=("linux/amd64", "linux/386"))
    place.kept["images"] = Images(images=it.built(demo_release("1.0")).images[:1])


def _swapped(place: Place) -> None:
    """The engine has other bytes under the id that was tested."""
    it = stages_of(place)
    images = it.built(demo_release("1.0"))
    swapped = f"sha256:{'7' * 64}"
    it.engine.images[swapped] = it.engine.images[images.images[0].id]
    place.kept["images"] = Images(images=(replace(images.images[0], id=swapped),))


def _broken_positions(place: Place) -> None:
    it = stages_of(place)
    it.run.open()
    (it.run.path / "pointers.json").write_bytes(b"{")


def _remove_positions(place: Place, text: str) -> None:
    assert "or remove it" in text
    (stages_of(place).run.path / "pointers.json").unlink()


def _tag_lost(place: Place) -> None:
    """Somebody deletes a tag after the run has set it."""
    it = stages_of(place)
    _pushed(place)
    place.kept["pointed"] = it.point(demo_release("1.0"), place.kept["pushed"])
    it.registry().delete(it.tags()["v1.0"])


def _verify(place: Place) -> object:
    """Read every tag back, as the stage ``verify`` does at the end."""
    it = stages_of(place)
    nothing: Any = None
    stage = VerifyRelease(
        name="verify",
        release=nothing,
        dists=nothing,
        uploaded=nothing,
        page=nothing,
        index=nothing,
        git=it.git,
        clock=it.clock,
        forge=it.at.forge(),
        registries=(it.registry(),),
    )
    return stage._verify_images(place.kept["pointed"])


def _see(place: Place, text: str) -> None:
    """Look at the page, which lists no such tag, and push and tag again."""
    assert text == f"look at {stages_of(place).registry().page}"
    _pushed(place)
    place.kept["pointed"] = stages_of(place).point(demo_release("1.0"), place.kept["pushed"])


WALKS: dict[str, Walk] = {
    "look-at-pages": Walk(begin=_tag_lost, act=_verify, follow=_see),
    "delete-commit-tag": Walk(begin=put("sha-0123456789ab"), act=_push, follow=delete_tag),
    "find-who-pushed-version": Walk(begin=put("v1.0"), act=_push, follow=_next),
    "find-who-moved-version": Walk(begin=also(_pushed, put("v1.0")), act=_tag, follow=_next),
    "set-package-writers": Walk(begin=_denied, act=_push, follow=keep()),
    "build-every-platform": Walk(begin=_one_platform, act=_push, follow=keep(images=None)),
    "find-what-is-between": Walk(begin=_swapped, act=_push, follow=keep(images=None)),
    "fix-positions": Walk(begin=_broken_positions, act=_tag, follow=_remove_positions),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, there: RealRegistry, at: LocalForge) -> None:
    """After the tag is deleted, the platform built or the version changed, the same push works."""
    stages = ImageStages((there,), at, tmp_path, f"acme/demo{next(_NUMBERS)}", git=FakeGitRemote())
    walk(name, WALKS, Place(folder=tmp_path, shell=cast("LocalShell", None), kept={"stages": stages}))
