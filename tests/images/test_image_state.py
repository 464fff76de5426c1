"""Every tag of an image is compared with what was pushed: by digest, and by the release it belongs to."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.image_stages import FakeGitRemote, ImageStages, demo_release
from tests.support.local_forge import LocalForge, start_forge
from tests.support.real_registries import RealRegistry, make_image, put_image, put_manifest, run_registry

from unmoor.advice import NextStep
from unmoor.errors import Denied, Unknown
from unmoor.images.image_state import compare_images
from unmoor.ports.forge import Forge
from unmoor.ports.registry import OciManifest, Registry
from unmoor.products import Pushed, Release
from unmoor.products.surface_state import Item, State

FORGE = cast("Forge", SimpleNamespace(repository=lambda: SimpleNamespace(private=False)))
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry without a login."""
    with run_registry(tmp_path_factory.mktemp("states")) as running:
        yield running


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A forge for the drafts."""
    with start_forge(tmp_path_factory.mktemp("forge")) as running:
        yield running


@pytest.fixture
def it(there: RealRegistry, at: LocalForge, tmp_path: Path) -> ImageStages:
    """A repository that no other test knows."""
    return ImageStages((there,), at, tmp_path, f"acme/states{next(_NUMBERS)}", git=FakeGitRemote())


def seen(
    it: ImageStages,
    release: Release,
    pushed: Pushed,
    *,
    known: bool = True,
    resolve: Callable[[], Release] | None = None,
) -> dict[str, Item]:
    """Return the state of each tag; ``known`` if the images are in the settings."""
    plans = it.plans if known else ()
    registry = it.wrap(it.registry())
    state = compare_images(pushed.images, registry, FORGE, plans=plans, release=resolve or (lambda: release))
    return {item.name: item for item in state.items}


def states(items: dict[str, Item], *tags: str) -> list[State]:
    """Return the states of some tags."""
    return [items[tag].state for tag in tags]


def test_pushed_but_not_tagged_is_incomplete(it: ImageStages) -> None:
    """The commit's tag is there, but the version's and the floating ones are missing or still the last version's."""
    it.push_and_tag("1.0")
    release = demo_release("1.1")
    items = seen(it, release, it.push(release))
    assert states(items, "sha-0123456789ab", "v1.1", "1.1", "1", "latest") == [
        State.COMPLETE,
        *[State.INCOMPLETE] * 4,
    ]
    assert (items["v1.1"].note, items["latest"].note) == ("not there", "still another image: not moved yet")


def test_every_tag_of_a_release_is_complete(it: ImageStages) -> None:
    """Fixed and floating tags all have the same digest."""
    release, pushed, _ = it.push_and_tag("1.0")
    items = seen(it, release, pushed)
    assert {"v1.0", "1.0", "1", "latest", f"sha-{release.commit[:7]}"} < items.keys()
    assert {(item.state, item.seen) for item in items.values()} == {(State.COMPLETE, pushed.images[0].digest)}


def test_a_floating_tag_of_a_higher_version_is_no_conflict(it: ImageStages) -> None:
    """The note says where it is and why; moved to the older release, it conflicts."""
    _, newer, _ = it.push_and_tag("1.1")
    release, pushed, _ = it.push_and_tag("1.0", highest=False)
    items = seen(it, release, pushed)
    assert states(items, "v1.0", "1.0", "1", "latest") == [State.COMPLETE] * 4
    assert items["latest"].seen == items["1"].seen == newer.images[0].digest != items["1.0"].seen
    assert "a higher version" in items["latest"].note
    own = it.registry().manifest("v1.0")
    assert own is not None
    put_manifest(it.there[0], it.repository, own, "latest")
    item = seen(it, release, pushed)["latest"]
    assert item.state is State.CONFLICTING
    assert "should not: latest stays: a higher version" in item.note


def test_a_candidate_is_complete_without_floating_tags(it: ImageStages) -> None:
    """A release candidate has no floating tags."""
    _, newer, _ = it.push_and_tag("1.1")
    release, pushed, _ = it.push_and_tag("2.0rc1", prerelease=True, highest=False)
    items = seen(it, release, pushed)
    assert {item.state for item in items.values()} == {State.COMPLETE}
    assert newer.images[0].digest not in {item.seen for item in items.values() if item.expected}


def test_a_version_that_is_another_image_conflicts(it: ImageStages) -> None:
    """The state has both digests."""
    release, pushed, _ = it.push_and_tag("1.0")
    other = put_image(it.there[0], it.repository, make_image("somebody else's"), "v1.0")
    item = seen(it, release, pushed)["v1.0"]
    assert (item.state, item.expected, item.seen) == (State.CONFLICTING, pushed.images[0].digest, other)


def test_a_commits_tag_may_belong_to_another_release(it: ImageStages) -> None:
    """A candidate of the same commit had it first."""
    candidate = demo_release("1.0rc1", prerelease=True, highest=False)
    final = demo_release("1.0")
    pushed = Pushed(images=())
    for release in (candidate, final):
        it.git.tags[release.tag] = release.commit
        pushed = it.push(release)
        it.point(release, pushed)
    item = seen(it, final, pushed)[f"sha-{final.commit[:7]}"]
    assert (item.state, item.note) == (State.COMPLETE, "another release of the same commit has it")


def test_without_settings_the_commits_tag_alone_is_compared(it: ImageStages) -> None:
    """The images may have been configured elsewhere; the release is not resolved."""
    release, pushed, _ = it.push_and_tag("1.0")

    def fail() -> Release:
        raise AssertionError

    assert set(seen(it, release, pushed, known=False, resolve=fail)) == {pushed.images[0].tag}


@dataclass
class GuardedRegistry:
    """A registry in front of a real one that lists no tags, and hides a private package."""

    real: Registry
    private: bool

    def tags(self) -> tuple[str, ...]:
        """Deny."""
        raise Denied("authentication required", next_step=NextStep("log in"))

    def manifest(self, reference: str, *, anonymous: bool = False) -> OciManifest | None:
        """Return only what is public."""
        if self.private:
            raise Denied("authentication required", next_step=NextStep("log in"))
        return self.real.manifest(reference, anonymous=anonymous)

    def __getattr__(self, name: str) -> Any:
        """Leave everything else to the real registry."""
        return getattr(self.real, name)


@pytest.mark.parametrize("private", [True, False], ids=["private", "public"])
def test_without_the_list_of_tags(it: ImageStages, *, private: bool) -> None:
    """A private package is incomplete, with the page; of a public one only the floating tags are unknown."""
    release, pushed, _ = it.push_and_tag("1.0")
    it.wrap = lambda real: GuardedRegistry(real, private)
    items = seen(it, release, pushed)
    floating = {items[tag].state for tag in ("latest", "1", "1.0")}
    fixed = {items["v1.0"].state, items[pushed.images[0].tag].state}
    assert floating == {State.INCOMPLETE if private else State.UNKNOWN}
    assert fixed == {State.INCOMPLETE if private else State.COMPLETE}
    assert ("make it public at" in items["latest"].note) is private


def test_an_unknown_release(it: ImageStages) -> None:
    """If the release cannot be resolved, the comparison fails with that error."""
    release, pushed, _ = it.push_and_tag("1.0")

    def fail() -> Release:
        raise Unknown("the index is on fire", next_step=NextStep("wait"))

    with pytest.raises(Unknown, match="on fire"):
        seen(it, release, pushed, resolve=fail)
