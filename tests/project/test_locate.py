"""Finding the project in a repository, and folders that cannot be one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

import pytest
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests
from tests.support.systems import posix

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.config.config_file import ConfigFile
from unmoor.errors import ConfigError, UnmoorError
from unmoor.project import locate as locating
from unmoor.project.locate import ConfigSources, LocatedProject, locate, naming_at, settings_at

ALPHA = '[project]\nname = "acme-alpha"\nversion = "1.0"\n'
BETA = '[project]\nname = "beta"\nversion = "2.0"\n[tool.unmoor]\ntag-prefix = "b/"\n'
TOP = '[project]\nname = "acme"\nversion = "9.0"\n'
FILES = {
    "packages/alpha/pyproject.toml": ALPHA,
    "packages/alpha/src/alpha/__init__.py": "",
    "packages/beta/pyproject.toml": BETA,
    "packages/old/setup.cfg": "[metadata]\nname = old\nversion = 3.0\n",
    "docs/pyproject.toml": "[tool.ruff]\nline-length = 100\n",
    "docs/setup.cfg": "[flake8]\nmax-line-length = 100\n",
}


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Several projects, none at the top; no test changes them."""
    return made(tmp_path_factory.mktemp("several") / "all", {})


def made(path: Path, more: dict[str, str]) -> Repo:
    """A repository of several projects, with more files and a link that leads outside."""
    repo = Repo.new(path, FILES | more)
    (repo.path / "out").symlink_to("/")
    repo.commit({}, "A link")
    return repo


def find(
    repo: Repo,
    shell: LocalShell,
    folder: str = "",
    *,
    named: str | None = None,
    tag: str | None = None,
    environ: dict[str, str] | None = None,
    config: str = "",
) -> LocatedProject:
    """Find the project from a folder of the repository."""
    git = GitCheckout(repo.path, shell)
    given = ConfigFile(name="given.toml", data=config.encode()) if config else None
    around = ConfigSources(environ=environ or {}, config=given)
    return locate(git, repo.path / folder, around, named=named, tag=tag, commit=git.head())


@pytest.mark.parametrize(
    ("top", "folder", "options", "path"),
    [
        pytest.param({"pyproject.toml": TOP}, "", {}, "", id="the top is a project"),
        pytest.param({"pyproject.toml": TOP}, "docs", {}, "", id="a folder that sets up tools is none"),
        pytest.param({"pyproject.toml": TOP}, "packages/alpha", {}, "packages/alpha", id="in the folder"),
        pytest.param({}, "packages/alpha/src/alpha", {}, "packages/alpha", id="the nearest above"),
        pytest.param({}, "packages/old", {}, "packages/old", id="setup.cfg"),
        pytest.param({}, "", {"named": "packages/alpha"}, "packages/alpha", id="named"),
        pytest.param({}, "", {"named": "./packages//alpha/"}, "packages/alpha", id="named in another spelling"),
        pytest.param({}, "packages/beta", {"named": "packages/alpha"}, "packages/alpha", id="named before the nearest"),
        pytest.param({"pyproject.toml": TOP}, "packages/beta", {"named": "."}, "", id="the top, named"),
        pytest.param({"unmoor.toml": 'path = "packages/alpha"'}, "", {}, "packages/alpha", id="the settings"),
        pytest.param(
            {"unmoor.toml": 'path = "packages/alpha"'}, "docs", {}, "packages/alpha", id="the settings, from a folder"
        ),
        pytest.param(
            {"unmoor.toml": 'path = "packages/alpha"'},
            "packages/beta",
            {},
            "packages/beta",
            id="the nearest before the settings",
        ),
        pytest.param(
            {"unmoor.toml": 'path = "packages/alpha"'},
            "packages/alpha",
            {"environ": {"UNMOOR_PATH": "packages/beta"}},
            "packages/beta",
            id="the environment before both",
        ),
        pytest.param(
            {}, "", {"config": 'path = "packages/beta"\nproject = "beta"'}, "packages/beta", id="a file that was given"
        ),
        pytest.param({}, "", {"tag": "acme-alpha-v1.0"}, "packages/alpha", id="the name in the tag"),
        pytest.param({"pyproject.toml": TOP}, "", {"tag": "acme-alpha-v1.0"}, "packages/alpha", id="not the top's tag"),
        pytest.param(
            {"pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n'},
            "",
            {"tag": "b/2"},
            "packages/beta",
            id="setuptools and nothing to build",
        ),
        pytest.param({}, "", {"tag": "Acme.Alpha==1.0"}, "packages/alpha", id="another spelling of the name"),
        pytest.param({}, "", {"tag": "b/v2.0"}, "packages/beta", id="the configured prefix in the tag"),
    ],
)
def test_the_project_that_is_meant(
    *,
    tmp_path: Path,
    several: Repo,
    shell: LocalShell,
    top: dict[str, str],
    folder: str,
    options: dict[str, str],
    path: str,
) -> None:
    """An explicit folder comes first, then the nearest project, then the settings at the top, then the tag's name."""
    repo = made(tmp_path / "all", top) if top else several
    found = find(repo, shell, folder, **options)  # type: ignore[arg-type]  # a case names only what it is about
    assert found.path == path
    assert bool(found.note) is ("tag" in options)


@pytest.mark.parametrize("tag", ["v9.0", "acme-9.0", "release-9.0", "acme-alpha-core-v1.0", "gamma-1.0", "next"])
def test_a_project_at_the_top_gets_every_other_tag(tmp_path: Path, shell: LocalShell, tag: str) -> None:
    """A tag that has no project's name below the top belongs to the top."""
    assert find(made(tmp_path / "all", {"pyproject.toml": TOP}), shell, tag=tag) == LocatedProject(path="")


def test_a_repository_without_any_project_is_accepted(tmp_path: Path, shell: LocalShell) -> None:
    """The code that reads the project reports what is missing."""
    assert find(Repo.new(tmp_path / "all"), shell, tag="v1.0") == LocatedProject(path="")
    empty = Repo(tmp_path / "empty")
    empty.path.mkdir()
    empty.git("init", "--quiet")
    assert find(empty, shell) == LocatedProject(path="")


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        pytest.param({}, {}, "there is no project at the top of the repository", id="nothing says which"),
        pytest.param({}, {"tag": "gamma-1.0"}, "none in it has tags such as 'gamma-1.0'", id="no project's tag"),
        pytest.param({}, {"tag": "v1.0"}, "none in it has tags such as 'v1.0'", id="a tag without a name"),
        pytest.param({}, {"tag": "release-1.0"}, "none in it has tags", id="a tag with a word"),
        pytest.param(
            {"tests/copy/pyproject.toml": ALPHA},
            {"tag": "acme-alpha-1.0"},
            "fits the projects in packages/alpha, tests/copy",
            id="two of a name",
        ),
        pytest.param({}, {"named": "/etc"}, "--path: expected a relative path from the top", id="absolute"),
        pytest.param({}, {"named": "packages/../../x"}, "without .., got 'packages/../../x'", id="upwards"),
        pytest.param({}, {"named": "packages\\alpha"}, "expected a relative path", id="backslash", marks=posix),
        pytest.param({}, {"named": "a\nb"}, "without control characters", id="a newline"),
        pytest.param({}, {"named": "caf\udce9"}, "expected a path in UTF-8", id="not UTF-8"),
        pytest.param({}, {"named": "a\x1b[31mb"}, "without control characters", id="an escape"),
        pytest.param({}, {"named": "out"}, "out is a file, a link or a submodule at commit", id="a link out"),
        pytest.param({}, {"named": "out/etc"}, "out is a file, a link or a submodule at commit", id="through a link"),
        pytest.param({}, {"named": "packages/alpha/pyproject.toml"}, "is a file, a link", id="a file"),
        pytest.param({}, {"named": "packages/gamma"}, "there is no folder packages/gamma at commit", id="missing"),
        pytest.param({}, {"named": ".git"}, "there is no folder .git at commit", id="git's own"),
        pytest.param({}, {"named": "packages"}, "there is no project in packages at commit", id="no project"),
        pytest.param({}, {"named": "-x"}, "there is no folder -x at commit", id="like an option"),
        pytest.param({}, {"named": "packages/*"}, "there is no folder packages/* at commit", id="a pattern"),
        pytest.param({}, {"environ": {"UNMOOR_PATH": "../x"}}, "the environment: UNMOOR_PATH", id="in the environment"),
        pytest.param({"unmoor.toml": 'path = "../x"'}, {}, "unmoor.toml, line 1: path: expected", id="in the settings"),
        pytest.param(
            {"unmoor.toml": 'path = "packages/gamma"'},
            {},
            "unmoor.toml: path: there is no folder packages/gamma",
            id="missing, by the settings",
        ),
        pytest.param(
            {"unmoor.toml": 'path = "packages/alpha"\ntestpypi = "off"'},
            {},
            "these settings have no effect next to path: testpypi",
            id="beside other settings",
        ),
    ],
)
def test_what_cannot_be_the_project_is_one_error(
    *, tmp_path: Path, several: Repo, shell: LocalShell, files: dict[str, str], options: dict[str, str], words: str
) -> None:
    """The error says what is wrong and how to correct it, is fit for a terminal, and nothing is written."""
    repo = made(tmp_path / "all", files) if files else several
    before = repo.state()
    with pytest.raises(ConfigError) as caught:
        find(repo, shell, **options)  # type: ignore[arg-type]  # a case names only what it is about
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.next_step
    if "there is no" in words:
        assert "--path DIR" in caught.value.next_step
        assert "packages/alpha, packages/beta, packages/old" in caught.value.next_step
    assert repo.state() == before


def test_an_uncommitted_folder_does_not_exist(tmp_path: Path, shell: LocalShell) -> None:
    """The release's commit counts, not the disk."""
    repo = Repo.new(tmp_path / "all", FILES)
    repo.write({"packages/new/pyproject.toml": ALPHA})
    with pytest.raises(ConfigError, match="there is no folder packages/new at commit"):
        find(repo, shell, "packages/new")


def test_an_unreadable_project_stops_no_other(tmp_path: Path, shell: LocalShell) -> None:
    """A broken project, such as test data, does not stop the search."""
    broken = {"tests/broken/pyproject.toml": "[[[", "tests/odd/pyproject.toml": "[project]\nname = 3\n"}
    repo = Repo.new(tmp_path / "all", FILES | broken)
    assert find(repo, shell, tag="acme-alpha-1.0").path == "packages/alpha"


def test_settings_are_those_of_the_folder(tmp_path: Path, shell: LocalShell) -> None:
    """Settings are read at the commit; a folder's own settings cannot name another; an error names its file."""
    repo = Repo.new(tmp_path / "all", FILES | {"unmoor.toml": 'path = "packages/beta"\n'})
    git = GitCheckout(repo.path, shell)
    around = ConfigSources(environ={})
    assert settings_at(git.at("packages/beta"), git.head(), around).settings.tag_prefix == "b/"
    assert settings_at(git.at("packages/alpha"), git.head(), around).settings.path == ""
    first = git.head()
    repo.commit({"packages/alpha/unmoor.toml": 'path = "packages/beta"\n', "packages/beta/unmoor.toml": "colour = 1"})
    for path, words in (
        ("packages/alpha", r"packages/alpha/unmoor\.toml: path: path is only for the settings at the top"),
        ("packages/beta", r"packages/beta/unmoor\.toml: settings are both here and"),
    ):
        with pytest.raises(UnmoorError, match=words):
            settings_at(git.at(path), git.head(), around)
        assert settings_at(git.at(path), first, around).settings.path == ""


def test_names_of_tags_are_those_of_the_folder(tmp_path: Path, shell: LocalShell) -> None:
    """Below the top a tag needs the project's name or prefix once any tag has it."""
    repo = Repo.new(tmp_path / "all", FILES | {"pyproject.toml": TOP})
    git = GitCheckout(repo.path, shell)
    naming = naming_at(git.at("packages/alpha"), git.head(), ConfigSources(environ={}))
    assert set(naming.known(["v9.0", "beta-2.0"])) == {"v9.0"}
    assert set(naming.known(["v9.0", "beta-2.0", "acme-alpha-v1.0"])) == {"acme-alpha-v1.0"}
    top = naming_at(git, git.head(), ConfigSources(environ={}))
    assert set(top.known(["v9.0", "acme-8.0", "acme-alpha-v1.0"])) == {"v9.0", "acme-8.0"}


PRIVATE = {
    "a classifier": ('[project]\nname = "acme"\nversion = "9"\nclassifiers = ["Private :: Do Not Upload"]\n', {}),
    "a classifier in Poetry's table": ('[tool.poetry]\nname = "acme"\nclassifiers = ["Private :: x"]\n', {}),
    "a classifier in setup.cfg": (
        "",
        {"setup.cfg": "[metadata]\nname = acme\nclassifiers =\n  Topic :: Games\n  Private :: Do Not Upload\n"},
    ),
    "a classifier in setup.py": ("", {"setup.py": "setup(name='acme', classifiers=['Private :: x', x])\n"}),
    "a local version": ('[project]\nname = "acme"\nversion = "0.1+private"\n', {}),
    "uv's setting": (TOP + "[tool.uv]\npackage = false\n", {}),
    "uv's workspace": (TOP + '[tool.uv.workspace]\nmembers = ["packages/*"]\n', {}),
    "Poetry's setting": ('[tool.poetry]\nname = "acme"\npackage-mode = false\n', {}),
    "PDM's setting": (TOP + "[tool.pdm]\ndistribution = false\n", {}),
}


@pytest.mark.parametrize("case", PRIVATE.values(), ids=PRIVATE)
def test_a_private_project_at_the_top_is_no_release(
    tmp_path: Path, shell: LocalShell, case: tuple[str, dict[str, str]]
) -> None:
    """Without a folder or a tag that names another project, the error says why; with one, that project is meant."""
    pyproject, others = case
    repo = made(tmp_path / "all", {"pyproject.toml": pyproject, **others} if pyproject else others)
    with pytest.raises(ConfigError, match="the project at the top of the repository is private: ") as caught:
        find(repo, shell)
    assert "projects are in packages/alpha, packages/beta, packages/old" in caught.value.next_step
    assert "on this commit" not in caught.value.next_step
    with pytest.raises(ConfigError, match=r"is private: .*, and none in it has tags such as 'v9\.0'"):
        find(repo, shell, tag="v9.0")
    assert find(repo, shell, tag="acme-alpha/1.0").path == "packages/alpha"
    assert find(repo, shell, named=".").path == ""
    repo.git("tag", "acme-alpha-1.0")
    with pytest.raises(ConfigError) as caught:
        find(repo, shell)
    assert caught.value.next_step.endswith(
        "; the tag 'acme-alpha-1.0' on this commit is of the project in packages/alpha"
    )


@pytest.mark.parametrize(
    "pyproject",
    [
        '[project]\nname = "acme"\nversion = "9"\nclassifiers = "Private :: x"\n',
        TOP + '[tool.uv.workspace]\nmembers = ["packages/*"]\n[build-system]\nrequires = []\n',
        TOP + "[tool.uv]\npackage = true\nworkspace = {}\n",
        '[tool.poetry]\nname = "acme"\npackage-mode = true\n',
    ],
)
def test_a_project_at_the_top_that_is_not_private(tmp_path: Path, shell: LocalShell, pyproject: str) -> None:
    """A workspace, or a setting with another value, does not make the project at the top private."""
    assert find(made(tmp_path / "all", {"pyproject.toml": pyproject}), shell) == LocatedProject(path="")


def test_a_private_project_without_others_is_left_to_the_checks(tmp_path: Path, shell: LocalShell) -> None:
    """An index of a company may take it: the stage that checks the files reports what this one refuses.

    Projects among tests, examples or documentation, and other private ones, make no workspace of it.
    """
    pyproject, _ = PRIVATE["a classifier"]
    others = {f"{folder}/pyproject.toml": ALPHA for folder in ("tests/data/alpha", "examples/alpha", "Docs/alpha")}
    repo = Repo.new(tmp_path / "all", {"pyproject.toml": pyproject, "tools/pyproject.toml": pyproject, **others})
    assert find(repo, shell).path == ""


@pytest.mark.parametrize("named", ["packages\\alpha", ".\\packages\\alpha\\", "packages/alpha"])
def test_a_folder_as_windows_writes_it(
    several: Repo, shell: LocalShell, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """On Windows, a folder can be given with backslashes; the release names it with slashes everywhere."""
    monkeypatch.setattr(locating, "Path", PureWindowsPath)
    assert find(several, shell, named=named).path == "packages/alpha"
