"""An installed file must import; what it need not import is found out, or set, and never guessed in its favour."""

from __future__ import annotations

import shutil
import subprocess
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from tests.support import sample_projects

from unmoor.config.groups import ImportOptions
from unmoor.dists.inspect import Metadata
from unmoor.dists.testing.install_test import InstallTest, run_install_test
from unmoor.dists.testing.parts import DistUnderTest
from unmoor.dists.testing.platforms import marker_environment
from unmoor.errors import CheckFailed, ConfigError
from unmoor.ports.environments import Environment, running
from unmoor.ports.shell import Ran
from unmoor.products import File, Verdict

OK = "small_one"
HELPED = {"cli": ("absent_one",)}
LAZY = "try:\n    import absent_one\nexcept ImportError as error:\n    raise ImportError('install x[cli]') from error\n"
SILENT = "import importlib.util as u, sys\nif u.find_spec('absent_one') is None:\n    sys.exit('install small[cli]')\n"


@dataclass(frozen=True)
class OneEnvironment:
    """An environment for all tests, which gets the modules of each when a program runs in it: making one is slow."""

    folder: Path
    modules: Mapping[str, str]

    @property
    def scripts(self) -> Path:
        """The folder of its programs."""
        return self.folder / "bin"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.scripts / "python"

    @property
    def packages(self) -> Path:
        """The folder of the installed modules."""
        return next(self.folder.glob("lib/python*/site-packages"))

    def install(
        self, requirements: Sequence[str], *, dependencies: bool = True, constraints: Sequence[str] = ()
    ) -> None:
        """Nothing installs here."""
        raise NotImplementedError

    def install_with_pip(self, wheel: Path, name: str) -> str:
        """Nothing installs here."""
        raise NotImplementedError

    def check(self) -> None:
        """There are no requirements."""

    def active(self, env: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """Nothing is measured here."""
        raise NotImplementedError

    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        timeout: float = 600.0,
        hear: Callable[[str], None] | None = None,
    ) -> Ran:
        """Replace the modules in the environment, and run."""
        assert env is None
        assert hear is None
        packages = self.packages
        shutil.rmtree(packages)
        packages.mkdir()
        for name, text in self.modules.items():
            (packages / f"{name}.py").write_text(text)
        ran = subprocess.run(args, cwd=cwd, timeout=timeout, capture_output=True, text=True, check=False)
        return Ran(args=tuple(args), code=ran.returncode, out=ran.stdout, err=ran.stderr)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the environment."""
    folder = tmp_path_factory.mktemp("one") / "environment"
    venv.create(folder, symlinks=True)
    return folder


@dataclass
class Installed:
    """Installs the modules of a project, and those that its extras bring, without any wheel.

    ``extras`` maps each extra to the modules that it installs. The package of a module has the module's name, unless
    ``packages`` gives another one. Extras in ``broken`` cannot be installed. ``system`` is that of the interpreter.
    """

    one: Path
    folder: Path
    modules: Mapping[str, str]
    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    broken: Sequence[str] = ()
    points: Mapping[str, str] = field(default_factory=dict)
    requires: Sequence[str] = ()
    classifiers: Sequence[str] = ()
    wheel: str = "small_one-1.0-py3-none-any.whl"
    system: str = "linux"
    tried: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def what(self) -> DistUnderTest:
        """The file under test."""
        requires = [
            f"{self.packages.get(module, module)}; extra == '{extra}'"
            for extra, brought in self.extras.items()
            for module in brought
        ]
        return DistUnderTest(
            file=File(name=self.wheel, path=self.folder / self.wheel, size=1, sha256="0" * 64),
            metadata=Metadata(
                name="small-one",
                version="1.0",
                requires=(*self.requires, *requires),
                extras=tuple(self.extras),
                classifiers=tuple(self.classifiers),
            ),
            modules=tuple(sorted(self.modules)),
            points=tuple(EntryPoint(name, value, group) for group, each in self._points() for name, value in each),
            environment=marker_environment(running()) | {"sys_platform": self.system},
        )

    def _points(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The entry points, by group; the key of each is ``group:name``."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for key, value in self.points.items():
            group, _, name = key.rpartition(":")
            groups.setdefault(group or "console_scripts", []).append((name, value))
        return list(groups.items())

    def _make(self, extras: Sequence[str] = ()) -> Environment:
        brought = {module: "" for extra in extras for module in self.extras[extra]}
        return OneEnvironment(self.one, {**self.modules, **brought})

    def _install(self, extras: tuple[str, ...], _: Path) -> Environment:
        self.tried.append(",".join(extras))
        if set(extras) & set(self.broken):
            raise CheckFailed("no such package")
        return self._make(extras)

    def test(self, *, with_extras: bool = True, **options: Any) -> InstallTest:
        """Run the test of the file, with settings."""
        return run_install_test(
            self._make(),
            self.what(),
            self.folder,
            options=ImportOptions(**options),
            install=self._install if with_extras else None,
            say=self.said.append,
            warn=self.warned.append,
        )

    def found(self, verdict: Verdict, *, with_extras: bool = True, **options: Any) -> dict[str, str]:
        """Run the test, and return the details of the results with one verdict, by name."""
        results = self.test(with_extras=with_extras, **options).results
        prefix = f"{self.wheel}: "
        return {each.name.removeprefix(prefix): each.detail for each in results if each.verdict is verdict}


Make = Callable[..., Installed]


@pytest.fixture
def make(one: Path, tmp_path: Path) -> Make:
    """Make an installed project. It has a module with the project's name if a test names none."""

    def make(modules: Mapping[str, str], **others: Any) -> Installed:
        return Installed(one=one, folder=tmp_path, modules={OK: "def main(): pass\n", **modules}, **others)

    return make


@pytest.mark.parametrize(
    ("source", "extras", "packages", "tried"),
    [
        ("import absent_one\n", {"http": ("other",), **HELPED, "x": ()}, {}, ["cli"]),
        (LAZY, {"all": ("other", "absent_one"), **HELPED}, {}, ["cli"]),
        (LAZY, {"http": ("other",), **HELPED}, {"absent_one": "another-name"}, ["http", "cli"]),
        (SILENT, {"http": ("other",), **HELPED}, {}, ["http", "cli"]),
    ],
)
def test_a_module_of_an_extra_is_imported_with_it(
    *, make: Make, source: str, extras: dict[str, tuple[str, ...]], packages: dict[str, str], tried: list[str]
) -> None:
    """However the module says what it lacks: the smallest extra that names it is tried first, then the others."""
    at = make({"small_cli": source}, extras=extras, packages=packages)
    passed = at.found(Verdict.PASSED)
    assert passed["import of small_cli"] == "imports with the extra cli"
    assert passed["imports"] == "small_one"
    assert at.said == [f"{at.wheel}: small_cli imports with the extra cli"]
    assert at.tried == tried


def test_environments_are_shared_and_bounded(make: Make) -> None:
    """Modules and entry points share one environment for each extra; of many extras only some are tried, then all."""
    many = {f"e{number}": (f"m{number}",) for number in range(20)}
    at = make(
        {"small_a": "import m3\n", "small_b": "import m3, m4\n", "small_c": "import m3\ndef main(): pass\n"},
        extras=many,
        points={"small": "small_c:main", "with": "small_c:main [e3]"},
    )
    passed = at.found(Verdict.PASSED)
    assert passed["console_scripts: small"] == "loads with the extra e3"
    assert passed["console_scripts: with"] == "loads with the extra e3"
    assert passed["import of small_b"].startswith("imports with the extra e0, e1, e2, e3, ")
    assert len(at.tried) == len(set(at.tried)) == 7
    assert at.tried[0] == "e3"


@pytest.mark.parametrize(
    ("modules", "extras", "words"),
    [
        ({OK: "import absent_one\n"}, HELPED, "small_one does not import: ModuleNotFoundError"),
        ({OK: LAZY}, HELPED, "small_one does not import: ImportError"),
        ({"small_cli": "import absent_one\n"}, {}, "small_cli does not import: "),
        ({"small_cli": "import absent_one\n"}, {"x": ("other",)}, "in a plain install, nor with the extra x"),
        ({"small_cli": "import absent_one\n"}, {"test": ("absent_one",)}, "small_cli does not import in a plain"),
        ({"small_cli": "import absent_one\n"}, {"Dev": ("absent_one",)}, "small_cli does not import in a plain"),
        ({"small_cli": "import small_one.gone\n"}, HELPED, "small_cli does not import: .*small_one"),
        ({"small_cli": "import absent_one, small_one.gone\n"}, HELPED, "nor with the extra cli: "),
        ({"small_cli": "def f(:\n"}, HELPED, "nor with the extra cli: SyntaxError"),
    ],
)
def test_what_no_extra_excuses(
    make: Make, modules: dict[str, str], extras: dict[str, tuple[str, ...]], words: str
) -> None:
    """The module that the project is named after imports without extras; no extra for development excuses a module.

    The next step names the settings that give way.
    """
    with pytest.raises(CheckFailed, match=words) as caught:
        make(modules, extras=extras).test()
    module = next(iter(modules))
    assert f'import-skip = ["{module}"]' in caught.value.next_step
    assert ("import-extras = {" in caught.value.next_step) is bool(extras)
    if "import absent_one\n" in modules.values():
        assert caught.value.next_step.startswith("declare the dependency that provides absent_one")


@pytest.mark.parametrize(
    ("options", "verdict", "name", "detail"),
    [
        ({"extras": {OK: ("cli",)}}, Verdict.PASSED, "import of small_one", "imports with the extra cli"),
        ({"extras": {OK: ("cli",)}}, Verdict.PASSED, "console_scripts: x", "loads with the extra cli"),
        ({"skip": (OK,)}, Verdict.NOT_TESTED, "import of small_one", "left out by import-skip"),
        ({"skip": (OK,)}, Verdict.NOT_TESTED, "console_scripts: x", "left out by import-skip"),
        (
            {"markers": {OK: "os_name == 'nt'"}},
            Verdict.NOT_TESTED,
            "import of small_one",
            "not tested on this platform: import-markers says os_name == 'nt'; a job on windows-latest would test it",
        ),
    ],
)
def test_settings_give_way(*, make: Make, options: dict[str, Any], verdict: Verdict, name: str, detail: str) -> None:
    """An extra can be assigned, even to what the project is named after; a module can be left out, here or anywhere."""
    at = make({OK: "import absent_one\ndef main(): pass\n"}, extras=HELPED, points={"x": "small_one:main"})
    assert at.found(verdict, **options)[name] == detail


@pytest.mark.parametrize(
    ("key", "left_out"),
    [("small_one:plug", ["host: x"]), ("small_one", ["host: x", "host: y", "import of small_one"]), ("small", [])],
)
def test_a_key_of_the_settings(make: Make, key: str, left_out: list[str]) -> None:
    """A key is a module with all in it, or one entry point's target. One that means nothing is a warning."""
    at = make({OK: "def plug(): pass\n"}, points={"host:x": "small_one:plug", "host:y": "small_one"})
    assert sorted(at.found(Verdict.NOT_TESTED, skip=(key,))) == left_out
    assert bool(at.warned) is (not left_out)


def test_an_assigned_extra_that_does_not_exist(make: Make) -> None:
    """Installers ignore an unknown extra, so the settings must not name one."""
    with pytest.raises(ConfigError, match="assigns 'cil' to small_cli") as caught:
        make({"small_cli": ""}, extras=HELPED).test(extras={"small_cli": ("cil",)})
    assert caught.value.next_step == "name one of its extras: cli"


@pytest.mark.parametrize(
    ("extras", "broken", "detail"),
    [
        (HELPED, ("cli",), "needs the extra cli, which cannot be installed here: no such package"),
        (
            {"gpu": ("cuda",), **HELPED},
            ("gpu", "cli"),
            "needs the extra cli, which cannot be installed here: no such package",
        ),
        (
            {"gpu": ("cuda",), "x": ()},
            ("gpu",),
            "needs absent_one, which a plain install does not include; the extra gpu cannot be installed here",
        ),
    ],
)
def test_an_extra_that_cannot_be_installed(
    make: Make, extras: dict[str, tuple[str, ...]], broken: tuple[str, ...], detail: str
) -> None:
    """It may have helped, so nothing is known: that is neither a pass nor a failure."""
    at = make({"small_cli": "import absent_one\n"}, extras=extras, broken=broken)
    assert at.found(Verdict.NOT_TESTED)["import of small_cli"] == detail


@pytest.mark.parametrize("extras", [{}, {"test": ("absent_one",)}, {"x": ("other",)}])
def test_a_plugin_needs_its_host(make: Make, extras: dict[str, tuple[str, ...]]) -> None:
    """A plug-in, and a module that only serves one, need the program that loads them, which tests may install."""
    at = make({"small_plug": "import absent_one\n"}, extras=extras, points={"host:x": "small_plug"})
    helped = "test" in extras
    found = at.found(Verdict.PASSED if helped else Verdict.NOT_TESTED)
    detail = "with the extra test" if helped else "needs absent_one, which a plain install does not include"
    assert {name for name, each in found.items() if detail in each} == {"import of small_plug", "host: x"}


def test_tests_that_are_turned_off(make: Make) -> None:
    """With ``tests = "off"``, an optional module that nothing helps is a warning; the project's own one is an error."""
    at = make({"small_cli": "import absent_one\n"}, extras={"x": ("other",)})
    assert at.found(Verdict.NOT_TESTED, lenient=True) == {
        "import of small_cli": "needs absent_one, which a plain install does not include"
    }
    assert 'that is no error because of tests = "off"' in at.warned[0]


def test_the_own_module_with_tests_turned_off(make: Make) -> None:
    """What the project is named after must import, unless a setting leaves it out."""
    with pytest.raises(CheckFailed, match="small_one does not import"):
        make({OK: "import absent_one\n"}).test(lenient=True)


def test_extras_of_the_tests_come_first(make: Make) -> None:
    """The extras in test-extras count, whatever their names."""
    at = make(
        {"small_cli": "import absent_one\n"}, extras={"x": (), "dev": ("absent_one",)}, packages={"absent_one": "y"}
    )
    assert at.found(Verdict.PASSED, tried_first=("dev",))["import of small_cli"] == "imports with the extra dev"
    assert at.tried == ["dev"]


def test_where_no_extra_is_installed(make: Make) -> None:
    """The test of files from an index leaves what needs an extra to the test before the upload, and says so."""
    at = make(
        {"small_cli": LAZY, "small_gui": "import absent_one\n"}, extras=HELPED, points={"x": "small_one:main [cli]"}
    )
    assert at.found(Verdict.NOT_TESTED, with_extras=False, extras={"small_gui": ("cli",)}) == {}
    assert at.said == [f"{at.wheel}: not testing small_gui, small_cli again: a plain install does not import it"]
    assert at.tried == []


WINDOWS = (
    "import winreg\n",
    "import os\nimport msvcrt\n",
    "from _winapi import CreateFile\n",
    "import nt\n",
    "try:\n    import winreg\nexcept ImportError:\n    raise RuntimeError('only for Windows') from None\n",
    "from ctypes import windll\n",
    "import ctypes\nkernel = ctypes.WinDLL('kernel32')\n",
    "import asyncio.windows_events\n",
    "import asyncio\npolicy = asyncio.WindowsSelectorEventLoopPolicy()\n",
    "import win32api, win32con\n",
    "import AppKit\n",
    "from Foundation import NSObject\n",
    "import Quartz\n",
    "from objc import nil\n",
    "import absent_one\n",
)
ELSEWHERE = (
    "pywin32>=300; sys_platform == 'win32'",
    "pyobjc-framework-Cocoa; platform_system == 'Darwin'",
    "absent-one; os_name == 'nt' and python_version >= '3.8'",
    "six; python_version < '3'",
)


def test_modules_of_another_platform(make: Make) -> None:
    """They are not tested here, and a warning for each names the setting that says where it is for."""
    modules = {f"small_{number}": source for number, source in enumerate(WINDOWS)}
    at = make(modules, requires=ELSEWHERE, extras={"x": ("other",)})
    found = at.found(Verdict.NOT_TESTED)
    missed = {modules[module] for module in modules if f"import of {module}" not in found}
    assert missed == set()
    assert all(detail.startswith("not tested on this platform: it needs ") for detail in found.values())
    assert len(at.warned) == len(WINDOWS)
    assert "import-markers = { small_0 = \"sys_platform == 'win32'\" }" in at.warned[0]
    assert all(detail.endswith(" would test it") for detail in found.values())
    assert at.tried == []


@pytest.mark.parametrize(
    ("system", "source", "marker", "leg"),
    [
        ("linux", "import winreg\n", "sys_platform == 'win32'", "windows-latest"),
        ("darwin", "import ctypes\nctypes.windll\n", "sys_platform == 'win32'", "windows-latest"),
        ("linux", "import Quartz\n", "sys_platform == 'darwin'", "macos-latest"),
        ("win32", "import Quartz\n", "sys_platform == 'darwin'", "macos-latest"),
        ("win32", "raise ModuleNotFoundError('none', name='fcntl')\n", "sys_platform != 'win32'", "macos-latest"),
        ("linux", "import select\nselect.kqueue\n", "sys_platform != 'linux'", "windows-latest"),
        ("linux", "import absent_one\n", "os_name == 'nt' and python_version >= '3.8'", "windows-latest"),
    ],
)
def test_the_marker_and_the_job(make: Make, system: str, source: str, marker: str, leg: str) -> None:
    """On any system, a warning gives the marker for the platforms that have what is missing, and a job that has one."""
    at = make({"small_other": source}, requires=ELSEWHERE, system=system)
    found = at.found(Verdict.NOT_TESTED)
    assert found["import of small_other"].endswith(f"; a job on {leg} would test it")
    assert f'import-markers = {{ small_other = "{marker}" }}' in at.warned[0]


@pytest.mark.parametrize(
    ("classifiers", "wheel", "runs_here"),
    [
        ((), "small_one-1.0-py3-none-any.whl", None),
        (("Operating System :: Microsoft :: Windows",), "small_one-1.0-py3-none-any.whl", None),
        (("Operating System :: OS Independent",), "small_one-1.0-py3-none-any.whl", True),
        ((), "small_one-1.0-py3-none-manylinux_2_17_x86_64.whl", True),
    ],
)
def test_a_project_of_another_platform(
    make: Make, classifiers: tuple[str, ...], wheel: str, *, runs_here: bool | None
) -> None:
    """Its tests cannot run here. If it says that it is for this platform, the import is an error."""
    at = make({OK: "import winreg\n"}, classifiers=classifiers, wheel=wheel)
    if runs_here:
        with pytest.raises(CheckFailed, match="winreg of the standard library") as caught:
            at.test()
        assert "import-markers" in caught.value.next_step
    else:
        assert not at.test().runs_here


@pytest.mark.parametrize(
    ("source", "markers"),
    [
        ("import six\n", {}),
        ("import distutils.gone\nimport collections.gone\n", {}),
        ("import collections\nMapping = collections.Mapping\n", {}),
        ("try:\n    import winreg\nexcept ImportError:\n    import gone\n", {}),
        ("try:\n    import winreg\nexcept ImportError:\n    {}['x']\n", {}),
        ("import winreg\n", {"small_win": "python_version >= '3'"}),
    ],
)
def test_an_import_that_no_platform_excuses(make: Make, source: str, markers: dict[str, str]) -> None:
    """A dependency of another Python, a mistake, or a module that is for this platform by the settings is an error."""
    with pytest.raises(CheckFailed, match="small_win does not import"):
        make({"small_win": source}, requires=ELSEWHERE).test(markers=markers)


def test_a_module_that_ends_python_is_named(make: Make) -> None:
    """The error says which module it was, and how to leave it out; then the others are tested."""
    at = make({"small_bad": "import os\nos._exit(7)\n", "small_cli": ""})
    with pytest.raises(CheckFailed, match="exit code 7 while importing small_bad") as caught:
        at.test()
    assert "import-skip" in caught.value.next_step


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("__version__ = '.'.join(map(str, (0, 9)))\n", "0.9"),
        ("__version__ = '.'.join(map(str, (1, 0, 0)))\n", ""),
        ("__version__ = (0, 9)\n", ""),
        ("__version__ = '0.9'\n", ""),
    ],
)
def test_a_computed_version(make: Make, source: str, said: str) -> None:
    """One that disagrees with the metadata is a warning; the checks of the files report one that is written there."""
    at = make({OK: source})
    sample_projects.write_wheel(at.folder / at.wheel, OK, {f"{OK}.py": source})
    at.test()
    assert [each.partition(", but")[0] for each in at.warned] == (
        [f"{at.wheel}: small_one.__version__ is {said}"] if said else []
    )
