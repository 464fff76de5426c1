"""A second place that says another version than the one that the build reads is found."""

from __future__ import annotations

import pytest

from unmoor.project import read_version
from unmoor.project.other_versions import disagreeing_versions, same_versions

STATIC = "[project]\nname = 'p'\nversion = '1.2.0'\n"
SETUP = "from setuptools import setup\nsetup(name='p', version='1.1.0')\n"


@pytest.mark.parametrize(
    ("files", "places"),
    [
        ({"pyproject.toml": STATIC}, []),
        ({"pyproject.toml": STATIC, "setup.py": SETUP}, ["setup.py, line 2"]),
        ({"pyproject.toml": STATIC, "setup.py": SETUP.replace("1.1.0", "1.2")}, []),
        ({"pyproject.toml": STATIC, "setup.cfg": "[metadata]\nname = p\nversion = 1.1.0\n"}, ["setup.cfg, line 3"]),
        (
            {
                "pyproject.toml": STATIC,
                "setup.cfg": "[metadata]\nversion = attr: p.VERSION\n",
                "p.py": "VERSION = '1'\n",
            },
            ["p.py, line 1"],
        ),
        ({"pyproject.toml": STATIC + "[tool.poetry]\nversion = '1.1.0'\n"}, ["pyproject.toml, line 5"]),
        ({"pyproject.toml": STATIC + "[tool.poetry]\nversion = '1.2.0'\n"}, []),
        ({"pyproject.toml": STATIC + "[tool.poetry]\nversion = 'see elsewhere'\n"}, []),
        ({"setup.cfg": "[metadata]\nname = p\nversion = 1.2.0\n", "setup.py": SETUP}, ["setup.py, line 2"]),
        (
            {"pyproject.toml": "[project]\nname='p'\ndynamic=['version']\n[tool.setuptools_scm]\n", "setup.py": SETUP},
            [],
        ),
    ],
)
def test_disagreeing_versions(files: dict[str, str], places: list[str]) -> None:
    """What agrees, is the source itself, is no version or is a placeholder beside a version from tags is none."""

    def read(path: str) -> bytes | None:
        return files[path].encode() if path in files else None

    source, _ = read_version(read)
    assert [str(each) for each in disagreeing_versions(read, source, "1.2.0")] == places


@pytest.mark.parametrize(
    ("files", "places"),
    [
        ({"p.py": "import os\n__version__ = '1.2.0'\n"}, ["p.py, line 2"]),
        ({"src/p/__init__.py": "__version__ = '1.2'\n"}, ["src/p/__init__.py, line 1"]),
        (
            {"src/p/__init__.py": "from p._v import __version__\n", "src/p/_v.py": "__version__ = '1.2.0'\n"},
            ["src/p/_v.py, line 1"],
        ),
        ({"setup.cfg": "[metadata]\nversion = 1.2.0\n", "setup.py": SETUP}, ["setup.cfg, line 2"]),
        ({"p.py": "__version__ = '1.1.0'\n", "q/sub/r.py": "__version__ = '1.2.0'\n"}, []),
        ({"p.py": "__version__ = version('p')\n", "no-module.py": "__version__ = '1.2.0'\n"}, []),
        (
            {"pyproject.toml": STATIC.replace("'p'", "'A.b'"), "src/a/b/__init__.py": "__version__ = '1.2.0'\n"},
            ["src/a/b/__init__.py, line 1"],
        ),
        (
            {"pyproject.toml": STATIC.replace("'p'", "'a-b-c'"), "a/b_c/__init__.py": "__version__ = '1.2.0'\n"},
            ["a/b_c/__init__.py, line 1"],
        ),
        # Another package that only has the same version, and one that is inside a package.
        ({"src/a/p/__init__.py": "__version__ = '1.2.0'\n"}, []),
        (
            {
                "pyproject.toml": STATIC.replace("'p'", "'a-b'"),
                "a/__init__.py": "",
                "a/b/__init__.py": "__version__ = '1.2.0'\n",
            },
            [],
        ),
    ],
)
def test_same_versions(files: dict[str, str], places: list[str]) -> None:
    """The source comes first, then other files and modules that repeat its version, however they spell it."""
    files = {"pyproject.toml": STATIC} | files

    def read(path: str) -> bytes | None:
        return files[path].encode() if path in files else None

    source, _ = read_version(read)
    assert source is not None
    assert [str(each) for each in same_versions(read, tuple(files), source)] == ["pyproject.toml, line 3", *places]
