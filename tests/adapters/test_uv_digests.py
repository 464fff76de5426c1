"""The digests of what a build environment was installed from: certain or left out."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support import sample_projects
from tests.support.faulty_server import Exchange, run_server

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import Uv, UvEnvironment
from unmoor.adapters.uv_digests import installed_wheels
from unmoor.errors import TimedOut
from unmoor.ports.shell import Ran


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, dict[str, Path]]]:
    """A simple index with the wheel ``anvil_one``, and what it serves by name."""
    files = {name: tmp_path / "files" / name for name in ("anvil_one-1.0-py3-none-any.whl",)}
    (tmp_path / "files").mkdir()
    for path in files.values():
        sample_projects.write_wheel(path, "anvil_one", {"anvil_one.py": "VERSION = '1.0'\n"}, "1.0")

    def script(x: Exchange) -> None:
        name = x.path.rpartition("/")[2]
        if name in files:
            x.answer(200, files[name].read_bytes(), kind="application/octet-stream")
        elif x.path.startswith("/simple/anvil-one"):
            links = "".join(
                f'<a href="/f/{name}#sha256={sha256(path.read_bytes()).hexdigest()}">{name}</a>'
                for name, path in files.items()
            )
            x.answer(200, f"<!DOCTYPE html><html><body>{links}</body></html>", kind="text/html")
        else:
            x.answer(404, "")

    with run_server(script) as server:
        yield f"{server.url}/simple/", files


@pytest.fixture
def environment(served: tuple[str, dict[str, Path]], shell: LocalShell, tmp_path: Path) -> UvEnvironment:
    """An environment with that wheel."""
    uv = Uv(shell=shell, dependencies=served[0])
    made = uv.fresh(tmp_path / "env")
    made.install(["anvil-one"], to_build=True)
    return made


def test_a_package_has_the_digest_of_its_wheel(environment: UvEnvironment, served: tuple[str, dict[str, Path]]) -> None:
    """The wheel with the tags that are installed is it, if there is only one; otherwise nobody knows."""
    _, files = served
    (path,) = files.values()
    assert installed_wheels(environment) == {"anvil-one": sha256(path.read_bytes()).hexdigest()}
    (metadata,) = environment.packages.glob("anvil_one-1.0.dist-info")
    wheel = (metadata / "WHEEL").read_text()
    for other in ("Tag: py2-none-any\n", "Tag: py3-none-any\nBuild: 1\n", ""):
        lines = [line for line in wheel.splitlines() if not line.startswith(("Tag:", "Build:"))]
        (metadata / "WHEEL").write_text("\n".join(line for line in lines if line) + "\n" + other)
        assert installed_wheels(environment) == {}, other
    (metadata / "WHEEL").write_text(wheel)
    (metadata / "direct_url.json").write_text("{}")
    assert installed_wheels(environment) == {}


@pytest.mark.parametrize(
    "ran", [Ran(args=(), code=1, out="", err="no network"), Ran(args=(), code=0, out="", err=""), TimedOut("too slow")]
)
def test_an_index_that_does_not_say_is_no_fault_of_the_build(environment: UvEnvironment, ran: object) -> None:
    """Without the digests the tools are named with their versions."""

    def answer(*_args: Any, **_kwargs: Any) -> Ran:
        if isinstance(ran, TimedOut):
            raise ran
        return cast("Ran", ran)

    uv = SimpleNamespace(uv_that_builds=answer)
    other = SimpleNamespace(
        packages=environment.packages,
        folder=environment.folder / "missing",
        python=environment.python,
        uv=uv,
        variables={},
    )
    assert installed_wheels(cast("UvEnvironment", other)) == {}
    other.folder = environment.folder
    assert installed_wheels(cast("UvEnvironment", other)) == {}
