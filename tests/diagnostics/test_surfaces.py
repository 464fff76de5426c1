"""Whether surfaces answer: any answer counts, and a missing one is said with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.local_forge import place_at

from unmoor.diagnostics.facts import FactState, Question, look_up
from unmoor.diagnostics.surfaces import remote, repository, surfaces
from unmoor.errors import Denied, Unknown
from unmoor.ports.forge import ForgeRepository
from unmoor.ports.world import IndexPlace, Login, RegistryPlace, ScanningPlace, SigningPlace, World
from unmoor.util.secret import Secret
from unmoor.util.values import replace

NONE = Login(username="", secret=Secret(""), origin="nowhere")
INDEX = IndexPlace(name="pypi", upload="http://up/legacy/", simple="http://pages/simple/", json="", page="", login=NONE)
WORLD = World(
    name="w",
    rehearsal=False,
    index=INDEX,
    staging=replace(INDEX, name="staging", upload="http://one/legacy/", simple="http://one/simple/"),
    dependencies="",
    forge=place_at("http://forge"),
    remote="origin",
    registries=(RegistryPlace(host="r.io", address="http://r", login=NONE),),
    signing=SigningPlace(trust="trust.json"),
    scanning=ScanningPlace(service="http://osv"),
)


def _ping(address: str) -> int:
    if "up" in address:
        raise Unknown("nobody is there")
    return 401


def _told(question: Question) -> tuple[FactState, str]:
    (fact,) = look_up([question], within=5)
    return fact.state, fact.value


def _facts(world: World) -> dict[str, str]:
    return {each.name: each.value for each in look_up(list(surfaces(world, _ping, show=str)), within=5)}


def test_every_surface_is_asked() -> None:
    """Each address of a world is one line, and a refusal is an answer."""
    facts = _facts(WORLD)
    assert {name: value.partition(" in ")[0] for name, value in facts.items()} == {
        "pypi": "http://pages/simple/ answers 401",
        "pypi, uploads": "http://up/legacy/ does not answer: nobody is there",
        "staging": "http://one/simple/ answers 401",
        "staging, uploads": "http://one/legacy/ answers 401",
        "forge": f"{WORLD.forge.api} answers 401",
        "forge, uploads": facts["forge, uploads"].partition(" in ")[0],
        "r.io": "http://r/v2/ answers 401",
        "vulnerabilities": "http://osv answers 401",
        "signing": "not started: there is no trust.json yet",
    }


def test_the_real_world() -> None:
    """The public Sigstore, the public list of vulnerabilities and ghcr.io stand for what is not described."""
    facts = _facts(replace(WORLD, registries=(), scanning=ScanningPlace(), signing=SigningPlace()))
    assert {"registry", "vulnerabilities", "signing, keys", "signing", "signing, log"} <= facts.keys()
    facts = _facts(replace(WORLD, registries=(), rehearsal=True, scanning=None, signing=None))
    assert not {"registry", "vulnerabilities"} & facts.keys()
    assert facts["signing"].startswith("none")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (json.dumps({"signingConfig": {"caUrls": [{"url": "http://ca"}]}}), "http://ca answers 401"),
        ("{}", "names no authority"),
        ("[", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
    ],
    ids=["whole", "empty", "broken", "deep"],
)
def test_a_trust_config(tmp_path: Path, text: str, value: str) -> None:
    """The authority that it names is asked; a file that is not one is said to be unreadable."""
    (path := tmp_path / "trust.json").write_text(text)
    assert value in _facts(replace(WORLD, signing=SigningPlace(trust=str(path))))["signing"]


@pytest.mark.parametrize(
    ("can_push", "token", "value"),
    [
        (True, True, "can be read, may be written with the token"),
        (False, True, "can be read, may not be written with the token"),
        (None, True, "can be read, unknown whether it may be written with the token"),
        (True, False, "can be read, without a token"),
    ],
    ids=["yes", "no", "unsaid", "anonymous"],
)
def test_a_repository(value: str, *, can_push: bool | None, token: bool) -> None:
    """The report says what the token may do, and not which repository it is."""
    found = ForgeRepository(full_name="acme/secret-plan", private=True, archived=False, can_push=can_push)
    assert _told(repository(lambda: found, token=token)) == (FactState.KNOWN, value)


def test_what_cannot_be_read() -> None:
    """A refusal is known; a remote that does not answer is, too."""

    def refuse() -> ForgeRepository:
        raise Denied("the token has expired")

    def fail() -> object:
        raise Unknown("no route")

    assert _told(repository(refuse, token=True)) == (FactState.ABSENT, "cannot be read: the token has expired")
    assert _told(remote(fail)) == (FactState.ABSENT, "does not answer: no route")
    assert _told(remote(lambda: None))[0] is FactState.KNOWN
