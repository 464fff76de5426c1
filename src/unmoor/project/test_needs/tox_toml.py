"""tox's environments in ``tox.toml`` or ``[tool.tox]``, as far as they can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from unmoor.errors import ConfigError
from unmoor.project.files import Files, table
from unmoor.project.literals import texts_of
from unmoor.project.test_needs.command import read_call, runs_tests, settled
from unmoor.project.test_needs.groups import resolve_known
from unmoor.project.test_needs.requirement_lines import read_lines
from unmoor.project.test_needs.source import Source, SourceKind
from unmoor.project.test_needs.tox_ini import distinct, is_main, main_first
from unmoor.project.test_needs.variables import PROJECT, usable

_DEEPEST: Final = 6


def read_tox_toml(files: Files) -> Iterator[Source]:
    """The environments that run tests, the plainest first."""
    try:
        own = files.toml("tox.toml")
    except ConfigError:
        own = {}  # tox reports it
    for path, document in (("tox.toml", own), ("pyproject.toml", table(files.pyproject, "tool", "tox"))):
        listed = texts_of(document.get("env_list"))
        for group in (listed or ["py"], list(table(document, "env"))):
            found = {name: source for name in main_first(group) if (source := _source(files, path, document, name))}
            if found:
                main = [source for name, source in found.items() if is_main(name)]
                yield from distinct(main or list(found.values()))
                break


def _source(files: Files, path: str, document: Mapping[str, Any], name: str) -> Source | None:
    """An environment if it runs tests."""
    own, base = table(document, "env", name), table(document, "env_run_base")
    merged = {**base, **own}
    listed_commands = merged.get("commands")
    commands = [
        _words(document, each)
        for each in (listed_commands if isinstance(listed_commands, list) else ())
        if isinstance(each, list)
    ]
    run = next((each for each in commands if runs_tests(each[0])), None)
    if run is None:
        return None
    moved = merged.get("change_dir") or merged.get("changedir")
    call = None if moved else read_call(run[0], defaults=run[1])
    deps = merged.get("deps", ())
    lines = deps.splitlines() if isinstance(deps, str) else _texts(document, deps)
    listed = read_lines(files, [_plain(each) for each in lines])
    groups = resolve_known(files, _texts(document, merged.get("dependency_groups", ())))
    listed.requires += read_lines(files, groups).requires
    listed.extras += _texts(document, merged.get("extras", ()))
    given = merged.get("set_env", merged.get("setenv"))
    variables = usable((key, _plain(value, PROJECT)) for key, value in table({"env": given}, "env").items())
    return listed.source(f"the environment {name} in {path}", SourceKind.RUN, call=call, variables=variables)


def _words(document: Mapping[str, Any], command: list[Any]) -> tuple[list[str], list[str]]:
    """The words of a command, and those that a user of tox may replace."""
    fixed: list[str] = []
    replaceable: list[str] = []
    for each in command:
        if isinstance(each, Mapping) and each.get("replace") == "posargs":
            replaceable += _texts(document, each.get("default", ()))
        else:
            fixed += _texts(document, [each])
    return settled([_plain(each) for each in fixed], [_plain(each) for each in replaceable])


def _texts(document: Mapping[str, Any], values: object, depth: int = 0) -> list[str]:
    """The texts of a list, with references to other keys resolved."""
    found: list[str] = []
    for each in values if isinstance(values, list) and depth < _DEEPEST else ():
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, Mapping) and each.get("replace") == "ref":
            keys = each.get("of") or ["env", each.get("env"), each.get("key")]
            value = table(document, *keys[:-1]).get(keys[-1]) if isinstance(keys, list) and keys else None
            found += _texts(document, value, depth + 1)
        elif isinstance(each, Mapping) and each.get("replace") == "env":
            default = each.get("default")
            found += [default] if isinstance(default, str) and default else []
    return found


def _plain(text: object, root: str = ".") -> str:
    """A text with the folder of the project and the like in place of tox's names; empty for anything else."""
    plain = text if isinstance(text, str) else ""
    known = (("{tox_root}", root), ("{toxinidir}", root), ("{/}", "/"), ("{:}", ":"), ("{env_python}", "python"))
    for name, value in known:
        plain = plain.replace(name, value)
    return plain
