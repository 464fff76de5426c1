"""Edges follow the metadata of each package as an installer reads it."""

from __future__ import annotations

import pytest
from tests.support.resolvers import package

from unmoor.sbom.graph import asks_for_more, edges

ENVIRONMENT = {"python_version": "3.12", "python_full_version": "3.12.1", "sys_platform": "linux", "extra": ""}


@pytest.mark.parametrize(
    ("requires", "extra", "expected"),
    [
        (["A_b"], "", {"demo": {"a-b"}, "a-b": {"c"}, "c": set()}),
        (["a.b[more]"], "", {"demo": {"a-b"}, "a-b": {"c", "d"}, "c": set()}),
        (['a-b; python_version < "3"'], "", {"demo": set(), "a-b": set(), "c": set()}),
        (['a-b; extra == "x"'], "", {"demo": set(), "a-b": set(), "c": set()}),
        (['a-b; extra == "x"'], "x", {"demo": {"a-b"}, "a-b": {"c"}, "c": set()}),
        (['demo[y]; extra == "x"', 'c; extra == "y"'], "x", {"demo": {"c"}, "a-b": set(), "c": set()}),
        (["not here"], "", {"demo": set(), "a-b": set(), "c": set()}),
        (["unlisted", "c"], "", {"demo": {"c"}, "a-b": set(), "c": set()}),
        (['c; unknown_name == "1"'], "", {"demo": set(), "a-b": set(), "c": set()}),
    ],
)
def test_edges(requires: list[str], extra: str, expected: dict[str, set[str]]) -> None:
    """Names are normalised, markers and extras hold or do not, and nothing that was not resolved is named."""
    packages = (
        package("a-b", "1.0", "Requires-Dist: C", 'Requires-Dist: d; extra == "more"', "Requires-Dist: demo"),
        package("c"),
        package("d", known=False),
    )
    found = edges("demo", requires, packages, extra=extra, environment=ENVIRONMENT)
    # A package needs the project back: that is an edge, too.
    assert {name: set(needed) - {"demo"} for name, needed in found.items()} == expected


@pytest.mark.parametrize(
    ("requires", "extra", "more"),
    [
        ([], "", False),
        (["a"], "", True),
        (['a; extra == "x"'], "", False),
        (['a; extra == "x"'], "x", True),
        (["a", 'a; extra == "x"'], "x", False),
        (["a", 'a[b]; extra == "x"'], "x", True),
        (['a; extra == "x" and python_version < "3"'], "x", False),
        (['demo[y]; extra == "x"'], "x", True),
    ],
)
def test_what_asks_for_more(requires: list[str], extra: str, *, more: bool) -> None:
    """An extra that adds nothing here needs no resolution."""
    assert asks_for_more(requires, extra, ENVIRONMENT) is more
