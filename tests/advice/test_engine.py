"""Every advice about the container engine and its builders leads to an engine that answers and builds."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.adapters.engine.test_failures import DOCKERFILE, GONE, NEW, killed, pulled
from tests.adapters.engine.test_layers import ONE, chunks, layer_list, tar
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.faulty_server import Exchange, run_server
from tests.support.shells import shell_for_tests

from unmoor.adapters.engine import DockerEngine, layers
from unmoor.adapters.engine.building import BUILDKIT, BUILDX, LEGACY, Builder, Building
from unmoor.adapters.engine.connection import _unreachable
from unmoor.adapters.engine.failures import failure
from unmoor.adapters.engine.layers import contents_of
from unmoor.adapters.engine.transfer import transfer_error
from unmoor.adapters.process.shell import LocalShell
from unmoor.cli.image_selection import ImageSelection, skip_unbuildable
from unmoor.config.images import ImageSettings
from unmoor.config.real_world import real_world
from unmoor.ports.engine import Recipe
from unmoor.ports.system import LINUX

NOWHERE = "unix:///nowhere/docker.sock"
VERSION = {"Version": "24.0.0", "ApiVersion": "1.43", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"}
BUILDER = """#!/bin/sh
for word in "$@"; do case "$word" in --iidfile=*) echo sha256:%s > "${word#*=}";; esac; done
"""


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def _build(place: Place) -> object:
    """Judge the output of a build that ended, if it failed."""
    lines = place.kept["lines"]
    if lines:
        raise failure(lines, DOCKERFILE, "builder")
    return None


def builds(*lines: str) -> Walk:
    """A build with this output, and one that succeeds after the advice was followed."""
    return Walk(begin=keep(lines=lines), act=_build, follow=keep(lines=()))


def _transfer(place: Place) -> object:
    if place.kept["reason"]:
        raise transfer_error(place.kept["reason"], "ghcr.io/acme/demo:1")
    return None


def transfers(reason: str) -> Walk:
    """A push or a pull that the registry refuses, until its cause is gone."""
    return Walk(begin=keep(reason=reason), act=_transfer, follow=keep(reason=""))


def engine(place: Place) -> DockerEngine:
    """The engine at the address that the walk keeps."""
    environ = {**os.environ, "DOCKER_HOST": place.kept["host"], "DOCKER_CONFIG": str(place.folder)}
    return DockerEngine(shell=place.shell, processes=place.shell.processes, environ=environ)


def _facts(place: Place) -> object:
    """Ask the engine who it is, and for an image."""
    return engine(place).facts(), engine(place).look("x")


def to_engine(place: Place, text: str) -> None:
    """Set DOCKER_HOST to an engine that runs."""
    assert re.search("DOCKER_HOST to an engine|use a local engine", text)
    place.kept["host"] = place.kept["url"].replace("http://", "tcp://")


def _denied(place: Place) -> object:
    """Connect to the socket, which the test cannot make unreadable for root."""
    if place.kept["groups"] != {"docker"}:
        raise _unreachable(PermissionError(13, "Permission denied"), NOWHERE)
    return None


def _join(place: Place, text: str) -> None:
    place.kept["groups"] = {text.partition("(")[2].partition(")")[0]}


def _without(place: Place) -> object:
    """Start a run with one image, which is skipped if it may be."""
    selection = ImageSelection(images=(ImageSettings(**place.kept.get("settings", {})),))
    selected = skip_unbuildable(selection, real_world("acme/demo", {}), engine(place), LINUX)
    return engine(place).facts() if selected.images else None


def _optional(place: Place, text: str) -> None:
    assert "optional = true in [[tool.unmoor.image]]" in text
    place.kept["settings"] = {"optional": True}


def _contents(place: Place) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "COUNT_LIMIT", 1)
        return contents_of(chunks(tar(place.kept["files"])))


def read(files: dict[str, bytes | str], right: dict[str, bytes | str]) -> Walk:
    """An archive of an image that cannot be read, and another one."""
    return Walk(begin=keep(files=files), act=_contents, follow=keep(files=right))


def _by(place: Place) -> object:
    """Build with the builder that the walk keeps."""
    connection = cast(
        "Any", type("Connected", (), {"environ": {"PATH": os.environ["PATH"]}, "is_podman": False, "found": False})
    )
    recipe = Recipe(
        context=place.folder, dockerfile="Dockerfile", target="", platform="linux/amd64", tag="x", cache_to=("type=x",)
    )
    building = Building(connection=connection, shell=place.shell, timeout=20.0)
    return building.build(recipe, place.kept["builder"], None)


def _builder(script: str) -> Callable[..., None]:
    """Install a program that builds."""

    def begin(place: Place, *_: str) -> None:
        program = place.folder / "docker-buildx"
        program.write_text(script)
        program.chmod(0o755)
        (place.folder / "Dockerfile").write_text("FROM scratch\n")
        place.kept["builder"] = Builder(kind=BUILDX, command=(str(program), "build"))

    return begin


works = _builder(BUILDER % ("1" * 64))
ONE_FILE: dict[str, bytes | str] = {"manifest.json": layer_list("1/layer.tar"), "1/layer.tar": tar({"a": b""})}
WALKS: dict[str, Walk] = {
    "correct-dockerfile": builds(*NEW.splitlines()),
    "pull-base-image": builds(*pulled("ghcr.io/acme/base:1", "not found")),
    "log-in-to-base-registry": builds(*pulled("docker.io/library/x:1", "429 Too Many Requests")),
    "free-engine-space": builds("write /x: no space left on device"),
    "check-engine": builds("#5 [2/3] RUN x", GONE),
    "free-memory": builds(*killed("exit code: 137")),
    "check-image-login": transfers("denied: requested access to the resource is denied"),
    "check-image-is-pushed": transfers("manifest unknown"),
    "check-what-registry-accepts": transfers("blob too large"),
    "free-engine-space of a pull": transfers("no space left on device"),
    "check-status-page": transfers("a word that nobody knows"),
    "install-engine": Walk(begin=keep(host=NOWHERE), act=_facts, follow=to_engine),
    "install-paramiko": Walk(begin=keep(host="ssh://somebody@engine.invalid"), act=_facts, follow=to_engine),
    "check-engine-log": Walk(begin=keep(wrong=lambda it: it.answer(500, "{}")), act=_facts, follow=keep(wrong=None)),
    "check-engine lost": Walk(begin=keep(wrong=Exchange.reset), act=_facts, follow=keep(wrong=None)),
    "join-engine-group": Walk(begin=keep(groups=set()), act=_denied, follow=_join),
    "leave-out-images": Walk(begin=keep(host=NOWHERE), act=_without, follow=_optional),
    "check-docker-save": read({"manifest.json": b"x"}, ONE_FILE),
    "check-docker-save a layer": read({"manifest.json": layer_list("1/layer.tar")}, ONE_FILE),
    "shrink-image": read({"manifest.json": layer_list("1/layer.tar"), "1/layer.tar": ONE}, ONE_FILE),
    "check-the-builder": Walk(begin=_builder("#!/bin/sh\n"), act=_by, follow=works),
    "install-buildx": Walk(begin=also(works, keep(builder=Builder(kind=BUILDKIT))), act=_by, follow=works),
    "use-buildx": Walk(begin=also(works, keep(builder=Builder(kind=LEGACY))), act=_by, follow=works),
    "commit-dockerfile": Walk(
        begin=also(works, lambda place: (place.folder / "Dockerfile").unlink()), act=_by, follow=works
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell) -> None:
    """With the engine, the builder or the setting that the advice names, the same command works."""
    place = Place(folder=tmp_path, shell=shell)

    def serve(it: Exchange) -> None:
        if place.kept.get("wrong") is not None and "/version" not in it.path:
            place.kept["wrong"](it)
        elif it.path.endswith("/version"):
            it.json(VERSION)
        else:
            it.answer(404, json.dumps({"message": "no such image"}), kind="application/json")

    with run_server(serve) as server:
        place.kept |= {"url": server.url, "host": server.url.replace("http://", "tcp://")}
        walk(name, WALKS, place)
