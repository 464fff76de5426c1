"""Every advice about the forge's API, its tokens and addresses leads to an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from tests.advice.test_drafts import delete, detach, drafted, inputs, listed, one_of, publish, second, world
from tests.publish.test_inventory import ELSEWHERE, digests_of, holding, manifest_of, take
from tests.stages.test_access import WHOLE, AccessInputs, FakeForge
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.faulty_index import BOUNDS
from tests.support.faulty_server import Exchange, run_server
from tests.support.local_forge import LocalForge, place_at, start_forge
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge import GitHubForge, GitHubRules
from unmoor.adapters.github import client
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.process.shell import LocalShell
from unmoor.advice import join
from unmoor.errors import Incomplete
from unmoor.ports.repository_rules import Ruleset
from unmoor.publish.finishing import how_to_finish
from unmoor.publish.inventory import _list_releases
from unmoor.util.secret import Secret
from unmoor.util.values import replace


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for all walks here; each has a tag of its own."""
    with start_forge(tmp_path_factory.mktemp("forge")) as running:
        yield running


def forge_of(place: Place) -> GitHubForge:
    """The forge with the token, the repository and the addresses that the walk keeps."""
    return world(place).forge(place.kept.get("token"), **place.kept.get("changes", {}))


def _repository(place: Place) -> object:
    return forge_of(place).repository()


def _hidden(place: Place) -> object:
    content = _list_releases(forge_of(place), "v1.0")
    if content.hidden is not None:
        raise content.hidden
    return content


def _uploads(place: Place, text: str) -> None:
    assert "set 'uploads' of the forge in the world file" in text
    place.kept["changes"] = {}


def _attach(place: Place) -> object:
    release = one_of(place).release
    forge = forge_of(place)
    made = forge.draft(tag=release.tag, target=release.commit, name="x", body="", prerelease=False)
    return forge.attach(made, one_of(place).dists.files[0])


def _write(place: Place) -> object:
    release = one_of(place).release
    return forge_of(place).draft(tag=release.tag, target=release.commit, name="x", body="", prerelease=False)


def _taken(place: Place) -> object:
    return world(place).forge().attach(listed(place)[0], one_of(place).dists.wheels[0])


def _remove(place: Place) -> object:
    found = listed(place)
    for each in found:
        world(place).forge().remove(each)
    return None


def _read_only(place: Place) -> None:
    place.kept["token"] = world(place).read_token


def with_token(place: Place, *_: str) -> None:
    """Give a token that may write, as the advice says."""
    place.kept.pop("token", None)


def _status(place: Place) -> object:
    """Say what has to be done before the release can be finished, as ``unmoor status`` does."""
    steps = how_to_finish(take(one_of(place), world(place).forge(), **place.kept.get("there", {})))
    if steps:
        raise Incomplete("it is released in part", next_step=join(steps))
    return None


def there(**parts: object) -> Callable[..., None]:
    """Keep what else is there: the tags of the remote, files on the index, our own manifest."""
    return keep(there=parts)


def _put_back(place: Place, text: str) -> None:
    """Run the command of the advice, on a remote that is a value."""
    commit, tag = re.findall(r"git push (?:--force )?origin (\w+):refs/tags/([\w.]+)", text)[0]
    place.kept["there"] = {"tags": {tag: commit}}


def _lacks_wheel(place: Place) -> None:
    also(drafted, detach, publish)(place)
    place.kept["there"] = {"own": manifest_of(one_of(place))}


def _attach_wheel(place: Place, text: str) -> None:
    wheel = one_of(place).dists.wheels[0]
    assert f"attach {wheel.name} to it by hand" in text
    world(place).forge().attach(listed(place)[0], wheel)


def _uploaded(place: Place) -> None:
    drafted(place)
    place.kept["there"] = {"index": holding(digests_of(one_of(place)))}


def _give_digest(place: Place, text: str) -> None:
    """Give the digest of the manifest, which is then vouched for."""
    assert "--manifest-sha256 HEX" in text
    place.kept["there"] |= {"own": manifest_of(one_of(place))}


def _rules(place: Place) -> GitHubRules:
    """The rules of the repository, with the token that the walk keeps."""
    tokens = json.loads((world(place).world / "credentials.json").read_text())
    login = replace(world(place).place.login, secret=Secret(tokens[place.kept["who"]]))
    return GitHubRules(replace(world(place).place, login=login), world(place).http, FakeClock())


def _protect(place: Place) -> object:
    """Create a ruleset."""
    name = place.folder.name
    return _rules(place).create(Ruleset(name=name, target="tag", include=("refs/tags/v*",), rules=()))


def _make_private(place: Place) -> None:
    for name in ("private", "free-plan"):
        (world(place).world / "forge" / name).touch()
    place.kept["who"] = "admin"


def _make_public(place: Place, text: str) -> None:
    assert text.startswith("make the repository public")
    for name in ("private", "free-plan"):
        (world(place).world / "forge" / name).unlink()


IN_WORLD: dict[str, Walk] = {
    "grant-administration": Walk(begin=keep(who="forge"), act=_protect, follow=keep(who="admin")),
    "make-public-or-upgrade": Walk(begin=_make_private, act=_protect, follow=_make_public),
    "put-tag-back": Walk(begin=also(inputs, there(tags={})), act=_status, follow=_put_back),
    "force-tag-back": Walk(
        begin=also(inputs, lambda place: there(tags={one_of(place).release.tag: ELSEWHERE})(place)),
        act=_status,
        follow=_put_back,
    ),
    "delete-other-drafts": Walk(begin=also(drafted, second), act=_status, follow=delete),
    "attach-by-hand": Walk(begin=_lacks_wheel, act=_status, follow=_attach_wheel),
    "go-on-with-build": Walk(begin=_uploaded, act=_status, follow=_give_digest),
    "renew-forge-token": Walk(
        begin=keep(token="ghp_x"), act=lambda place: forge_of(place).repository(), follow=with_token
    ),
    "check-repository-name": Walk(
        begin=keep(changes={"repository": "acme/other"}),
        act=_repository,
        follow=keep(changes={}),
    ),
    "give-forge-token": Walk(begin=keep(token=""), act=lambda place: forge_of(place).releases("v1"), follow=with_token),
    "log-in-to-forge": Walk(begin=keep(token=""), act=_hidden, follow=with_token),
    "allow-writing": Walk(begin=also(inputs, _read_only), act=_write, follow=with_token),
    "set-uploads": Walk(
        begin=also(inputs, keep(changes={"uploads": "http://127.0.0.1:1/"})), act=_attach, follow=_uploads
    ),
    "fix-what-server-names": Walk(begin=drafted, act=_taken, follow=detach),
    "delete-release-by-hand": Walk(begin=also(drafted, publish), act=_remove, follow=delete),
}


def _ask(place: Place) -> object:
    """Ask the scripted forge for the releases of a tag, or make a draft."""
    with BoundedSession(BOUNDS) as http, pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "_PAGES", 3)
        forge = GitHubForge(place_at(place.kept["url"], token="ghp_x"), http, FakeClock())
        if place.kept["writes"]:
            return forge.draft(tag="v1.0", target="a" * 40, name="v1.0", body="", prerelease=False)
        return forge.releases("v1.0")


def _endless(exchange: Exchange) -> None:
    exchange.answer(200, "[]", headers={"Link": '<http://127.0.0.1/x>; rel="next"'}, kind="application/json")


def _burned(exchange: Exchange) -> None:
    error = {"message": "Validation Failed", "errors": [{"message": "tag_name was used by an immutable release"}]}
    exchange.answer(422, json.dumps(error), kind="application/json")


def scripted(wrong: Callable[[Exchange], None], *, writes: bool = False) -> Walk:
    """A forge that answers wrongly until the address, or what it holds, is corrected."""
    return Walk(begin=keep(wrong=wrong, writes=writes), act=_ask, follow=keep(wrong=None, writes=False))


SCRIPTED: dict[str, Walk] = {
    "shorten-list": scripted(_endless),
    "check-forge-address": scripted(lambda each: each.answer(200, "<h1>log in</h1>", kind="text/html")),
    "check-forge-address shape": scripted(lambda each: each.json({"message": "hello"})),
    "check-status-page": scripted(lambda each: each.answer(500)),
    "check-network": scripted(lambda each: each.reset()),
    "release-new-version immutable": scripted(_burned, writes=True),
}


@pytest.mark.parametrize("name", SCRIPTED)
def test_advice_about_an_answer_is_followed(name: str, tmp_path: Path) -> None:
    """Once the list is short, or the address is that of a forge, the same request works."""
    place = Place(folder=tmp_path, shell=cast("LocalShell", None))

    def serve(exchange: Exchange) -> None:
        if place.kept["wrong"] is not None:
            place.kept["wrong"](exchange)
        elif exchange.path.partition("?")[0].endswith("/releases"):
            exchange.json([])
        else:
            exchange.json({"full_name": "acme/demo", "private": False, "permissions": {"push": True}})

    with run_server(serve) as server:
        place.kept["url"] = server.url
        walk(name, SCRIPTED, place)


def _renamed(place: Place) -> object:
    seen = replace(WHOLE, full_name=place.kept["name"])
    return AccessInputs(forge=FakeForge(seen=seen)).look()


ACCESS: dict[str, Walk] = {
    "set-repository": Walk(
        begin=keep(name="acme/renamed"),
        act=_renamed,
        # What is set is what the advice names; the release of the test has another one.
        follow=lambda place, text: place.kept.update(name="acme/demo" if "acme/renamed" in text else ""),
    ),
}
WALKS = IN_WORLD | SCRIPTED | ACCESS


@pytest.mark.parametrize("name", ACCESS)
def test_advice_before_the_release_is_followed(name: str, tmp_path: Path) -> None:
    """The stage ``access`` passes once the settings are as the advice says."""
    walk(name, ACCESS, Place(folder=tmp_path, shell=cast("LocalShell", None)))


@pytest.mark.parametrize("name", IN_WORLD)
def test_advice_is_followed(name: str, tmp_path: Path, at: LocalForge) -> None:
    """With the token, the name or the address that the advice asks for, the same request works."""
    walk(name, IN_WORLD, Place(folder=tmp_path, shell=cast("LocalShell", None), kept={"at": at}))
