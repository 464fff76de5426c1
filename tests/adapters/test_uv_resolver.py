"""Dependencies are resolved as an install resolves them; what an index does not answer is never taken for nothing."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.support.faulty_server import Exchange, run_server
from tests.support.sample_wheels import sample_wheel

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.uv import Uv
from unmoor.adapters.uv_resolver import UvResolver
from unmoor.artifacts.files import describe_file
from unmoor.errors import CheckFailed, Unknown
from unmoor.ports.environments import running
from unmoor.ports.resolver import InstallTarget, ResolvedPackage
from unmoor.products import File
from unmoor.util.values import replace

HERE = InstallTarget(python=running())
WINDOWS = InstallTarget(python=running(), version="3.12", platform="win_amd64")


@pytest.fixture
def links(tmp_path: Path) -> Path:
    """A folder of wheels to install from: the only place that the resolver asks."""
    folder = tmp_path / "links"
    for version in ("1.0", "2.0"):
        sample_wheel(folder, "Requires-Dist: words", "License-Expression: MIT", name="web", version=version)
    sample_wheel(folder, name="words")
    sample_wheel(folder, name="colours", tag="py3-none-win_amd64")
    sample_wheel(folder, name="colours", tag="py3-none-any")
    sample_wheel(folder, name="colours", tag="py3-none-manylinux_2_5_x86_64")
    return folder


def resolver(uv: Uv, links: Path) -> UvResolver:
    """A resolver without an index."""
    offline = replace(uv, environ={**uv.environ, "UV_FIND_LINKS": str(links), "UV_NO_INDEX": "1"})
    return UvResolver(uv=offline, http=BoundedSession())


def resolve(at: UvResolver, wheel: File, extra: str = "", target: InstallTarget = HERE) -> list[tuple[str, str, str]]:
    """The name, version and file of each package."""
    found = at.resolve(wheel.path, name="demo", extra=extra, target=target)
    return [(each.name, each.version, each.file) for each in found]


def demo(tmp_path: Path, *requires: str) -> File:
    """A wheel with an extra and these requirements, in a folder whose name has to be escaped."""
    return sample_wheel(tmp_path / "a wheel%", "Provides-Extra: cli", *(f"Requires-Dist: {each}" for each in requires))


WEB = {"web": "2.0", "words": "1.0"}
RESOLVED: Mapping[str, tuple[tuple[str, ...], str, InstallTarget, Mapping[str, str]]] = {
    "nothing": ((), "", HERE, {}),
    "the highest that fits": (("web<2",), "", HERE, {"web": "1.0", "words": "1.0"}),
    "another platform's": (("web", 'words; sys_platform == "win32"'), "", HERE, WEB),
    "another platform's alone": (('words; sys_platform == "win32"',), "", HERE, {}),
    "that platform": (('words; sys_platform == "win32"',), "", WINDOWS, {"words": "1.0"}),
    "that Python": (('words; python_version == "3.12"',), "", replace(HERE, version="3.12"), {"words": "1.0"}),
    "another Python's": (('words; python_version == "3.12"',), "", replace(HERE, version="3.13"), {}),
    "an extra": (('web; extra == "cli"',), "cli", HERE, WEB),
    "no extra": (('web; extra == "cli"',), "", HERE, {}),
}


@pytest.mark.parametrize("row", RESOLVED)
def test_what_is_resolved(uv: Uv, links: Path, tmp_path: Path, row: str) -> None:
    """The newest versions that fit; markers hold for the target; extras only if they are asked for."""
    requires, extra, target, expected = RESOLVED[row]
    found = resolve(resolver(uv, links), demo(tmp_path, *requires), extra, target)
    assert {name: version for name, version, _ in found} == expected


@pytest.mark.parametrize(
    ("target", "file"),
    [
        (HERE, "colours-1.0-py3-none-manylinux_2_5_x86_64.whl"),
        (WINDOWS, "colours-1.0-py3-none-win_amd64.whl"),
        (replace(WINDOWS, platform="macosx_11_0_arm64"), "colours-1.0-py3-none-any.whl"),
    ],
)
def test_the_file_is_the_one_of_the_target(
    uv: Uv, links: Path, tmp_path: Path, target: InstallTarget, file: str
) -> None:
    """Of several wheels, the one that an installer prefers there, with its sha256 and its metadata."""
    (found,) = resolver(uv, links).resolve(demo(tmp_path, "colours").path, name="demo", extra="", target=target)
    expected = sample_wheel(tmp_path / "again", name="colours", tag=file.removesuffix(".whl").partition("-1.0-")[2])
    assert (found.file, found.sha256) == (file, expected.sha256)
    assert found.metadata is not None
    assert b"Name: colours" in found.metadata


def test_no_solution_is_no_fault_of_the_world(uv: Uv, links: Path, tmp_path: Path) -> None:
    """Requirements that no version meets are `CheckFailed`, with what uv says."""
    with pytest.raises(CheckFailed, match=r"(?s)dependencies of demo fit together.*web") as raised:
        resolve(resolver(uv, links), demo(tmp_path, "web>2"))
    assert raised.value.next_step


BACKEND = """
from pathlib import Path

def build_wheel(folder, config_settings=None, metadata_directory=None):
    Path({mark!r}).touch()
    raise SystemExit(1)
"""


@pytest.mark.parametrize("builds", [True, False])
def test_a_resolver_that_builds_nothing_runs_no_code(uv: Uv, links: Path, tmp_path: Path, *, builds: bool) -> None:
    """A dependency that is only an sdist is built to be resolved, unless nothing may be built."""
    mark, source = tmp_path / "ran", tmp_path / "words_only-1.0"
    source.mkdir()
    project = '[project]\nname = "words-only"\ndynamic = ["version", "dependencies"]\n'
    system = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (source / "pyproject.toml").write_text(project + system)
    (source / "backend.py").write_text(BACKEND.format(mark=str(mark)))
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: words-only\nVersion: 1.0\n")
    with tarfile.open(links / "words_only-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    with pytest.raises(CheckFailed):
        resolve(resolver(uv, links).under((), builds=builds), demo(tmp_path, "words-only"))
    assert mark.exists() is builds


def test_an_unknown_platform_is_unknown(uv: Uv, links: Path, tmp_path: Path) -> None:
    """A platform that uv does not know is neither resolved for another one nor taken to need nothing."""
    target = InstallTarget(python=running(), version="3.12", platform="manylinux_2_17_s390x")
    with pytest.raises(Unknown, match="uv cannot resolve for the platform manylinux_2_17_s390x"):
        resolve(resolver(uv, links), demo(tmp_path, "web"), target=target)


def index(links: Path, metadata: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """Serve wheels as an index, and answer requests for their metadata by a script."""

    def script(exchange: Exchange) -> None:
        name = exchange.path.rpartition("/")[2] or exchange.path.split("/")[-2]
        if exchange.path.endswith(".metadata"):
            metadata(exchange)
        elif name.endswith(".whl"):
            data = (links / name).read_bytes()
            exchange.answer(200, data, kind="application/zip")
        else:
            wheels = [describe_file(path) for path in sorted(links.glob(f"{name}-*.whl"))]
            files = "".join(f'<a href="/files/{each.name}#sha256={each.sha256}">{each.name}</a>' for each in wheels)
            exchange.answer(200, f"<!DOCTYPE html><html><body>{files}</body></html>", kind="text/html")

    return script


def from_index(uv: Uv, address: str, wheel: File, tmp_path: Path) -> tuple[ResolvedPackage, ...]:
    """Resolve from an index, without a cache."""
    environ = {**uv.environ, "UV_CACHE_DIR": str(tmp_path / "cache")}
    with BoundedSession() as http:
        at = UvResolver(uv=replace(uv, dependencies=f"{address}/simple/", environ=environ), http=http)
        return at.resolve(wheel.path, name="demo", extra="", target=HERE)


@pytest.mark.parametrize(
    ("status", "known"), [(200, b"Name: told"), (404, b"Name: words"), (403, b"Name: words"), (500, None), (429, None)]
)
def test_metadata_of_an_index(uv: Uv, links: Path, tmp_path: Path, status: int, known: bytes | None) -> None:
    """It comes from the index, else from the wheel. A server that fails has not said that there is none."""
    serve = index(links, lambda exchange: exchange.answer(status, "Metadata-Version: 2.4\nName: told\nVersion: 1\n"))
    with run_server(serve) as server:
        if known is None:
            with pytest.raises(Unknown, match=str(status)):
                from_index(uv, server.url, demo(tmp_path, "words"), tmp_path)
            return
        (found,) = from_index(uv, server.url, demo(tmp_path, "words"), tmp_path)
    assert found.metadata is not None
    assert known in found.metadata
    assert "127.0.0.1" not in f"{found.file} {found.version}"


def test_an_index_that_fails_is_unknown(uv: Uv, tmp_path: Path) -> None:
    """Without the pages of packages nothing is known."""
    impatient = replace(uv, environ={**uv.environ, "UV_HTTP_RETRIES": "0"})
    with run_server(lambda exchange: exchange.answer(500, "")) as server, pytest.raises(Unknown):
        from_index(impatient, server.url, demo(tmp_path, "web"), tmp_path)
