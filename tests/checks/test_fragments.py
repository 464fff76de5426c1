"""News fragments are named well, and there where code changed."""

from __future__ import annotations

import pytest
from tests.support.checked import COMMIT, FilesInMemory, found_by, result_of

from unmoor.checks.fragments import NAMES, PRESENT
from unmoor.checks.model import CheckState

POINT = "2" * 40
SET_UP = '[project]\nname = "demo"\nversion = "1"\n[tool.towncrier]\ndirectory = "news"\n'
TYPES = '[[tool.towncrier.type]]\nname = "Feature"\n'


@pytest.mark.parametrize(
    ("toml", "names", "expected"),
    [
        (SET_UP, ["news/1.feature.md", "news/README.md", "news/.gitignore", "news/template.md.j2"], []),
        (SET_UP, ["news/1.fature.md"], ["news/1.fature.md:1: towncrier ignores this file"]),
        (SET_UP, ["elsewhere/1.fature.md"], []),
        (SET_UP + TYPES, ["news/1.bugfix.md"], ["news/1.bugfix.md:1: towncrier ignores this file"]),
        (SET_UP + 'ignore = ["1.*"]\n', ["news/1.fature.md"], []),
        (
            SET_UP.replace('directory = "news"', ""),
            ["demo/newsfragments/+x.fature"],
            ["demo/newsfragments/+x.fature:1: "],
        ),
        (SET_UP.replace('"news"', '"."'), ["1.fature.md", "README.md"], ["1.fature.md:1: towncrier ignores"]),
    ],
    ids=["well", "misspelt", "elsewhere", "types", "ignored", "package", "top"],
)
def test_names(toml: str, names: list[str], expected: list[str]) -> None:
    """A file that is meant as a fragment has one of the configured types in its name."""
    found = found_by(NAMES, {"pyproject.toml": toml, **dict.fromkeys(names, "")})
    assert len(found) == len(expected)
    assert [line for line, start in zip(found, expected, strict=True) if not line.startswith(start)] == []


@pytest.mark.parametrize("toml", ["[project]\n", ""])
def test_without_towncrier_there_are_none(toml: str) -> None:
    """Other habits are not judged."""
    assert result_of(NAMES, {"pyproject.toml": toml}).state is CheckState.SKIPPED
    assert result_of(PRESENT, {"pyproject.toml": toml}).state is CheckState.SKIPPED


def test_a_broken_configuration_is_a_finding() -> None:
    """The check says what is wrong, and where."""
    files = {"towncrier.toml": "[[tool.towncrier.type]]\ndirectory = 1\nother = 2\n"}
    (problem,) = result_of(NAMES, {**files, "towncrier.toml": "[tool.towncrier]\ntype = [1]\n"}).problems
    assert problem.where == "towncrier.toml"
    assert "towncrier's configuration is invalid" in problem.what


@pytest.mark.parametrize(
    ("names", "new", "state"),
    [
        (["demo/a.py"], ["demo/a.py"], CheckState.WARNED),
        (["demo/a.py", "news/1.feature.md"], ["demo/a.py", "news/1.feature.md"], CheckState.PASSED),
        (["demo/a.py", "news/1.feature.md"], ["demo/a.py"], CheckState.WARNED),
        (["demo/a.py"], ["demo/a.py", "news/1.feature.md"], CheckState.WARNED),
        (["tests/test_a.py"], ["tests/test_a.py", "docs/conf.py", "README.md", "noxfile.py"], CheckState.PASSED),
    ],
    ids=["none", "one", "older", "removed", "no-code"],
)
def test_where_code_changed(names: list[str], new: list[str], state: CheckState) -> None:
    """A branch that changes code adds a fragment."""
    source = FilesInMemory({"pyproject.toml": SET_UP, **dict.fromkeys(names, "")}, new=new, point=POINT)
    assert result_of(PRESENT, source).state is state


@pytest.mark.parametrize(
    ("names", "tags", "state"),
    [
        ([], {"v1": POINT}, CheckState.WARNED),
        (["news/1.feature.md"], {"v1": POINT}, CheckState.PASSED),
        ([], {}, CheckState.SKIPPED),
    ],
    ids=["none", "one", "first"],
)
def test_on_the_default_branch(names: list[str], tags: dict[str, str], state: CheckState) -> None:
    """There any fragment since the last release counts; before the first release none is needed."""
    files = {"pyproject.toml": SET_UP, "demo/a.py": "", **dict.fromkeys(names, "")}
    source = FilesInMemory(files, new=["demo/a.py"], point=COMMIT)
    result = result_of(PRESENT, source, tags=tags)
    assert result.state is state
    if state is CheckState.WARNED:
        assert result.problems[0].what == (
            "code changed (demo/a.py), and no fragment in news tells users of it: since v1"
        )
