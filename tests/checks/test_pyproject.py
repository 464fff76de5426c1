"""pyproject.toml is judged by validate-pyproject."""

from __future__ import annotations

import pytest
from tests.support.checked import FilesInMemory, found_by, result_of
from validate_pyproject import plugins
from validate_pyproject.plugins import PluginWrapper
from validate_pyproject.types import Schema

from unmoor.checks.model import CheckState
from unmoor.checks.pyproject import CHECK, plugins_for

PROJECT = '[project]\nname = "demo"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PROJECT + 'version = "1.0"\n', []),
        (PROJECT, ["pyproject.toml:1: `project` must contain ['version'] properties"]),
        (PROJECT + "version = 1\n", ["pyproject.toml:3: `project.version` must be string"]),
        (
            PROJECT + 'dynamic = ["version"]\nclassifiers = ["A :: b"]\n',
            ["pyproject.toml:4: `project.classifiers[0]` must be trove-classifier"],
        ),
        (
            PROJECT + 'version = "1.0"\n[tool.setuptools]\nfoo = 1\n',
            ["pyproject.toml:4: `tool.setuptools` must not contain {'foo'} properties"],
        ),
        ("[tool.other]\n", []),
    ],
    ids=["right", "no-version", "number", "classifier", "setuptools", "tools"],
)
def test_what_is_wrong_with_it(text: str, expected: list[str]) -> None:
    """The message names the key, and the place has its line."""
    assert found_by(CHECK, {"pyproject.toml": text}) == expected


def test_two_versions_are_none() -> None:
    """A version that is written and dynamic at once is refused, with the line."""
    (found,) = found_by(CHECK, {"pyproject.toml": PROJECT + 'version = "1"\ndynamic = ["version"]\n'})
    assert found.startswith("pyproject.toml:3: You cannot provide a value for `project.version`")


def test_a_group_that_is_not_there() -> None:
    """The line is that of the group that includes it."""
    text = '[tool.x]\n[dependency-groups]\na = [{ include-group = "b" }]\n'
    assert found_by(CHECK, {"pyproject.toml": text}) == [
        "pyproject.toml:3: The included dependency group b doesn't exist"
    ]


@pytest.mark.parametrize(
    ("new", "state"), [(["pyproject.toml"], CheckState.FAILED), (["other.py"], CheckState.SKIPPED)]
)
def test_it_is_read_when_it_is_staged(new: list[str], state: CheckState) -> None:
    """A commit that leaves it alone is not kept waiting."""
    assert result_of(CHECK, FilesInMemory({"pyproject.toml": PROJECT}, new=new), staged=True).state is state


def test_without_one_there_is_nothing_to_judge() -> None:
    """A project may have only setup.py."""
    assert result_of(CHECK, {"setup.py": ""}).state is CheckState.SKIPPED


@pytest.mark.parametrize(("tools", "chosen"), [((), []), (("b",), ["b"]), (("a", "c"), ["a", "b"])])
def test_only_schemas_that_are_needed_are_compiled(
    tools: tuple[str, ...], chosen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the tools that have a table, and those that these name."""

    def a(tool: str) -> Schema:
        return Schema({"$id": tool, "properties": {"x": {"$ref": "id-of-b"}}})

    def b(tool: str) -> Schema:
        return Schema({"$id": f"id-of-{tool}"})

    every = [PluginWrapper("a", a), PluginWrapper("b", b), PluginWrapper("d", b)]
    monkeypatch.setattr(plugins, "list_from_entry_points", lambda: every)
    assert [each.tool for each in plugins_for(tools)] == chosen
