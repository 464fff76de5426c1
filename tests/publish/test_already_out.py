"""What is out already decides whether a draft may be made, or its files replaced."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.image_stages import COMMIT, ImageStages, demo_release
from tests.support.listed_index import FakeIndex, listed_files
from tests.support.local_forge import LocalForge, start_forge, text_file
from tests.support.real_registries import RealRegistry, make_image, put_image, run_registry

from unmoor.advice import NextStep
from unmoor.config.images import ImageSettings
from unmoor.errors import Conflict, Unknown
from unmoor.ports.index import Holding
from unmoor.products import Dists, Images
from unmoor.publish.already_out import require_nothing_else_out

TAG = f"sha-{COMMIT[:12]}"
TWO = ImageSettings(platforms=("linux/amd64", "linux/386"))
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry."""
    with run_registry(tmp_path_factory.mktemp("first")) as running:
        yield running


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A forge, which is not asked."""
    with start_forge(tmp_path_factory.mktemp("forge")) as running:
        yield running


def ours(it: ImageStages, images: Images, *tags: str) -> None:
    """Put our first image under some tags."""
    put_image(it.there[0], it.repository, it.engine.images[images.images[0].id], *tags)


def other(it: ImageStages, *tags: str) -> None:
    """Put another image under some tags."""
    put_image(it.there[0], it.repository, make_image("another build"), *tags)


def pushed(it: ImageStages, images: Images, *, lost: str = "") -> None:
    """Push our images as a whole, and remove one tag with what it points at."""
    it.push_stage().make(it.context(demo_release("1.0"), images))
    if lost:
        it.registry().delete(it.tags()[lost])


Put = Callable[[ImageStages, Images], None]


@pytest.mark.parametrize(
    ("settings", "put", "may"),
    [
        pytest.param(ImageSettings(), lambda _it, _images: None, True, id="nothing"),
        pytest.param(ImageSettings(), lambda it, _: other(it, "latest", "v0.9", "0.9"), True, id="other versions"),
        pytest.param(ImageSettings(), lambda it, images: ours(it, images, TAG), True, id="ours"),
        pytest.param(ImageSettings(), lambda it, images: ours(it, images, TAG, "v1.0"), True, id="ours, released"),
        pytest.param(ImageSettings(), lambda it, _: other(it, TAG), False, id="another under the commit's tag"),
        pytest.param(ImageSettings(), lambda it, _: other(it, "v1.0"), False, id="another under the version's tag"),
        pytest.param(TWO, pushed, True, id="our index"),
        pytest.param(TWO, lambda it, images: pushed(it, images, lost=TAG), True, id="only our platforms"),
        pytest.param(
            TWO, lambda it, images: pushed(it, images, lost=f"{TAG}-linux-386"), True, id="our index without a platform"
        ),
        pytest.param(TWO, lambda it, images: ours(it, images, f"{TAG}-linux-amd64"), True, id="one of our platforms"),
        pytest.param(TWO, lambda it, _: other(it, f"{TAG}-linux-386"), False, id="another under a platform's tag"),
        pytest.param(TWO, lambda it, images: ours(it, images, TAG), False, id="one platform under the commit's tag"),
    ],
)
def test_what_registries_hold(
    there: RealRegistry, at: LocalForge, tmp_path: Path, settings: ImageSettings, put: Put, *, may: bool
) -> None:
    """Another image under any tag that the push would use is found before anything changes."""
    it = ImageStages((there,), at, tmp_path, f"acme/out{next(_NUMBERS)}", settings=settings)
    release = demo_release("1.0")
    images = it.built(release)
    put(it, images)
    before = it.tags()
    if may:
        require_nothing_else_out(release, Dists(files=()), images, indexes=(), plans=it.plans)
    else:
        with pytest.raises(Conflict, match="is another image"):
            require_nothing_else_out(release, Dists(files=()), images, indexes=(), plans=it.plans)
    assert it.tags() == before


@pytest.mark.parametrize(
    ("held", "error"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"demo-1.0.tar.gz": ""}, None, id="ours"),
        pytest.param({"demo-1.0.tar.gz": "b" * 64}, Conflict, id="other bytes"),
        pytest.param({"demo-1.0-py3-none-any.whl": "b" * 64}, Conflict, id="another file of the version"),
        pytest.param(None, Unknown, id="unreadable"),
    ],
)
def test_what_an_index_holds(tmp_path: Path, held: dict[str, str] | None, error: type[Exception] | None) -> None:
    """Other files of the version are a conflict, and an index that cannot be read is unknown."""
    file = text_file(tmp_path / "demo-1.0.tar.gz", "ours")
    answer: Holding | BaseException = Unknown("it is on fire", next_step=NextStep("wait"))
    if held is not None:
        answer = Holding(simple=listed_files({name: sha or file.sha256 for name, sha in held.items()}), json=None)
    index = FakeIndex(answer)

    def check() -> None:
        require_nothing_else_out(demo_release("1.0"), Dists(files=(file,)), None, indexes=(index,), plans=())

    if error is None:
        check()
        return
    with pytest.raises(error):
        check()
