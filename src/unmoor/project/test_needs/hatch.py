"""Hatch's environments, in ``hatch.toml`` or ``[tool.hatch.envs]``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from unmoor.errors import ConfigError
from unmoor.project.files import Files, table
from unmoor.project.literals import texts_of
from unmoor.project.test_needs.command import PytestCall, read_call, runs_tests, settled
from unmoor.project.test_needs.groups import resolve_known
from unmoor.project.test_needs.requirement_lines import read_lines
from unmoor.project.test_needs.source import Source, SourceKind, kind_of
from unmoor.project.test_needs.variables import PROJECT, usable

# What "hatch test" installs and runs unless the project says otherwise (Hatch's documentation, "Testing").
_TEST_ENVIRONMENT: Final = "hatch-test"
_TEST_DEFAULTS: Final[Mapping[str, Any]] = {
    "dependencies": ["pytest", "pytest-mock", "pytest-randomly", "pytest-rerunfailures", "pytest-xdist[psutil]"],
    "scripts": {"run": "pytest {args:tests}"},
}
_ARGS: Final = re.compile(r"\{args(?::(?P<default>[^{}]*))?\}")
_BRACES: Final = re.compile(r"\{[^{}]*\}")
_DEEPEST: Final = 8


def read_hatch(files: Files) -> Iterator[Source]:
    """The environments whose scripts run tests, and those with a name for tests."""
    try:
        own = files.toml("hatch.toml")
    except ConfigError:
        own = {}  # Hatch reports it
    for path, environments in (
        ("hatch.toml", table(own, "envs")),
        ("pyproject.toml", table(files.pyproject, "tool", "hatch", "envs")),
    ):
        for name in environments:
            merged = _inherited(environments, name)
            run = next(filter(None, map(_run, _commands(merged))), None)
            kind = SourceKind.RUN if run is not None else kind_of(name)
            if run is None and kind is SourceKind.OTHER:
                continue
            listed = read_lines(
                files, [*texts_of(merged.get("dependencies")), *texts_of(merged.get("extra-dependencies"))]
            )
            groups = resolve_known(files, texts_of(merged.get("dependency-groups")))
            listed.requires += read_lines(files, groups).requires
            listed.extras += texts_of(merged.get("features"))
            pairs = ((key, _rooted(value)) for key, value in table(merged, "env-vars").items())
            yield listed.source(f"Hatch's environment {name} in {path}", kind, call=run, variables=usable(pairs))


def _inherited(environments: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An environment with what it inherits from its template, or from ``default``."""
    merged: dict[str, Any] = {}
    seen: set[str] = set()
    while name and name not in seen and len(seen) < _DEEPEST:
        seen.add(name)
        own = table(environments, name)
        if name == _TEST_ENVIRONMENT:
            own = {**_TEST_DEFAULTS, **own, "scripts": {**_TEST_DEFAULTS["scripts"], **table(own, "scripts")}}
        tables = {key: {**table(own, key), **table(merged, key)} for key in ("scripts", "env-vars")}
        merged = {**own, **merged, **tables}
        template = own.get("template", "default")
        detached = bool(own.get("detached")) or name == _TEST_ENVIRONMENT
        name = template if isinstance(template, str) and not (detached and "template" not in own) else ""
    return merged


def _rooted(value: object) -> object:
    """A value in which Hatch's name for the folder of the project is replaced."""
    return value.replace("{root}", PROJECT) if isinstance(value, str) else value


def _commands(environment: Mapping[str, Any]) -> Iterator[str]:
    for script in table(environment, "scripts").values():
        yield from (each for each in (script if isinstance(script, list) else [script]) if isinstance(each, str))


def _run(command: str) -> PytestCall | None:
    """How a command calls pytest, without anything if it runs other tests; ``None`` if it runs no tests."""
    defaults = " ".join(each["default"] or "" for each in _ARGS.finditer(command))
    try:
        fixed, replaceable = settled(shlex.split(_BRACES.sub(" ", command)), shlex.split(defaults))
    except ValueError:
        return None
    return (read_call(fixed, defaults=replaceable) or PytestCall()) if runs_tests(fixed) else None
