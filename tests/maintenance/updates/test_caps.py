"""The bounds of a project are found, and what they hold back."""

from __future__ import annotations

import tomllib

import pytest
from tests.support.locks import lock_of

from unmoor.maintenance.updates.caps import held_back, without_caps
from unmoor.maintenance.updates.lock import read_lock


@pytest.mark.parametrize(
    ("text", "freed"),
    [
        ("aa<2", "aa"),
        ("aa>=1,<2", "aa>=1"),
        ("aa~=1.4", "aa>=1.4"),
        ("aa==1.*", "aa>=1"),
        ("aa==1.4 ; python_version > '3'", 'aa>=1.4; python_version > "3"'),
        ("aa[x]<=2", "aa[x]"),
        ("aa>=1", ""),
        ("aa!=1.5", ""),
        ("aa @ https://a.example/aa.whl", ""),
        ("not a requirement", ""),
    ],
)
def test_upper_bounds_go(text: str, freed: str) -> None:
    """What is exact becomes the lowest version, and what has no bound stays."""
    pyproject = f"# kept\n[project]\ndependencies = [{text!r}]\n[dependency-groups]\nx = [{{include-group = 'y'}}]\n"
    made, bounds = without_caps(pyproject.encode())
    assert bounds == ({"aa": text} if freed else {})
    assert tomllib.loads(made.decode())["project"]["dependencies"] == [freed or text]


def test_every_list_of_the_project_counts() -> None:
    """Extras, groups and uv's own lists have bounds, too; what is no TOML has none."""
    pyproject = (
        "[project.optional-dependencies]\na = ['aa<2']\n[dependency-groups]\nb = ['bb<2']\n"
        "[tool.uv]\nconstraint-dependencies = ['cc<2']\ndev-dependencies = ['dd<2']\n"
    )
    assert without_caps(pyproject.encode())[1].keys() == {"aa", "bb", "cc", "dd"}
    assert without_caps(b"[") == (b"[", {})


def test_what_is_held_back_is_newer_than_the_plan() -> None:
    """Only packages that could be newer than allowed are listed, with the bound."""
    before, planned, free = (
        read_lock(lock_of(*each))
        for each in (("aa 1.0", "bb 1.0", "cc 1.0"), ("aa 1.5", "bb 1.0", "cc 1.0"), ("aa 2.0", "bb 1.0", "cc 2.0"))
    )
    (found,) = held_back(before, planned, free, {"aa": "aa<2", "bb": "bb<2"})
    assert (found.name, found.locked, found.available, found.bound) == ("aa", "1.0", "2.0", "aa<2")
