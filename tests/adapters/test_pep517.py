"""Backends build in isolation with an allow-list of variables, and errors have their own output."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest
from tests.support import sample_projects

from unmoor.adapters.pep517 import Pep517
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import Uv
from unmoor.dists.inspect import extract, modules, parse_filename, read_metadata
from unmoor.errors import BuildFailed, Interrupted
from unmoor.ports.backend import Backend
from unmoor.util.values import replace

pytestmark = pytest.mark.journey  # real builds and environments, one after the other

TOKENS = ("GITHUB_TOKEN", "GH_TOKEN", "TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")

SLOW = """
import time
def build_sdist(folder, config_settings=None):
    print("building an sdist", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def lines() -> list[str]:
    """The backend's output."""
    return []


@pytest.fixture
def backend(shell: LocalShell, uv: Uv, lines: list[str]) -> Pep517:
    """The real build backend adapter."""
    return Pep517(shell=shell, uv=uv, hear=lines.append)


def test_backend_sees_the_allow_list_alone(
    shell: LocalShell, in_tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    """No token reaches the project's code; the epoch, the time zone, the locale and the umask are set."""
    for name in TOKENS:
        monkeypatch.setenv(name, "s3cret")
    (in_tree / "watched").touch()
    backend: Backend = Pep517(shell=shell, uv=Uv(shell=shell), hear=lines.append)
    before = os.umask(0o077)
    try:
        sdist = backend.sdist(in_tree, tmp_path / "out", env={"SOURCE_DATE_EPOCH": "1700000000"})
    finally:
        os.umask(before)
    with tarfile.open(sdist) as archive:
        member = archive.extractfile("in_tree-1.0/seen.json")
        assert member is not None
        seen = json.load(member)
    assert "s3cret" not in json.dumps(seen)
    assert not set(TOKENS) & set(seen["env"])
    assert seen["umask"] == 0o022
    assert (seen["env"]["SOURCE_DATE_EPOCH"], seen["env"]["TZ"]) == ("1700000000", "UTC")
    assert "building an sdist" in lines


def test_elsewhere_everything_differs_but_the_environment(
    shell: LocalShell, uv: Uv, in_tree: Path, tmp_path: Path
) -> None:
    """A second build sees another umask, time zone, locale, hash seed, user and home, and the same packages."""
    (in_tree / "watched").touch()
    backend = Pep517(shell=shell, uv=uv)
    seen = []
    for number, each in enumerate((backend, backend.elsewhere())):
        with tarfile.open(each.sdist(in_tree, tmp_path / str(number), env={})) as archive:
            member = archive.extractfile("in_tree-1.0/seen.json")
            assert member is not None
            seen.append(json.load(member))
    first, second = (each["env"] for each in seen)
    assert [each["umask"] for each in seen] == [0o022, 0o077]
    assert {name for name in second if first.get(name) != second[name]} >= {
        "HOME",
        "USER",
        "TZ",
        "LC_ALL",
        "PYTHONHASHSEED",
    }
    assert first["PATH"] == second["PATH"]
    assert len(backend._isolated) == 1
    assert backend.elsewhere().tools() == backend.tools()


def test_wheel_from_the_sdist_in_the_same_environment(backend: Pep517, in_tree: Path, tmp_path: Path) -> None:
    """Two builds with the same requirements share an environment; the tools are named with their versions."""
    sdist = backend.sdist(in_tree, tmp_path / "out", env={})
    wheel = backend.wheel(extract(sdist, tmp_path / "source"), tmp_path / "out", env={})
    assert (sdist.name, wheel.name) == ("in_tree-1.0.tar.gz", "in_tree-1.0-py3-none-any.whl")
    assert len(backend._isolated) == 1
    assert {"build", "uv", "python"} <= {tool.name for tool in backend.tools()}


def test_tools_have_digests_only_if_asked(uv: Uv, in_tree: Path, tmp_path: Path, shell: LocalShell) -> None:
    """Nobody pays for them who signs nothing. What uv and build themselves were installed from is not known."""
    pyproject = in_tree / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("requires = []", 'requires = ["packaging"]'))
    plain = Pep517(shell=shell, uv=uv)
    asked = plain.with_digests()
    asked.sdist(in_tree, tmp_path / "out", env={})
    assert not any(tool.sha256 for tool in plain.tools())
    assert [tool.name for tool in asked.tools() if tool.sha256] == ["packaging"]


@pytest.fixture
def anvils(uv: Uv, in_tree: Path, tmp_path: Path) -> Uv:
    """The real uv, that finds two versions of a package which the build of the tree requires, and asks no index."""
    links = tmp_path / "links"
    links.mkdir()
    for version in ("1.0", "2.0"):
        name = f"anvil_one-{version}-py3-none-any.whl"
        sample_projects.write_wheel(links / name, "anvil_one", {"anvil_one.py": f"VERSION = '{version}'\n"}, version)
    pyproject = in_tree / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("requires = []", 'requires = ["anvil-one"]'))
    own = in_tree / "own.py"
    own.write_text(own.read_text().replace("def info():", "def info():\n    import anvil_one\n"))
    init = "import anvil_one\n        files['in_tree/forged.py'] = f'VERSION = {anvil_one.VERSION!r}\\n'"
    own.write_text(own.read_text().replace('    record = ""\n', f'    if True:\n        {init}\n    record = ""\n'))
    return replace(uv, environ={**uv.environ, "UV_FIND_LINKS": str(links), "UV_OFFLINE": "1"})


@pytest.mark.parametrize(
    ("constraints", "used"),
    [((), "2.0"), (("anvil-one<2",), "1.0"), (("anvil-one<2; python_version<'3'", "absent-one<1"), "2.0")],
    ids=["none", "limited", "not meant"],
)
def test_constraints_limit_what_a_build_uses(
    anvils: Uv, in_tree: Path, tmp_path: Path, constraints: tuple[str, ...], used: str
) -> None:
    """They limit what is installed to build with, here and where uv builds an sdist itself, and the tools say it."""
    assert isinstance(anvils.shell, LocalShell)
    backend = Pep517(shell=anvils.shell, uv=anvils).under(constraints)
    sdist = backend.sdist(in_tree, tmp_path / "out", env={})
    backend.wheel(extract(sdist, tmp_path / "source"), tmp_path / "out", env={})
    assert {tool.name: tool.version for tool in backend.tools()}["anvil_one"] == used
    uv = anvils.under(constraints)
    environment = replace(uv, environ={**uv.environ, "UV_NO_CACHE": "1"}).fresh(tmp_path / "env")
    environment.install([str(sdist)])
    ran = environment.run(["python", "-c", "from in_tree import forged; print(forged.VERSION)"], cwd=tmp_path)
    assert ran.out.strip() == used


def test_constraints_that_leave_no_version(shell: LocalShell, anvils: Uv, in_tree: Path, tmp_path: Path) -> None:
    """If no version fits the requirements and the constraints, the error names both as places to correct."""
    with pytest.raises(BuildFailed, match="the requirements of the build") as caught:
        Pep517(shell=shell, uv=anvils).under(["anvil-one<1"]).sdist(in_tree, tmp_path / "out", env={})
    assert "build-system.requires or build-constraints" in caught.value.next_step


def test_requirements_of_another_build_are_not_visible(backend: Pep517, in_tree: Path, tmp_path: Path) -> None:
    """A build does not use an environment with more than its own requirements."""
    (in_tree / "other").mkdir()
    (in_tree / "other/pyproject.toml").write_text(
        '[build-system]\nrequires = []\n[project]\nname = "other"\nversion = "1"\n'
    )
    with (in_tree / "own.py").open("a") as stream:
        stream.write("\ndef get_requires_for_build_sdist(config_settings=None):\n    return ['idna']\n")
    backend.sdist(in_tree, tmp_path / "out", env={})
    backend.wheel(in_tree, tmp_path / "out", env={})
    assert [sorted(isolated.asked) for isolated in backend._isolated] == [["idna"], []]


def test_failure_in_the_backends_own_words(backend: Pep517, in_tree: Path, tmp_path: Path) -> None:
    """The last lines of the backend are in the error."""
    (in_tree / "fail").touch()
    with pytest.raises(BuildFailed, match="the backend does not want to"):
        backend.sdist(in_tree, tmp_path / "out", env={})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[build-system", "Failed to parse"),
        ("[build-system]\nrequires = 1\n", "must be an array of strings"),
        ("[build-system]\n", "`requires` is a required property"),
    ],
)
def test_malformed_pyproject(backend: Pep517, tmp_path: Path, text: str, words: str) -> None:
    """An invalid pyproject.toml raises `BuildFailed`."""
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(BuildFailed, match=words):
        backend.requires(tmp_path)


def test_not_a_project(backend: Pep517, tmp_path: Path) -> None:
    """A folder without a project raises `BuildFailed`."""
    with pytest.raises(BuildFailed, match="does not appear to be a Python project"):
        backend.sdist(tmp_path, tmp_path / "out", env={})


def test_requirements_that_are_not_available(uv: Uv, shell: LocalShell, tmp_path: Path) -> None:
    """If no index has a requirement of the build, the error names it."""
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = ["absent-one"]\nbuild-backend = "x"\n')
    uv = replace(uv, environ={**uv.environ, "UV_OFFLINE": "1", "UV_NO_CACHE": "1"})
    with pytest.raises(BuildFailed, match="absent-one"):
        Pep517(shell=shell, uv=uv).sdist(tmp_path, tmp_path / "out", env={})


def test_missing_backend(backend: Pep517, tmp_path: Path) -> None:
    """If the requirements do not include the backend, the error names it."""
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "no_such_backend"\n')
    with pytest.raises(BuildFailed, match="no_such_backend"):
        backend.sdist(tmp_path, tmp_path / "out", env={})


def test_interrupted_inside_a_hook(shell: LocalShell, in_tree: Path, tmp_path: Path) -> None:
    """An error that the runner raises is passed on unchanged."""

    def stop(line: str) -> None:
        if line == "building an sdist":
            shell.processes.stop()

    with (in_tree / "own.py").open("a") as stream:
        stream.write(SLOW)
    with pytest.raises(Interrupted):
        Pep517(shell=shell, uv=Uv(shell=shell), hear=stop).sdist(in_tree, tmp_path / "out", env={})


@pytest.mark.journey
@pytest.mark.parametrize(
    ("requires", "name", "layout"),
    [
        ("setuptools>=80", "setuptools.build_meta", "src/small_one"),
        ("hatchling", "hatchling.build", "src/small_one"),
        ("flit_core>=3.11", "flit_core.buildapi", "src/small_one"),
        ("poetry-core>=2", "poetry.core.masonry.api", "src/small_one"),
        ("uv_build", "uv_build", "src/small_one"),
    ],
)
def test_real_backends(backend: Pep517, tmp_path: Path, requires: str, name: str, layout: str) -> None:
    """The backends people use build an sdist, and from it a wheel; again, the wheel is the same bytes."""
    project = tmp_path / "project"
    (project / layout).mkdir(parents=True)
    (project / layout / "__init__.py").write_text('"""A small one."""\n\n__version__ = "1.2.3"\n')
    (project / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{name}"\n'
        '[project]\nname = "small-one"\nversion = "1.2.3"\ndescription = "Small"\n'
    )
    env = {"SOURCE_DATE_EPOCH": "1700000000"}
    sdist = backend.sdist(project, tmp_path / "out", env=env)
    source = extract(sdist, tmp_path / "source")
    first = backend.wheel(source, tmp_path / "first", env=env)
    again = backend.wheel(source, tmp_path / "again", env=env)
    assert first.read_bytes() == again.read_bytes()
    assert parse_filename(sdist.name).name == parse_filename(first.name).name == "small-one"
    assert read_metadata(sdist).version == read_metadata(first).version == "1.2.3"
    assert modules(first) == ("small_one",)
