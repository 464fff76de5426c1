"""Modules belong to the project, to its dependencies, or to nobody who is installed."""

from __future__ import annotations

import contextlib
import csv
import importlib
from pathlib import Path

import pytest

from unmoor.dists.testing.installed_code import InstalledCode, installed_names, read_installed

# In the environment of unmoor, a library may load the backport, which answers instead of the standard library.
with contextlib.suppress(ImportError):
    importlib.import_module("importlib_metadata")

FILES = {
    "Small.One": ("small_one/__init__.py", "small_one/sub/x.py", "../../bin/small"),
    "plain": ("plain.py", "_plain.cpython-311-x86_64-linux-gnu.so", "plain-1.dist-info/METADATA"),
    "spaced": ("space/one/__init__.py", "space/one/data.json", "space/two.py", "tests/__init__.py", "tests/x.py"),
    "later": ("later/__init__.py",),
}


@pytest.fixture(name="packages", scope="module")
def make_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages; one of the distributions is broken."""
    folder = tmp_path_factory.mktemp("site-packages")
    for name, files in FILES.items():
        info = folder / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        with (info / "RECORD").open("w", newline="") as stream:
            csv.writer(stream).writerows((file, "", "") for file in files)
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).touch()  # newer Pythons list a file only if it exists
    (folder / "broken-1.dist-info").mkdir()
    (folder / "broken-1.dist-info" / "RECORD").write_bytes(b"\xff,,\n")
    return folder


@pytest.mark.parametrize(
    ("module", "owned"),
    [
        ("small_one", True),
        ("small_one.absent.more", True),
        ("small_ones", False),
        ("plain", True),
        ("_plain", True),
        ("space.one.absent", True),
        ("space.two", True),
        ("space", True),
        ("space.three", False),
        ("tests.helper", False),
        ("later", False),
        ("bin", False),
        ("other", False),
    ],
)
def test_owned(packages: Path, module: str, *, owned: bool) -> None:
    """A namespace package belongs to its parts alone; a regular one owns all of its modules, those absent too."""
    assert installed_names(packages) == {"small-one", "plain", "spaced", "later"}
    code = read_installed(packages, {"small-one", "plain", "spaced", "broken"})
    assert code.has(module) is owned
    assert str(packages.resolve() / "small_one/sub/x.py") in code.files
    assert not any("later" in file for file in code.files)


@pytest.mark.parametrize(
    ("missing", "file", "excused"),
    [
        ("other", "/copy/tests/test_x.py", True),
        ("other", "/site/plugin_of_the_tests.py", True),
        ("own.absent", "/copy/tests/test_x.py", False),
        ("own", "/copy/tests/test_x.py", False),
        ("dep.absent", "/copy/tests/test_x.py", False),
        ("other", "/site/dep/__init__.py", False),
        ("other", "/site/own/x.py", False),
        ("Aio_Http.web", "/site/own/x.py", True),
        ("", "/copy/tests/test_x.py", False),
    ],
)
def test_excused(missing: str, file: str, *, excused: bool) -> None:
    """What the project or a dependency lacks is no excuse, unless an extra adds it; what only the tests lack is."""
    code = InstalledCode(
        modules=frozenset({"own", "dep"}), files=frozenset({"/site/own/x.py", "/site/dep/__init__.py"})
    )
    assert code.excuses(missing, file, optional={"aio-http"}) is excused
