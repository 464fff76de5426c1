"""The facts in a project's files, for every backend, without running code."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.errors import ConfigError
from unmoor.project import ProjectFacts, WrittenVersion, guess_version, read_facts, with_version

Tree = dict[str, str]


def facts(tree: Tree, project: str = "") -> ProjectFacts:
    """Read the facts of a project given as a mapping of paths to text."""
    return read_facts(lambda path: tree[path].encode() if path in tree else None, project=project)


def backend(name: str, *requires: str) -> str:
    """A ``[build-system]`` table."""
    return f"[build-system]\nbuild-backend = '{name}'\nrequires = [{', '.join(repr(each) for each in requires)}]\n"


NAMED = "[project]\nname = 'some-pkg'\ndynamic = ['version']\n"
SETUPTOOLS = backend("setuptools.build_meta", "setuptools") + NAMED
HATCH = backend("hatchling.build", "hatchling") + NAMED
FLIT = backend("flit_core.buildapi", "flit_core>=3") + NAMED
PDM = backend("pdm.backend", "pdm-backend") + NAMED
MODULE = '"""Docs 1.2.3."""\n\n__version__ = "1.2.3"\n'


@pytest.mark.parametrize(
    ("tree", "path", "line"),
    [
        pytest.param(
            {"pyproject.toml": backend("uv_build") + "[project]\nname = 'p'\nversion = '1.2.3'\n"},
            "pyproject.toml",
            6,
            id="static",
        ),
        pytest.param(
            {
                "pyproject.toml": "[tool.x]\nversion = '1.2.3'\n[project] # '1.2.3'\nname = 'p'\n"
                "dependencies = ['a==1.2.3']\n  version   =   \"1.2.3\" # was '1.2.3'\n"
            },
            "pyproject.toml",
            6,
            id="static among look-alikes",
        ),
        pytest.param(
            {"pyproject.toml": "project = {name = 'p', version = '1.2.3'}\n"}, "pyproject.toml", 1, id="inline table"
        ),
        pytest.param(
            {"pyproject.toml": "project.name = 'p'\nproject.version = '1.2.3'\n"}, "pyproject.toml", 2, id="dotted keys"
        ),
        pytest.param(
            {"pyproject.toml": backend("poetry.core.masonry.api") + "[tool.poetry]\nname='p'\nversion='1.2.3'\n"},
            "pyproject.toml",
            6,
            id="poetry",
        ),
        pytest.param(
            {
                "pyproject.toml": SETUPTOOLS + "[tool.setuptools.dynamic]\nversion = {attr = 'pkg.__version__'}\n",
                "src/pkg/__init__.py": MODULE,
            },
            "src/pkg/__init__.py",
            3,
            id="setuptools attr",
        ),
        pytest.param(
            {
                "pyproject.toml": SETUPTOOLS
                + "[tool.setuptools]\npackage-dir = {'' = 'lib'}\ndynamic.version.attr = 'pkg._v.V'\n",
                "lib/pkg/_v.py": "V: str = '1.2.3'\n",
                "pkg/_v.py": "V = '9'\n",
            },
            "lib/pkg/_v.py",
            1,
            id="setuptools package-dir",
        ),
        pytest.param(
            {
                "pyproject.toml": SETUPTOOLS + "[tool.setuptools.dynamic]\nversion.attr = 'pkg.__version__'\n",
                "pkg/__init__.py": "from .core._v import number as __version__\n",
                "pkg/core/_v.py": "number = '1.2.3'\n",
            },
            "pkg/core/_v.py",
            1,
            id="setuptools attr by import",
        ),
        pytest.param(
            {
                "pyproject.toml": SETUPTOOLS + "[tool.setuptools.dynamic]\nversion = {file = ['VERSION.txt']}\n",
                "VERSION.txt": "\n1.2.3\n",
            },
            "VERSION.txt",
            2,
            id="setuptools file",
        ),
        pytest.param(
            {"setup.cfg": "[options]\nversion = 1.2.3\n[metadata]\nname = p\nversion = 1.2.3\n"},
            "setup.cfg",
            5,
            id="setup.cfg",
        ),
        pytest.param(
            {
                "setup.cfg": "[metadata]\nname = p\nversion = attr: p.__version__\n"
                "[options]\npackage_dir =\n    = lib\n",
                "lib/p.py": MODULE,
            },
            "lib/p.py",
            3,
            id="setup.cfg attr",
        ),
        pytest.param(
            {"setup.cfg": "[metadata]\nname = p\nversion = file: V\n", "V": "1.2.3"}, "V", 1, id="setup.cfg file"
        ),
        pytest.param(
            {"setup.py": "import setuptools\nsetuptools.setup(name='p-1.2.3',\n  version='1.2.3')\n"},
            "setup.py",
            3,
            id="setup.py",
        ),
        pytest.param(
            {"setup.py": "import p\nsetup(name='p', version=p.__version__)\n", "p.py": MODULE},
            "p.py",
            3,
            id="of a module",
        ),
        pytest.param(
            {"setup.py": "from p import about as a\nsetup(name='p', version=a.__version__)\n", "p/about.py": MODULE},
            "p/about.py",
            3,
            id="of a module by another name",
        ),
        pytest.param(
            {"setup.py": "import p.about\nsetup(name='p', version=p.about.__version__)\n", "src/p/about.py": MODULE},
            "src/p/about.py",
            3,
            id="of a module in a package",
        ),
        pytest.param(
            {"setup.py": "from setuptools import setup\nV = '1.2.3'\nN = 'p'\nsetup(name=N, version=V)\n"},
            "setup.py",
            2,
            id="setup.py variable",
        ),
        pytest.param(
            {"pyproject.toml": FLIT, "src/some_pkg/__init__.py": MODULE}, "src/some_pkg/__init__.py", 3, id="flit"
        ),
        pytest.param(
            {"pyproject.toml": FLIT + "[tool.flit.module]\nname = 'other'\n", "other.py": MODULE},
            "other.py",
            3,
            id="flit module",
        ),
        pytest.param(
            {
                "pyproject.toml": backend("flit_core.buildapi") + "[tool.flit.metadata]\nmodule = 'old'\n",
                "old.py": MODULE,
            },
            "old.py",
            3,
            id="old flit",
        ),
        pytest.param(
            {"pyproject.toml": HATCH + "[tool.hatch.version]\npath = 'a/b.py'\n", "a/b.py": MODULE},
            "a/b.py",
            3,
            id="hatch",
        ),
        pytest.param(
            {"pyproject.toml": HATCH, "hatch.toml": "[version]\npath = 'v'\n", "v": "x\nVERSION: str = 'v1.2.3'\n"},
            "v",
            2,
            id="hatch.toml",
        ),
        pytest.param(
            {
                "pyproject.toml": HATCH + "[tool.hatch.version]\npath = 'v'\npattern = 'is (?P<version>[\\w.]+)'\n",
                "v": "it\nis 1.2.3\n",
            },
            "v",
            2,
            id="hatch pattern",
        ),
        pytest.param(
            {
                "pyproject.toml": HATCH + "[tool.hatch.version]\nsource = 'code'\npath = 'v.py'\nexpression = 'now'\n",
                "v.py": "now = '1.2.3'\n",
            },
            "v.py",
            1,
            id="hatch code",
        ),
        pytest.param(
            {"pyproject.toml": PDM + "[tool.pdm.version]\nsource = 'file'\npath = 'p.py'\n", "p.py": MODULE},
            "p.py",
            3,
            id="pdm",
        ),
        pytest.param(
            {
                "pyproject.toml": backend("maturin", "maturin>=1") + NAMED,
                "Cargo.toml": "[package]\nname = 'p'\nversion = '1.2.3'\n",
            },
            "Cargo.toml",
            3,
            id="maturin",
        ),
        pytest.param(
            {
                "pyproject.toml": backend("_own.backend", "setuptools") + NAMED,
                "setup.py": "from setuptools import setup\nsetup(version='1.2.3')\n",
            },
            "setup.py",
            2,
            id="own backend",
        ),
        pytest.param(
            {
                "pyproject.toml": backend("setuptools.build_meta", "setuptools", "setuptools-scm"),
                "setup.cfg": "[metadata]\nname = p\nversion = 1.2.3\n",
            },
            "setup.cfg",
            3,
            id="scm only for its file finder",
        ),
    ],
)
def test_where_the_version_is_written(tree: Tree, path: str, line: int) -> None:
    """File and line are found, and a change there changes the parsed version and no other byte."""
    found = facts(tree)
    spot = found.version_written
    assert spot is not None
    assert (spot.path, spot.line, spot.text) == (path, line, "1.2.3")
    assert not found.scm
    changed = with_version(tree[path].encode(), spot, "2.0.0rc1").decode()
    again = facts({**tree, path: changed}).version_written
    assert again is not None
    assert (again.path, again.line, again.column, again.text) == (path, line, spot.column, "2.0.0rc1")
    assert with_version(changed.encode(), again, "1.2.3").decode() == tree[path]


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({"pyproject.toml": SETUPTOOLS + "[tool.setuptools_scm]\n"}, id="setuptools-scm"),
        pytest.param(
            {"pyproject.toml": backend("setuptools.build_meta", "setuptools", "Setuptools_SCM[toml]>=9") + NAMED},
            id="setuptools-scm by requirement",
        ),
        pytest.param({"pyproject.toml": HATCH + "[tool.hatch.version]\nsource = 'vcs'\n"}, id="hatch-vcs"),
        pytest.param({"pyproject.toml": HATCH, "hatch.toml": "version.source = 'vcs'\n"}, id="hatch.toml"),
        pytest.param({"pyproject.toml": PDM + "[tool.pdm.version]\nsource = 'scm'\n"}, id="pdm"),
        pytest.param(
            {
                "pyproject.toml": backend("poetry_dynamic_versioning.backend")
                + "[tool.poetry]\nname='p'\nversion='0.0.0'\n[tool.poetry-dynamic-versioning]\nenable = true\n"
            },
            id="poetry-dynamic-versioning",
        ),
        pytest.param({"pyproject.toml": SETUPTOOLS + "[tool.versioningit]\n"}, id="versioningit"),
        pytest.param({"pyproject.toml": backend("flit_scm:buildapi") + NAMED}, id="flit_scm"),
        pytest.param({"setup.cfg": "[metadata]\nname = p\n[versioneer]\nVCS = git\n"}, id="versioneer"),
        pytest.param(
            {"setup.py": "import versioneer\nsetup(name='p', version=versioneer.get_version())\n"}, id="versioneer call"
        ),
        pytest.param({"setup.py": "setup(name='p', use_scm_version=True)\n"}, id="use_scm_version"),
        pytest.param(
            {
                "pyproject.toml": backend("scikit_build_core.build")
                + NAMED
                + "[tool.scikit-build]\nmetadata.version.provider = 'scikit_build_core.metadata.setuptools_scm'\n"
            },
            id="scikit-build-core",
        ),
    ],
)
def test_versions_from_tags(tree: Tree) -> None:
    """If a tool takes the version from tags, no file counts."""
    found = facts(tree)
    assert found.scm
    assert found.dynamic
    assert found.version_written is None


@pytest.mark.parametrize(
    ("setup", "path"),
    [
        pytest.param(
            "exec(open('p/__init__.py').read(), m)\nsetup(version=m['version'])", "p/__init__.py", id="executed"
        ),
        pytest.param(
            "P = 'p'\nopen(os.path.join(HERE, P, '_version.py'))\nsetup(version=about['__version__'])",
            "p/_version.py",
            id="joined with a variable",
        ),
        pytest.param(
            "D = os.path.join('src', 'p')\nuse(os.path.join(D, '_version.py'))\nsetup(version=m.VERSION)",
            "src/p/_version.py",
            id="joined twice",
        ),
        pytest.param("R = Path(__file__) / 'p' / '_version.py'\nsetup(version=find(R))", "p/_version.py", id="path"),
        pytest.param("with open('p.py') as f:\n  v = m['__version__']\nsetup(version=v)", "p.py", id="in a block"),
        pytest.param("read('./p.py')\nread('q.py')\nsetup(version=v())", "p.py", id="another file without one"),
        pytest.param("read('p.py')\nread('p/_version.py')\nsetup(version=v())", None, id="two of them"),
        pytest.param("read('../p.py')\nsetup(version=v())", None, id="outside"),
        pytest.param("read('p.py')\nsetup(version=m['__author__'])", None, id="no version"),
        pytest.param("read('nowhere.py')\nsetup(version=v())", None, id="no file"),
        pytest.param("A = B\nB = A\nread(A)\nsetup(version=v())", None, id="in a circle"),
        pytest.param("setup(name='p')", None, id="none"),
    ],
)
def test_where_the_version_is_likely_to_be_written(setup: str, path: str | None) -> None:
    """A computed version is searched in the modules that setup.py names, and accepted only if there is one literal."""
    module = "__version__ = '1.2.3'\nversion = VERSION = '1.2.3'\n__author__ = 'me'\n"
    modules = dict.fromkeys(("p.py", "p/__init__.py", "p/_version.py", "src/p/_version.py"), module)
    tree = {"setup.py": setup + "\n", "q.py": "__author__ = 'me'\n", **modules}
    found = guess_version(lambda name: tree[name].encode() if name in tree else None)
    assert (found.path if found else None) == path
    assert found is None or found.text == "1.2.3"


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({"setup.py": "setup(name='p', version=compute())\n"}, id="computed"),
        pytest.param({"setup.py": "read('p.py')\nsetup(name='p', version=compute())\n", "p.py": MODULE}, id="likely"),
        pytest.param({"setup.py": "V = '1.' '2'\nsetup(name='p', version=V)\n"}, id="in two pieces"),
        pytest.param({"setup.py": "V = V\nsetup(name='p', version=V)\n"}, id="of itself"),
        pytest.param({"pyproject.toml": FLIT}, id="no module"),
        pytest.param(
            {"pyproject.toml": FLIT, "some_pkg.py": "from some_pkg import __version__\n"}, id="import of itself"
        ),
        pytest.param({"pyproject.toml": FLIT, "some_pkg.py": "__version__ = (\n"}, id="no Python"),
        pytest.param({"pyproject.toml": HATCH}, id="hatch without a path"),
        pytest.param({"pyproject.toml": backend("unheard.of") + NAMED}, id="another backend"),
        pytest.param(
            {"pyproject.toml": "tool = 3\nbuild-system = 4\n[project]\nname = 'p'\n"}, id="tables that are none"
        ),
    ],
)
def test_a_version_that_only_a_build_can_compute(tree: Tree) -> None:
    """A computed version is not guessed."""
    found = facts(tree)
    assert found.version_written is None
    assert not found.scm


@pytest.mark.parametrize(
    ("tree", "name"),
    [
        ({"pyproject.toml": "[project]\nname = 'Some.Pkg_x'\nversion = '1'\n"}, "Some.Pkg_x"),
        ({"pyproject.toml": "[tool.poetry]\nname = 'p'\n"}, "p"),
        ({"pyproject.toml": "[tool.flit.metadata]\nmodule = 'p'\ndist-name = 'dist-p'\n"}, "dist-p"),
        ({"setup.cfg": "[metadata]\nname = p\n"}, "p"),
        ({"setup.py": "from distutils import core\ncore.setup(name='p')\n"}, "p"),
        ({"setup.py": "exec(open('q.py').read(), m)\nsetup(name=m['__title__'])\n", "q.py": "__title__ = 'p'\n"}, "p"),
        ({"setup.py": "import q\nsetup(name=q.__title__)\n", "q/__init__.py": "__title__ = 'p'\n"}, "p"),
        ({"setup.py": "from q.about import NAME\nsetup(name=NAME)\n", "src/q/about.py": "NAME = 'p'\n"}, "p"),
    ],
)
def test_the_name(tree: Tree, name: str) -> None:
    """The name is as the project writes it; a configured one takes precedence."""
    assert facts(tree).name == name
    assert facts(tree, "configured").name == "configured"


@pytest.mark.parametrize(
    ("tree", "where", "words"),
    [
        ({}, "", "there is no Python project here"),
        ({"pyproject.toml": "[project]\nversion = '1'\n"}, "pyproject.toml", "the project has no name"),
        ({"setup.py": "setup(**settings)\n"}, "setup.py", "cannot be read from setup.py"),
        ({"pyproject.toml": "[project]\nname = '../x'\n"}, "pyproject.toml", "'../x' is not a valid project name"),
        ({"pyproject.toml": "[project\n"}, "pyproject.toml", "this is not TOML"),
        ({"pyproject.toml": "a = " + "[" * 5000}, "pyproject.toml", "this is not TOML"),
        ({"pyproject.toml": "a." * 500 + "a = 1"}, "pyproject.toml", "this is not TOML: a key has more than 64 parts"),
        ({"setup.py": "setup(name=p" + ".a" * 900 + ", version=p" + ".a" * 900 + ")"}, "setup.py", "cannot be read"),
        ({"setup.py": "setup(name=" + "-" * 3000 + "1)"}, "setup.py", "cannot be read"),
        ({"setup.py": "setup(name=f(" + "[" * 90 + "]" * 90 + "))"}, "setup.py", "cannot be read"),
        (
            {
                "pyproject.toml": HATCH + "[tool.hatch.version]\npath = 'v'\npattern = '^(?:(a|aa)+)+$'\n",
                "v": "a" * 99 + "b",
            },
            "v",
            "it takes longer than 1 s",
        ),
        (
            {"pyproject.toml": HATCH + f"[tool.hatch.version]\npath = 'v'\npattern = '{'(' * 999}'\n", "v": "1"},
            "v",
            "pattern to find the version is invalid",
        ),
        (
            {"pyproject.toml": HATCH + f"[tool.hatch.version]\npath = 'v'\npattern = '{'a' * 1001}'\n", "v": "1"},
            "v",
            "more than 1,000 characters",
        ),
        ({"setup.cfg": "[metadata]\nname = p" + " " * 300 + "q\n"}, "setup.cfg", "more than 200 blanks in a row"),
        ({"setup.cfg": "name = p\n"}, "setup.cfg", "invalid configuration file"),
        ({"pyproject.toml": r'project = {name = "p", version = "1.\u0032"}'}, "project.version", "plain text"),
        (
            {"pyproject.toml": HATCH + "[tool.hatch.version]\npath = 'v'\npattern = '('\n", "v": "1"},
            "v",
            "pattern to find the version is invalid",
        ),
        (
            {"pyproject.toml": HATCH + "[tool.hatch.version]\npath = 'v'\npattern = '1'\n", "v": "1"},
            "v",
            "pattern to find the version is invalid",
        ),
    ],
)
def test_faults(tree: Tree, where: str, words: str) -> None:
    """The error for a malformed file names the file and what to do."""
    with pytest.raises(ConfigError) as caught:
        facts(tree)
    assert words in caught.value.what
    assert where in caught.value.where
    assert caught.value.next_step


def test_the_name_cannot_be_determined() -> None:
    """The error names the setting for the project's name."""
    with pytest.raises(ConfigError) as caught:
        facts({"setup.py": "setup()\n"})
    assert 'project = "NAME" under [tool.unmoor]' in caught.value.next_step


@pytest.mark.parametrize(
    ("tree", "has"),
    [
        ({"pyproject.toml": NAMED}, False),
        ({"pyproject.toml": NAMED + "[tool.towncrier]\ndirectory = 'x'\n"}, True),
        ({"pyproject.toml": NAMED, "towncrier.toml": ""}, True),
    ],
)
def test_towncrier(tree: Tree, has: bool) -> None:  # noqa: FBT001  # a column of the table
    """Towncrier's own file, or its table, shows that the project uses it."""
    assert facts(tree).has_towncrier is has


def test_line_ends_and_foreign_bytes_stay() -> None:
    """Only the version changes: line endings, other encodings and a byte order mark stay."""
    content = b"\xef\xbb\xbf# coding: utf-8 \xc3\xa9\r\n\r\nx = 'caf\xc3\xa9'; __version__ = '1.0' \r\ny = 2"
    tree = {"pyproject.toml": FLIT.encode(), "some_pkg.py": content}
    spot = read_facts(tree.get).version_written
    assert spot is not None
    assert (spot.line, spot.text) == (3, "1.0")
    assert with_version(content, spot, "1.0.1") == content.replace(b"'1.0'", b"'1.0.1'")


def test_latin_1() -> None:
    """A module in another encoding is read as Python reads it."""
    content = b"# coding: latin-1\n# caf\xe9\n__version__ = '1.0'\n"
    spot = read_facts({"pyproject.toml": FLIT.encode(), "some_pkg.py": content}.get).version_written
    assert spot is not None
    assert with_version(content, spot, "1.1") == content.replace(b"1.0", b"1.1")


def test_a_place_that_moved() -> None:
    """A file that has changed in the meantime is not touched."""
    spot = WrittenVersion(path="V", line=2, column=0, text="1.0")
    for content in (b"1.0\n", b"\n1.1\n", b""):
        with pytest.raises(ConfigError, match="no longer written here"):
            with_version(content, spot, "2.0")


def test_our_own() -> None:
    """Unmoor's own version comes from tags."""
    here = Path(__file__).parents[2]
    found = read_facts(lambda path: (here / path).read_bytes() if (here / path).is_file() else None)
    assert (found.name, found.scm, found.has_towncrier) == ("unmoor", True, True)


@given(st.text(max_size=60), st.sampled_from(["pyproject.toml", "setup.cfg", "setup.py", "some_pkg.py", "Cargo.toml"]))
def test_any_text_gives_facts_or_a_config_error(text: str, path: str) -> None:
    """Any content gives facts or a clear error."""
    tree = {"pyproject.toml": FLIT, path: text}
    try:
        found = facts(tree, "p")
    except ConfigError:
        return
    assert found.name == "p"
