"""The YAML that is written without ruamel.yaml, which decides how it looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.workflow_samples import SAMPLES

from unmoor.workflows import plain_yaml, yaml_by_ruamel
from unmoor.workflows.dependabot import dependabot_tree
from unmoor.workflows.every import every_workflow
from unmoor.workflows.yaml_nodes import Braces, Commented, Flow
from unmoor.workflows.yaml_text import tree_of

TEXTS = st.one_of(
    st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
    st.text(alphabet=" :#-'\"[]{}&*!|>%@`?ab.0123~<=/$\n,\t", max_size=8),
    st.text(max_size=6),
)


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_workflow_has_the_bytes_of_the_library(kind: str) -> None:
    """None of the files needs the library, and all of them have its bytes."""
    facts = SAMPLES[kind]
    for tree in (*map(tree_of, every_workflow(facts)), dependabot_tree(facts)):
        assert plain_yaml.written(tree) == yaml_by_ruamel.written(tree)


def _written(tree: object) -> str:
    """What is written without the library; empty if it has no obvious form."""
    try:
        return plain_yaml.written(tree)
    except plain_yaml.Unusual:
        return ""


@given(TEXTS)
def test_a_text_has_the_bytes_of_the_library_or_no_obvious_form(text: str) -> None:
    """Whether it is quoted, and how, depends on more than can be listed, so any text is tried at each place."""
    tree = {"a": text, "b": {"c": ["x", text], "d": [{"e": text, "f": text}]}, "g": text}
    assert _written(tree) in {"", yaml_by_ruamel.written(tree)}


@given(TEXTS, TEXTS)
def test_comments_have_the_bytes_of_the_library_or_no_obvious_form(beside: str, above: str) -> None:
    """Beside a key and above it."""
    pairs = {"a": "x", "b": {"c": 1}, "d": Flow(("e", "f")), "g": Braces()}
    tree = Commented(pairs, beside={"a": beside or "x"}, above={"b": above or "\n", "d": "\nx\ny"}, indent=2)
    assert _written(tree) in {"", yaml_by_ruamel.written(tree)}


@pytest.mark.parametrize(
    "text",
    [
        "48 4 * * 1",
        ".unmoor/*.json",
        "v[0-9]*",
        "[0-9]*",
        "3.13",
        "a: b",
        "$/x.yml",
        "${{ a }} # b",
        "it's: b",
        "",
        "x:",
    ],
)
def test_what_workflows_have_is_obvious(text: str) -> None:
    """Each kind of text in workflows is written without the library."""
    assert _written({"a": text}) == yaml_by_ruamel.written({"a": text})


@pytest.mark.parametrize(
    "value",
    ["1e3", "2001-01-01 ", "2001-01-01 1", "yes", "~", "ü", "\t", "- a", "a \nb", "\na", [], {}, [[1]], "...", 1.5],
)
def test_anything_else_is_left_to_the_library(value: object) -> None:
    """A text that may be a date, a number or a word of another type, and structures that workflows do not have."""
    assert not _written({"a": value})


@pytest.mark.parametrize("key", ["a b", "yes", "1", "a:", "x" * 200, ""])
def test_an_unusual_key_is_left_to_the_library(key: str) -> None:
    """A key may need quotes, or lines of its own."""
    assert not _written({key: 1})
