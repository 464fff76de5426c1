"""The stage ``prove-dists`` tests files where they are installed; a proof lists digests and travels with them."""

from __future__ import annotations

import platform
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.stages.conftest import RELEASE, StageInputs
from tests.support import sample_projects
from tests.support.faulty_server import empty_index

from unmoor.adapters.uv import Uv, UvEnvironment
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.groups import SuiteOptions
from unmoor.core.stage import Output
from unmoor.dists.testing.legs import COMMAND
from unmoor.errors import CheckFailed, ConfigError, TimedOut, ToolMissing, Unknown, UnmoorError
from unmoor.ports.environments import Environment, Interpreter
from unmoor.products import Dists, File, Proof, Result, Subject, Verdict
from unmoor.stages.prove_dists import ProveDists
from unmoor.util.values import replace

pytestmark = pytest.mark.journey  # real builds, clones or servers, one after the other

MakeInputs = Callable[..., StageInputs]
EXTRA = '\n[project.optional-dependencies]\ncli = ["absent-one"]\n'
SCRIPT = '\n[project.scripts]\nsmall = "small_one:main"\n'


def hand_over(at: StageInputs, dists: Dists, proof: Proof) -> None:
    """Put a proof into the manifest, as another machine does that hands its files over."""
    at.folder.write_manifest(Manifest.of(at.release, dists, (proof,)))


def stage(at: StageInputs, **settings: Any) -> ProveDists:
    """The stage, with the real uv."""
    options = {name.removeprefix("test_"): settings.pop(name) for name in tuple(settings) if name.startswith("test_")}
    if "tests" in settings:
        options["mode"] = settings.pop("tests")
    given: dict[str, Any] = {
        "environments": at.uv,
        "folder": at.folder,
        "options": SuiteOptions(**options),
        **settings,
    }
    return ProveDists(name="prove-dists", release=RELEASE, dists=Output("dists"), git=at.git, **given)


def details(proof: Proof, verdict: Verdict) -> dict[str, str]:
    """Return the details of the results with one verdict, by name."""
    return {result.name: result.detail for result in proof.results if result.verdict is verdict}


def test_make_then_find(make_inputs: MakeInputs) -> None:
    """A proof is found by digest in the folder, and not for other bytes."""
    at = make_inputs(sample_projects.files(more=SCRIPT))
    dists = at.dists()
    context = at.context(dists=dists)
    assert stage(at).find(context) is None
    made = stage(at).make(context)
    assert stage(at).find(context) == made
    assert details(made, Verdict.PASSED) == {
        f"{name}: {what}": detail
        for name in ("small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz")
        for what, detail in {
            "imports": "small_one",
            "entry points": "console_scripts: small",
            "requirements": "",
        }.items()
    }
    assert details(made, Verdict.NOT_TESTED) == {
        "tests": "no test command is configured, and no tests for pytest were found: no testpaths, no folder such as"
        " tests/ with test_*.py"
    }
    assert at.folder.read_proof("prove-dists") == made
    other = Dists(files=(replace(dists.files[0], sha256="0" * 64), dists.files[1]))
    assert stage(at).find(at.context(dists=other)) is None


@pytest.mark.parametrize(("wanted", "fits"), [(">=99", False), (">=3.9,<99", True), ("no version", True)])
def test_files_for_other_pythons(make_inputs: MakeInputs, wanted: str, *, fits: bool) -> None:
    """Files for another Python cannot be tested, which is reported before anything is installed."""
    at = make_inputs(sample_projects.files(more=f"requires-python = '{wanted}'\n"))
    context = at.context(dists=at.dists())
    if wanted == "no version":
        with pytest.raises(CheckFailed):
            stage(at).make(context)
    elif fits:
        assert stage(at).make(context).results
    else:
        with pytest.raises(ToolMissing, match=r"is for Python >=99, unmoor runs on Python 3") as raised:
            stage(at).make(context)
        assert "install one that uv can find" in raised.value.next_step


def test_proof_travels_in_the_manifest(make_inputs: MakeInputs, tmp_path: Any) -> None:
    """Another machine finds the proof in the manifest."""
    at = make_inputs()
    dists = at.dists()
    elsewhere = RunFolder(tmp_path / "elsewhere" / "run")
    proof = Proof(
        name="prove-dists",
        subjects=tuple(Subject(name=file.name, sha256=file.sha256) for file in reversed(dists.files)),
        results=tuple(Result(name=f"{file.name}: imports", verdict=Verdict.PASSED) for file in dists.files),
    )
    manifest = Manifest.of(at.release, dists, (proof, replace(proof, name="zzz")))
    assert [each.name for each in manifest.proofs] == ["prove-dists", "zzz"]
    elsewhere.write_manifest(manifest)
    assert stage(at, folder=elsewhere).find(at.context(dists=dists)) == proof
    elsewhere.write_manifest(replace(manifest, proofs=(replace(proof, results=proof.results[:1]),)))
    assert stage(at, folder=elsewhere).find(at.context(dists=dists)) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"src/small_one/__init__.py": "import absent_one\n"}, "small_one does not import: .*absent_one"),
        ({"src/small_one/__init__.py": "raise SystemExit(3)\n"}, "does not import: SystemExit"),
        ({"src/small_one/__init__.py": "import os\nprint('the end')\nos._exit(7)\n"}, "exit code 7"),
        ({"src/json/__init__.py": ""}, "json was imported from .*, not from the installed file"),
        ({"more": '\n[project.scripts]\nsmall = "small_one:absent"\n'}, "console_scripts: small does not load"),
        ({"more": '\n[project.scripts]\nsmall = "absent_one:main"\n'}, "console_scripts: small does not load"),
        ({"more": '\n[project.entry-points.host]\nx = "small_one.absent"\n'}, "host: x does not load"),
    ],
)
def test_unproven(make_inputs: MakeInputs, content: dict[str, str], words: str) -> None:
    """A module that does not import or an entry point that does not load stops the release, and no proof is written."""
    more = content.pop("more", "")
    at = make_inputs(sample_projects.files(more=more) | content)
    context = at.context(dists=Dists(files=at.dists().wheels))
    with pytest.raises(CheckFailed, match=words) as raised:
        stage(at).make(context)
    assert stage(at).find(context) is None
    assert ("declare the dependency that provides absent_one" in raised.value.next_step) == (
        "absent_one" in words + more
    )


def with_a_blank_row(wheel: File, folder: Path) -> File:
    """A copy of a wheel in which RECORD begins with a blank row."""
    folder.mkdir()
    with zipfile.ZipFile(wheel.path) as old, zipfile.ZipFile(folder / wheel.name, "w") as new:
        for name in old.namelist():
            new.writestr(name, (b"\n" if name.endswith("/RECORD") else b"") + old.read(name))
    return describe_file(folder / wheel.name)


def test_what_pip_refuses_is_not_proven(make_inputs: MakeInputs, tmp_path: Path) -> None:
    """A wheel that uv installs and pip does not is refused with pip's message."""
    at = make_inputs()
    wheel = with_a_blank_row(at.dists().wheels[0], tmp_path / "bad")
    with pytest.raises(CheckFailed, match=r"pip cannot install small_one-1\.0-py3-none-any\.whl, although uv can"):
        stage(at).make(at.context(dists=Dists(files=(wheel,))))


def test_each_wheel_is_installed_with_pip_once(make_inputs: MakeInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wheel is installed with pip, and no sdist. A warning says if the installed pip cannot be tried."""
    at = make_inputs()
    asked: list[str] = []
    answers = iter(["", "ImportError: no such function"])

    def install_with_pip(_: object, wheel: Path, name: str) -> str:
        asked.append(f"{name}: {wheel.name}")
        return next(answers)

    monkeypatch.setattr(UvEnvironment, "install_with_pip", install_with_pip)
    context = at.context(dists=at.dists())
    stage(at).make(context)
    assert asked == [f"{at.release.project}: small_one-1.0-py3-none-any.whl"]
    assert at.warned == []
    stage(at).make(context)
    assert at.warned == [
        "small_one-1.0-py3-none-any.whl was not installed with pip, only with uv: ImportError: no such function"
    ]


def test_requirement_that_is_not_met(make_inputs: MakeInputs) -> None:
    """A requirement that no index has is reported with uv's message."""
    at = make_inputs(sample_projects.files(more='dependencies = ["absent-one"]\n'))
    dists = Dists(files=at.dists().wheels)
    with empty_index() as dependencies, pytest.raises(CheckFailed, match="absent-one"):
        stage(at, environments=replace(at.uv, dependencies=dependencies)).make(at.context(dists=dists))


def test_an_index_that_is_not_there_is_no_mistake_of_the_project(make_inputs: MakeInputs) -> None:
    """If the dependencies cannot be installed for that reason, nothing is said about the files."""
    at = make_inputs(sample_projects.files(more='dependencies = ["absent-one"]\n'))
    uv = replace(at.uv, dependencies="http://127.0.0.1:9/simple", environ={**at.uv.environ, "UV_HTTP_RETRIES": "0"})
    with pytest.raises(Unknown, match="absent-one"):
        stage(at, environments=uv).make(at.context(dists=Dists(files=at.dists().wheels)))


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("os.kill(os.getpid(), 9)", ToolMissing, "killed by signal 9"),
        ("os.kill(os.getpid(), 15)", ToolMissing, "killed by signal 15"),
        ("os.abort()", CheckFailed, "exit code -6"),
        ("sys.exit(3)", CheckFailed, "exit code 3|SystemExit"),
    ],
)
@pytest.mark.parametrize("where", ["import", "tests"])
def test_tests_that_are_killed(
    make_inputs: MakeInputs, where: str, statement: str, kind: type[UnmoorError], words: str
) -> None:
    """A signal from outside is an error of this machine, wherever it strikes; a crash is the project's own."""
    program = f"import os, sys\n{statement}\n"
    more = {"src/small_one/__init__.py" if where == "import" else "tests/run.py": program}
    at = make_inputs(sample_projects.files() | more)
    with pytest.raises(kind, match=words):
        stage(at, test_command="" if where == "import" else "python {project}/tests/run.py").make(
            at.context(dists=Dists(files=at.dists().wheels))
        )


PLUGIN = {"src/small_one/plugin.py": "import absent_one\ndef main(): pass\n"}


def offline(at: StageInputs) -> Any:
    """The real uv, without any index."""
    return replace(at.uv, environ={**at.uv.environ, "UV_NO_INDEX": "1"})


@pytest.mark.parametrize(
    ("more", "name", "detail"),
    [
        (
            '\n[project.entry-points.host]\nx = "small_one.plugin"\n',
            "host: x",
            "needs absent_one, which a plain install does not include",
        ),
        (
            EXTRA.replace("absent", "another") + '[project.scripts]\nx = "small_one.plugin:main"\n',
            "console_scripts: x",
            "needs absent_one, which a plain install does not include",
        ),
        (
            EXTRA + '[project.scripts]\nx = "small_one.plugin:main"\n',
            "console_scripts: x",
            "needs the extra cli, which cannot be installed here",
        ),
        (
            EXTRA + '[project.scripts]\nx = "small_one.plugin:main [cli]"\n',
            "console_scripts: x",
            "needs the extra cli, which cannot be installed here",
        ),
    ],
)
def test_entry_point_of_an_extra_that_is_unavailable(
    make_inputs: MakeInputs, more: str, name: str, detail: str
) -> None:
    """An entry point does not count as passed if its extra, or its host program, cannot be installed."""
    at = make_inputs(sample_projects.files(more=more) | PLUGIN)
    proof = stage(at, environments=offline(at)).make(at.context(dists=Dists(files=at.dists().wheels)))
    assert details(proof, Verdict.NOT_TESTED)[f"small_one-1.0-py3-none-any.whl: {name}"].startswith(detail)
    assert "small_one-1.0-py3-none-any.whl: entry points" not in details(proof, Verdict.PASSED)


@pytest.mark.parametrize("written", ["small_one.plugin:main [cli]", "small_one.plugin:main"])
def test_entry_point_of_an_extra_is_tested_with_it(make_inputs: MakeInputs, tmp_path: Path, written: str) -> None:
    """An entry point that needs an extra is tested with the one it names, or the one that provides it."""
    more = EXTRA + f'[project.scripts]\nx = "{written}"\ny = "small_one:main"\n'
    at = make_inputs(sample_projects.files(more=more) | PLUGIN)
    uv = with_absent_one(at, tmp_path)
    proof = stage(at, environments=uv).make(at.context(dists=Dists(files=at.dists().wheels)))
    passed = details(proof, Verdict.PASSED)
    assert passed["small_one-1.0-py3-none-any.whl: console_scripts: x"] == "loads with the extra cli"
    assert passed["small_one-1.0-py3-none-any.whl: entry points"] == "console_scripts: y"


def test_entry_point_that_its_extra_does_not_help(make_inputs: MakeInputs, tmp_path: Path) -> None:
    """An entry point that does not load even with its extra is an error."""
    more = EXTRA + '[project.scripts]\nx = "small_one.plugin:absent [cli]"\n'
    at = make_inputs(sample_projects.files(more=more) | PLUGIN)
    uv = with_absent_one(at, tmp_path)
    with pytest.raises(CheckFailed, match="console_scripts: x does not load, even with the extra cli"):
        stage(at, environments=uv).make(at.context(dists=Dists(files=at.dists().wheels)))


def with_absent_one(at: StageInputs, folder: Path) -> Any:
    """The real uv, which finds the package absent-one in a folder and asks no index."""
    links = folder / "links"
    links.mkdir()
    sample_projects.write_wheel(links / "absent_one-1.0-py3-none-any.whl", "absent_one", {"absent_one.py": ""})
    return replace(at.uv, environ={**at.uv.environ, "UV_FIND_LINKS": str(links), "UV_OFFLINE": "1"})


def test_second_module_that_needs_an_extra(make_inputs: MakeInputs) -> None:
    """One of several modules may need an extra; a project's only module may not."""
    at = make_inputs(sample_projects.files(more=EXTRA) | {"src/small_cli.py": "import absent_one\n"})
    proof = stage(at).make(at.context(dists=at.dists()))
    assert "small_one-1.0.tar.gz: import of small_cli" in details(proof, Verdict.NOT_TESTED)
    assert details(proof, Verdict.PASSED)["small_one-1.0.tar.gz: imports"] == "small_one"


def test_a_project_of_another_platform(make_inputs: MakeInputs) -> None:
    """Its files install; its modules and its tests are not tested here, and nothing advises on dependencies."""
    at = make_inputs(sample_projects.files() | {"src/small_one/__init__.py": "import winreg\n"})
    context = at.context(dists=at.dists())
    proof = stage(at, test_command="python -c 'raise SystemExit(1)'").make(context)
    why = (
        "not tested on this platform: it needs winreg of the standard library, which Python does not have here; a job"
        " on windows-latest would test it"
    )
    assert details(proof, Verdict.NOT_TESTED) == {
        "small_one-1.0-py3-none-any.whl: import of small_one": why,
        "small_one-1.0-py3-none-any.whl: tests": "the project cannot be imported on this platform",
        "small_one-1.0.tar.gz: import of small_one": why,
    }
    assert stage(at).find(context) == proof
    assert all("import-markers" in each for each in at.warned)


def test_tests_on_a_platform_that_the_classifiers_leave_out(make_inputs: MakeInputs) -> None:
    """Tests that unmoor found are not run there; a command of the project is."""
    more = 'classifiers = ["Operating System :: Microsoft :: Windows"]\n'
    at = make_inputs(sample_projects.files(more=more) | {"tests/test_it.py": "def test_it():\n    assert False\n"})
    dists = at.dists()
    why = "not tested on this platform: the project's classifiers name others; a job on windows-latest would test it"
    proof = stage(at).make(at.context(dists=dists))
    assert details(proof, Verdict.NOT_TESTED) == {"tests": why}
    assert at.warned == [f"the tests are {why}; to run them anyway, set test-command under [tool.unmoor]"]
    with pytest.raises(CheckFailed, match="exit code 1"):
        stage(at, test_command="python -c 'raise SystemExit(1)'").make(at.context(dists=dists))


def test_wheel_for_another_platform(make_inputs: MakeInputs) -> None:
    """A wheel that cannot be installed here needs a proof from another machine, or is refused by name."""
    at = make_inputs()
    dists = at.dists()
    foreign = at.folder.dists / "small_one-1.0-cp39-cp39-win32.whl"
    foreign.write_bytes(dists.wheels[0].path.read_bytes() + b"other")
    dists = Dists(files=(describe_file(foreign), *dists.files))
    context = at.context(dists=dists)
    with pytest.raises(
        CheckFailed, match=f"{foreign.name} is for win32: not available here, and no proof of it was handed over"
    ) as raised:
        stage(at).make(context)
    assert "unmoor release --dry-run --until check-dists --until prove-dists --built DIR TAG" in raised.value.next_step
    assert "--dists DIR" in raised.value.next_step
    subject = Subject(name=foreign.name, sha256=dists.files[0].sha256)
    result = Result(name=f"{foreign.name}: imports", verdict=Verdict.NOT_TESTED)
    hand_over(at, dists, Proof(name="windows", subjects=(subject,), results=(result,)))
    with pytest.raises(CheckFailed, match="no proof of it"):
        stage(at).make(context)
    passed = replace(result, verdict=Verdict.PASSED)
    hand_over(at, dists, Proof(name="windows", subjects=(replace(subject, sha256="0" * 64),), results=(passed,)))
    with pytest.raises(CheckFailed, match="no proof of it"):
        stage(at).make(context)
    hand_over(at, dists, Proof(name="windows", subjects=(subject,), results=(passed,)))
    proof = stage(at).make(context)
    assert details(proof, Verdict.PASSED)[foreign.name] == "proven elsewhere: windows"
    assert {subject.name for subject in proof.subjects} == {file.name for file in dists.files}


def test_a_rehearsal_with_a_wheel_for_another_platform(make_inputs: MakeInputs) -> None:
    """Where nothing reaches a user, it is not tried, with its leg; but something of the release must be."""
    at = make_inputs()
    dists = at.dists()
    foreign = at.folder.dists / "small_one-1.0-py3-none-win_arm64.whl"
    foreign.write_bytes(dists.wheels[0].path.read_bytes() + b"other")
    file = describe_file(foreign)
    proof = stage(at, lenient=True).make(at.context(dists=Dists(files=(file, *dists.files))))
    expected = "not tried on this platform: a job on windows-11-arm would try it"
    assert details(proof, Verdict.NOT_TESTED)[foreign.name] == expected
    assert [each for each in at.warned if foreign.name in each] == [f"{foreign.name}: {expected}; there: {COMMAND}"]
    with pytest.raises(CheckFailed, match="not available here"):
        stage(at, lenient=True).make(at.context(dists=Dists(files=(file,))))


@dataclass(frozen=True)
class UvWithOlderPython:
    """The real uv on a machine that claims to have an older Python, too, which is really unmoor's own."""

    real: Uv

    def own(self) -> Interpreter:
        """The interpreter that claims to be the older one."""
        return Interpreter(version="3.8.1", path=sys.executable)

    def pythons(self) -> tuple[Interpreter, ...]:
        """Both."""
        return (self.own(), Interpreter(version=platform.python_version(), path=sys.executable))

    def fresh(self, folder: Path, *, python: str = "") -> Environment:
        """A real environment."""
        return self.real.fresh(folder, python=python)


def test_wheel_for_another_python_of_this_machine(make_inputs: MakeInputs) -> None:
    """A wheel that does not run on the first interpreter is tested on one of this machine that fits."""
    at = make_inputs()
    sdist = at.dists().sdists[0]
    version = "".join(platform.python_version_tuple()[:2])
    only = at.folder.dists / f"small_one-1.0-py{version}-none-any.whl"
    (at.folder.dists / "small_one-1.0-py3-none-any.whl").rename(only)
    dists = Dists(files=(describe_file(only), sdist))
    proof = stage(at, environments=UvWithOlderPython(at.uv)).make(at.context(dists=dists))
    assert details(proof, Verdict.PASSED)[f"{only.name}: imports (Python {version[0]}.{version[1:]})"] == "small_one"


CHECK = """
import pathlib, sys, small_one
assert pathlib.Path('tests/test_x.py').is_file()
assert not pathlib.Path('src').exists()
assert 'site-packages' in small_one.__file__
assert sys.argv[1] == str(pathlib.Path.cwd())
"""


def test_tests_run_against_the_wheel_on_a_copy(make_inputs: MakeInputs) -> None:
    """The test command sees the tests and the installed wheel, but not the source."""
    at = make_inputs(sample_projects.files() | {"tests/test_x.py": "", "setup.cfg": ""})
    proof = stage(at, test_command=f'python -c "{CHECK}" {{project}}').make(
        at.context(dists=Dists(files=at.dists().wheels))
    )
    assert "small_one-1.0-py3-none-any.whl: tests" in details(proof, Verdict.PASSED)
    assert "tests" not in details(proof, Verdict.NOT_TESTED)


def test_only_the_named_sources_are_copied(make_inputs: MakeInputs) -> None:
    """Only the files and folders in test-sources are copied, and those that configure pytest."""
    at = make_inputs(
        sample_projects.files() | {"checks/a/x.txt": "", "data/one.txt": "", "data/two.txt": "", "tests/y.py": ""}
    )
    look = (
        "import os; assert sorted(f for _, _, found in os.walk('.') for f in found)"
        " == ['one.txt', 'pyproject.toml', 'x.txt']"
    )
    stage(at, test_command=f'python -c "{look}"', test_sources=("checks", "data/one.txt")).make(
        at.context(dists=Dists(files=at.dists().wheels))
    )


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"test_command": "python -c 'print(40 + 2); raise SystemExit(5)'"}, CheckFailed, "exit code 5\n42"),
        ({"test_command": "no-such-runner"}, ToolMissing, "no-such-runner"),
        ({"test_command": "python", "test_sources": ("absent",)}, ConfigError, "absent"),
        ({"test_command": "python", "test_sources": ("../../etc",)}, ConfigError, "etc"),
        (
            {"test_command": "python -c 'import time; print(6, flush=True); time.sleep(60)'", "test_timeout": 1.5},
            TimedOut,
            r"(?s)sleep.* ran for more than 1\.5 s and was stopped\n6\nthe whole log: /",
        ),
    ],
)
def test_tests_that_do_not_pass(
    make_inputs: MakeInputs, settings: dict[str, Any], error: type[Exception], words: str
) -> None:
    """Failing tests, a missing runner, missing sources and slow tests each have their own error."""
    at = make_inputs()
    with pytest.raises(error, match=words):
        stage(at, **settings).make(at.context(dists=Dists(files=at.dists().wheels)))


def test_tests_that_never_import_the_project(make_inputs: MakeInputs) -> None:
    """Tests that pass without an import of the project do not count."""
    at = make_inputs()
    proof = stage(at, test_command="python -c 'pass'").make(at.context(dists=Dists(files=at.dists().wheels)))
    assert "never imported small_one" in details(proof, Verdict.NOT_TESTED)["small_one-1.0-py3-none-any.whl: tests"]
    assert any("prove nothing" in each for each in at.warned)


@pytest.mark.parametrize("code", ["sys.path.insert(0, 'src'); import small_one", "import runpy, small_one"])
def test_tests_that_import_the_source(make_inputs: MakeInputs, code: str) -> None:
    """Tests that import a copy of the source are an error."""
    at = make_inputs(sample_projects.files() | {"tests/x.py": ""})
    context = at.context(dists=Dists(files=at.dists().wheels))
    what = stage(at, test_command=f'python -c "import sys; {code}"', test_sources=("tests", "src"))
    if "insert" in code:
        with pytest.raises(CheckFailed, match=r"imported small_one from __init__\.py among the copied tests"):
            what.make(context)
    else:
        assert "small_one-1.0-py3-none-any.whl: tests" in details(what.make(context), Verdict.PASSED)


def test_further_pythons(make_inputs: MakeInputs) -> None:
    """Wheels are tested with each configured Python; an absent one is reported, and does not count as passed."""
    at = make_inputs()
    own = ".".join(platform.python_version_tuple()[:2])
    context = at.context(dists=Dists(files=at.dists().wheels))
    proof = stage(at, test_pythons=(own, "3.99")).make(context)
    assert details(proof, Verdict.NOT_TESTED)["Python 3.99"] == "it is not on this machine"
    assert "nothing is tested with Python 3.99: it is not on this machine" in at.warned
    with pytest.raises(ToolMissing, match=r"no Python 3\.99"):
        stage(at, python="3.99").make(context)


TEST_GROUP = '\n[dependency-groups]\ntest = ["pytest>=8", {include-group = "more"}]\nmore = ["idna"]\n'
NAME = "small_one-1.0-py3-none-any.whl: tests"


@pytest.mark.journey
@pytest.mark.parametrize(
    ("more", "test", "words"),
    [
        (TEST_GROUP, "import idna, small_one, absent_one\n", "there is no module absent_one"),
        (TEST_GROUP, "import small_one, tools.more, tests.test_x\n\ndef test_it():\n    open('README')\n", "1 passed"),
        (
            '\n[project.optional-dependencies]\ntests = ["pytest"]\n',
            "import small_one\ndef test_it(): pass\n",
            "1 passed",
        ),
    ],
)
def test_tests_found_by_convention(make_inputs: MakeInputs, more: str, test: str, words: str) -> None:
    """Tests for pytest run without configuration, and a message says so.

    They see the whole repository except for the project's own modules. If pytest lacks a module that nobody declared,
    the proof says so.
    """
    beside = {"tools/more.py": "", "README": "", "small_one/__init__.py": "raise ImportError"}
    at = make_inputs(sample_projects.files(more=more) | {"tests/test_x.py": test} | beside)
    proof = stage(at).make(at.context(dists=Dists(files=at.dists().wheels)))
    assert any("tests found: tests/ contains tests for pytest" in each for each in at.messages)
    result = next(each for each in proof.results if each.name == NAME)
    if words == "1 passed":
        assert (result.verdict, result.counts, result.detail) == (
            *(Verdict.PASSED, words),
            "python -m pytest {project}/tests",
        )
        assert not at.warned
    else:
        assert (result.verdict, words in result.detail) == (Verdict.NOT_TESTED, True)
        assert any(words in each and 'tests = "off"' in each for each in at.warned)


@pytest.mark.journey
@pytest.mark.parametrize(
    ("test", "more", "words", "next_step"),
    [
        (
            "import small_one\n\ndef test_it():\n    assert False\n",
            "",
            ("1 failed", "tests/test_x.py::test_it:", "assert False"),
            'tests = "off"',
        ),
        ("import small_one.absent\n", "", ("1 error", "small_one.absent"), "include small_one.absent in the wheel"),
        (
            "import os, small_one\n\ndef test_it():\n    print('so far')\n    os._exit(0)\n",
            "",
            ("ended before it was finished, in or after tests/test_x.py::test_it", "exit code 0"),
            "",
        ),
        (
            "import small_one\n",
            '\n[tool.pytest.ini_options]\naddopts = "--cov=small_one"\n',
            ("pytest does not know --cov=small_one", "unrecognized arguments"),
            'test-requires = ["pytest>=8", "idna", "pytest-cov"]',
        ),
    ],
)
def test_tests_that_fail(make_inputs: MakeInputs, test: str, more: str, words: tuple[str, ...], next_step: str) -> None:
    """The message has the numbers, the names, the first traceback and the log, and no proof is written."""
    at = make_inputs(sample_projects.files(more=TEST_GROUP + more) | {"tests/test_x.py": test})
    context = at.context(dists=Dists(files=at.dists().wheels))
    with pytest.raises(CheckFailed) as raised:
        stage(at).make(context)
    message = str(raised.value)
    assert all(word in message for word in words), message
    assert next_step in raised.value.next_step
    log = at.folder.path / "logs" / f"tests-{NAME.partition(':')[0]}-python{platform.python_version()}.log"
    assert message.splitlines()[-1] == f"the whole log: {log}"
    assert log.stat().st_size > 0
    assert stage(at).find(context) is None
    if "1 failed" in words:
        (failure,) = raised.value.failures
        assert failure[::2] == ("tests/test_x.py::test_it", "tests/test_x.py")
        assert failure.line == 4


@pytest.mark.journey
def test_a_coverage_threshold_does_not_fail_a_proof(make_inputs: MakeInputs) -> None:
    """Coverage is not measured, so nothing about it fails; tests that fail still do."""
    group = TEST_GROUP.replace("pytest>=8", 'pytest", "pytest-cov')
    more = '\n[tool.pytest.ini_options]\naddopts = "--cov=absent --cov-fail-under=90"\nfilterwarnings = "error"\n'
    test = "import small_one\ndef test_it(): pass\n"
    at = make_inputs(sample_projects.files(more=group + more) | {"tests/test_x.py": test})
    proof = stage(at).make(at.context(dists=Dists(files=at.dists().wheels)))
    assert details(proof, Verdict.PASSED)[NAME]
    assert "coverage is not measured: that of an installed copy says nothing about the source" in at.messages


@pytest.mark.journey
@pytest.mark.parametrize(
    ("files", "options", "command"),
    [
        (
            {"small_one/__init__.py": "raise ImportError", "small_one/tests/__init__.py": ""}
            | {
                "small_one/tests/test_x.py": "import os\nfrom .. import __doc__\n\n"
                "def test_it():\n    os.stat(os.environ['CASES'])\n"
            }
            | {"tox.ini": "[testenv]\nset_env = CASES = {toxinidir}/cases.txt\ncommands = pytest\n", "cases.txt": ""},
            {},
            "--pyargs small_one",
        ),
        (
            {"small_one/__init__.py": "raise ImportError"}
            | {"tests/test_x.py": "import small_one\n\ndef test_it():\n    open('small_one/__init__.py')\n"},
            {"test_modules": "keep"},
            "{project}/tests",
        ),
    ],
)
def test_tests_within_and_beside_a_package(
    make_inputs: MakeInputs, files: dict[str, str], options: dict[str, str], command: str
) -> None:
    """Tests within a package run beside the installed modules; kept modules can be read and are never imported."""
    at = make_inputs(sample_projects.files() | files)
    proof = stage(at, **options).make(at.context(dists=Dists(files=at.dists().wheels)))
    assert details(proof, Verdict.PASSED)["small_one-1.0-py3-none-any.whl: tests"] == f"python -m pytest {command}"


@pytest.mark.journey
def test_pytest_with_an_extra(make_inputs: MakeInputs) -> None:
    """Real pytest, from test-requires, finds its configuration and the packages of the extra."""
    more = '\n[project.optional-dependencies]\nnames = ["idna"]\n\n[tool.pytest.ini_options]\npythonpath = ["src"]\n'
    at = make_inputs(
        sample_projects.files(more=more) | {"tests/test_x.py": "import idna, small_one\n\ndef test_it():\n    pass\n"}
    )
    settings = {"test_command": "pytest -q", "test_requires": ("pytest>=8",), "test_extras": ("names",)}
    proof = stage(at, **settings).make(at.context(dists=at.dists()))
    assert "small_one-1.0-py3-none-any.whl: tests" in details(proof, Verdict.PASSED)
