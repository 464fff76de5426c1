"""The commands with which a project lints, checks its types and tests itself, read from its files.

A project's own environment for one of these comes first, then the configuration of a program. What nothing configures
gets no job: a job that fails from the start teaches people to ignore it.

This module is long because it reads the settings of tox, nox, linters, checkers of types, coverage.py and uv.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from packaging.utils import canonicalize_name

from unmoor.config.workflows import WorkflowSettings
from unmoor.filesystem.commands import PosixShell
from unmoor.project.files import Files, table
from unmoor.project.test_needs.choose import Needs, find_needs, read_sources
from unmoor.project.test_needs.extras import describe
from unmoor.project.test_needs.groups import groups_of, resolve_group
from unmoor.project.test_needs.locations import TestFiles, likely_modules
from unmoor.project.test_needs.source import name_of
from unmoor.project.test_needs.variables import PROJECT
from unmoor.project.written_version import tree_of
from unmoor.util.decode import decode_toml, read_ini

PRE_COMMIT: Final = ".pre-commit-config.yaml"
_BASH: Final = PosixShell()
_PIP: Final = "python -m pip install --quiet"
_LINTS: Final = re.compile(r"(?:code-?)?(?:lint|linters?|linting|style|pre-?commit|flake8|ruff)")
_TYPES: Final = re.compile(r"(?:mypy|types?|typing|type-?check(?:ing)?|pyright)")
# Programs that check types, each with its table in pyproject.toml and its own files.
_CHECKERS: Final = (
    ("mypy", "mypy", ("mypy.ini", ".mypy.ini")),
    ("pyright", "pyright", ("pyrightconfig.json",)),
    ("basedpyright", "basedpyright", ()),
    ("ty", "ty check", ("ty.toml",)),
    ("pyrefly", "pyrefly check", ("pyrefly.toml",)),
)
_TYPE_HOOK: Final = re.compile(r"^\s*-?\s*id:\s*['\"]?[\w-]*(?:mypy|pyright)", re.MULTILINE)
_UNFIT_HOOK: Final = re.compile(r"^\s*-?\s*id:\s*['\"]?(no-commit-to-branch)", re.MULTILINE)


class Commands(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a script in bash, where they come from, and the variables that they need.

    ``plugin`` is the program that measures coverage: ``coverage``, or ``pytest-cov`` that the project asks for; empty
    for the project's own commands.
    """

    why: str
    install: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    env: Mapping[str, str] = msgspec.field(default_factory=dict)
    hooks: bool = False
    plugin: str = ""


class ProjectFiles(msgspec.Struct, frozen=True, kw_only=True):
    """A project whose commands are read: its files, those at the top of its repository, and its name."""

    files: Files
    top: Files
    name: str

    @property
    def is_locked(self) -> bool:
        """Whether uv has locked versions that all of its groups and extras can have together."""
        return "uv.lock" in self.files.names and not table(self.files.pyproject, "tool", "uv").get("conflicts")


def lint_commands(project: ProjectFiles, settings: WorkflowSettings) -> Commands | None:
    """How to lint a project; ``None`` if nothing says it."""
    if settings.lint != "auto":
        return _own(settings.lint, "lint")
    if (config := project.top.read(PRE_COMMIT)) is not None:
        return _pre_commit(config.decode(errors="replace"))
    return _environment(project, _LINTS) or _linters(project)


def type_commands(project: ProjectFiles, settings: WorkflowSettings) -> Commands | None:
    """How to check the types of a project; ``None`` if nothing says it, or if linting does it."""
    if settings.types != "auto":
        return _own(settings.types, "types")
    hooks = (project.top.read(PRE_COMMIT) or b"").decode(errors="replace")
    if settings.lint == "auto" and _TYPE_HOOK.search(hooks):
        return None
    if found := _environment(project, _TYPES):
        return found
    for program, command, paths in _CHECKERS:
        tool = table(project.files.pyproject, "tool")
        in_cfg = _ini(_text(project.files, "setup.cfg")).has_section(program)
        if program in tool or in_cfg or any(each in project.files.names for each in paths):
            targets = _mypy_targets(project) if program == "mypy" else ""
            if targets is None:
                continue
            words = f"{command} {targets}".rstrip()
            install = (
                *_installs(project, _needs(project)),
                f"{_PIP} {_constraint(project)}{_wanted(project, program)}",
            )
            return Commands(why=f"the settings of {program}", install=install, run=(words,))
    return None


def test_commands(project: ProjectFiles, settings: WorkflowSettings) -> Commands | None:
    """How to test a project, as the release finds it out; ``None`` if it has no tests."""
    if settings.test != "auto":
        return _own(settings.test, "test")
    needs = _needs(project)
    if needs is None:
        return None
    addopts = TestFiles(project.files).configuration.get("addopts", "")
    words = _BASH.join([*needs.options, *_targets(needs)])
    measured = settings.coverage != 0
    by_plugin = "--cov" in addopts or bool(re.search(r"(?:^|\s)-n\b|--numprocesses", addopts))
    plugin = ("pytest-cov" if by_plugin else "coverage") if measured else ""
    sources = [] if _names_coverage_sources(project.files) else _modules(project)
    if plugin == "pytest-cov":
        own = (
            "" if "--cov" in addopts else " ".join(["--cov"] if not sources else [f"--cov={each}" for each in sources])
        )
        run = " ".join(f"python -m pytest {own} --cov-fail-under=0 {words}".split(" "))
    elif plugin:
        source = f" --source={','.join(sources)}" if sources else ""
        run = f"python -m coverage run{source} -m pytest {words}"
    else:
        run = f"python -m pytest {words}"
    env = {name: value.replace(PROJECT, "${{ github.workspace }}") for name, value in needs.variables}
    more = (f"{_PIP} {_constraint(project)}{plugin}",) if plugin else ()
    return Commands(
        why=needs.why,
        install=(*_installs(project, needs), *more),
        run=(re.sub(" +", " ", run).strip(),),
        env=env,
        plugin=plugin,
    )


def fail_under(files: Files, settings: WorkflowSettings) -> int:
    """The percentage of the code that tests must cover; 0 for none."""
    if settings.coverage != "auto":
        return settings.coverage
    found = _coverage(files, "report").get("fail_under")
    try:
        return min(100, max(0, int(float(found)))) if isinstance(found, str | int | float) else 80
    except ValueError:
        return 80  # coverage.py reports it


def coverage_plugins(files: Files) -> bool:
    """Whether coverage.py needs plugins to read what it measured."""
    return bool(_coverage(files, "run").get("plugins"))


def _own(lines: Sequence[str], setting: str) -> Commands | None:
    return Commands(why=f"the setting workflows.{setting}", run=tuple(lines)) if lines else None


def _pre_commit(config: str) -> Commands:
    """All hooks but those that the project leaves out in CI, and one that refuses commits to the default branch."""
    skip = [*_skipped(config), *_UNFIT_HOOK.findall(config)]
    return Commands(
        why=PRE_COMMIT,
        install=(f"{_PIP} pre-commit",),
        run=("pre-commit run --all-files --show-diff-on-failure --color=always",),
        env={"SKIP": ",".join(dict.fromkeys(skip))} if skip else {},
        hooks=True,
    )


def _skipped(config: str) -> list[str]:
    """``ci.skip``: hooks that pre-commit.ci leaves out because they cannot run away from a developer's machine."""
    from ruamel.yaml.error import YAMLError

    from unmoor.util.shallow_yaml import shallow_yaml

    try:
        found = shallow_yaml().load(config)
        skip = found["ci"]["skip"]
    except (YAMLError, ValueError, TypeError, KeyError, RecursionError):
        return []  # pre-commit reports what is wrong with its file
    return [each for each in skip if isinstance(each, str)] if isinstance(skip, list) else []


def _environment(project: ProjectFiles, names: re.Pattern[str]) -> Commands | None:
    """An environment of tox or a session of nox with such a name."""
    for each in _tox_environments(project.files):
        if names.fullmatch(each):
            return Commands(why=f"the environment {each} of tox", install=(f"{_PIP} tox",), run=(f"tox run -e {each}",))
    for each in _nox_sessions(project.files):
        if names.fullmatch(each.replace("_", "-")):
            return Commands(why=f"the session {each} of nox", install=(f"{_PIP} nox",), run=(f"nox -s {each}",))
    return None


def _tox_environments(files: Files) -> Iterator[str]:
    legacy = table(files.pyproject, "tool", "tox").get("legacy_tox_ini")
    for text in (_text(files, "tox.ini"), _text(files, "setup.cfg"), legacy if isinstance(legacy, str) else ""):
        for section in _ini(text).sections():
            kind, _, name = section.partition(":")
            if kind == "testenv":
                yield from (each.strip() for each in name.split(",") if re.fullmatch(r"[\w.-]+", each.strip()))
    try:
        document = decode_toml(files.read("tox.toml") or b"")
    except ValueError:
        document = {}  # tox reports it
    for found in (document, table(files.pyproject, "tool", "tox")):
        yield from (each for each in table(found, "env") if re.fullmatch(r"[\w.-]+", each))


def _nox_sessions(files: Files) -> Iterator[str]:
    tree = tree_of(files.read("noxfile.py") or b"")
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.FunctionDef):
            calls = [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]
            if any("session" in {getattr(each, "attr", ""), getattr(each, "id", "")} for each in calls):
                yield node.name


def _linters(project: ProjectFiles) -> Commands | None:
    """The programs whose settings the project has, each with the version that it asks for."""
    files = project.files
    tool = table(files.pyproject, "tool")
    chosen: dict[str, list[str]] = {}
    if "ruff" in tool or {"ruff.toml", ".ruff.toml"} & set(files.names):
        chosen["ruff"] = ["ruff check ."]
        if "format" in table(tool, "ruff"):
            chosen["ruff"].append("ruff format --check .")
    if "black" in tool:
        chosen["black"] = ["black --check ."]
    if "isort" in tool:
        chosen["isort"] = ["isort --check-only ."]
    if ".flake8" in files.names or any(_section(files, each, "flake8") for each in ("setup.cfg", "tox.ini")):
        chosen["flake8"] = ["flake8 ."]
    if not chosen:
        return None
    wanted = " ".join(_wanted(project, each) for each in chosen)
    return Commands(
        why=f"the settings of {' and '.join(chosen)}",
        install=(*_locked(project), f"{_PIP} {_constraint(project)}{wanted}"),
        run=tuple(line for lines in chosen.values() for line in lines),
    )


def _needs(project: ProjectFiles) -> Needs | None:
    files = project.files
    return find_needs(files, describe(files, project.name), likely_modules(files.names))


def _installs(project: ProjectFiles, needs: Needs | None) -> tuple[str, ...]:
    """Lines that install the project with what its tests need, by name where a group, extra or file has one."""
    requires = list(needs.requires) if needs is not None else []
    words: list[str] = []
    for place in needs.places if needs is not None else ():
        group = place.removeprefix("the dependency group ")
        if group in groups_of(project.files):
            requires = _without(requires, resolve_group(project.files, group))
            words += ["--group", group]
        elif place in project.files.names and place.endswith((".txt", ".in")) and "pylock" not in place:
            words += ["--requirement", place]
            requires = [each for each in requires if name_of(each) not in _names_in(project.files, place)]
    extras = ",".join(needs.extras) if needs is not None else ""
    line = _BASH.join(["--editable", f".[{extras}]" if extras else ".", *words, *requires])
    return (f"{_PIP} --upgrade pip", *_locked(project), f"{_PIP} {_constraint(project)}{line}")


def _without(requires: Sequence[str], covered: Collection[str]) -> list[str]:
    names = {name_of(each) for each in covered}
    return [each for each in requires if name_of(each) not in names]


def _names_in(files: Files, path: str) -> set[str]:
    from unmoor.project.test_needs.requirement_lines import read_file

    return {name_of(each) for each in read_file(files, path).requires}


def _locked(project: ProjectFiles) -> tuple[str, ...]:
    """Lines that write the locked versions as constraints, if uv has locked them."""
    if not project.is_locked:
        return ()
    uv = f"{_PIP} uv"
    export = "uv export --quiet --locked --all-extras --all-groups --no-emit-local --no-hashes --no-annotate"
    return (uv, f'{export} --output-file "$RUNNER_TEMP/constraints.txt"')


def _constraint(project: ProjectFiles) -> str:
    return '--constraint "$RUNNER_TEMP/constraints.txt" ' if project.is_locked else ""


def _wanted(project: ProjectFiles, program: str) -> str:
    """The requirement with which the project asks for a program, quoted for a shell, or else its name."""
    sources = read_sources(project.files, describe(project.files, project.name))
    found = (each for source in sources for each in source.requires if name_of(each) == program)
    return _BASH.quote(next(found, program))


def _targets(needs: Needs) -> list[str]:
    packages = ["--pyargs", *needs.location.packages] if needs.location.packages else []
    return [*needs.location.paths] or packages


def _mypy_targets(project: ProjectFiles) -> str | None:
    """What mypy checks, empty if its settings name it, and ``None`` if nothing does."""
    files = project.files
    own: dict[str, Any] = dict(table(files.pyproject, "tool", "mypy"))
    for path in ("mypy.ini", ".mypy.ini", "setup.cfg"):
        own |= _section(files, path, "mypy")
    if {"files", "packages", "modules"} & own.keys():
        return ""
    modules = _modules(project)
    paths = [f"src/{each}" if f"src/{each}/__init__.py" in files.names else each for each in modules]
    return _BASH.join(paths) if paths else None


def _modules(project: ProjectFiles) -> list[str]:
    """The packages in Python that the project installs, by their names: those in ``src``, or the one of its name."""
    found = likely_modules(project.files.names)
    names = set(project.files.names)
    in_src = [each for each in found if f"src/{each}/__init__.py" in names]
    own = [each for each in found if canonicalize_name(each) == canonicalize_name(project.name)]
    return in_src or [each for each in own if f"{each}/__init__.py" in names]


def _names_coverage_sources(files: Files) -> bool:
    return bool({"source", "source_pkgs", "include", "source_dirs"} & _coverage(files, "run").keys())


def _coverage(files: Files, part: str) -> Mapping[str, Any]:
    """The settings of coverage.py in the first file that has any."""
    found: Mapping[str, Any] = _section(files, ".coveragerc", part)
    for path in ("setup.cfg", "tox.ini"):
        found = found or _section(files, path, f"coverage:{part}")
    return found or table(files.pyproject, "tool", "coverage", part)


def _section(files: Files, path: str, name: str) -> dict[str, str]:
    parser = _ini(_text(files, path))
    return dict(parser.items(name)) if parser.has_section(name) else {}


def _ini(text: str) -> configparser.RawConfigParser:
    """A configuration file, empty if it is malformed: the program that reads it reports that."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        read_ini(parser, text)
    except configparser.Error:
        return configparser.RawConfigParser()
    return parser


def _text(files: Files, path: str) -> str:
    return (files.read(path) or b"").decode(errors="replace")
