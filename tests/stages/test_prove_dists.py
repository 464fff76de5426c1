"""Files are proven where they are installed; a proof is of digests, and travels with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests import projects
from tests.stages.conftest import RELEASE, Bench

from unmoor.errors import ConfigError, MissingPart, Overdue, Unproven
from unmoor.files import measured
from unmoor.folder import RunFolder
from unmoor.products import Dists, Proof, Result, Subject, Verdict
from unmoor.stage import Promise
from unmoor.stages.prove_dists import ProveDists

Benches = Callable[..., Bench]
EXTRA = '\n[project.optional-dependencies]\ncli = ["absent-one"]\n'
SCRIPT = '\n[project.scripts]\nsmall = "small_one:main"\n'


def stage(at: Bench, **settings: Any) -> ProveDists:
    """The stage, with the real uv."""
    given: dict[str, Any] = {"environments": at.uv, "folder": at.folder, **settings}
    return ProveDists(name="prove-dists", release=RELEASE, dists=Promise("dists"), git=at.git, **given)


def said(proof: Proof, verdict: Verdict) -> dict[str, str]:
    """The results of one verdict, by name."""
    return {result.name: result.detail for result in proof.results if result.verdict is verdict}


def test_make_then_find(bench: Benches) -> None:
    """What was proven is found by the bytes alone: in the folder, in the manifest, and not for other bytes."""
    at = bench(projects.files(more=SCRIPT))
    dists = at.dists()
    have = at.have(dists=dists)
    assert stage(at).find(have) is None
    made = stage(at).make(have)
    assert stage(at).find(have) == made
    assert said(made, Verdict.PASSED) == {
        f"{name}: {what}": detail
        for name in ("small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz")
        for what, detail in {
            "imports": "small_one",
            "entry points": "console_scripts: small",
            "requirements": "",
        }.items()
    }
    assert said(made, Verdict.NOT_TESTED) == {"tests": "no test command is configured"}
    manifest = at.folder.read_manifest()
    assert manifest is not None
    assert manifest.proofs == (made,)
    other = Dists(files=(replace(dists.files[0], sha256="0" * 64), dists.files[1]))
    assert stage(at).find(at.have(dists=other)) is None


@pytest.mark.parametrize(("wanted", "fits"), [(">=99", False), (">=3.9,<99", True), ("no version", True)])
def test_files_for_other_pythons(bench: Benches, wanted: str, *, fits: bool) -> None:
    """Files for another Python than this one cannot be tried, which is said before anything is installed."""
    at = bench(projects.files(more=f"requires-python = '{wanted}'\n"))
    have = at.have(dists=at.dists())
    if wanted == "no version":
        with pytest.raises(Unproven):
            stage(at).make(have)
    elif fits:
        assert stage(at).make(have).results
    else:
        with pytest.raises(MissingPart, match=r"is for Python >=99, and unmoor runs on Python 3") as raised:
            stage(at).make(have)
        assert "install unmoor into such a Python" in raised.value.next_step


def test_proof_travels_in_the_manifest(bench: Benches, tmp_path: Any) -> None:
    """On another machine, where only the manifest came along, the proof is found."""
    at = bench()
    dists = at.dists()
    elsewhere = RunFolder(tmp_path / "elsewhere" / "run")
    proof = Proof(
        name="prove-dists",
        subjects=tuple(Subject(name=file.name, sha256=file.sha256) for file in reversed(dists.files)),
        results=(Result(name="imports", verdict=Verdict.PASSED),),
    )
    at.folder.add_proof(replace(proof, name="zzz"))
    at.folder.add_proof(proof)
    manifest = at.folder.read_manifest()
    assert manifest is not None
    assert [each.name for each in manifest.proofs] == ["prove-dists", "zzz"]
    elsewhere.write_manifest(manifest)
    assert stage(at, folder=elsewhere).find(at.have(dists=dists)) == proof


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"src/small_one/__init__.py": "import absent_one\n"}, "small_one does not import: .*absent_one"),
        ({"src/small_one/__init__.py": "raise SystemExit(3)\n"}, "does not import: SystemExit"),
        ({"src/small_one/__init__.py": "import os\nprint('the end')\nos._exit(7)\n"}, "exit code 7"),
        ({"src/json/__init__.py": ""}, "json was imported from .*, not from what was installed"),
        ({"more": '\n[project.scripts]\nsmall = "small_one:absent"\n'}, "console_scripts: small does not load"),
        ({"more": '\n[project.scripts]\nsmall = "absent_one:main"\n'}, "console_scripts: small does not load"),
        ({"more": '\n[project.entry-points.host]\nx = "small_one.absent"\n'}, "host: x does not load"),
    ],
)
def test_unproven(bench: Benches, content: dict[str, str], words: str) -> None:
    """What cannot be imported or loaded stops the release, and no proof is left."""
    more = content.pop("more", "")
    at = bench(projects.files(more=more) | content)
    have = at.have(dists=Dists(files=at.dists().wheels))
    with pytest.raises(Unproven, match=words) as raised:
        stage(at).make(have)
    assert stage(at).find(have) is None
    assert ("declare what brings absent_one as a dependency" in raised.value.next_step) == (
        "absent_one" in words + more
    )


def test_requirement_that_is_not_met(bench: Benches) -> None:
    """A requirement that no index has is told in uv's words."""
    at = bench(projects.files(more='dependencies = ["absent-one"]\n'))
    uv = replace(at.uv, dependencies="http://127.0.0.1:9/simple", environ={**at.uv.environ, "UV_HTTP_RETRIES": "0"})
    with pytest.raises(Unproven, match="absent-one"):
        stage(at, environments=uv).make(at.have(dists=Dists(files=at.dists().wheels)))


@pytest.mark.parametrize(
    ("more", "name", "detail"),
    [
        (
            '\n[project.entry-points.host]\nx = "small_one.plugin"\n',
            "host: x",
            "needs absent_one, which a plain install does not bring",
        ),
        (
            EXTRA + '[project.scripts]\nx = "small_one.plugin:main"\n',
            "console_scripts: x",
            "needs absent_one, which a plain install does not bring",
        ),
        (
            EXTRA + '[project.scripts]\nx = "small_one.plugin:main [cli]"\n',
            "console_scripts: x",
            "needs the extra cli, which a plain install does not bring",
        ),
    ],
)
def test_entry_point_of_an_extra_is_not_tested(bench: Benches, more: str, name: str, detail: str) -> None:
    """An entry point that needs an extra, or its host program, is never counted as a pass."""
    at = bench(projects.files(more=more) | {"src/small_one/plugin.py": "import absent_one\ndef main(): pass\n"})
    proof = stage(at).make(at.have(dists=at.dists()))
    untested = said(proof, Verdict.NOT_TESTED)
    assert untested[f"small_one-1.0-py3-none-any.whl: {name}"] == detail
    assert untested[f"small_one-1.0.tar.gz: {name}"] == detail
    assert "small_one-1.0.tar.gz: entry points" not in said(proof, Verdict.PASSED)


def test_second_module_that_needs_an_extra(bench: Benches) -> None:
    """One module of several may need what an extra brings; a project's only module may not."""
    at = bench(projects.files(more=EXTRA) | {"src/small_cli.py": "import absent_one\n"})
    proof = stage(at).make(at.have(dists=at.dists()))
    assert "small_one-1.0.tar.gz: import of small_cli" in said(proof, Verdict.NOT_TESTED)
    assert said(proof, Verdict.PASSED)["small_one-1.0.tar.gz: imports"] == "small_one"


def test_wheel_for_another_platform(bench: Benches) -> None:
    """What cannot be installed here is not tested, and said so."""
    at = bench()
    dists = at.dists()
    foreign = at.folder.dists / "small_one-1.0-cp39-cp39-win32.whl"
    foreign.write_bytes(dists.wheels[0].path.read_bytes())
    dists = Dists(files=(measured(foreign), *dists.files))
    proof = stage(at).make(at.have(dists=dists))
    assert foreign.name in said(proof, Verdict.NOT_TESTED)
    assert {subject.name for subject in proof.subjects} == {file.name for file in dists.files}


CHECK = """
import pathlib, sys, small_one
assert pathlib.Path('tests/test_x.py').is_file()
assert not pathlib.Path('src').exists()
assert 'site-packages' in small_one.__file__
assert sys.argv[1] == str(pathlib.Path.cwd())
"""


def test_tests_run_against_the_wheel_on_a_copy(bench: Benches) -> None:
    """The test command sees the tests and the installed wheel, and not the source."""
    at = bench(projects.files() | {"tests/test_x.py": "", "setup.cfg": ""})
    proof = stage(at, test_command=f'python -c "{CHECK}" {{project}}').make(
        at.have(dists=Dists(files=at.dists().wheels))
    )
    assert "small_one-1.0-py3-none-any.whl: tests" in said(proof, Verdict.PASSED)
    assert "tests" not in said(proof, Verdict.NOT_TESTED)


def test_only_the_named_sources_are_copied(bench: Benches) -> None:
    """What test-sources names comes along, folders and single files, and nothing else."""
    at = bench(projects.files() | {"checks/a/x.txt": "", "data/one.txt": "", "data/two.txt": "", "tests/y.py": ""})
    look = "import os; assert sorted(f for _, _, found in os.walk('.') for f in found) == ['one.txt', 'x.txt']"
    stage(at, test_command=f'python -c "{look}"', test_sources=("checks", "data/one.txt")).make(
        at.have(dists=Dists(files=at.dists().wheels))
    )


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"test_command": "python -c 'print(40 + 2); raise SystemExit(5)'"}, Unproven, "exit code 5.*\n42"),
        ({"test_command": "no-such-runner"}, MissingPart, "no-such-runner"),
        ({"test_command": "python", "test_sources": ("absent",)}, ConfigError, "absent"),
        ({"test_command": "python", "test_sources": ("../../etc",)}, ConfigError, "etc"),
        ({"test_command": "python -c 'import time; time.sleep(60)'", "test_timeout": 0.5}, Overdue, r"0\.5 s"),
    ],
)
def test_tests_that_do_not_pass(bench: Benches, settings: dict[str, Any], error: type[Exception], words: str) -> None:
    """Failing tests, a missing runner, missing sources and slow tests each have their own error."""
    at = bench()
    with pytest.raises(error, match=words):
        stage(at, **settings).make(at.have(dists=Dists(files=at.dists().wheels)))


@pytest.mark.journey
def test_pytest_with_an_extra(bench: Benches) -> None:
    """A real runner, from test-requires, finds its configuration and what the extra brings."""
    more = '\n[project.optional-dependencies]\nnames = ["idna"]\n\n[tool.pytest.ini_options]\npythonpath = ["src"]\n'
    at = bench(projects.files(more=more) | {"tests/test_x.py": "import idna, small_one\n\ndef test_it():\n    pass\n"})
    settings = {"test_command": "pytest -q", "test_requires": ("pytest>=8",), "test_extras": ("names",)}
    proof = stage(at, **settings).make(at.have(dists=at.dists()))
    assert "small_one-1.0-py3-none-any.whl: tests" in said(proof, Verdict.PASSED)
