"""The adapter on systems on which no images are released. The real engine has its own tests."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from unmoor.adapters.engine import DockerEngine
from unmoor.adapters.process.system import system_named
from unmoor.errors import ToolMissing
from unmoor.ports.engine import Engine, Recipe
from unmoor.ports.system import MACOS, WINDOWS, System
from unmoor.ports.world import Login
from unmoor.util.secret import Secret

RECIPE = Recipe(context=Path(), dockerfile="Dockerfile", target="", platform="linux/amd64", tag="x")
LOGIN = Login(username="", secret=Secret(""), origin="")
CALLS: dict[str, Callable[[Engine], object]] = {
    "facts": lambda engine: engine.facts(),
    "build": lambda engine: engine.build(RECIPE),
    "inspect": lambda engine: engine.inspect("x"),
    "look": lambda engine: engine.look("x"),
    "contents": lambda engine: engine.contents(["x"]),
    "run": lambda engine: engine.run("x", ["true"]),
    "push": lambda engine: engine.push("x", "ghcr.io/acme/demo:1", login=LOGIN),
    "pull": lambda engine: engine.pull("ghcr.io/acme/demo@sha256:0", login=None),
    "save": lambda engine: engine.save(["x"], Path("x.tar")),
    "load": lambda engine: engine.load(Path("x.tar")),
    "remove": lambda engine: engine.remove(["x"]),
    "forget": lambda engine: engine.forget("unmoor.local"),
}


def test_every_method_is_tried() -> None:
    """The table below has each method of the port."""
    assert set(CALLS) == {name for name in vars(Engine) if not name.startswith("_")}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("system", [MACOS, WINDOWS, system_named("freebsd14")])
def test_no_engine_is_asked_where_no_images_are_released(call: str, system: System, tmp_path: Path) -> None:
    """Every call says why, and what to do instead; an engine that listens is not even contacted."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        environ = {"DOCKER_HOST": f"tcp://127.0.0.1:{listening.getsockname()[1]}"}
        engine = DockerEngine(shell=cast("Any", None), processes=cast("Any", None), environ=environ, system=system)
        with pytest.raises(ToolMissing) as caught:
            CALLS[call](engine)
        with pytest.raises(BlockingIOError):
            listening.accept()

    assert caught.value.what == f"images are released on Linux only, and this is {system.title}"
    assert caught.value.next_step.ids == ("release-images-on-linux", "leave-out-images")
    assert not list(tmp_path.glob("*.tar"))
