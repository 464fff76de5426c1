"""Every advice about a registry of images leads to an answer that counts, and to tags that are put."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.adapters.registry.test_faults import BUILT, HEADERS, OTHER, manifests, refusing
from tests.adapters.registry.test_packages import PACKAGE, VERSION
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.faulty_server import Exchange, Script, run_server
from tests.support.image_stages import FakeGitRemote, ImageStages, demo_release
from tests.support.local_forge import LocalForge, place_at, start_forge
from tests.support.real_registries import LOGIN, NO_LOGIN, RealRegistry, make_image, put_image, run_registry
from tests.support.sample_values import FakeClock

from unmoor import advice
from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.http.urls import resolve_link
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.registry import OciRegistry, place_of
from unmoor.adapters.registry.auth import RegistryAuth
from unmoor.adapters.registry.packages import ForgePackages
from unmoor.config.images import ImageSettings
from unmoor.config.real_world import real_world
from unmoor.errors import Denied
from unmoor.images.oci_documents import _decode
from unmoor.ports.world import RegistryPlace
from unmoor.products import Images
from unmoor.stages.access import _prove_push, _push_login
from unmoor.stages.verify import VerifyRelease
from unmoor.util.values import replace

_NUMBERS = itertools.count()
Act = Callable[[OciRegistry], object]
ABSENT = refusing(404, "MANIFEST_UNKNOWN", **{"Docker-Distribution-Api-Version": "registry/2.0"})


def _asked(place: Place) -> object:
    """Ask the registry of the walk, with the login that the walk keeps."""
    at = RegistryPlace(host="ghcr.io", address=place.kept["url"], login=place.kept.get("login", LOGIN))
    with BoundedSession() as http:
        return place.kept["ask"](OciRegistry(at, "acme/demo", http, FakeClock()))


def read(registry: OciRegistry) -> object:
    """Read a tag."""
    return registry.manifest("one")


def asking(wrong: Script, ask: Act = read, follow: Callable[..., object] | None = None, **kept: object) -> Walk:
    """A registry that answers wrongly until its operator, or the login, is corrected."""
    return Walk(begin=keep(wrong=wrong, ask=ask, **kept), act=_asked, follow=follow or keep(wrong=None))


def challenge(realm: str) -> Script:
    """Require a token from this address."""
    return lambda it: it.answer(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'})


def _basic(it: Exchange) -> None:
    """Require a password, and take any."""
    if it.headers.get("Authorization"):
        manifests()(it)
    else:
        it.answer(401, headers={"WWW-Authenticate": 'Basic realm="x"'})


def _elsewhere(it: Exchange) -> None:
    link = {"Link": '<https://example.org/v2/acme/demo/tags/list>; rel="next"'}
    it.answer(200, json.dumps({"tags": ["a"]}), kind="application/json", headers=link)


def _packages(place: Place) -> object:
    with BoundedSession() as http:
        ForgePackages(place_at(place.kept["url"], token="x"), "acme/demo", http, FakeClock()).delete(VERSION)
    return None


def _forbidding(status: int, message: str) -> Script:
    def script(it: Exchange) -> None:
        if it.command == "DELETE":
            it.answer(status, json.dumps({"message": message}), kind="application/json")
        else:
            it.json(PACKAGE)

    return script


def _name(text: str) -> Act:
    return lambda registry: registry.manifest(text)


SERVED: dict[str, Walk] = {
    "check-is-registry": asking(lambda it: it.answer(401, headers={"WWW-Authenticate": "Negotiate"})),
    "check-registry-tokens": asking(challenge("https://example.org/token")),
    "log-in-or-publish": asking(_basic, follow=keep(login=LOGIN), login=NO_LOGIN),
    "correct-registry-login": asking(lambda it: it.answer(401, headers={"WWW-Authenticate": 'Basic realm="x"'})),
    "check-package-writers": asking(refusing(403, "DENIED", "write_package"), lambda it: it.put("one", BUILT)),
    "ask-registry-operator": asking(manifests(lie=OTHER)),
    "ask-registry-operator about another page": asking(_elsewhere, lambda it: it.tags()),
    "check-what-registry-serves": asking(lambda it: it.json({"tags": ["not ok"]}), lambda it: it.tags()),
    "check-what-registry-serves no manifest": asking(manifests(kind="application/json")),
    "check-status-page of a registry": asking(lambda it: it.answer(500)),
    "see-registry-page": asking(refusing(405, "UNSUPPORTED"), lambda it: it.delete(BUILT.digest), keep(wrong=ABSENT)),
    "fix-what-server-names": asking(
        lambda it: refusing(400, "TAG_INVALID")(it) if it.command == "PUT" else ABSENT(it),
        lambda it: it.put("v1", BUILT),
    ),
    "find-other-pusher": asking(
        lambda it: it.answer(201) if it.command == "PUT" else manifests(body=b"{}", lie=OTHER)(it),
        lambda it: it.put("one", BUILT),
    ),
    "name-valid-tag": asking(manifests(), _name("not a tag"), follow=keep(ask=_name("a-tag_1.0"))),
    "allow-packages": Walk(
        begin=keep(wrong=_forbidding(403, "You need delete:packages")), act=_packages, follow=keep(wrong=None)
    ),
    "allow-deletion": Walk(
        begin=keep(wrong=_forbidding(400, "more than 5000 downloads")), act=_packages, follow=keep(wrong=None)
    ),
}


@pytest.mark.parametrize("name", SERVED)
def test_advice_about_an_answer_is_followed(name: str, tmp_path: Path) -> None:
    """With the login, the tag or the registry corrected as the advice says, the same request works."""
    place = Place(folder=tmp_path, shell=cast("LocalShell", None))

    def serve(it: Exchange) -> None:
        if place.kept["wrong"] is not None:
            place.kept["wrong"](it)
        elif it.path.endswith("/tags/list"):
            it.json({"tags": ["one"]})
        elif it.command in {"PUT", "DELETE"}:
            it.answer(201 if it.command == "PUT" else 204, headers=HEADERS)
        elif "/api/v3/" in it.path:
            it.json([] if "/versions" in it.path else PACKAGE)
        else:
            manifests()(it)

    with run_server(serve) as server:
        place.kept["url"] = server.url
        walk(name, SERVED, place)


def _over_plain_http(place: Place) -> object:
    """Send the password that the registry at the kept address requires."""
    at = RegistryPlace(host="example.org", address=place.kept["address"], login=LOGIN)
    refused = Response(
        status=401, reason="", headers={"WWW-Authenticate": 'Basic realm="x"'}, body=b"", url=f"{at.address}/v2/"
    )
    RegistryAuth(at, lambda *_: refused).answer(refused, "repository:a/b:pull", anonymous=False, sent=False)
    return None


def _link(place: Place) -> object:
    return resolve_link("https://index.example/simple/", place.kept["link"])


def _known(place: Place) -> object:
    world = replace(real_world("acme/demo", {}), rehearsal=True, registries=tuple(place.kept["registries"]))
    return place_of("ghcr.io", world)


def _add_registry(place: Place, text: str) -> None:
    """Add the entry that the advice writes, with a loopback address."""
    host = text.partition('host = "')[2].partition('"')[0]
    place.kept["registries"] = [RegistryPlace(host=host, address="http://127.0.0.1:9", login=NO_LOGIN)]


class _Probed:
    """A registry for which the walk has a login, or not, which may push, or not."""

    name = page = "ghcr.io/acme/demo"

    def __init__(self, place: Place) -> None:
        self.kept = place.kept

    def credential(self) -> object:
        """Say whether there is a login."""
        return cast("Any", type("Known", (), {"present": self.kept["login"], "origin": "nowhere"}))

    def may_push(self) -> bool:
        """Say whether the registry lets an upload begin."""
        return bool(self.kept["may"])


PURE: dict[str, Walk] = {
    "use-https": Walk(
        begin=keep(address="http://example.org"), act=_over_plain_http, follow=keep(address="https://example.org")
    ),
    "ask-server-operator": Walk(
        begin=keep(link="http://index.example/x"), act=_link, follow=keep(link="https://index.example/x")
    ),
    "ask-server-operator about this machine": Walk(
        begin=keep(link="https://127.0.0.1/x"), act=_link, follow=keep(link="https://index.example/x")
    ),
    "add-registry-to-world": Walk(begin=keep(registries=()), act=_known, follow=_add_registry),
    "check-what-registry-serves at all": Walk(
        begin=keep(data=b"<p>"), act=lambda place: _decode(place.kept["data"]), follow=keep(data=b"{}")
    ),
    "give-registry-login": Walk(
        begin=keep(login=False, may=True),
        act=lambda place: _push_login(cast("Any", _Probed(place))),
        follow=keep(login=True),
    ),
    "give-registry-login that may push": Walk(
        begin=keep(login=True, may=False),
        act=lambda place: _prove_push(cast("Any", _Probed(place))),
        follow=keep(may=True),
    ),
}


@pytest.mark.parametrize("name", PURE)
def test_advice_without_a_request_is_followed(name: str, tmp_path: Path) -> None:
    """The entry or the address that the advice names is accepted."""
    walk(name, PURE, Place(folder=tmp_path, shell=cast("LocalShell", None)))


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


PUSHED: dict[str, Walk] = {
    "look-at-pages": Walk(begin=_tag_lost, act=_verify, follow=_see),
    "delete-commit-tag": Walk(begin=put("sha-0123456789ab"), act=_push, follow=delete_tag),
    "find-who-pushed-version": Walk(begin=put("v1.0"), act=_push, follow=_next),
    "find-who-moved-version": Walk(begin=also(_pushed, put("v1.0")), act=_tag, follow=_next),
    "set-package-writers": Walk(begin=_denied, act=_push, follow=keep()),
    "build-every-platform": Walk(begin=_one_platform, act=_push, follow=keep(images=None)),
    "find-what-is-between": Walk(begin=_swapped, act=_push, follow=keep(images=None)),
    "fix-positions": Walk(begin=_broken_positions, act=_tag, follow=_remove_positions),
}
WALKS = SERVED | PURE | PUSHED


@pytest.mark.parametrize("name", PUSHED)
def test_advice_is_followed(name: str, tmp_path: Path, there: RealRegistry, at: LocalForge) -> None:
    """After the tag is deleted, the platform built or the version changed, the same push works."""
    stages = ImageStages((there,), at, tmp_path, f"acme/demo{next(_NUMBERS)}", git=FakeGitRemote())
    walk(name, PUSHED, Place(folder=tmp_path, shell=cast("LocalShell", None), kept={"stages": stages}))
