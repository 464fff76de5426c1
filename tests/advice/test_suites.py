"""Every advice about a project's tests, and about what an installed file does not import, leads to a proof."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
import venv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from tests.dists.testing.test_install_test import Installed
from tests.dists.testing.test_suite_needs import Recorded
from tests.dists.testing.test_suite_needs import file as wheel_of
from tests.dists.testing.test_suite_verdict import BEGIN, FOUND, absent, end, record_of
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import Uv, UvEnvironment
from unmoor.config.settings import resolve
from unmoor.dists.inspect import Metadata
from unmoor.dists.testing.parts import DistUnderTest
from unmoor.dists.testing.suite_advice import advise_untested
from unmoor.dists.testing.suite_needs import install_needs
from unmoor.dists.testing.suite_run import Log, SuiteRun
from unmoor.dists.testing.suites import Suite
from unmoor.errors import CheckFailed
from unmoor.ports.environments import Environment
from unmoor.products import File, Verdict
from unmoor.util.values import replace

PYTEST = ("_pytest", "pytest", "py.py", "pluggy", "iniconfig", "packaging", "pygments")
"""What pytest consists of. The environment of the walks has links to it, since installing it takes a second."""
PASSES = "def test_one():\n    import small_one\n"
WHEEL = "small_one-1.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


@pytest.fixture(scope="module")
def environment(shell: LocalShell, tmp_path_factory: pytest.TempPathFactory) -> UvEnvironment:
    """An environment with pytest, for all walks here."""
    made = Uv(shell=shell).fresh(tmp_path_factory.mktemp("suites") / "environment", python=sys.executable)
    for name in PYTEST:
        (made.packages / name).symlink_to(Path(sys.modules["pytest"].__file__ or "").parents[1] / name)
    return made


def setting(text: str) -> dict[str, Any]:
    """The first setting that a text spells out, as the settings read it."""
    found = re.search(r"\[tool\.unmoor\]\n(.+)", text) or re.search(r"(?:set |: )([\w-]+ = [^;]+?) under \[tool", text)
    assert found, text
    line = found[1].partition(" or ")[0]
    read = {"pyproject.toml": f"[project]\nname = 'x'\n[tool.unmoor]\n{line}\n".encode()}.get
    resolved = resolve(read).settings
    return {name: getattr(resolved, name.replace("-", "_")) for name in tomllib.loads(line)}


def install(place: Place, modules: Mapping[str, str]) -> None:
    """Replace what is installed beside pytest."""
    packages = place.kept["environment"].packages
    for each in packages.iterdir():
        if each.name not in PYTEST and not each.is_symlink():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    for name, text in modules.items():
        (packages / f"{name}.py").write_text(text)


def _prove(place: Place) -> object:
    """Run the suite of the walk against the installed modules, as the stage ``prove-dists`` does."""
    kept = place.kept
    install(place, kept["modules"])
    number = kept["number"] = kept.get("number", 0) + 1
    copy = place.folder / f"copy-{number}"
    Repo(copy).write(kept["files"])
    (place.folder / f"work-{number}").mkdir()
    metadata = Metadata(name="small-one", version="1.0")
    what = DistUnderTest(
        file=File(name=WHEEL, path=place.folder / WHEEL, size=1, sha256="0" * 64),
        metadata=metadata,
        modules=("small_one",),
    )
    suite = replace(Suite(command="python -m pytest -q -p no:cacheprovider"), **kept["suite"])
    result = SuiteRun(
        suite=suite,
        environment=kept["environment"],
        what=what,
        copy=copy,
        root=copy,
        path="",
        folder=place.folder / f"work-{number}",
        install=lambda: None,
        beside_source=kept.get("beside", False),
        timeout=kept.get("timeout", 30.0),
        log=Log(path=place.folder / "log", write=lambda _: None),
        say=lambda _: None,
        warn=lambda _: None,
    ).run()
    assert result.verdict is Verdict.PASSED, result
    return result


def suite(
    files: Mapping[str, str],
    follow: Callable[[Place, str], object],
    modules: Mapping[str, str] | None = None,
    **more: Any,
) -> Walk:
    """A suite that does not prove the installed module, until it is corrected."""
    begin = keep(files=dict(files), modules={"small_one": "", **(modules or {})}, suite={}, **more)
    return Walk(begin=begin, act=_prove, follow=follow)


def write(**files: str) -> Callable[..., None]:
    """Correct files; ``__`` stands for a dot."""
    return lambda place, *_: place.kept["files"].update({name.replace("__", "."): text for name, text in files.items()})


def need(place: Place, text: str) -> None:
    """Install what the setting names that the advice gives to paste; a package has the module of its name."""
    (listed,) = setting(text).values()
    place.kept["modules"] |= {name.replace("-", "_"): "" for name in listed}
    if "pytest-timeout" in listed:
        place.kept["modules"]["conftest_of_plugin"] = ""
        place.kept["files"]["conftest.py"] = "def pytest_addoption(parser):\n    parser.addoption('--timeout')\n"


def turn_off(place: Place, text: str) -> None:
    """Set ``tests = "off"``, which leaves a suite that is never run."""
    assert 'set tests = "off" under [tool.unmoor]' in text
    place.kept["files"] = {"test_one.py": PASSES}


def _module(place: Place, text: str) -> None:
    """Include the module that the advice names in the wheel."""
    place.kept["modules"][text.partition("include ")[2].partition(" in")[0]] = ""
    place.kept["files"].pop("src/small_two/x.py", None)


SUITES: dict[str, Walk] = {
    "see-failed-tests": suite({"test_one.py": f"{PASSES}    assert 0\n"}, write(test_one__py=PASSES)),
    "turn-tests-off": suite({"test_one.py": f"{PASSES}    assert 0\n"}, turn_off),
    "install-for-tests+install-more-for-tests": suite(
        {"test_one.py": PASSES, "conftest.py": "import absent_one\n"}, need
    ),
    "install-pytest-plugins": suite({"test_one.py": PASSES, "pytest.ini": "[pytest]\naddopts = --timeout=9\n"}, need),
    "include-modules": suite(
        {"test_one.py": PASSES, "conftest.py": "import small_one.more\n"},
        lambda place, text: (
            place.kept["modules"].update(small_one="import sys\nsys.modules['small_one.more'] = sys\n")
            if text.startswith("include small_one.more in the wheel")
            else None
        ),
    ),
    "correct-pytest-options": suite(
        {"test_one.py": PASSES, "pytest.ini": "[pytest]\naddopts = --color=odd\n"}, write(pytest__ini="[pytest]\n")
    ),
    "correct-pytest-start": suite({"test_one.py": PASSES, "conftest.py": "1 / 0\n"}, write(conftest__py="")),
    "correct-warning": suite(
        {
            "test_one.py": PASSES,
            "conftest.py": "import warnings\nwarnings.warn('old')\n",
            "pytest.ini": "[pytest]\nfilterwarnings = error\n",
        },
        write(pytest__ini="[pytest]\nfilterwarnings =\n    error\n    ignore:old\n"),
    ),
    "allow-tests-more-time": suite(
        {"test_one.py": f"{PASSES}    import time; time.sleep(0.3)\n"}, keep(timeout=30.0), timeout=0.3
    ),
    "list-test-program": suite(
        {"test_one.py": PASSES},
        lambda place, _: place.kept.update(suite={}),
    ),
    "remove-source-from-tests": suite(
        {"test_one.py": PASSES, "small_one.py": ""},
        lambda place, _: place.kept["files"].pop("small_one.py"),
        beside=False,
    ),
}
SUITES["turn-tests-off"] = replace(
    SUITES["turn-tests-off"], begin=also(SUITES["turn-tests-off"].begin, keep(suite={"why": "found"}))
)
SUITES["list-test-program"] = replace(
    SUITES["list-test-program"], begin=also(SUITES["list-test-program"].begin, keep(suite={"command": "nose3"}))
)


def _untested(place: Place) -> object:
    """Meet the warning about a suite of which no test ran, unless what it lacks is listed."""
    if "pyyaml" in place.kept["suite"].requires:
        return None
    record = record_of(BEGIN, absent("yaml.x"), end(2))
    raise CheckFailed("no test ran", next_step=advise_untested(place.kept["suite"], record, frozenset({"own"})))


def _needs(place: Place) -> object:
    """Install what the tests need; an index has it once the setting no longer names what it lacks."""
    environment = Recorded(9 if place.kept["suite"].why else 0)
    install_needs(cast("Environment", environment), place.kept["suite"], file=wheel_of, say=print)
    return None


def _set(place: Place, text: str) -> None:
    """Paste the setting: what is configured is no longer guessed, so the suite has no reason."""
    place.kept["suite"] = replace(place.kept["suite"], why="", requires=setting(text)["test-requires"])


def installed(modules: dict[str, str], follow: Callable[..., object], **more: Any) -> Walk:
    """An installed file that does not import, until the project or the settings are corrected."""

    def act(place: Place) -> object:
        folder = place.folder / str(len(list(place.folder.iterdir())))
        folder.mkdir()
        it = Installed(place.kept["one"], folder, place.kept["modules"], **more)
        return it.test(with_extras=False, **place.kept["options"])

    return Walk(begin=keep(modules=modules, options={}), act=act, follow=follow)


def paste(place: Place, text: str) -> None:
    """Paste the setting for a module that need not import."""
    place.kept["options"] = {name.removeprefix("import-"): value for name, value in setting(text).items()}


def modules(**texts: str) -> Callable[..., None]:
    """Correct modules."""
    return lambda place, *_: place.kept["modules"].update(texts)


MAIN = {"small_one": ""}
IMPORTS: dict[str, Walk] = {
    "declare-dependency": installed({"small_one": "import absent_one\n"}, modules(absent_one="")),
    "mark-optional": installed(MAIN | {"helper": "import absent_one\n"}, paste),
    "correct-code+release-corrected": installed(MAIN | {"helper": "1 / 0\n"}, modules(helper="")),
    "correct-project": installed({"small_one": "1 / 0\n"}, modules(small_one="")),
    "correct-project crashed": installed({"small_one": "import os\nos._exit(3)\n"}, modules(small_one="")),
    "leave-module-out": installed({"small_one": "1 / 0\n"}, keep(options={"skip": ("small_one",)})),
    "say-where-it-runs": installed(
        {"small_one": "import winreg\n"}, paste, classifiers=("Operating System :: POSIX :: Linux",)
    ),
}
PURE: dict[str, Walk] = {
    "set-test-requires": Walk(begin=keep(suite=FOUND), act=_untested, follow=_set),
    "name-test-needs": Walk(begin=keep(suite=FOUND), act=_needs, follow=_set),
}
WALKS = SUITES | IMPORTS | PURE


@pytest.mark.parametrize("name", SUITES)
def test_advice_about_tests_is_followed(
    name: str, tmp_path: Path, shell: LocalShell, environment: UvEnvironment
) -> None:
    """With the setting or the package of the advice, or corrected tests, the suite proves the installed module."""
    walk(name, SUITES, Place(folder=tmp_path, shell=shell, kept={"environment": environment}))


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment without pytest, whose modules each walk replaces."""
    folder = tmp_path_factory.mktemp("one") / "environment"
    venv.create(folder, symlinks=True)
    return folder


@pytest.mark.parametrize("name", IMPORTS)
def test_advice_about_imports_is_followed(name: str, tmp_path: Path, shell: LocalShell, one: Path) -> None:
    """With the setting of the advice, or a corrected project, the installed file passes."""
    walk(name, IMPORTS, Place(folder=tmp_path, shell=shell, kept={"one": one}))


@pytest.mark.parametrize("name", PURE)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell) -> None:
    """The setting that the advice spells out names what the tests need."""
    walk(name, PURE, Place(folder=tmp_path, shell=shell))
