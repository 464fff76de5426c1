"""The commands with which a project lints, checks its types and tests itself."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from unmoor.config.workflows import WorkflowSettings
from unmoor.project.files import Files
from unmoor.workflows.commands import (
    ProjectFiles,
    coverage_plugins,
    fail_under,
    lint_commands,
    type_commands,
)
from unmoor.workflows.commands import (
    test_commands as commands_of_tests,
)

AUTO = WorkflowSettings()
HOOKS = ".pre-commit-config.yaml"
TESTS = {"src/small/__init__.py": "", "tests/test_one.py": "import pytest\ndef test_one(): ...\n"}
LOCKED = {"uv.lock": "version = 1\n", "pyproject.toml": '[dependency-groups]\ntest = ["pytest", "attrs"]'}


def _project(texts: Mapping[str, str], top: Mapping[str, str] | None = None) -> ProjectFiles:
    def files(held: Mapping[str, str]) -> Files:
        return Files(lambda path: held[path].encode() if path in held else None, lambda: tuple(held))

    return ProjectFiles(files=files(texts), top=files(texts if top is None else top), name="small")


@pytest.mark.parametrize(
    ("texts", "run", "install"),
    [
        ({HOOKS: "repos: []"}, "pre-commit run --all-files", "pre-commit"),
        ({HOOKS: "repos: []", "tox.ini": "[testenv:lint]"}, "pre-commit run --all-files", "pre-commit"),
        ({"tox.ini": "[testenv:lint]\ncommands = flake8"}, "tox run -e lint", "tox"),
        ({"tox.ini": "[testenv:docs,style]"}, "tox run -e style", "tox"),
        ({"tox.toml": "[env.lint]\ncommands = [['x']]"}, "tox run -e lint", "tox"),
        ({"pyproject.toml": "[tool.tox.env.pre-commit]"}, "tox run -e pre-commit", "tox"),
        ({"noxfile.py": "@nox.session\ndef lint(session): ..."}, "nox -s lint", "nox"),
        ({"noxfile.py": "@session(python='3')\ndef pre_commit(s): ..."}, "nox -s pre_commit", "nox"),
        ({"ruff.toml": ""}, "ruff check .", "ruff"),
        ({"pyproject.toml": "[tool.ruff.format]"}, "ruff check .\nruff format --check .", "ruff"),
        ({"pyproject.toml": "[tool.black]\n[tool.isort]"}, "black --check .\nisort --check-only .", "black isort"),
        ({"setup.cfg": "[flake8]\nmax-line-length = 99"}, "flake8 .", "flake8"),
        (
            {"pyproject.toml": '[tool.ruff]\n[dependency-groups]\ndev = ["ruff>=0.9,<1"]'},
            "ruff check .",
            "'ruff<1,>=0.9'",
        ),
    ],
)
def test_lint_is_what_the_files_configure(texts: Mapping[str, str], run: str, install: str) -> None:
    """Hooks first, then an environment of the project's own, then the settings of programs, in the wanted version."""
    found = lint_commands(_project(texts), AUTO)
    assert found is not None
    assert "\n".join(found.run).startswith(run)
    assert found.install[-1] == f"python -m pip install --quiet {install}"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"pyproject.toml": "[tool.mypy]\nfiles = ['a']"}, "mypy"),
        ({"pyproject.toml": "[tool.mypy]", "src/small/__init__.py": ""}, "mypy src/small"),
        ({"pyproject.toml": "[tool.mypy]", "small/__init__.py": "", "bench/__init__.py": ""}, "mypy small"),
        ({"mypy.ini": "[mypy]\npackages = small"}, "mypy"),
        ({"setup.cfg": "[mypy]\nstrict = true", "small/__init__.py": ""}, "mypy small"),
        ({"pyrightconfig.json": "{}"}, "pyright"),
        ({"pyproject.toml": "[tool.ty]"}, "ty check"),
        ({"tox.ini": "[testenv:mypy]", "pyproject.toml": "[tool.mypy]\nfiles = ['a']"}, "tox run -e mypy"),
        ({"noxfile.py": "@nox.session\ndef typing(session): ..."}, "nox -s typing"),
        ({"pyproject.toml": "[tool.mypy]", "other/__init__.py": ""}, None),
        ({HOOKS: "repos:\n- hooks:\n  - id: mypy\n", "pyproject.toml": "[tool.mypy]\nfiles = ['a']"}, None),
        ({HOOKS: "repos:\n- hooks:\n  - id: ruff\n", "pyproject.toml": "[tool.mypy]\nfiles = ['a']"}, "mypy"),
        ({}, None),
    ],
)
def test_types_are_checked_as_the_files_configure_it(texts: Mapping[str, str], expected: str | None) -> None:
    """Once: a hook that checks types needs no job besides. Nobody guesses what mypy should check."""
    found = type_commands(_project(texts), AUTO)
    assert (found.run[0] if found is not None else None) == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("repos: []", None),
        ("ci:\n  skip: [mypy, hadolint]\nrepos: []", "mypy,hadolint"),
        ("repos:\n- hooks:\n  - id: no-commit-to-branch\n", "no-commit-to-branch"),
        ("ci: x\nrepos: []", None),
        ("[not: yaml", None),
    ],
)
def test_hooks_that_cannot_run_in_ci_are_skipped(config: str, expected: str | None) -> None:
    """Those that the project leaves out itself, and the one that refuses what is on the default branch."""
    found = lint_commands(_project({HOOKS: config}), AUTO)
    assert found is not None
    assert found.env.get("SKIP") == expected


def test_hooks_are_at_the_top_of_the_repository() -> None:
    """A project in a folder is linted with the hooks of its repository."""
    found = lint_commands(_project({"ruff.toml": ""}, {HOOKS: "repos: []"}), AUTO)
    assert found is not None
    assert found.hooks


@pytest.mark.parametrize(
    ("texts", "install", "run"),
    [
        (TESTS, "--editable . pytest", "python -m coverage run --source=small -m pytest tests"),
        (
            {**TESTS, "pyproject.toml": '[project.optional-dependencies]\ntest = ["pytest"]'},
            "--editable '.[test]'",
            "python -m coverage run --source=small -m pytest tests",
        ),
        (
            {**TESTS, "pyproject.toml": '[dependency-groups]\ntest = ["pytest"]'},
            "--editable . --group test",
            "python -m coverage run --source=small -m pytest tests",
        ),
        (
            {**TESTS, "requirements-test.txt": "pytest\nattrs\n"},
            "--editable . --requirement requirements-test.txt",
            "python -m coverage run --source=small -m pytest tests",
        ),
        (
            {**TESTS, "tox.ini": "[testenv]\ndeps =\n  pytest>=8\ncommands = pytest -m 'not slow' {posargs}"},
            "--editable . 'pytest>=8'",
            "python -m coverage run --source=small -m pytest -m 'not slow' tests",
        ),
        (
            {**TESTS, ".coveragerc": "[run]\nsource = small", "requirements-test.txt": "pytest"},
            "--editable . --requirement requirements-test.txt",
            "python -m coverage run -m pytest tests",
        ),
    ],
)
def test_tests_run_as_the_release_runs_them(texts: Mapping[str, str], install: str, run: str) -> None:
    """With the same packages and options. Groups, extras and files are named, so their changes change no workflow."""
    found = commands_of_tests(_project(texts), AUTO)
    assert found is not None
    assert found.install[-2] == f"python -m pip install --quiet {install}"
    assert found.install[-1] == "python -m pip install --quiet coverage"
    assert found.run == (run,)


@pytest.mark.parametrize("addopts", ["--cov=small", "-n auto"])
def test_a_plugin_measures_if_the_project_uses_one(addopts: str) -> None:
    """Two measurements at once lose each other's data, and processes of xdist need the plugin."""
    texts = {**TESTS, "pytest.ini": f"[pytest]\naddopts = {addopts}"}
    found = commands_of_tests(_project(texts), AUTO)
    assert found is not None
    assert found.plugin == "pytest-cov"
    assert found.run[0].startswith("python -m pytest ")
    assert found.run[0].count("--cov=small") == ("--cov" not in addopts)
    assert "--cov-fail-under=0" in found.run[0]


@pytest.mark.parametrize(
    ("texts", "locked"),
    [
        (LOCKED, True),
        ({**LOCKED, "pyproject.toml": "[tool.uv]\nconflicts = [[{extra = 'a'}, {extra = 'b'}]]"}, False),
        ({"pyproject.toml": LOCKED["pyproject.toml"]}, False),
    ],
)
def test_a_lock_of_uv_pins_what_is_installed(texts: Mapping[str, str], *, locked: bool) -> None:
    """Its versions are constraints, unless groups conflict, so that no list has all of them."""
    found = commands_of_tests(_project({**TESTS, **texts}), AUTO)
    assert found is not None
    assert any("uv export --quiet --locked" in each for each in found.install) is locked
    assert all(("constraints.txt" in each) is locked for each in found.install[-2:])


def test_settings_replace_what_the_files_say() -> None:
    """Own commands are taken as they are, and an empty list means no job."""
    project = _project({**TESTS, HOOKS: "repos: []", "pyproject.toml": "[tool.mypy]\nfiles = ['a']"})
    own = WorkflowSettings(lint=("make lint",), types=("make types",), test=("make test",))
    none = WorkflowSettings(lint=(), types=(), test=())
    for read in (lint_commands, type_commands, commands_of_tests):
        found = read(project, own)
        assert found is not None
        assert found.install == ()
        assert found.run[0].startswith("make ")
        assert read(project, none) is None


def test_nothing_is_tested_or_linted_that_nothing_configures() -> None:
    """A project without tests and settings of linters gets no job that would fail."""
    project = _project({"setup.py": "", "small/__init__.py": ""})
    assert lint_commands(project, AUTO) is None
    assert commands_of_tests(project, AUTO) is None


@pytest.mark.parametrize(
    ("texts", "setting", "expected"),
    [
        ({}, "auto", 80),
        ({"pyproject.toml": "[tool.coverage.report]\nfail_under = 95.5"}, "auto", 95),
        ({".coveragerc": "[report]\nfail_under = 70"}, "auto", 70),
        ({"setup.cfg": "[coverage:report]\nfail_under = 60"}, "auto", 60),
        ({".coveragerc": "[report]\nfail_under = lots"}, "auto", 80),
        ({".coveragerc": "[report]\nfail_under = 70"}, 90, 90),
        ({".coveragerc": "[report]\nfail_under = 70"}, 0, 0),
    ],
)
def test_tests_must_cover_what_the_project_asks_for(texts: Mapping[str, str], setting: int, expected: int) -> None:
    """The setting, or coverage.py's own, or else 80 percent."""
    assert fail_under(_project(texts).files, WorkflowSettings(coverage=setting)) == expected


def test_plugins_of_coverage_are_needed_for_the_report_too() -> None:
    """Coverage.py refuses to report without the plugins that its settings name."""
    assert coverage_plugins(_project({".coveragerc": "[run]\nplugins = covdefaults"}).files)
    assert not coverage_plugins(_project({}).files)
