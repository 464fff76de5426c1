"""Every advice about a registry of images leads to an answer that counts, and to tags that are put."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from tests.adapters.registry.test_faults import BUILT, HEADERS, OTHER, manifests, refusing
from tests.adapters.registry.test_packages import PACKAGE, VERSION
from tests.support.advice_walks import Place, Walk, keep, walk
from tests.support.faulty_server import Exchange, Script, run_server
from tests.support.local_forge import place_at
from tests.support.real_registries import LOGIN, NO_LOGIN
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.http.urls import resolve_link
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.registry import OciRegistry, place_of
from unmoor.adapters.registry.auth import RegistryAuth
from unmoor.adapters.registry.packages import ForgePackages
from unmoor.config.real_world import real_world
from unmoor.images.oci_documents import _decode
from unmoor.ports.world import RegistryPlace
from unmoor.stages.access import _prove_push, _push_login
from unmoor.util.values import replace

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
    "remove-referrers-tag": asking(
        lambda it: (ABSENT if "/referrers/" in it.path else manifests())(it),
        lambda it: it.referrers(f"sha256:{64 * '0'}"),
        keep(wrong=ABSENT),
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


WALKS = SERVED | PURE


@pytest.mark.parametrize("name", PURE)
def test_advice_without_a_request_is_followed(name: str, tmp_path: Path) -> None:
    """The entry or the address that the advice names is accepted."""
    walk(name, PURE, Place(folder=tmp_path, shell=cast("LocalShell", None)))
